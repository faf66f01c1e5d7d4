//! Types of values.

use std::fmt;
use std::sync::Arc;

use spec::artifact::{self, AbiType, Slot};

/// The type of a value.
///
/// ```
/// use analysis::hir::Type;
/// assert_eq!(Type::BytesN(20).to_string(), "Bytes<20>");
/// assert!(Type::Coin.is_number() && Type::Lock.is_bytes());
/// let pair = Type::Tuple([Type::Int, Type::Array(Type::Coin.into(), 2)].into());
/// assert_eq!(pair.to_string(), "(Int, [Coin; 2])");
/// assert_eq!(pair.leaves(), [Type::Int, Type::Coin, Type::Coin]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A number without a unit.
    Int,
    /// A number that is stored in this many bytes. Outside of what is stored it is an `Int`.
    IntN(u32),
    /// True or false.
    Bool,
    /// Base units of money.
    Coin,
    /// Fungible tokens.
    Tokens,
    /// A block height.
    Height,
    /// Seconds since 1970.
    Time,
    /// A number of blocks.
    Blocks,
    /// A number of seconds.
    Duration,
    /// An exact part of a whole. It exists while compiling, never in a script.
    Share,
    /// Bytes of any length.
    Bytes,
    /// Bytes of one length. `Hash160` is `Bytes<20>`, `Hash256` is `Bytes<32>`.
    BytesN(u32),
    /// A public key of 33 bytes.
    PubKey,
    /// A transaction signature with its type byte.
    Sig,
    /// A signature over data.
    DataSig,
    /// A locking bytecode.
    Lock,
    /// The 32 bytes that name a kind of token, without a capability.
    Category,
    /// The 32 bytes of an identity on the chain.
    Did,
    /// This many signatures of a multisig, behind the bit field that names their keys.
    Sigs(u32),
    /// Values of several types.
    Tuple(Arc<[Type]>),
    /// Named values.
    Struct(Arc<StructType>),
    /// One of several variants.
    Enum(Arc<EnumType>),
    /// This many values of one type.
    Array(Arc<Type>, u32),
    /// This many values of one type, one behind the other in a single string of bytes.
    Table(Arc<Type>, u32),
    /// Records of which a contract holds only the hash of their chain.
    List(Arc<StructType>),
    /// Bytes without meaning that pay for work: an argument of a path.
    Padding,
    /// A type parameter of the enclosing function: which one, and its name.
    Param(u32, Arc<str>),
    /// No value: what a function gives back that only checks.
    Unit,
}

/// A struct, with its type parameters put in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructType {
    /// Its name, without arguments.
    pub name: String,
    /// What its type parameters stand for.
    pub args: Vec<Type>,
    /// Names and types in order of declaration.
    pub fields: Vec<(String, Type)>,
}

/// An enum, with its type parameters put in. `Option<T>` is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// Its name, without arguments.
    pub name: String,
    /// What its type parameters stand for.
    pub args: Vec<Type>,
    /// In order of declaration: the position of a variant is its tag.
    pub variants: Vec<Variant>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it holds, in order.
    pub fields: Vec<Type>,
    /// The names of the fields, if they have names.
    pub names: Vec<String>,
}

impl EnumType {
    /// The `Option` of a type: `None` has tag 0, `Some` has tag 1.
    pub fn option(of: Type) -> Self {
        let none = Variant { name: "None".into(), fields: Vec::new(), names: Vec::new() };
        let some = Variant { name: "Some".into(), fields: vec![of.clone()], names: Vec::new() };
        Self { name: "Option".into(), args: vec![of], variants: vec![none, some] }
    }

    /// What lies on the stack for the fields of any variant, behind the tag: a slot has the type that
    /// all variants give it, or `Bytes`. A variant uses the first slots; the others are empty.
    pub fn slots(&self) -> Vec<Type> {
        let mut slots: Vec<Type> = Vec::new();
        for variant in &self.variants {
            let leaves: Vec<Type> = variant.fields.iter().flat_map(Type::leaves).collect();
            for (at, leaf) in leaves.into_iter().enumerate() {
                match slots.get_mut(at) {
                    Some(slot) if *slot != leaf => *slot = Type::Bytes,
                    Some(_) => {}
                    None => slots.push(leaf),
                }
            }
        }
        slots
    }
}

impl StructType {
    fn abi(&self) -> Option<artifact::StructType> {
        let field = |(name, ty): &(String, Type)| Some(Slot { name: name.clone(), ty: ty.abi()? });
        Some(artifact::StructType {
            name: self.name.clone(),
            fields: self.fields.iter().map(field).collect::<Option<_>>()?,
        })
    }
}

impl EnumType {
    fn abi(&self) -> Option<artifact::EnumType> {
        let variant = |variant: &Variant| {
            let fields = variant.fields.iter().map(Type::abi).collect::<Option<_>>()?;
            Some(artifact::VariantType { name: variant.name.clone(), fields, names: variant.names.clone() })
        };
        Some(artifact::EnumType {
            name: self.name.clone(),
            variants: self.variants.iter().map(variant).collect::<Option<_>>()?,
        })
    }
}

impl Type {
    /// Whether values are script numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Type::Int
                | Type::IntN(_)
                | Type::Coin
                | Type::Tokens
                | Type::Height
                | Type::Time
                | Type::Blocks
                | Type::Duration
        )
    }

    /// Whether values are strings of bytes; all such types can be used as `Bytes`.
    pub fn is_bytes(&self) -> bool {
        matches!(
            self,
            Type::Bytes
                | Type::BytesN(_)
                | Type::PubKey
                | Type::Sig
                | Type::DataSig
                | Type::Lock
                | Type::Category
                | Type::Did
        )
    }

    /// Whether values consist of parts: tuples, structs, enums and arrays.
    pub fn is_composite(&self) -> bool {
        matches!(self, Type::Tuple(_) | Type::Struct(_) | Type::Enum(_) | Type::Array(..))
    }

    /// The length in bytes of the item, where all values share one by their type.
    pub fn fixed_len(&self) -> Option<u32> {
        match self {
            Type::BytesN(len) => Some(*len),
            Type::PubKey => Some(33),
            Type::Category | Type::Did | Type::List(_) => Some(32),
            Type::Table(element, count) => element.stored_len()?.checked_mul(*count),
            _ => None,
        }
    }

    /// The bytes that a value takes in a token commitment, a table or a list; nothing for types whose
    /// values have no fixed size.
    ///
    /// ```
    /// use analysis::hir::Type;
    /// assert_eq!(Type::Tuple([Type::Bool, Type::IntN(3), Type::PubKey].into()).stored_len(), Some(37));
    /// assert_eq!(Type::Bytes.stored_len(), None);
    /// ```
    pub fn stored_len(&self) -> Option<u32> {
        match self {
            Type::Bool => Some(1),
            Type::IntN(len) => Some(*len),
            Type::Int | Type::Coin | Type::Tokens => Some(8),
            Type::Height | Type::Blocks | Type::Duration => Some(4),
            Type::Time => Some(5),
            Type::BytesN(_) | Type::PubKey | Type::Category | Type::Did | Type::Table(..) => self.fixed_len(),
            Type::Tuple(parts) => total(parts.iter()),
            Type::Struct(ty) => total(ty.fields.iter().map(|(_, ty)| ty)),
            Type::Array(element, count) => element.stored_len()?.checked_mul(*count),
            Type::Enum(ty) => {
                let lens: Option<Vec<u32>> = ty.variants.iter().map(|variant| total(variant.fields.iter())).collect();
                lens?.into_iter().max().unwrap_or(0).checked_add(1)
            }
            Type::Share
            | Type::Bytes
            | Type::Sig
            | Type::DataSig
            | Type::Lock
            | Type::Sigs(_)
            | Type::List(_)
            | Type::Padding
            | Type::Param(..)
            | Type::Unit => None,
        }
    }

    /// The types of the stack items that make up a value, first part first. The signatures of a multisig
    /// stay one leaf, as does an opaque type.
    pub fn leaves(&self) -> Vec<Type> {
        match self {
            Type::Tuple(parts) => parts.iter().flat_map(Type::leaves).collect(),
            Type::Struct(ty) => ty.fields.iter().flat_map(|(_, ty)| ty.leaves()).collect(),
            Type::Array(element, count) => {
                let leaves = element.leaves();
                (0..*count).flat_map(|_| leaves.iter().cloned()).collect()
            }
            Type::Enum(ty) => std::iter::once(Type::Int).chain(ty.slots()).collect(),
            Type::Unit => Vec::new(),
            leaf => vec![leaf.clone()],
        }
    }

    /// How many types a value's type is made of, itself included; at most `u32::MAX`. No path from a
    /// type to one of its parts is longer.
    pub fn parts(&self) -> u32 {
        let sum = |types: &mut dyn Iterator<Item = &Type>| types.fold(1u32, |sum, ty| sum.saturating_add(ty.parts()));
        match self {
            Type::Tuple(parts) => sum(&mut parts.iter()),
            Type::Struct(ty) | Type::List(ty) => sum(&mut ty.fields.iter().map(|(_, ty)| ty).chain(&ty.args)),
            Type::Enum(ty) => sum(&mut ty.variants.iter().flat_map(|variant| &variant.fields).chain(&ty.args)),
            Type::Array(element, count) => element.parts().saturating_mul((*count).max(1)).saturating_add(1),
            Type::Table(element, _) => element.parts().saturating_add(1),
            _ => 1,
        }
    }

    /// The type of a value once it has been read: a number of any stored size is an `Int`.
    pub fn read(&self) -> Type {
        match self {
            Type::IntN(_) => Type::Int,
            other => other.clone(),
        }
    }

    /// The type with `args` for the parameters of the function.
    pub fn instantiate(&self, args: &[Type]) -> Type {
        match self {
            Type::Param(index, _) => args.get(*index as usize).cloned().unwrap_or_else(|| self.clone()),
            Type::Tuple(parts) => Type::Tuple(parts.iter().map(|part| part.instantiate(args)).collect()),
            Type::Array(element, count) => Type::Array(element.instantiate(args).into(), *count),
            Type::Table(element, count) => Type::Table(element.instantiate(args).into(), *count),
            Type::Struct(ty) => Type::Struct(ty.instantiate(args)),
            Type::List(ty) => Type::List(ty.instantiate(args)),
            Type::Enum(ty) => Type::Enum(ty.instantiate(args)),
            _ => self.clone(),
        }
    }

    /// The type in an artifact; `None` for types that no parameter has.
    ///
    /// ```
    /// use analysis::hir::Type;
    /// use spec::artifact::AbiType;
    /// assert_eq!(Type::BytesN(32).abi(), Some(AbiType::BytesN(32)));
    /// assert_eq!(Type::Unit.abi(), None);
    /// ```
    pub fn abi(&self) -> Option<AbiType> {
        Some(match self {
            Type::Int => AbiType::Int,
            Type::IntN(len) => AbiType::IntN(*len as usize),
            Type::Bool => AbiType::Bool,
            Type::Coin => AbiType::Coin,
            Type::Tokens => AbiType::Tokens,
            Type::Height => AbiType::Height,
            Type::Time => AbiType::Time,
            Type::Blocks => AbiType::Blocks,
            Type::Duration => AbiType::Duration,
            Type::Bytes => AbiType::Bytes,
            Type::BytesN(len) => AbiType::BytesN(*len as usize),
            Type::PubKey => AbiType::PubKey,
            Type::Sig => AbiType::Sig,
            Type::DataSig => AbiType::DataSig,
            Type::Lock => AbiType::Lock,
            Type::Category => AbiType::Category,
            Type::Did => AbiType::Did,
            Type::Padding => AbiType::Padding,
            Type::Sigs(count) => AbiType::Sigs(*count as usize),
            Type::Tuple(parts) => AbiType::Tuple(parts.iter().map(Type::abi).collect::<Option<_>>()?),
            Type::Struct(of) => AbiType::Struct(of.abi()?),
            Type::Enum(of) => AbiType::Enum(of.abi()?),
            Type::Array(of, len) => AbiType::Array(Box::new(of.abi()?), *len as usize),
            Type::Table(of, len) => AbiType::Table(Box::new(of.abi()?), *len as usize),
            Type::List(of) => AbiType::List(of.abi()?),
            Type::Param(..) | Type::Share | Type::Unit => return None,
        })
    }

    /// The plain name, without a size; nothing for types that are written by signs.
    pub(crate) fn word(&self) -> &str {
        match self {
            Type::Int | Type::IntN(_) => "Int",
            Type::Bool => "Bool",
            Type::Coin => "Coin",
            Type::Tokens => "Tokens",
            Type::Height => "Height",
            Type::Time => "Time",
            Type::Blocks => "Blocks",
            Type::Duration => "Duration",
            Type::Share => "Share",
            Type::Bytes | Type::BytesN(_) => "Bytes",
            Type::PubKey => "PubKey",
            Type::Sig => "Sig",
            Type::DataSig => "DataSig",
            Type::Lock => "Lock",
            Type::Category => "Category",
            Type::Did => "Did",
            Type::Sigs(_) => "Sigs",
            Type::Table(..) => "Table",
            Type::List(_) => "list",
            Type::Padding => "Padding",
            Type::Struct(ty) => &ty.name,
            Type::Enum(ty) => &ty.name,
            Type::Unit => "nothing",
            Type::Tuple(_) | Type::Array(..) | Type::Param(..) => "",
        }
    }
}

impl StructType {
    fn instantiate(&self, args: &[Type]) -> Arc<StructType> {
        Arc::new(StructType {
            name: self.name.clone(),
            args: self.args.iter().map(|ty| ty.instantiate(args)).collect(),
            fields: self.fields.iter().map(|(name, ty)| (name.clone(), ty.instantiate(args))).collect(),
        })
    }
}

impl EnumType {
    fn instantiate(&self, args: &[Type]) -> Arc<EnumType> {
        let variant = |variant: &Variant| Variant {
            name: variant.name.clone(),
            fields: variant.fields.iter().map(|ty| ty.instantiate(args)).collect(),
            names: variant.names.clone(),
        };
        Arc::new(EnumType {
            name: self.name.clone(),
            args: self.args.iter().map(|ty| ty.instantiate(args)).collect(),
            variants: self.variants.iter().map(variant).collect(),
        })
    }
}

fn total<'t>(mut types: impl Iterator<Item = &'t Type>) -> Option<u32> {
    types.try_fold(0u32, |sum, ty| sum.checked_add(ty.stored_len()?))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::BytesN(size) | Type::Sigs(size) | Type::IntN(size) => write!(f, "{}<{size}>", self.word()),
            Type::Tuple(parts) => {
                f.write_str("(")?;
                list(f, parts)?;
                f.write_str(if parts.len() == 1 { ",)" } else { ")" })
            }
            Type::Array(element, count) => write!(f, "[{element}; {count}]"),
            Type::Table(element, count) => write!(f, "Table<{element}, {count}>"),
            Type::List(ty) => write!(f, "list<{}>", ty.name),
            Type::Struct(ty) => instance(f, &ty.name, &ty.args),
            Type::Enum(ty) => instance(f, &ty.name, &ty.args),
            Type::Param(_, name) => f.write_str(name),
            plain => f.write_str(plain.word()),
        }
    }
}

fn instance(f: &mut fmt::Formatter<'_>, name: &str, args: &[Type]) -> fmt::Result {
    f.write_str(name)?;
    if args.is_empty() {
        return Ok(());
    }
    f.write_str("<")?;
    list(f, args)?;
    f.write_str(">")
}

fn list(f: &mut fmt::Formatter<'_>, types: &[Type]) -> fmt::Result {
    for (at, ty) in types.iter().enumerate() {
        let sign = if at == 0 { "" } else { ", " };
        write!(f, "{sign}{ty}")?;
    }
    Ok(())
}
