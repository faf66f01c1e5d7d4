//! Loops, without running each of their rounds.
//!
//! Two rounds that cost the same and add the same to the same numbers are most likely followed by more of that kind. It
//! is shown for many of them at once by running the last one. What a round costs, and what it makes of the greatest
//! numbers, never falls where those grow, and is convex in them as long as no number is cut off by another and lengths
//! stay as they are: so what is the same in two neighbouring rounds and a third one is the same in all between.

use crate::code::Rounds;

use super::{Block, Item, Run, Spent};

/// What lies on both stacks.
#[derive(Clone, PartialEq, Eq)]
struct State {
    stack: Vec<Item>,
    alt: Vec<Item>,
}

impl State {
    fn items(&self) -> impl Iterator<Item = &Item> {
        self.stack.iter().chain(&self.alt)
    }

    /// By how much the greatest numbers have grown since `before`, if nothing else has changed.
    fn growth(&self, before: &Self) -> Option<Vec<u128>> {
        let is_like = self.stack.len() == before.stack.len() && self.alt.len() == before.alt.len();
        let grown = |(now, before): (&Item, &Item)| {
            (now.len == before.len && now.value == before.value).then(|| now.most.checked_sub(before.most)).flatten()
        };
        if is_like { self.items().zip(before.items()).map(grown).collect() } else { None }
    }

    /// For how many rounds of growth all numbers can be as long as they are.
    fn rounds_alike(&self, growth: &[u128]) -> u64 {
        let rounds = |(item, growth): (&Item, &u128)| {
            let bits = u128::BITS - item.most.leading_zeros();
            let most = if bits == 0 { 0 } else { Item::of(u64::from(bits / 8 + 1)).most };
            most.saturating_sub(item.most).checked_div(*growth)
        };
        let least = self.items().zip(growth).filter_map(rounds).min().unwrap_or(u128::MAX);
        u64::try_from(least).unwrap_or(u64::MAX)
    }

    /// This after so many rounds of growth.
    fn grown(&self, growth: &[u128], rounds: u64) -> Option<Self> {
        let mut after = self.clone();
        for (item, growth) in after.stack.iter_mut().chain(&mut after.alt).zip(growth) {
            item.most = growth.checked_mul(u128::from(rounds)).and_then(|sum| item.most.checked_add(sum))?;
        }
        Some(after)
    }
}

/// What one round did.
struct Round {
    entry: State,
    exit: State,
    cost: u64,
    spent: Option<Spent>,
    cuts_numbers: bool,
}

impl Round {
    /// What it adds to numbers, if that is all it does.
    fn growth(&self) -> Option<Vec<u128>> {
        if self.cuts_numbers { None } else { self.exit.growth(&self.entry) }
    }
}

impl Run<'_> {
    pub(super) fn repeat(&mut self, rounds: Option<Rounds>, body: &Block<'_>) -> Option<()> {
        let rounds_of = rounds?;
        let rounds = match rounds_of {
            Rounds::Exactly(rounds) => u64::from(rounds),
            Rounds::AtMost(rounds) if self.lengths.all_rounds => u64::from(rounds),
            Rounds::AtMost(_) => 1,
            Rounds::Records => self.lengths.records?.0,
        };
        let record: Vec<Item> = match (rounds_of, self.lengths.records) {
            (Rounds::Records, Some((_, fields))) => fields.iter().map(|len| Item::of(*len)).collect(),
            _ => Vec::new(),
        };
        self.pay_base(1)?;
        let mut left = rounds.max(1);
        let mut last: Option<Round> = None;
        let mut ends: Option<State> = None;
        // How many rounds pass before a leap is tried again.
        let (mut wait, mut patience) = (0_u64, 1);
        while left > 0 {
            let round = self.round(body, &record)?;
            left -= 1;
            self.add(&round, 1)?;
            self.end(&mut ends, round.exit.clone())?;
            if round.exit == round.entry {
                self.add(&round, left)?;
                break;
            }
            if wait > 0 {
                wait -= 1;
            } else if let Some(growth) = same_growth(last.as_ref(), &round) {
                let most = left.min(round.exit.rounds_alike(&growth));
                match self.leap(body, &record, &round, &growth, most) {
                    Some((rounds, exit)) => {
                        left -= rounds;
                        self.add(&round, rounds)?;
                        self.end(&mut ends, exit)?;
                    }
                    None if most > 1 => {
                        wait = patience;
                        patience *= 2;
                    }
                    None => {}
                }
            }
            last = Some(round);
        }
        self.set(ends?);
        Some(())
    }

    /// One round from what lies there now; what it costs is told, and not paid.
    fn round(&mut self, body: &Block<'_>, record: &[Item]) -> Option<Round> {
        let entry = self.state();
        let (cost, spent) = (self.cost, self.spent.as_mut().map(std::mem::take));
        let cuts_numbers = std::mem::take(&mut self.cuts_numbers);
        self.stack.splice(0..0, record.iter().copied());
        self.block(body)?;
        self.pay_base(1)?;
        self.pop()?;
        let of_round = self.cost - cost;
        self.cost = cost;
        let spent = std::mem::replace(&mut self.spent, spent);
        let cut = std::mem::replace(&mut self.cuts_numbers, cuts_numbers);
        self.cuts_numbers |= cut;
        Some(Round { entry, exit: self.state(), cost: of_round, spent, cuts_numbers: cut })
    }

    /// How many of the rounds to come, at most so many, are like this one, as far as that can be shown, and what lies there
    /// then.
    fn leap(
        &mut self,
        body: &Block<'_>,
        record: &[Item],
        like: &Round,
        growth: &[u128],
        most: u64,
    ) -> Option<(u64, State)> {
        let here = self.state();
        let mut rounds = most;
        while rounds > 1 {
            if let Some(entry) = like.exit.grown(growth, rounds - 1) {
                self.set(entry);
                let last = self.round(body, record)?;
                if last.cost == like.cost && last.growth().as_deref() == Some(growth) {
                    return Some((rounds, last.exit));
                }
            }
            rounds /= 2;
        }
        self.set(here);
        None
    }

    /// Pays for so many rounds like this one.
    fn add(&mut self, round: &Round, times: u64) -> Option<()> {
        self.pay(round.cost.checked_mul(times)?)?;
        if let (Some(all), Some(once)) = (&mut self.spent, &round.spent) {
            for (at, cost) in once {
                let spent = all.entry(*at).or_default();
                *spent = spent.saturating_add(cost.saturating_mul(times));
            }
        }
        Some(())
    }

    /// The loop may end with this round or with one before.
    fn end(&mut self, ends: &mut Option<State>, exit: State) -> Option<()> {
        let before = ends.replace(exit.clone());
        if let Some(State { stack, alt }) = before {
            self.set(exit.clone());
            self.join(&stack, &alt)?;
            *ends = Some(self.state());
        }
        self.set(exit);
        Some(())
    }

    fn state(&self) -> State {
        State { stack: self.stack.clone(), alt: self.alt.clone() }
    }

    fn set(&mut self, State { stack, alt }: State) {
        (self.stack, self.alt) = (stack, alt);
    }
}

/// What both rounds add to numbers, if that is the same, and they cost the same.
fn same_growth(last: Option<&Round>, round: &Round) -> Option<Vec<u128>> {
    let last = last.filter(|last| last.cost == round.cost)?.growth()?;
    round.growth().filter(|growth| *growth == last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spec::{Mode, Opcode, RuleSet, Rules};

    use super::*;
    use crate::code::{Instr, Op, PlaceId};
    use crate::cost::{Input, Lengths, bound_of_input, spent_by_instruction};

    fn with<T>(ops: &[Op], stack: &[Item], run: impl FnOnce(Input<'_>) -> T) -> T {
        let code: Vec<Instr> =
            ops.iter().map(|op| Instr { op: op.clone(), place: PlaceId::default(), site: None }).collect();
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Relay);
        let lengths = Lengths { holes: &[], lock: 35, unlock: 35, script: 9, all_rounds: true, records: None };
        let (turns, stack) = (BTreeMap::new(), stack.to_vec());
        run(Input { code: &code, turns: &turns, functions: &[], stack, lengths: &lengths, rules: &rules })
    }

    fn bodies() -> Vec<Vec<Op>> {
        use Opcode::*;
        let op = Op::Code;
        vec![
            vec![op(Add1), op(Dup)],
            vec![op(Over), op(Add), op(Dup)],
            vec![op(Swap), op(Add1), op(Tuck), op(Add), op(Dup)],
            vec![op(Dup), op(Add), op(Dup)],
            vec![op(Over), op(Mul), op(Dup)],
            vec![op(Add1), Op::int(1_000), op(Mod), op(Dup)],
            vec![op(Over), Op::int(300), op(Max), op(Add), op(Dup)],
            vec![op(Over), op(Over), op(Cat), op(Size), op(Nip), op(Add), op(Dup)],
            vec![op(Dup), op(If), op(Add1), op(Else), Op::int(77), op(Add), op(EndIf), op(Dup)],
            vec![op(Sub1), op(Dup)],
            vec![op(Swap), op(Dup)],
            vec![op(TxLockTime), op(Add), op(Dup), op(Mul), op(TxOutputCount)],
        ]
    }

    #[test]
    fn a_loop_costs_what_its_rounds_cost_one_behind_the_other() {
        for body in bodies() {
            for rounds in [1, 2, 3, 4, 17, 100, 985, 3_000] {
                let stack = [Item::of(4), Item::int(3)];
                let looped = [&[Op::Begin(Rounds::Exactly(rounds))], body.as_slice(), &[Op::Code(Opcode::Until)]];
                let round = [body.as_slice(), &[Op::Code(Opcode::Drop)]].concat();
                let written_out = vec![round; rounds as usize].concat();
                let looped = with(&looped.concat(), &stack, bound_of_input).unwrap();
                // `OP_BEGIN` is one instruction more.
                let written_out = with(&written_out, &stack, bound_of_input).unwrap() + 100;
                assert_eq!(looped, written_out, "{rounds} of {body:?}");
            }
        }
    }

    #[test]
    fn what_instructions_spend_in_all_rounds_is_what_the_loop_costs() {
        for body in bodies() {
            let stack = [Item::of(4), Item::of(2)];
            let sum = |rounds| {
                let looped = [&[Op::Begin(Rounds::Exactly(rounds))], body.as_slice(), &[Op::Code(Opcode::Until)]];
                let spent = with(&looped.concat(), &stack, spent_by_instruction).unwrap();
                // Without what closes conditionals and rounds, which no instruction has.
                (spent.values().sum::<u64>(), with(&looped.concat(), &stack, bound_of_input).unwrap())
            };
            let rest: Vec<u64> = [1_000, 2_000, 3_000].map(sum).iter().map(|(spent, all)| all - spent).collect();
            assert_eq!(rest[1] - rest[0], rest[2] - rest[1], "{body:?}");
        }
    }

    /// As many rounds as records may be, in no time; but not where a number is cut off by another, of which less is known.
    #[test]
    fn alike_rounds_are_not_run_one_by_one() {
        use Opcode::{Add, Drop, Dup, Mod, Over};
        let adding: Vec<Op> = vec![vec![Op::Code(Over), Op::Code(Add)]; 200].concat();
        let cutting = [adding.as_slice(), &[Op::Code(Over), Op::int(3), Op::Code(Mod), Op::Code(Drop)]].concat();
        let bound = |body: Vec<Op>| {
            let code = [vec![Op::Begin(Rounds::Exactly(60_000))], body, vec![Op::Code(Dup), Op::Code(Opcode::Until)]];
            with(&code.concat(), &[Item::of(1), Item::of(7)], bound_of_input)
        };
        assert!(bound(adding).is_some());
        assert_eq!(bound(cutting), None);
    }
}
