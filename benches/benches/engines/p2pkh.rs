//! What spending a coin of a key takes beside its signature check: the digest of the transaction, the hash of the key, the
//! interpreter.

use std::hint::black_box;

use benches::{Kind, SATS_EACH, Table, lock_of, public_key, sign, spend, unsigned};
use chain::{Runner, Workers, check_scripts};
use engine::{Engine, Tier};
use spec::hash::{hash160, sha256};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut, Txid};

use crate::measure::{Time, best, best_and_more, engine};

/// As many coins, so that no branch is learnt by heart.
const COINS: u8 = 64;

/// A coin that is spent.
struct Spent {
    tx: Transaction,
    coins: [TxOut; 1],
    signature: Vec<u8>,
    digest: [u8; 32],
    key: [u8; 33],
}

impl Spent {
    fn new(at: u8, kind: Kind) -> Self {
        let secret = sha256(&[at]);
        let coin = OutPoint { txid: Txid::from_wire(sha256(&[at, at])), index: 0 };
        let output = TxOut::plain(Sats::from_wire(SATS_EACH), lock_of(&secret));
        let (_, digest) = unsigned(coin, &output);
        Self {
            tx: spend(coin, &output, &secret, kind),
            signature: sign(&secret, &digest, kind),
            coins: [output],
            digest,
            key: public_key(&secret),
        }
    }

    fn context(&self) -> SpendContext<'_> {
        SpendContext::new(&self.tx, &self.coins).expect("there is one output for the one input")
    }

    /// Reads the key and the signature, and checks it.
    fn is_valid(&self, kind: Kind) -> bool {
        match kind {
            Kind::Ecdsa => vm::ecdsa::verify(&self.signature, &self.digest, &self.key),
            Kind::Schnorr => <&[u8; 64]>::try_from(self.signature.as_slice())
                .is_ok_and(|signature| vm::schnorr::verify(signature, &self.digest, &self.key)),
        }
    }
}

/// A way that inputs are validated: as part of a block, also in machine code, or of a transaction to be passed on.
#[derive(Clone, Copy)]
enum Way {
    Block,
    Compiled,
    Relay,
}

impl Way {
    const ALL: [Self; 3] = [Self::Block, Self::Compiled, Self::Relay];

    const fn name(self) -> &'static str {
        match self {
            Self::Block => "in a block",
            Self::Compiled => "in a block, jit",
            Self::Relay => "passed on",
        }
    }

    fn engine(self) -> Engine {
        match self {
            Self::Block | Self::Relay => engine(Tier::Register),
            Self::Compiled => engine(Tier::Jit),
        }
    }

    fn accepts(self, engine: &Engine, spent: &Spent) -> bool {
        match self {
            Self::Block | Self::Compiled => engine.accept(&rules(Mode::Consensus), &spent.context(), 0).is_ok(),
            Self::Relay => {
                let runner = Runner { engine, workers: Workers::ONE };
                check_scripts(&rules(Mode::Relay), &spent.tx, &spent.coins, runner).is_ok()
            }
        }
    }
}

const fn rules(mode: Mode) -> Rules {
    Rules::new(RuleSet::Bitmodel, mode)
}

fn all(kind: Kind) -> Vec<Spent> {
    (0..COINS).map(|at| Spent::new(at, kind)).collect()
}

fn each(time: Time) -> Time {
    Time(time.0 / u128::from(COINS))
}

/// How many hold; a benchmark that measures refusals measures nothing.
fn count(spends: &[Spent], holds: impl Fn(&Spent) -> bool) -> i64 {
    let held = spends.iter().filter(|spent| holds(black_box(spent))).count();
    assert_eq!(held, spends.len(), "each is valid");
    held as i64
}

/// What an ECDSA signature check takes.
pub fn signature() -> Time {
    let spends = all(Kind::Ecdsa);
    each(best(|| count(&spends, |spent| spent.is_valid(Kind::Ecdsa))))
}

/// The two kinds of signatures in each way; then the parts that are no signature check.
pub fn table() -> Table {
    let mut table = Table::new("a key's coin", &["signature, us", "all else, us", "of it, %"]);
    for (name, kind) in [("ECDSA", Kind::Ecdsa), ("Schnorr", Kind::Schnorr)] {
        let spends = all(kind);
        for way in Way::ALL {
            let engine = way.engine();
            let [raw, more] = best_and_more(
                || count(&spends, |spent| spent.is_valid(kind)),
                || count(&spends, |spent| way.accepts(&engine, spent)),
            );
            table
                .row(&format!("{name}, {}", way.name()), [each(raw).micros(), each(more).micros(), percent(more, raw)]);
        }
    }
    for (name, time) in parts(&all(Kind::Ecdsa)) {
        table.row(name, ["".to_owned(), each(time).micros()]);
    }
    table
}

/// How much `part` is of `whole`, with one place.
fn percent(part: Time, whole: Time) -> String {
    let tenths = part.0 * 1_000 / whole.0.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn parts(spends: &[Spent]) -> [(&'static str, Time); 2] {
    let digest = |spent: &Spent| spent.context().digest(SighashType::ALL, 0, black_box(lock(spent)));
    [
        ("  digest of the transaction", best(|| count(spends, |spent| digest(spent).is_some()))),
        ("  hash of the key", best(|| count(spends, |spent| lock(spent).get(3..23) == Some(&hash160(&spent.key))))),
    ]
}

fn lock(spent: &Spent) -> &[u8] {
    let [coin] = &spent.coins;
    &coin.lock
}
