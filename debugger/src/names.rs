//! What the items of the stacks are called: the names of arguments, of parameters and of what the source computes.
//!
//! The machine knows no names. They follow its items through every instruction that moves them.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::artifact::{AbiType, Piece, Slot, UnlockItem};
use spec::opcode::Opcode;
use spec::script::instructions;
use spec::{Artifact, num};

/// A name, if an item has one.
pub(crate) type Name = Option<Arc<str>>;

/// What the pushes of an input and of the script it unlocks are called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pushes {
    /// Of what the input pushes, in order.
    pub(crate) unlock: Vec<Name>,
    /// Of what instructions of the script push, by their numbers.
    pub(crate) script: BTreeMap<usize, Name>,
}

impl Pushes {
    /// Those of a contract whose path with this name is taken.
    pub(crate) fn of(artifact: &Artifact, path: Option<&str>) -> Self {
        let path = path.and_then(|name| artifact.path(name));
        let unlock = path.map(|path| path.unlock.iter().flat_map(|item| pushed_by(item, &path.args)).collect());
        Self { unlock: unlock.unwrap_or_default(), script: holes(artifact) }
    }
}

fn pushed_by(item: &UnlockItem, args: &[Slot]) -> Vec<Name> {
    let leaves = |arg: &usize| args.get(*arg).map(leaf_names).unwrap_or_default();
    match item {
        UnlockItem::Arg(arg) => leaves(arg).into_iter().map(Some).collect(),
        UnlockItem::Leaf(arg, leaf) => vec![leaves(arg).get(*leaf).cloned()],
        UnlockItem::Int(_) => vec![None],
    }
}

fn holes(artifact: &Artifact) -> BTreeMap<usize, Name> {
    let leaves: Vec<Arc<str>> = artifact.params.iter().flat_map(leaf_names).collect();
    // Sealed parameters have no holes, but their leaves are counted.
    let mut number = 0;
    let mut names = BTreeMap::new();
    for piece in &artifact.bytecode {
        match piece {
            Piece::Code(code) => number += instructions(code).count(),
            Piece::Param(leaf) => {
                names.insert(number, leaves.get(*leaf).cloned());
                number += 1;
            }
            Piece::Push(_) => number += 1,
        }
    }
    names
}

/// The types of what parameters, and arguments of a path, are called on the stacks.
pub(crate) fn types<'a>(artifact: &'a Artifact, path: Option<&str>) -> BTreeMap<Arc<str>, &'a AbiType> {
    let args = path.and_then(|name| artifact.path(name)).map(|path| path.args.as_slice()).unwrap_or_default();
    artifact.params.iter().chain(args).flat_map(leaves).collect()
}

/// What the leaves of a value are called: `name`, `name.field`, `name[0]`.
fn leaf_names(slot: &Slot) -> Vec<Arc<str>> {
    leaves(slot).into_iter().map(|(name, _)| name).collect()
}

fn leaves(slot: &Slot) -> Vec<(Arc<str>, &AbiType)> {
    let mut found = Vec::new();
    collect(&slot.name, &slot.ty, &mut found);
    found
}

fn collect<'a>(name: &str, ty: &'a AbiType, found: &mut Vec<(Arc<str>, &'a AbiType)>) {
    match ty {
        AbiType::Struct(of) => {
            of.fields.iter().for_each(|field| collect(&format!("{name}.{}", field.name), &field.ty, found));
        }
        AbiType::Tuple(parts) => {
            parts.iter().enumerate().for_each(|(at, part)| collect(&format!("{name}.{at}"), part, found));
        }
        AbiType::Array(of, len) => (0..*len).for_each(|at| collect(&format!("{name}[{at}]"), of, found)),
        other => found.extend(std::iter::repeat_n((Arc::from(name), other), other.leaf_count())),
    }
}

/// The names of both stacks, as instructions move them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    pub(crate) stack: Vec<Name>,
    pub(crate) alt: Vec<Name>,
}

impl Shadow {
    /// Follows an instruction that runs. `top` is what lies on top before it, `made` the name of what it computes.
    pub(crate) fn follow(&mut self, byte: u8, top: &[u8], made: Name) {
        match Opcode::from_byte(byte) {
            Some(opcode) => self.follow_opcode(opcode, top, made),
            // Pushes of 1 to 75 bytes.
            None => self.stack.push(made),
        }
    }

    fn follow_opcode(&mut self, opcode: Opcode, top: &[u8], made: Name) {
        let deep = || num::decode(top).and_then(|n| usize::try_from(n).ok());
        match opcode {
            Opcode::ToAltStack => {
                let name = self.pop();
                self.alt.push(name);
            }
            Opcode::FromAltStack => {
                let name = self.alt.pop().flatten();
                self.stack.push(name);
            }
            Opcode::Dup => self.copy(0, 1),
            Opcode::Dup2 => self.copy(0, 2),
            Opcode::Dup3 => self.copy(0, 3),
            Opcode::Over => self.copy(1, 1),
            Opcode::Over2 => self.copy(2, 2),
            Opcode::IfDup if num::is_truthy(top) => self.copy(0, 1),
            Opcode::IfDup => {}
            Opcode::Nip => self.take(1, 1),
            Opcode::Swap => self.lift(1, 1),
            Opcode::Rot => self.lift(2, 1),
            Opcode::Swap2 => self.lift(2, 2),
            Opcode::Rot2 => self.lift(4, 2),
            Opcode::Size => self.stack.push(made),
            Opcode::Tuck => {
                let name = self.stack.last().cloned().flatten();
                let at = self.stack.len().saturating_sub(2);
                self.stack.insert(at, name);
            }
            Opcode::Pick => {
                self.pop();
                deep().into_iter().for_each(|deep| self.copy(deep, 1));
            }
            Opcode::Roll => {
                self.pop();
                deep().into_iter().for_each(|deep| self.lift(deep, 1));
            }
            other => {
                let Some((takes, leaves)) = other.arity() else { return };
                self.stack.truncate(self.stack.len().saturating_sub(takes));
                self.stack.extend(std::iter::repeat_n(made, leaves));
            }
        }
    }

    fn pop(&mut self) -> Name {
        self.stack.pop().flatten()
    }

    /// The place of the item that lies under `above` others.
    fn under(&self, above: usize) -> Option<usize> {
        self.stack.len().checked_sub(above + 1)
    }

    /// Copies `count` names, the last of which lies under `above` others, to the top.
    fn copy(&mut self, above: usize, count: usize) {
        let Some(last) = self.under(above) else { return };
        let first = (last + 1).saturating_sub(count);
        let names = self.stack.get(first..=last).map(<[Name]>::to_vec).unwrap_or_default();
        self.stack.extend(names);
    }

    /// Takes `count` names away, the last of which lies under `above` others.
    fn take(&mut self, above: usize, count: usize) {
        let Some(last) = self.under(above) else { return };
        self.stack.drain((last + 1).saturating_sub(count)..=last);
    }

    /// Moves `count` names to the top, the last of which lies under `above` others.
    fn lift(&mut self, above: usize, count: usize) {
        let Some(last) = self.under(above) else { return };
        let names: Vec<Name> = self.stack.drain((last + 1).saturating_sub(count)..=last).collect();
        self.stack.extend(names);
    }

    /// Makes room for what the machine says it has: names of items that it does not have are forgotten.
    pub(crate) fn fit(&mut self, stack: usize, alt: usize) {
        self.stack.resize(stack, None);
        self.alt.resize(alt, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, asm};
    use vm::{Step, Tracer};

    /// Gives each item a name that is its own bytes, and sees that they stay together.
    #[derive(Default)]
    struct Together {
        shadow: Shadow,
        before: Option<(u8, Vec<u8>)>,
        seen: usize,
    }

    impl Tracer for Together {
        fn step(&mut self, step: &Step<'_>) {
            let items: Vec<Vec<u8>> = step.stack.iter().collect();
            if let Some((byte, top)) = self.before.take() {
                // What is pushed is called as it is.
                let made = items.last().map(|item| Arc::from(hex::encode(item)));
                self.shadow.follow(byte, &top, made);
            }
            let names = |names: &[Name]| -> Vec<String> {
                names.iter().map(|name| name.as_deref().unwrap().to_owned()).collect()
            };
            assert_eq!(
                names(&self.shadow.stack),
                items.iter().map(hex::encode).collect::<Vec<_>>(),
                "before {}",
                step.at
            );
            assert_eq!(names(&self.shadow.alt), step.alt.iter().map(hex::encode).collect::<Vec<_>>());
            self.before = step.executing.then(|| (step.byte, items.last().cloned().unwrap_or_default()));
            self.seen += 1;
        }
    }

    #[test]
    fn names_go_where_the_machine_moves_items() {
        let script = "11 12 13 14 15 16 17 18 OP_DUP OP_2DUP OP_3DUP OP_OVER OP_2OVER OP_IFDUP OP_NIP OP_SWAP OP_ROT OP_2SWAP OP_2ROT \
            OP_TUCK 5 OP_PICK 7 OP_ROLL OP_TOALTSTACK OP_TOALTSTACK OP_DROP OP_FROMALTSTACK OP_2DROP 0 OP_IFDUP OP_DROP OP_ADD OP_SHA256 \
            OP_DEPTH OP_DROP OP_SIZE OP_DROP OP_FROMALTSTACK OP_DROP";
        let lock = asm::assemble(script, RuleSet::Bitmodel).unwrap();
        let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![], sequence: 0 };
        let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
        let spent = [TxOut::plain(Sats::ONE, lock)];
        let mut together = Together::default();
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
        let _ends = vm::verify_input_traced(&rules, &SpendContext::new(&tx, &spent).unwrap(), 0, &mut together);
        assert!(together.seen > 38, "{}", together.seen);
    }
}
