//! What a spend of a contract says: which path it takes, and the values of the path's arguments and of the contract's parameters.
//!
//! The artifact says what an unlocking bytecode pushes and where a script has holes; here both are read backwards.

use std::collections::BTreeMap;

use spec::Artifact;
use spec::artifact::{
    AbiType, AbiValue, Locking, Part, Piece, Record, Records, Slot, SpendPath, StructType, UnlockItem,
};
use spec::num;
use spec::script::{Instruction, instructions, last_push};

use crate::explain::{is_list, items_in, items_of, paths_that_fit};

/// What a spend says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending<'a> {
    /// The path, where it can be told.
    pub path: Option<&'a SpendPath>,
    /// The arguments that the unlocking bytecode pushes.
    pub args: Vec<Given<'a>>,
    /// The parameters that the script holds, and those that are built into it.
    pub params: Vec<Given<'a>>,
}

/// A parameter or an argument and its value; of a list that a script holds, the value is its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// Its name and type.
    pub slot: &'a Slot,
    /// Its value.
    pub value: AbiValue,
}

/// The script of an instance of `artifact`, whose coin has the lock `lock`, as the input shows it that unlocks it with `unlock`.
#[must_use]
pub fn script_of<'s>(artifact: &Artifact, lock: &'s [u8], unlock: &'s [u8]) -> Option<&'s [u8]> {
    match artifact.locking {
        Locking::P2sh32 => last_push(unlock),
        Locking::P2s => Some(lock),
    }
}

/// Reads what an input says that unlocks with `unlock` a coin of `artifact` with the lock `lock`. Where several paths push as many
/// items, `taken` tells them apart: whether the first branch ran of the conditional that is the script's instruction of this number.
#[must_use]
pub fn spending<'a>(
    artifact: &'a Artifact,
    lock: &[u8],
    unlock: &[u8],
    taken: &dyn Fn(usize) -> Option<bool>,
) -> Option<Spending<'a>> {
    let script = script_of(artifact, lock, unlock)?;
    let fitting = paths_that_fit(artifact, unlock);
    let ran = |path: &&&SpendPath| path.route.iter().all(|step| taken(step.turn.instruction) == Some(step.turn.taken));
    let path = match fitting.as_slice() {
        [only] => Some(*only),
        several => {
            let mut ran = several.iter().filter(ran);
            ran.next().filter(|_| ran.next().is_none()).copied()
        }
    };
    let args = path.and_then(|path| args_of(artifact, path, unlock)).unwrap_or_default();
    Some(Spending { path, args, params: params_of(artifact, script) })
}

/// The item that an instruction pushes; nothing if it pushes none.
pub(crate) fn pushed(step: &Instruction<'_>) -> Option<Vec<u8>> {
    match (step.data, step.byte) {
        (Some(data), _) => Some(data.to_vec()),
        (None, 0x4f) => Some(vec![0x81]),
        (None, byte @ 0x51..=0x60) => Some(vec![byte - 0x50]),
        (None, _) => None,
    }
}

fn args_of<'a>(artifact: &Artifact, path: &'a SpendPath, unlock: &[u8]) -> Option<Vec<Given<'a>>> {
    let items: Option<Vec<Vec<u8>>> = instructions(unlock).map(|step| pushed(&step.ok()?)).collect();
    let mut items = items?;
    if artifact.locking == Locking::P2sh32 {
        items.pop();
    }
    let mut rest = items.as_slice();
    let mut values: BTreeMap<usize, BTreeMap<usize, Vec<u8>>> = BTreeMap::new();
    for (at, item) in path.unlock.iter().enumerate() {
        let behind: usize = path.unlock.iter().skip(at + 1).map(|item| items_in(path, item)).sum();
        let (index, first, count) = match item {
            UnlockItem::Int(_) => (None, 0, 1),
            UnlockItem::Leaf(index, leaf) => (Some(*index), *leaf, 1),
            UnlockItem::Arg(index) if is_list(path, *index) => (Some(*index), 0, rest.len().checked_sub(behind)?),
            UnlockItem::Arg(index) => (Some(*index), 0, items_of(path, *index)),
        };
        let (mine, after) = rest.split_at_checked(count)?;
        rest = after;
        if let Some(index) = index {
            values.entry(index).or_default().extend((first..).zip(mine.iter().cloned()));
        }
    }
    let given = |(index, items): (usize, BTreeMap<usize, Vec<u8>>)| {
        let slot = path.args.get(index)?;
        Some(Given { slot, value: value_of(&slot.ty, items.into_values().collect()) })
    };
    values.into_iter().map(given).collect()
}

pub(crate) fn value_of(ty: &AbiType, mut items: Vec<Vec<u8>>) -> AbiValue {
    match ty {
        AbiType::List(of) => AbiValue::Records(Records::from(records(of, &items))),
        _ if ty.leaf_count() == 1 && items.len() == 1 => AbiValue::Item(items.pop().unwrap_or_default()),
        _ => AbiValue::Items(items),
    }
}

/// The records behind the items of a list: the last is pushed first, and numbers as short as they can be.
fn records(of: &StructType, items: &[Vec<u8>]) -> Vec<Record> {
    let stored = |(slot, item): (&Slot, &Vec<u8>)| {
        let wide = slot.ty.stored_len().filter(|_| slot.ty.is_number());
        let sized = wide.and_then(|len| num::encode_sized(num::decode_wide(item)?, len));
        sized.unwrap_or_else(|| item.clone())
    };
    let record = |fields: &[Vec<u8>]| of.fields.iter().zip(fields).map(stored).collect();
    items.chunks(of.fields.len().max(1)).rev().map(record).collect()
}

/// The parameters whose values are all in the script, and the sealed ones.
fn params_of<'a>(artifact: &'a Artifact, script: &[u8]) -> Vec<Given<'a>> {
    let leaves = leaves_of(artifact, script).unwrap_or_default();
    let mut next = 0usize;
    let mut given = Vec::new();
    for (index, slot) in artifact.params.iter().enumerate() {
        let first = next;
        next = next.saturating_add(slot.ty.leaf_count());
        let sealed = artifact.sealed.iter().find(|sealed| sealed.param == index).map(|sealed| sealed.value.clone());
        let items = || {
            let items: Vec<Vec<u8>> = leaves.range(first..next).map(|(_, item)| item.clone()).collect();
            (items.len() == next - first).then_some(items)
        };
        // A list is in the script by its hash.
        let found = || match (&slot.ty, items()?) {
            (AbiType::List(_), mut items) => items.pop().map(AbiValue::Item),
            (ty, items) => Some(value_of(ty, items)),
        };
        given.extend(sealed.or_else(found).map(|value| Given { slot, value }));
    }
    given
}

/// What fills the holes of a script, by leaf; nothing if the script is not of this artifact.
pub(crate) fn leaves_of(artifact: &Artifact, script: &[u8]) -> Option<BTreeMap<usize, Vec<u8>>> {
    let mut leaves = BTreeMap::new();
    let mut rest = script;
    for piece in &artifact.bytecode {
        if let Piece::Code(code) = piece {
            rest = rest.strip_prefix(code.as_slice())?;
            continue;
        }
        let step = instructions(rest).next()?.ok()?;
        rest = rest.get(step.end..)?;
        let item = pushed(&step)?;
        match piece {
            Piece::Push(parts) => take_parts(artifact, parts, &item, &mut leaves)?,
            Piece::Param(leaf) => drop(leaves.entry(*leaf).or_insert(item)),
            Piece::Code(_) => {}
        }
    }
    rest.is_empty().then_some(leaves)
}

/// The leaves in one push. One of them may have any length; where more may, nothing is known of them.
fn take_parts(artifact: &Artifact, parts: &[Part], item: &[u8], leaves: &mut BTreeMap<usize, Vec<u8>>) -> Option<()> {
    let len = |part: &Part| match part {
        Part::Bytes(bytes) => Some(bytes.len()),
        Part::Param(leaf) => artifact.hole(*leaf).and_then(|(slot, _)| match slot.ty {
            AbiType::List(_) => Some(32),
            _ => slot.ty.fixed_len(),
        }),
    };
    let known: usize = parts.iter().filter_map(len).sum();
    if parts.iter().filter(|part| len(part).is_none()).count() > 1 {
        return Some(());
    }
    let open = item.len().checked_sub(known)?;
    let mut rest = item;
    for part in parts {
        let (mine, after) = rest.split_at_checked(len(part).unwrap_or(open))?;
        rest = after;
        match part {
            Part::Bytes(bytes) if bytes != mine => return None,
            Part::Bytes(_) => {}
            Part::Param(leaf) => drop(leaves.entry(*leaf).or_insert_with(|| mine.to_vec())),
        }
    }
    Some(())
}
