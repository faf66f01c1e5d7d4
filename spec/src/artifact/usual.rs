//! How long scripts and unlocking bytecodes usually are: the one measure for budgets, tables and pictures.
//!
//! Values have no length before they exist, so each type has a usual one: a Schnorr signature, the lock of a key's
//! hash, a number that is no more than some billions.

use super::fill::{ends, locate};
use super::{AbiType, Artifact, Locking, Part, Piece, Slot, SpendPath, UnlockItem, VariantType};
use crate::script::{instructions, push_len, push_len_of};

impl AbiType {
    /// The usual length of each item of a value.
    ///
    /// ```
    /// use spec::artifact::AbiType;
    /// let key_and_sig: AbiType = "(PubKey, Sig)".parse().unwrap();
    /// assert_eq!(key_and_sig.usual_lens(), [33, 65]);
    /// ```
    #[must_use]
    pub fn usual_lens(&self) -> Vec<usize> {
        match self {
            Self::Int | Self::Coin | Self::Tokens | Self::Time => vec![4],
            Self::Height | Self::Duration => vec![3],
            Self::Blocks | Self::Bool => vec![1],
            Self::Bytes | Self::Category | Self::Did | Self::List(_) => vec![32],
            Self::BytesN(len) | Self::IntN(len) => vec![*len],
            Self::PubKey => vec![33],
            Self::Sig => vec![65],
            Self::DataSig => vec![64],
            Self::Lock => vec![25],
            Self::Padding => vec![0],
            Self::Sigs(count) => std::iter::once(1).chain(std::iter::repeat_n(65, *count)).collect(),
            Self::Table(..) => vec![self.stored_len().unwrap_or(0)],
            Self::Tuple(parts) => parts.iter().flat_map(Self::usual_lens).collect(),
            Self::Struct(of) => of.fields.iter().flat_map(|field| field.ty.usual_lens()).collect(),
            Self::Array(of, len) => std::iter::repeat_n(of.usual_lens(), *len).flatten().collect(),
            Self::Enum(of) => {
                let fields =
                    |variant: &VariantType| variant.fields.iter().flat_map(Self::usual_lens).collect::<Vec<_>>();
                let mut items = of.variants.iter().map(fields).max_by_key(Vec::len).unwrap_or_default();
                items.insert(0, 1);
                items
            }
        }
    }

    /// The bytes of the pushes of a value with items of usual length.
    #[must_use]
    pub fn usual_push_len(&self) -> usize {
        self.usual_lens().into_iter().map(usual_push).sum()
    }

    /// Whether a value may be as long as whoever makes it likes, so that no length is usual.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Bytes | Self::Padding | Self::List(_) => true,
            Self::Tuple(parts) => parts.iter().any(Self::is_open),
            Self::Struct(of) => of.fields.iter().any(|field| field.ty.is_open()),
            Self::Array(of, _) => of.is_open(),
            Self::Enum(of) => of.variants.iter().any(|variant| variant.fields.iter().any(Self::is_open)),
            _ => false,
        }
    }
}

/// The bytes of the push of an item of `len` bytes; one byte is a small number.
fn usual_push(len: usize) -> usize {
    if len == 1 { 1 } else { push_len_of(len) }
}

/// The usual bytes of an unlocking bytecode: what it pushes for the path, and a script of `script_bytes`.
#[must_use]
pub fn usual_input_bytes(unlock: &[UnlockItem], args: &[Slot], script_bytes: usize) -> usize {
    let pushed = |item: &UnlockItem| match item {
        UnlockItem::Int(n) => push_len(&crate::num::encode(*n)),
        UnlockItem::Arg(index) => args.get(*index).map_or(0, |slot| slot.ty.usual_push_len()),
        UnlockItem::Leaf(index, leaf) => {
            let items = args.get(*index).map(|slot| slot.ty.usual_lens()).unwrap_or_default();
            items.get(*leaf).copied().map_or(0, usual_push)
        }
    };
    unlock.iter().map(pushed).sum::<usize>() + usual_push(script_bytes)
}

/// The usual bytes of each instruction of a script, whose holes are for parameters `params`.
///
/// ```
/// use spec::artifact::{AbiType, Piece, Slot, usual_instruction_lens};
/// let params = [Slot { name: "owner".into(), ty: AbiType::PubKey }];
/// assert_eq!(usual_instruction_lens(&[Piece::Param(0), Piece::Code(vec![0xac, 0x69])], &params), [34, 1, 1]);
/// ```
#[must_use]
pub fn usual_instruction_lens(bytecode: &[Piece], params: &[Slot]) -> Vec<usize> {
    let ends = ends(params);
    let mut lens = Vec::new();
    let len_of =
        |leaf: usize| locate(params, &ends, leaf).and_then(|(slot, place)| slot.ty.usual_lens().get(place).copied());
    for piece in bytecode {
        match piece {
            Piece::Code(code) => lens.extend(instructions(code).map_while(Result::ok).map(|step| step.end - step.at)),
            Piece::Param(leaf) => lens.push(len_of(*leaf).map_or(1, usual_push)),
            Piece::Push(parts) => {
                let len = |part: &Part| part.len(|leaf| len_of(leaf).unwrap_or(0));
                lens.push(usual_push(parts.iter().map(len).sum()));
            }
        }
    }
    lens
}

impl Artifact {
    /// The usual bytes of each instruction of the script.
    #[must_use]
    pub fn usual_instruction_lens(&self) -> Vec<usize> {
        usual_instruction_lens(&self.bytecode, &self.params)
    }

    /// The usual bytes of the script.
    #[must_use]
    pub fn usual_script_bytes(&self) -> usize {
        self.usual_instruction_lens().iter().sum()
    }

    /// The usual bytes of the unlocking bytecode of one of its paths.
    #[must_use]
    pub fn usual_input_bytes(&self, path: &SpendPath) -> usize {
        self.input_bytes(path, self.usual_script_bytes())
    }

    /// The same with a script of so many bytes, which is pushed only where coins have its hash.
    #[must_use]
    pub fn input_bytes(&self, path: &SpendPath, script_bytes: usize) -> usize {
        let bytes = usual_input_bytes(&path.unlock, &path.args, script_bytes);
        match self.locking {
            Locking::P2sh32 => bytes,
            Locking::P2s => bytes - usual_push(script_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_usual_items_as_leaves() {
        for ty in ["Lock", "PubKey", "Bytes<20>", "Sigs<2>", "[(Int, Bool); 3]", "Table<Int<4>, 25>"] {
            let ty: AbiType = ty.parse().unwrap();
            let mut script = Vec::new();
            ty.usual_lens().iter().for_each(|len| crate::script::push_data(&mut script, &vec![7; *len]));
            assert_eq!((instructions(&script).count(), script.len()), (ty.leaf_count(), ty.usual_push_len()));
        }
    }

    #[test]
    fn an_input_has_its_arguments_its_selector_and_the_script() {
        let args = [Slot { name: "sig".into(), ty: AbiType::Sig }, Slot { name: "note".into(), ty: AbiType::Bytes }];
        let unlock = [UnlockItem::Arg(1), UnlockItem::Leaf(0, 0), UnlockItem::Int(2)];
        assert_eq!(usual_input_bytes(&unlock, &args, 100), 33 + 66 + 1 + 102);
        assert_eq!(args.map(|slot| slot.ty.is_open()), [false, true]);
    }
}
