//! Three contracts, compiled as users compile them, with a transaction that a node passes on.

mod claim;
mod curve;
mod settlement;

use std::collections::BTreeMap;

use benches::Kind;
use chain::{Runner, Workers, verify_spend};
use driver::{MemoryWorld, Options};
use engine::Engine;
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::{
    Artifact, Category, Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxIn, TxOut, Txid,
};

use crate::work::Work;

/// Under these all three have room.
const RULES: RuleSet = RuleSet::Bch2026;
/// The secret of whoever pays for what the contracts do not pay.
const SECRET: [u8; 32] = [0x5e; 32];

/// All three.
pub fn works() -> Vec<Work> {
    vec![settlement::work(), curve::work(), claim::work()]
}

/// The artifact of a contract.
fn compiled(text: &str, contract: &str) -> Artifact {
    let world = MemoryWorld::new([("contract.bmc", text)]);
    let options = Options { rules: RULES, ..Options::default() };
    let compiled = driver::compile(&world, &["contract.bmc".to_owned()], &options);
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled.artifact(Some(contract)).expect("the contract is in its source").clone()
}

fn values<const N: usize>(values: [(&str, AbiValue); N]) -> BTreeMap<String, AbiValue> {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

fn int(n: u64) -> AbiValue {
    AbiValue::int(i64::try_from(n).expect("amounts are far below"))
}

/// A coin's place; each has its own.
const fn place(at: u8) -> OutPoint {
    OutPoint { txid: Txid::from_wire([at; 32]), index: 0 }
}

/// A token with state, as contracts carry it.
fn holding(state: &[u8], amount: u64) -> Option<Token> {
    let nft = Nft { capability: Capability::Mutable, commitment: state.to_vec() };
    Some(Token { category: Category::from_wire([0xca; 32]), amount, nft: Some(nft) })
}

/// The workload of a transaction's first input, in a transaction that keeps all rules.
fn valid(
    name: &'static str,
    tx: Transaction,
    spent: Vec<TxOut>,
    native: impl Fn(&Transaction) -> i64 + 'static,
) -> Work {
    let (engine, workers) = (&Engine::default(), Workers::ONE);
    let verified = verify_spend(&Rules::new(RULES, Mode::Relay), &tx, &spent, Runner { engine, workers });
    assert!(verified.is_ok(), "{name}: {verified:?}");
    Work { name, rules: Rules::new(RULES, Mode::Consensus), tx, spent, naive: None, native: Box::new(native) }
}

/// A transaction whose first input spends `coin` with `unlock`, and whose second brings `sats` of a key.
fn with_money(coin: TxOut, unlock: Vec<u8>, sats: u64, outputs: Vec<TxOut>) -> (Transaction, Vec<TxOut>) {
    let money = TxOut::plain(Sats::from_wire(sats), benches::lock_of(&SECRET));
    let input = |at: u8, unlock: Vec<u8>| TxIn { prevout: place(at), unlock, sequence: u32::MAX };
    let inputs = vec![input(1, unlock), input(2, Vec::new())];
    let mut tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
    let spent = vec![coin, money];
    let context = SpendContext::new(&tx, &spent).expect("there are two outputs for two inputs");
    let lock = spent.last().map(|money| money.lock.as_slice()).unwrap_or_default();
    let digest = context.digest(SighashType::ALL, 1, lock).expect("there is an input 1").digest;
    if let Some(input) = tx.inputs.last_mut() {
        input.unlock = benches::unlock(&SECRET, &digest, Kind::Schnorr);
    }
    (tx, spent)
}
