//! What the expressions of a test can know.

use std::cell::RefCell;
use std::collections::BTreeMap;

use driver::{Loc, Places, Test};
use spec::artifact::Value;
use spec::plan::{CoinFact, Missing, Plan, World};
use spec::{OutPoint, Sats, Token};
use wallet::{Deployed, Key, Program, Utxo};

use crate::people;

/// A coin of a test.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) utxo: Utxo,
    pub(crate) deployed: Option<Deployed>,
    /// Where it was spent for good.
    pub(crate) gone: Option<Loc>,
}

/// A test with all that it speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Story<'p> {
    pub(crate) program: &'p Program,
    pub(crate) places: &'p Places,
    pub(crate) test: &'p Test,
    /// Whether it is noted what scripts run.
    pub(crate) watched: bool,
}

/// What a test knows at a moment.
pub(crate) struct Known<'p> {
    pub(crate) program: &'p Program,
    places: &'p Places,
    pub(crate) test: &'p Test,
    /// The values of a property's parameters.
    pub(crate) given: &'p [Value],
    pub(crate) keys: Vec<Key>,
    /// The coins that have been made, by number.
    pub(crate) coins: BTreeMap<usize, Live>,
    /// The contracts that have been given parameters, by lock.
    pub(crate) deployed: RefCell<BTreeMap<Vec<u8>, Deployed>>,
}

impl<'p> Known<'p> {
    pub(crate) fn new(story: Story<'p>, given: &'p [Value]) -> Self {
        let Story { program, places, test, .. } = story;
        let keys = test.keys.iter().map(|name| people::key(name)).collect();
        Self { program, places, test, given, keys, coins: BTreeMap::new(), deployed: RefCell::default() }
    }

    pub(crate) fn name(&self, coin: usize) -> &str {
        self.test.coins.get(coin).map_or("", |(name, _)| name)
    }

    /// The plan of this name that is declared in the file of that place.
    pub(crate) fn plan(&self, name: &str, declared: &Loc) -> Option<&'p Plan> {
        let file = self.places.resolve(declared)?.path;
        let mut all = self.program.plans().filter(|(_, plan)| plan.name == name);
        let there = all
            .find(|(artifact, plan)| artifact.sources.get(plan.span.file).is_some_and(|source| source.path == *file));
        there.map(|(_, plan)| plan)
    }

    /// The key of somebody whose public key, its hash or its lock this is.
    pub(crate) fn owner(&self, of: &[u8]) -> Option<Key> {
        let owns = |key: &Key| of == key.public() || of == key.public_hash() || of == key.lock();
        self.keys.iter().copied().chain(people::made_up()).find(owns)
    }

    /// Where a coin is now.
    pub(crate) fn outpoint(&self, coin: usize) -> Result<OutPoint, Missing> {
        self.coin(coin).map(|live| live.utxo.outpoint)
    }

    fn coin(&self, coin: usize) -> Result<&Live, Missing> {
        let name = self.name(coin);
        let live = self.coins.get(&coin).ok_or_else(|| Missing(format!("coin `{name}` is not made yet")))?;
        match live.gone {
            None => Ok(live),
            Some(_) => Err(Missing(format!("coin `{name}` has been spent"))),
        }
    }
}

impl World for Known<'_> {
    fn arg(&self, arg: usize) -> Result<Value, Missing> {
        if let Some(value) = self.given.get(arg) {
            return Ok(value.clone());
        }
        let key = arg.checked_sub(self.given.len()).and_then(|at| self.keys.get(at));
        key.map(|key| Value::Bytes(key.public().to_vec())).ok_or_else(|| Missing(format!("argument {arg} is unknown")))
    }

    fn param(&self, input: usize, param: usize) -> Result<Value, Missing> {
        let missing = || Missing(format!("the contract of `{}` has no parameter {param}", self.name(input)));
        let deployed = self.coin(input)?.deployed.as_ref().ok_or_else(missing)?;
        let slot = self.program.artifact(&deployed.contract).and_then(|artifact| artifact.params.get(param));
        let value = slot.and_then(|slot| slot.ty.decode(deployed.params.get(&slot.name)?));
        value.ok_or_else(missing)
    }

    fn coins(&self, input: usize) -> Result<usize, Missing> {
        self.coin(input).map(|_| 1)
    }

    fn fact(&self, input: usize, _: usize, what: CoinFact) -> Result<Value, Missing> {
        if let CoinFact::Param(param) = what {
            return self.param(input, param);
        }
        let live = self.coin(input)?;
        let output = &live.utxo.output;
        let token = output.token.as_ref();
        let commitment = token.and_then(|token| token.nft.as_ref()).map_or(&[][..], |nft| &nft.commitment);
        Ok(match what {
            CoinFact::Value => Value::Int(output.value.get().into()),
            CoinFact::Lock => Value::Bytes(output.lock.clone()),
            CoinFact::Code => {
                let deployed = live.deployed.as_ref();
                let script = deployed.and_then(|deployed| deployed.script(self.program).ok());
                Value::Bytes(script.ok_or_else(|| Missing("the coin has no contract".to_owned()))?.0)
            }
            CoinFact::Txid => Value::Bytes(live.utxo.outpoint.txid.as_wire().to_vec()),
            CoinFact::Outpoint => Value::Int(live.utxo.outpoint.index.into()),
            CoinFact::Category => Value::Bytes(token.map(Token::category_bytes).unwrap_or_default()),
            CoinFact::Capability => {
                Value::Int(token.and_then(Token::capability).map_or(0, |capability| capability as i128))
            }
            CoinFact::Amount => Value::Int(token.map_or(0, |token| token.amount.into())),
            CoinFact::Commitment => Value::Bytes(commitment.to_vec()),
            CoinFact::State(field) => {
                let artifact = live.deployed.as_ref().and_then(|deployed| self.program.artifact(&deployed.contract));
                let fields = artifact.and_then(|artifact| artifact.state.as_ref()?.decode(commitment));
                let missing = || Missing(format!("coin `{}` carries no state of its contract", self.name(input)));
                fields.and_then(|fields| fields.get(field).cloned()).ok_or_else(missing)?
            }
            CoinFact::Position | CoinFact::Param(_) => {
                return Err(Missing("the place among the inputs is known only inside of a transaction".to_owned()));
            }
        })
    }

    fn output(&self, output: usize) -> Result<usize, Missing> {
        Ok(output)
    }

    fn fee(&self) -> Result<Sats, Missing> {
        Err(Missing("a test has no fee".to_owned()))
    }

    fn wallet(&self) -> Result<Vec<u8>, Missing> {
        Ok(people::faucet().lock())
    }

    fn lock(&self, contract: &str, params: &[Value]) -> Result<Vec<u8>, Missing> {
        let missing = |error: wallet::ProgramError| Missing(error.to_string());
        let params = self.program.params(contract, params).map_err(missing)?;
        let (_, lock) = self.program.script(contract, &params).map_err(missing)?;
        self.deployed.borrow_mut().insert(lock.clone(), Deployed::new(contract, params));
        Ok(lock)
    }
}
