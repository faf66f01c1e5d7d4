//! Scripts of random programs with stacks to run them on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use spec::artifact::{AbiValue, Level, UnlockItem, code_bytes};
use spec::script::push_data;
use spec::tx::TxIn;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};

use crate::draw::Draw;
use crate::program::{Bring, Program};
use crate::spend::artifact;
use crate::trial::is_limit;

/// A script without holes, of one path.
pub struct Sample {
    /// The bytecode.
    pub script: Vec<u8>,
    /// Stacks, top last; some of them are accepted.
    pub stacks: Vec<Vec<Vec<u8>>>,
}

impl Sample {
    /// A script with so many stacks; nothing if the program takes a list, is too long or never accepts.
    #[must_use]
    pub fn draw(seed: u64, size: usize, stacks: usize) -> Option<Self> {
        let mut draw = Draw::new(seed);
        let program = Program::draw(&mut draw, size, 1);
        let generated = program.generated(Level::O1).filter(|_| draw.record_fields == 0)?;
        let bytes = code_bytes(&generated.bytecode);
        let artifact = artifact("Random", generated);
        let script = artifact.redeem_script(&Default::default()).unwrap();
        assert_eq!(script.len(), bytes);
        let mut sample = Self { script, stacks: vec![] };
        let accepted = (0..40).map(|_| Bring::draw(&mut draw)).find(|bring| program.accepts(0, bring) == Some(true))?;
        let mut kept = vec![accepted];
        while sample.stacks.len() < stacks {
            let bring = kept[draw.below(kept.len())].changed(&mut draw);
            if program.accepts(0, &bring) == Some(true) && kept.len() < 16 {
                kept.push(bring.clone());
            }
            let args = program.args(0, &bring);
            let items = artifact.paths[0].unlock.iter().flat_map(|item| match item {
                UnlockItem::Arg(at) => match &args[&format!("a{at}")] {
                    AbiValue::Items(items) => items.clone(),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            });
            sample.stacks.push(items.collect());
        }
        Some(sample)
    }
}

/// Whether the machine accepts a script that begins with this stack; nothing if it runs into a limit.
#[must_use]
pub fn accepts(script: &[u8], stack: &[Vec<u8>]) -> Option<bool> {
    let mut unlock = Vec::new();
    stack.iter().for_each(|item| push_data(&mut unlock, item));
    let prevout = OutPoint { txid: Txid::from_wire([7; 32]), index: 0 };
    let inputs = vec![TxIn { prevout, unlock, sequence: 0 }];
    let outputs = vec![TxOut::plain(Sats::new(90_000).unwrap(), vec![0x51])];
    let tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
    let spent = [TxOut::plain(Sats::new(100_000).unwrap(), script.to_vec())];
    let context = SpendContext::new(&tx, &spent).unwrap();
    match vm::verify_input(&Rules::new(RuleSet::Bitmodel, Mode::Consensus), &context, 0) {
        Ok(_) => Some(true),
        Err(failure) if is_limit(failure.error) => None,
        Err(_) => Some(false),
    }
}
