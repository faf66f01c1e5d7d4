//! Blocks whose inputs are signed in all the ways that scripts know, one of them wrongly: whoever shares a batch of signatures
//! with it, the verdict is that of one signature after the other.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chain::{BlockError, Runner, TxError, Workers, check_scripts};
use engine::{Engine, Tier};
use secp256k1::SecretKey;
use spec::hash::{hash160, sha256};
use spec::opcode::Opcode::{self, *};
use spec::script::{p2pkh, push_data, push_op};
use spec::{Block, Mode, OutPoint, Rules, SighashType, SpendContext, Transaction, TxOut};

use crate::blocks::sort;
use crate::world::{COIN, World, seal, spend};

/// As many coins as give seven threads enough to do, and inputs of each transaction.
const COINS: usize = 126;
const INPUTS: usize = 3;

/// How an input is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Ecdsa,
    Schnorr,
    /// Schnorr, and the script then wants that the signature is *not* valid: only an empty one is not.
    Inverted,
    /// As before, with an empty signature.
    Absent,
    /// Schnorr, of a message that is no transaction.
    Data,
    /// ECDSA, two of three keys.
    OldMultisig,
    /// Schnorr, two of three keys.
    NewMultisig,
    /// Schnorr with an uncompressed key.
    Long,
}

const WAYS: [Way; 7] =
    [Way::Schnorr, Way::Ecdsa, Way::Data, Way::OldMultisig, Way::NewMultisig, Way::Absent, Way::Long];

/// A coin that one secret, and for some others with it, can spend.
struct Coin {
    way: Way,
    seed: u8,
    prevout: OutPoint,
    output: TxOut,
}

fn secret(seed: u8) -> [u8; 32] {
    sha256(&[seed % 31])
}

fn key(seed: u8) -> Vec<u8> {
    SecretKey::from_secret_bytes(secret(seed)).unwrap().public_key().serialize().to_vec()
}

fn long_key(seed: u8) -> Vec<u8> {
    SecretKey::from_secret_bytes(secret(seed)).unwrap().public_key().serialize_uncompressed().to_vec()
}

fn schnorr(seed: u8, digest: &[u8; 32]) -> Vec<u8> {
    vm::schnorr::sign(&secret(seed), digest).unwrap().to_vec()
}

fn script(pushes: &[Vec<u8>], opcodes: &[Opcode]) -> Vec<u8> {
    let mut script = Vec::new();
    pushes.iter().for_each(|data| push_data(&mut script, data));
    opcodes.iter().for_each(|opcode| push_op(&mut script, *opcode));
    script
}

impl Way {
    fn lock(self, seed: u8) -> Vec<u8> {
        match self {
            Self::Ecdsa | Self::Schnorr => p2pkh(&hash160(&key(seed))),
            Self::Long => p2pkh(&hash160(&long_key(seed))),
            Self::Inverted | Self::Absent => script(&[key(seed)], &[CheckSig, Not]),
            Self::Data => script(&[key(seed)], &[CheckDataSig]),
            Self::OldMultisig | Self::NewMultisig => {
                let keys = [vec![2], key(seed), key(seed + 1), key(seed + 2), vec![3]];
                script(&keys, &[CheckMultiSig])
            }
        }
    }

    fn unlock(self, seed: u8, digest: &[u8; 32]) -> Vec<u8> {
        let typed = |signature: Vec<u8>| [signature, vec![0x41]].concat();
        let old = |seed| typed(vm::ecdsa::sign(&secret(seed), digest).unwrap());
        let new = |seed| typed(schnorr(seed, digest));
        match self {
            Self::Ecdsa => script(&[old(seed), key(seed)], &[]),
            Self::Schnorr => script(&[new(seed), key(seed)], &[]),
            Self::Long => script(&[new(seed), long_key(seed)], &[]),
            Self::Inverted => script(&[new(seed)], &[]),
            Self::Absent => script(&[vec![]], &[]),
            Self::Data => script(&[schnorr(seed, &sha256(b"rain")), b"rain".to_vec()], &[]),
            Self::OldMultisig => script(&[vec![], old(seed), old(seed + 2)], &[]),
            // The first and the third key sign.
            Self::NewMultisig => script(&[vec![0b101], new(seed), new(seed + 2)], &[]),
        }
    }
}

/// A world with coins of all ways in turn.
fn world_of(ways: &[Way]) -> (World, Vec<Coin>) {
    let mut world = World::grown();
    let mut fan = spend(&[world.coinbase(1)], &[COIN / 10; COINS]);
    let ways: Vec<Way> = ways.iter().copied().cycle().take(COINS).collect();
    for (seed, (output, way)) in (0u8..).zip(fan.outputs.iter_mut().zip(&ways)) {
        output.lock = way.lock(seed);
    }
    let mut block = world.next_block("fan");
    block.transactions.push(fan.clone());
    world.accept(seal(block)).unwrap();
    let txid = fan.txid();
    let coin = |(index, (way, output)): (u32, (Way, &TxOut))| Coin {
        way,
        seed: index as u8,
        prevout: OutPoint { txid, index },
        output: output.clone(),
    };
    (world, (0..).zip(ways.into_iter().zip(&fan.outputs)).map(coin).collect())
}

/// A transaction that spends the coins, all signed well but those that `bad` tells.
fn signed(coins: &[Coin], bad: &dyn Fn(&Coin) -> bool) -> Transaction {
    let prevouts: Vec<OutPoint> = coins.iter().map(|coin| coin.prevout).collect();
    let mut tx = spend(&prevouts, &[COIN / 20]);
    let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
    let unsigned = tx.clone();
    let context = SpendContext::new(&unsigned, &spent).unwrap();
    for (at, (coin, input)) in coins.iter().zip(&mut tx.inputs).enumerate() {
        let digest = context.digest(SighashType::ALL, at, &coin.output.lock).unwrap().digest;
        input.unlock = coin.way.unlock(coin.seed, &digest);
        // In each way this is inside of the first signature.
        if let Some(byte) = input.unlock.get_mut(40).filter(|_| bad(coin)) {
            *byte ^= 1;
        }
    }
    tx
}

fn block_of(world: &mut World, coins: &[Coin], bad: &dyn Fn(&Coin) -> bool) -> Block {
    let mut block = world.next_block("signed");
    block.transactions.extend(coins.chunks(INPUTS).map(|coins| signed(coins, bad)));
    sort(&mut block);
    seal(block)
}

/// The first transaction of the block that fails, and why, with one signature after the other.
fn expected(block: &Block, coins: &[Coin]) -> Option<(usize, TxError)> {
    let params = chain::Params::of(spec::Network::Devnet);
    let (rules, engine) = (Rules::new(params.rules, Mode::Consensus), Engine::default());
    let runner = Runner { engine: &engine, workers: Workers::ONE };
    block.transactions.iter().enumerate().skip(1).find_map(|(position, tx)| {
        let output = |prevout: &OutPoint| coins.iter().find(|coin| coin.prevout == *prevout).unwrap().output.clone();
        let spent: Vec<TxOut> = tx.inputs.iter().map(|input| output(&input.prevout)).collect();
        check_scripts(&rules, tx, &spent, runner).err().map(|error| (position, error))
    })
}

fn found(world: &World, block: &Block, threads: usize, engine: &Arc<Engine>) -> Option<(usize, TxError)> {
    let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
    let chain = world.chain.clone().with_workers(workers).with_engine(Arc::clone(engine));
    match chain.test_block(block, world.now) {
        Ok(()) => None,
        Err(BlockError::Transaction { position, error, .. }) => Some((position, error)),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn one_bad_signature_is_blamed_wherever_it_is() {
    let (mut world, coins) = world_of(&WAYS);
    let engines = [Tier::Oracle, Tier::Register].map(|tier| Arc::new(Engine::new(tier)));
    for bad in std::iter::once(None).chain((0..COINS as u8).map(Some)) {
        let block = block_of(&mut world, &coins, &|coin| Some(coin.seed) == bad && coin.way != Way::Absent);
        let expected = expected(&block, &coins);
        assert_eq!(expected.is_some(), bad.is_some_and(|bad| coins[usize::from(bad)].way != Way::Absent));
        for threads in [1, 2, 7] {
            for engine in &engines {
                assert_eq!(found(&world, &block, threads, engine), expected, "{bad:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn of_several_failures_the_first_is_blamed_for_its_own_reason() {
    let ways = [WAYS.as_slice(), &[Way::Schnorr; 20], &[Way::Inverted]].concat();
    let (mut world, coins) = world_of(&ways);
    let engine = Arc::new(Engine::new(Tier::Register));
    // What wants an invalid signature succeeds neither with a valid one nor with a bad one.
    for (every, from) in [(200, 199), (13, 0), (50, 41), (2, 1), (1, 0)] {
        let block = block_of(&mut world, &coins, &|coin| usize::from(coin.seed) % every == from);
        let expected = expected(&block, &coins);
        assert!(expected.is_some());
        for threads in [1, 2, 7] {
            assert_eq!(found(&world, &block, threads, &engine), expected, "every {every}, {threads} threads");
        }
    }
}
