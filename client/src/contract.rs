//! A contract with its parameters: its lock, its coins, and what its coins say.

use spec::artifact::{AbiType, Value};
use spec::plan::{CoinFact, Expr, FactOf, Input, Output, OutputKind, Pay, Plan, Source, Take, TokenOut};
use spec::token::Capability;
use spec::{Address, Artifact, Network, Sats, TxOut};
use wallet::{Carried, Deployed, FeeRate, Key, Params, PlanWish, Program, Purse, Utxo};

use crate::error::Error;
use crate::given::Given;
use crate::node::Node;

/// A contract with its parameters.
#[derive(Clone, Debug)]
pub struct Contract {
    program: &'static Program,
    artifact: &'static Artifact,
    params: Params,
    lock: Vec<u8>,
}

/// What the coins of a contract say.
pub trait State: Sized {
    /// The values of the fields, in order.
    fn values(&self) -> Vec<Value>;

    /// The state behind these values.
    fn from_values(values: &[Value]) -> Option<Self>;
}

/// The state of a contract that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoState;

impl State for NoState {
    fn values(&self) -> Vec<Value> {
        Vec::new()
    }

    fn from_values(values: &[Value]) -> Option<Self> {
        values.is_empty().then_some(Self)
    }
}

/// A coin of a contract, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin<S> {
    /// The coin.
    pub utxo: Utxo,
    /// Its state.
    pub state: S,
}

impl<S> Coin<S> {
    /// What it holds.
    #[must_use]
    pub const fn value(&self) -> Sats {
        self.utxo.output.value
    }
}

impl Contract {
    /// The contract `name` of a program, with values for the parameters that must be given. The others are computed.
    ///
    /// # Errors
    /// [`Error`] if a value is not of its parameter's type, or a time lock could not mean what the source says.
    pub fn new(program: &'static Program, name: &str, given: &[(&str, Given)]) -> Result<Self, Error> {
        let artifact = program.artifact(name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
        let slots = flow::open_slots(artifact);
        let mut params = Params::new();
        for (name, given) in given {
            let slot = slots.iter().chain(&artifact.params).find(|slot| slot.name == *name);
            let ty = slot.map(|slot| slot.ty.clone()).ok_or_else(|| Error::Unknown((*name).to_owned()))?;
            let value = given.param(&ty).ok_or_else(|| misfit(name, &ty))?;
            params.insert((*name).to_owned(), value);
        }
        let params = program.complete(name, params)?;
        wallet::check_params(artifact, &params)?;
        let lock = artifact.lock(&params)?;
        Ok(Self { program, artifact, params, lock })
    }

    /// The program that it is of.
    #[must_use]
    pub const fn program(&self) -> &'static Program {
        self.program
    }

    /// What the compiler made of it.
    #[must_use]
    pub const fn artifact(&self) -> &'static Artifact {
        self.artifact
    }

    /// The values of all its parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The lock of its coins.
    #[must_use]
    pub fn lock(&self) -> &[u8] {
        &self.lock
    }

    /// Where it is paid; nothing where its coins hold the script itself, which has no address.
    #[must_use]
    pub fn address(&self, network: Network) -> Option<Address> {
        Address::of_lock(network, &self.lock)
    }

    /// Tells the node what it is, so that the node can say which `require` failed.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub fn register(&self, node: &Node) -> Result<(), Error> {
        Ok(node.register(self.artifact, &self.lock)?)
    }

    /// Its coins, and what they say. Of a contract with state, coins whose token is none of it are left out; of one
    /// without, those with tokens are among them.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub fn coins<S: State>(&self, node: &Node) -> Result<Vec<Coin<S>>, Error> {
        let coin = |utxo: Utxo| Some(Coin { state: self.state(&utxo.output)?, utxo });
        Ok(node.all_coins(&self.lock)?.into_iter().filter_map(coin).collect())
    }

    /// What an output of the contract says; nothing if it has no state that can be read.
    #[must_use]
    pub fn state<S: State>(&self, output: &TxOut) -> Option<S> {
        let Some(layout) = &self.artifact.state else { return S::from_values(&[]) };
        S::from_values(&layout.decode(&output.token.as_ref()?.nft.as_ref()?.commitment)?)
    }

    /// The output that goes on with `coin`: its token with another state.
    ///
    /// # Errors
    /// [`Error`] if a value does not fit, or the coin has no token.
    pub fn next(&self, coin: &Utxo, value: Sats, state: &impl State) -> Result<TxOut, Error> {
        let mut output = TxOut { value, ..coin.output.clone() };
        let nft = output.token.as_mut().and_then(|token| token.nft.as_mut());
        let nft = nft.ok_or_else(|| Error::NoState(self.artifact.contract.clone()))?;
        nft.commitment = self.commitment(state)?;
        Ok(output)
    }

    fn commitment(&self, state: &impl State) -> Result<Vec<u8>, Error> {
        let layout = self.artifact.state.as_ref().ok_or_else(|| Error::NoState(self.artifact.contract.clone()))?;
        let misfit = |misfit: spec::artifact::Misfit| Error::Misfit { name: "state".into(), ty: misfit.to_string() };
        layout.encode(&state.values()).map_err(misfit)
    }

    /// Pays it `value` from the coins of `payer`.
    ///
    /// # Errors
    /// [`Error`] if the coins do not reach or the node refuses.
    pub fn pay(&self, node: &Node, payer: &Key, value: Sats) -> Result<wallet::Built, Error> {
        let purse = purse(node, payer)?;
        let outputs = vec![TxOut::plain(value, self.lock.clone())];
        let built = wallet::pay(&purse, outputs, FeeRate::RELAY_MIN, self.artifact.rules)?;
        node.send(&built.tx)?;
        Ok(built)
    }

    /// Makes its first coin with `state`: a token of a new category, which may change as `capability` says.
    ///
    /// # Errors
    /// [`Error`] if the coins do not reach or the node refuses.
    pub fn create(
        &self,
        node: &Node,
        payer: &Key,
        value: Sats,
        state: &impl State,
        capability: Capability,
    ) -> Result<Carried, Error> {
        let plan = self.genesis(value, &self.commitment(state)?, capability)?;
        let coins = node.all_coins(&payer.lock())?;
        let wish = PlanWish {
            program: self.program,
            plan: &plan,
            args: &wallet::Args::new(),
            deployments: &[],
            coins: &coins,
            keys: &[],
            payer: Some(*payer),
            named: &std::collections::BTreeMap::new(),
            rate: FeeRate::RELAY_MIN,
        };
        let carried = wallet::carry_out(&wish)?;
        self.register(node)?;
        crate::plan::send(node, &carried)?;
        Ok(carried)
    }

    fn genesis(&self, value: Sats, commitment: &[u8], capability: Capability) -> Result<Plan, Error> {
        let range = || Error::Misfit { name: "value".into(), ty: "Coin".into() };
        let category = Expr::Fact(FactOf { input: 0, coin: None, what: CoinFact::Txid });
        let token = TokenOut {
            category: Some(category),
            capability: Some(Expr::Int(i64::from(capability as u8))),
            commitment: Some(Expr::Bytes(commitment.to_vec())),
            ..TokenOut::default()
        };
        let pay = Pay {
            lock: Expr::Bytes(self.lock.clone()),
            value: Some(Expr::Int(i64::try_from(value.get()).map_err(|_| range())?)),
            token: Some(token),
        };
        let input = Input {
            name: "first".into(),
            span: Default::default(),
            source: Source::Genesis,
            take: Take::Only,
            accept: None,
            age: None,
            burn: false,
        };
        let output = Output { name: None, span: Default::default(), each: None, kind: OutputKind::Pay(Box::new(pay)) };
        Ok(Plan { name: "create".into(), inputs: vec![input], outputs: vec![output], ..Plan::default() })
    }

    /// The same as plans know it.
    #[must_use]
    pub fn deployed(&self) -> Deployed {
        Deployed::new(self.artifact.contract.clone(), self.params.clone())
    }
}

pub(crate) fn misfit(name: &str, ty: &AbiType) -> Error {
    Error::Misfit { name: name.to_owned(), ty: ty.to_string() }
}

pub(crate) fn purse(node: &Node, key: &Key) -> Result<Purse, Error> {
    Ok(Purse::of(*key, node.coins(&key.lock())?))
}
