//! All code of a run, instruction by instruction, whether it ran or not.

use std::collections::BTreeMap;

use spec::artifact::{Locking, SourceSpan};
use spec::script::instructions;
use spec::{Artifact, asm};
use vm::{FunctionId, Phase};
use wallet::Places;

use crate::recording::Recording;

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The script.
    pub phase: Phase,
    /// The function whose body it stands in.
    pub function: Option<FunctionId>,
    /// Its byte offset there.
    pub at: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The instruction as assembly writes it.
    pub word: String,
    /// Where it comes from: as it ran first, or what the contract's map says of it.
    pub place: Option<SourceSpan>,
}

/// Every instruction of a run up to the first in each script that cannot be read; `artifact` is the contract that was spent.
#[must_use]
pub fn listing(recording: &Recording, artifact: Option<&Artifact>) -> Vec<Listed> {
    let mut ran = BTreeMap::new();
    for moment in recording.moments().filter(|moment| moment.executing) {
        let key = (moment.phase, moment.function, moment.at);
        ran.entry(key).or_insert(moment.place);
    }
    let map = artifact.and_then(|artifact| Map::of(recording, artifact));
    let mut all = Vec::new();
    for (phase, function, code) in recording.codes() {
        for (number, one) in instructions(code).map_while(Result::ok).enumerate() {
            let known = ran.get(&(phase, function, one.at)).copied().flatten();
            let place = known.or_else(|| map.as_ref()?.place(phase, function, number));
            let bytes = code.get(one.at..one.end).unwrap_or_default().to_vec();
            all.push(Listed { phase, function, at: one.at, bytes, word: asm::word(&one), place });
        }
    }
    all
}

/// The contract's map, if it is that of the script that ran.
struct Map<'a> {
    artifact: &'a Artifact,
    phase: Phase,
}

impl<'a> Map<'a> {
    fn of(recording: &Recording, artifact: &'a Artifact) -> Option<Self> {
        let phase = match artifact.locking {
            Locking::P2sh32 => Phase::Redeem,
            Locking::P2s => Phase::Locking,
        };
        let (.., script) = recording.codes().find(|(of, function, _)| *of == phase && function.is_none())?;
        Places::new(artifact, script).fits().then_some(Self { artifact, phase })
    }

    fn place(&self, phase: Phase, function: Option<FunctionId>, number: usize) -> Option<SourceSpan> {
        match function {
            _ if phase != self.phase => None,
            None => self.artifact.source_of(number),
            Some(id) => self.artifact.function(&id.bytes())?.source_of(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};

    use super::*;
    use crate::recording::Subject;

    #[test]
    fn code_that_did_not_run_is_listed_and_frames_lead_into_functions() {
        let lock = asm::assemble("0x5293 1 OP_DEFINE 1 OP_INVOKE OP_NOTIF 3 OP_ENDIF 1", RuleSet::Bitmodel).unwrap();
        let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x53], sequence: 0 };
        let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
        let spent = [TxOut::plain(Sats::ONE, lock)];
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
        let context = SpendContext::new(&tx, &spent).unwrap();
        let run = Recording::of(&Subject { rules: &rules, context: &context, input: 0, artifact: None, sources: &[] });
        assert!(run.end().failure.is_none(), "{:?}", run.end());
        let words: Vec<String> = listing(&run, None).into_iter().map(|listed| listed.word).collect();
        let script =
            ["OP_3", "0x5293", "OP_1", "OP_DEFINE", "OP_1", "OP_INVOKE", "OP_NOTIF", "OP_3", "OP_ENDIF", "OP_1"];
        assert_eq!(words, [&script[..], &["OP_2", "OP_ADD"]].concat());
        let add = run.moments().position(|moment| run.word(moment) == "OP_ADD").unwrap();
        let frames: Vec<String> = run.frames(add).into_iter().map(|at| run.word(run.moment(at).unwrap())).collect();
        assert_eq!(frames, ["OP_ADD", "OP_INVOKE"]);
        assert_eq!(run.frames(0), [0]);
    }
}
