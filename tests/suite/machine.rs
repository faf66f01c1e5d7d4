//! Contracts on the machine, under both sets of rules: coins, transactions and what is said of them. Where Node.js is
//! installed, a machine that nobody here wrote has to say the same.

use std::path::Path;

use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::tx::TxIn;
use spec::{Artifact, Category, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
use wallet::{Accounts, Params};

/// The transaction whose outputs all inputs spend, and the category that it names.
pub(crate) const CATEGORY: [u8; 32] = [0xca; 32];

pub(crate) type Values = Vec<(&'static str, AbiValue)>;

pub(crate) fn int(n: u64) -> AbiValue {
    AbiValue::int(i64::try_from(n).unwrap())
}

pub(crate) fn bytes(bytes: impl AsRef<[u8]>) -> AbiValue {
    AbiValue::Item(bytes.as_ref().to_vec())
}

/// The lock of an account.
pub(crate) fn account(at: u32) -> Vec<u8> {
    Accounts::devnet().key(at).lock()
}

pub(crate) fn compiled(text: &str) -> Vec<Artifact> {
    let world = MemoryWorld::new([("offers.bmc", text)]);
    let compiled =
        driver::compile(&world, &["offers.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    compiled.artifacts.clone()
}

/// A contract with its parameters.
#[derive(Clone)]
pub(crate) struct Placed {
    pub(crate) artifact: Artifact,
    pub(crate) params: Params,
}

pub(crate) fn place(artifacts: &[Artifact], contract: &str, params: Values) -> Placed {
    let artifact = artifacts.iter().find(|artifact| artifact.contract == contract);
    let artifact = artifact.unwrap_or_else(|| panic!("no `{contract}`")).clone();
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    wallet::check_params(&artifact, &params).unwrap();
    Placed { artifact, params }
}

impl Placed {
    pub(crate) fn lock(&self) -> Vec<u8> {
        self.artifact.lock(&self.params).unwrap()
    }

    pub(crate) fn out(&self, sats: u64, token: Option<Token>) -> TxOut {
        out(&self.lock(), sats, token)
    }
}

pub(crate) fn out(lock: &[u8], sats: u64, token: Option<Token>) -> TxOut {
    TxOut { value: Sats::from_wire(sats), token, lock: lock.to_vec() }
}

pub(crate) fn fungible(amount: u64) -> Option<Token> {
    of(CATEGORY, amount)
}

/// So many tokens of this category; none at all are no token.
pub(crate) fn of(category: [u8; 32], amount: u64) -> Option<Token> {
    (amount > 0).then(|| Token { category: Category::from_wire(category), amount, nft: None })
}

pub(crate) fn nft(category: [u8; 32], capability: Capability, commitment: &[u8], amount: u64) -> Option<Token> {
    let nft = Nft { capability, commitment: commitment.to_vec() };
    Some(Token { category: Category::from_wire(category), amount, nft: Some(nft) })
}

/// The token of a contract with state.
pub(crate) fn held(commitment: &[u8], amount: u64) -> Option<Token> {
    nft(CATEGORY, Capability::Mutable, commitment, amount)
}

pub(crate) fn eight(n: u64) -> [u8; 8] {
    n.to_le_bytes()
}

pub(crate) fn four(n: u32) -> [u8; 4] {
    n.to_le_bytes()
}

/// The machine that others wrote says of these inputs what ours says, and what ours says.
#[track_caller]
pub(crate) fn agreed<T>(
    tx: &Transaction,
    spent: &[TxOut],
    inputs: &[usize],
    ours: Result<T, String>,
) -> Result<T, String> {
    tests::scripts_agree(Path::new(env!("CARGO_TARGET_TMPDIR")), tx, spent, inputs, &ours);
    ours
}

/// The machine that others wrote says of all transactions of a program what ours says.
pub(crate) fn agrees_with(ran: &tests::Ran) {
    for spend in &ran.spends {
        agreed(&spend.tx, &spend.coins, &spend.own, spend.verdict.clone()).ok();
    }
}

/// An input: a contract's coin with the path and its arguments, or a coin of no interest.
pub(crate) struct In<'a> {
    pub(crate) contract: Option<(&'a Placed, &'static str, Values)>,
    pub(crate) coin: TxOut,
    pub(crate) index: u32,
}

pub(crate) fn spend<'a>(contract: &'a Placed, path: &'static str, args: Values, coin: TxOut) -> In<'a> {
    In { contract: Some((contract, path, args)), coin, index: 0 }
}

pub(crate) fn other(coin: TxOut) -> In<'static> {
    In { contract: None, coin, index: 3 }
}

/// A transaction that is judged.
pub(crate) struct Tx<'a> {
    pub(crate) inputs: Vec<In<'a>>,
    pub(crate) outputs: Vec<TxOut>,
    pub(crate) locktime: u32,
    pub(crate) sequence: u32,
}

pub(crate) fn tx<'a>(inputs: Vec<In<'a>>, outputs: Vec<TxOut>) -> Tx<'a> {
    Tx { inputs, outputs, locktime: 0, sequence: 0 }
}

impl Tx<'_> {
    pub(crate) fn at(self, locktime: u32) -> Self {
        Self { locktime, ..self }
    }

    pub(crate) fn aged(self, blocks: u32) -> Self {
        Self { sequence: blocks, ..self }
    }

    /// What the machine says of the first input that fails; both sets of rules and the other machine say the same.
    #[track_caller]
    pub(crate) fn judge(&self) -> Result<(), String> {
        let bch = self.judge_narrow();
        let (tx, coins) = self.built();
        assert_eq!(bch, self.judge_by(RuleSet::Bitmodel, &tx, &coins), "the two sets of rules differ");
        bch
    }

    /// What the narrower set of rules and the other machine say, where the wider one allows more.
    #[track_caller]
    pub(crate) fn judge_narrow(&self) -> Result<(), String> {
        let (tx, coins) = self.built();
        let verdict = self.judge_by(RuleSet::Bch2026, &tx, &coins);
        let contracts = (0..).zip(&self.inputs).filter(|(_, input)| input.contract.is_some());
        agreed(&tx, &coins, &contracts.map(|(index, _)| index).collect::<Vec<_>>(), verdict)
    }

    pub(crate) fn built(&self) -> (Transaction, Vec<TxOut>) {
        let inputs = self.inputs.iter().map(|input| {
            let unlock = input.contract.as_ref().map(|(placed, path, args)| {
                let args: Params = args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                let redeem = placed.artifact.redeem_script(&placed.params).unwrap();
                placed.artifact.path(path).unwrap().unlock_script(&args, &redeem).unwrap()
            });
            let prevout = OutPoint { txid: Txid::from_wire(CATEGORY), index: input.index };
            TxIn { prevout, unlock: unlock.unwrap_or_default(), sequence: self.sequence }
        });
        let outputs = self.outputs.clone();
        let tx = Transaction { version: 2, inputs: inputs.collect(), outputs, locktime: self.locktime };
        (tx, self.inputs.iter().map(|input| input.coin.clone()).collect())
    }

    fn judge_by(&self, rules: RuleSet, tx: &Transaction, coins: &[TxOut]) -> Result<(), String> {
        let context = SpendContext::new(tx, coins).unwrap();
        let rules = Rules::new(rules, Mode::Relay);
        for (index, input) in self.inputs.iter().enumerate() {
            let Some((placed, ..)) = &input.contract else { continue };
            let redeem = placed.artifact.redeem_script(&placed.params).unwrap();
            vm::verify_input(&rules, &context, index)
                .map_err(|failure| wallet::explain(&placed.artifact, &redeem, &failure).to_string())?;
        }
        Ok(())
    }

    #[track_caller]
    pub(crate) fn accepted(self) {
        self.judge().unwrap();
    }

    #[track_caller]
    pub(crate) fn refused(self, message: &str) {
        let error = self.judge().expect_err("the machine must refuse");
        assert!(error.contains(message), "`{message}` is not in `{error}`");
    }
}
