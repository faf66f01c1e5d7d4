//! How good code is for what a build makes as small as it can.

use spec::Opcode;
use spec::artifact::Objective;
use spec::opcode::CostClass;
use spec::script::push_len;

use crate::code::{self, Code, Instr, Op, Rounds, text_len};

/// What an instruction costs, whatever it does.
const INSTRUCTION_COST: u64 = 100;
/// What the iterations of a hash cost on relay, for a few short items.
const HASH_COST: u64 = 2 * 192;
/// A loop over records, or one that runs for as long as it likes, counts as so many rounds.
const ROUNDS: u64 = 100;
/// Loops inside each other count as at most so many rounds.
const ROUNDS_MAX: u64 = 1_000_000;
/// Units of a score in a byte; the rest weighs what runs for each record.
const UNITS_PER_BYTE: usize = 8;
/// The budget grows by 800 with each byte, so an instruction that runs once for each of a hundred records weighs as much
/// as twelve and a half bytes.
const UNITS_PER_RECORD: usize = 100;

/// What lengths and costs are taken from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale<'a> {
    pub(crate) objective: Objective,
    /// How long the push of each parameter is to count.
    pub(crate) holes: &'a [usize],
    /// About how many instructions run in each shared function.
    pub(crate) calls: &'a [usize],
}

impl Scale<'_> {
    /// How good the code of a path is; less is better. `per_record` instructions run for each record of a list.
    pub(crate) fn score(&self, code: &Code, per_record: usize) -> usize {
        let bytes = self.len(code);
        match self.objective {
            Objective::Size | Objective::Fee => UNITS_PER_BYTE * bytes + UNITS_PER_RECORD * per_record,
            Objective::Cost => self.cost_score(self.cost(code), bytes),
        }
    }

    /// How much a shared function adds that is defined once: the push of its body, its number and `OP_DEFINE`.
    pub(crate) fn definition(&self, body: &Code) -> usize {
        let body = code::bytes(body);
        let bytes = push_len(&body) + 2;
        match self.objective {
            Objective::Size | Objective::Fee => UNITS_PER_BYTE * bytes,
            Objective::Cost => self.cost_score(3 * INSTRUCTION_COST + 2 * body.len() as u64, bytes),
        }
    }

    /// Of two that cost the same, the shorter.
    fn cost_score(&self, cost: u64, bytes: usize) -> usize {
        let cost = usize::try_from(cost).unwrap_or(usize::MAX);
        cost.saturating_mul(1_000).saturating_add(bytes)
    }

    fn len(&self, code: &Code) -> usize {
        code.iter().map(|instr| instr.op.len(|index| self.hole(index))).sum()
    }

    fn hole(&self, index: usize) -> usize {
        self.holes.get(index).copied().unwrap_or(1)
    }

    /// About what the code costs if all of it runs.
    pub(crate) fn cost(&self, code: &Code) -> u64 {
        let mut rounds = vec![1_u64];
        let mut sum = 0_u64;
        let mut before: Option<&Instr> = None;
        for instr in code {
            let times = rounds.last().copied().unwrap_or(1);
            sum = sum.saturating_add(times.saturating_mul(self.cost_of(instr, before)));
            match instr.op {
                Op::Begin(Rounds::Exactly(n) | Rounds::AtMost(n)) => {
                    rounds.push(times.saturating_mul(u64::from(n)).min(ROUNDS_MAX));
                }
                Op::Begin(Rounds::Records) => rounds.push(times.saturating_mul(ROUNDS).min(ROUNDS_MAX)),
                Op::Code(Opcode::Until) if rounds.len() > 1 => drop(rounds.pop()),
                Op::Code(_) | Op::Push(_) | Op::Hole(_) | Op::Text(_) => {}
            }
            before = Some(instr);
        }
        sum
    }

    fn cost_of(&self, instr: &Instr, before: Option<&Instr>) -> u64 {
        let more = match &instr.op {
            Op::Push(data) => data.len() as u64,
            Op::Hole(index) => self.hole(*index) as u64,
            Op::Text(parts) => text_len(parts, |index| self.hole(index)) as u64,
            Op::Code(Opcode::Invoke) => {
                let number = before.and_then(|before| usize::try_from(before.op.as_int()?).ok());
                let run = number.and_then(|number| self.calls.get(number)).copied().unwrap_or(0);
                INSTRUCTION_COST.saturating_mul(run as u64)
            }
            Op::Code(opcode) if opcode.row().cost == CostClass::Hash => HASH_COST,
            Op::Code(_) | Op::Begin(_) => 0,
        };
        INSTRUCTION_COST + more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::PlaceId;

    fn code(ops: &[Op]) -> Code {
        ops.iter().map(|op| Instr { op: op.clone(), place: PlaceId::default(), site: None }).collect()
    }

    #[test]
    fn rounds_multiply_what_is_inside_them() {
        let scale = Scale { objective: Objective::Cost, holes: &[20], calls: &[7] };
        assert_eq!(scale.cost(&code(&[Op::Hole(0), Op::Code(Opcode::Drop)])), 220);
        let inner = [Op::Begin(Rounds::Exactly(3)), Op::Code(Opcode::Dup), Op::Code(Opcode::Until)];
        assert_eq!(scale.cost(&code(&inner)), 100 + 3 * 200);
        assert_eq!(scale.cost(&code(&[Op::int(0), Op::Code(Opcode::Invoke)])), 100 + 100 + 700);
        assert_eq!(scale.cost(&code(&[Op::Code(Opcode::Sha256)])), 484);
    }

    #[test]
    fn size_counts_bytes_and_cost_counts_work() {
        let cheap = code(&[Op::Push(vec![7; 30])]);
        let short = code(&[Op::int(1), Op::Code(Opcode::Sha256)]);
        let [size, cost] = [Objective::Size, Objective::Cost].map(|objective| {
            let scale = Scale { objective, holes: &[], calls: &[] };
            scale.score(&cheap, 0) < scale.score(&short, 0)
        });
        assert_eq!((size, cost), (false, true));
    }
}
