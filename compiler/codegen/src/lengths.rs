//! How long things are that the compiler does not see: values of parameters and arguments.

use analysis::hir;
use spec::script::push_len_of;

/// The part of a parameter that one hole holds.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The parameter's name and the way to the part.
    pub(crate) name: String,
    pub(crate) ty: hir::Type,
}

/// The leaves of all parameters, in the order in which holes count them.
pub(crate) fn leaves(params: &[hir::Param]) -> Vec<Leaf> {
    let mut found = Vec::new();
    params.iter().for_each(|param| add_leaves(param.name.clone(), &param.ty, &mut found));
    found
}

fn add_leaves(name: String, ty: &hir::Type, found: &mut Vec<Leaf>) {
    match ty {
        hir::Type::Struct(ty) => {
            ty.fields.iter().for_each(|(field, ty)| add_leaves(format!("{name}.{field}"), ty, found));
        }
        hir::Type::Tuple(_) | hir::Type::Array(..) | hir::Type::Enum(_) => {
            let parts = ty.leaves().into_iter().enumerate();
            found.extend(parts.map(|(index, ty)| Leaf { name: format!("{name}.{index}"), ty }));
        }
        _ => found.push(Leaf { name, ty: ty.clone() }),
    }
}

/// Relay passes on no longer lock; the longest ones carry data.
pub(crate) const LOCK_BYTES_MAX: u64 = 223;
/// The longest unlocking bytecode of a valid transaction.
pub(crate) const UNLOCK_BYTES_MAX: u64 = 10_000;

/// The bytes that a parameter's push usually takes.
pub(crate) fn typical_push_len(ty: &hir::Type) -> usize {
    match ty {
        hir::Type::Lock => 26,
        other => param_len_max(other).map_or(9, push_len_of),
    }
}

/// The bytes that a parameter's value has at most, as far as the type says.
pub(crate) fn param_len_max(ty: &hir::Type) -> Option<usize> {
    match ty {
        hir::Type::Bool => Some(1),
        hir::Type::Height | hir::Type::Blocks | hir::Type::Duration => Some(4),
        hir::Type::Time => Some(5),
        hir::Type::Int | hir::Type::Coin | hir::Type::Tokens => Some(8),
        hir::Type::IntN(len) => Some(*len as usize),
        hir::Type::Sig | hir::Type::DataSig => Some(73),
        hir::Type::Lock => Some(LOCK_BYTES_MAX as usize),
        other => other.fixed_len().map(|len| len as usize),
    }
}

/// The least bytes of a parameter's push.
pub(crate) fn push_len_min(ty: &hir::Type) -> usize {
    ty.fixed_len().map_or(1, |len| push_len_of(len as usize))
}

/// The bytes that any value of a type has that is one item.
pub(crate) fn arg_len_min(ty: &hir::Type) -> usize {
    match ty {
        hir::Type::Sig | hir::Type::DataSig => 64,
        other => other.fixed_len().map_or(0, |len| len as usize),
    }
}

/// The bytes of each item that an argument may have: at most, or as few as make sense.
pub(crate) fn arg_lens(ty: &hir::Type, longest: Option<u64>) -> Vec<u64> {
    match ty {
        hir::Type::Sigs(count) => {
            let mut lens = vec![73; *count as usize + 1];
            lens.first_mut().into_iter().for_each(|field| *field = 3);
            lens
        }
        hir::Type::Int | hir::Type::Bytes | hir::Type::Lock | hir::Type::Padding => vec![longest.unwrap_or(1)],
        hir::Type::IntN(len) => vec![u64::from(*len)],
        // No amount or time that exists needs more bytes.
        hir::Type::Coin | hir::Type::Tokens => vec![longest.map_or(4, |_| 8)],
        hir::Type::Time | hir::Type::Height | hir::Type::Blocks | hir::Type::Duration => vec![5],
        hir::Type::Sig | hir::Type::DataSig => vec![longest.map_or(64, |_| 73)],
        hir::Type::Bool => vec![1],
        hir::Type::Tuple(_) | hir::Type::Struct(_) | hir::Type::Enum(_) | hir::Type::Array(..) => {
            ty.leaves().iter().flat_map(|leaf| arg_lens(leaf, longest)).collect()
        }
        // Its records lie beneath what is counted.
        hir::Type::List(_) => Vec::new(),
        other => vec![other.fixed_len().map_or(1, u64::from)],
    }
}
