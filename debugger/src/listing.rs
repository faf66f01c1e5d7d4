//! All code of a run, instruction by instruction, whether it ran or not.

use std::collections::{BTreeMap, BTreeSet};

use spec::artifact::SourceSpan;
use spec::script::instructions;
use spec::{Artifact, asm};
use vm::{FunctionId, Phase};

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
    let mut all = Vec::new();
    for (phase, function, code) in recording.codes() {
        let artifact = artifact.filter(|_| recording.mapped() == Some(phase));
        for (number, one) in instructions(code).map_while(Result::ok).enumerate() {
            let known = ran.get(&(phase, function, one.at)).copied().flatten();
            let place = known.or_else(|| mapped(artifact?, function, number));
            let bytes = code.get(one.at..one.end).unwrap_or_default().to_vec();
            all.push(Listed { phase, function, at: one.at, bytes, word: asm::word(&one), place });
        }
    }
    all
}

/// All lines that a piece of the contract's code comes from, each with its source's number: also where paths share an
/// instruction, which [`Listed`] gives one place.
#[must_use]
pub fn lines(recording: &Recording, artifact: Option<&Artifact>) -> BTreeSet<(usize, usize)> {
    let artifact = artifact.filter(|_| recording.mapped().is_some());
    let maps = artifact.into_iter().flat_map(|artifact| {
        let functions = artifact.functions.iter().map(|function| &function.source_map);
        std::iter::once(&artifact.source_map).chain(functions)
    });
    maps.flatten().map(|entry| (entry.span.file, entry.span.line)).collect()
}

/// Where the contract's map says that an instruction comes from.
fn mapped(artifact: &Artifact, function: Option<FunctionId>, number: usize) -> Option<SourceSpan> {
    match function {
        None => artifact.source_of(number),
        Some(id) => artifact.function(&id.bytes())?.source_of(number),
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
