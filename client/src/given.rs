//! What is given for a parameter or an argument: a value, or who makes it once the transaction is known.

use spec::artifact::{AbiType, AbiValue, Value};
use wallet::{Arg, Key, Signer};

/// What is given for a parameter or an argument, before its type is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A value.
    Value(Value),
    /// A signature of the transaction.
    Sig(Sig),
    /// The signatures of a multisig.
    Sigs(Vec<Signer>),
    /// The parts of a struct, tuple or array, or the records of a list.
    Parts(Vec<Given>),
    /// A variant of an enum: its place and its data.
    Variant(usize, Vec<Given>),
}

/// A type of Rust whose values are those of a type of the language.
pub trait Abi: Sized {
    /// What is given for it.
    fn given(&self) -> Given;

    /// The value behind what a contract holds; nothing if it is none of this type, or a signature.
    fn from_value(value: &Value) -> Option<Self>;
}

/// A signature of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sig {
    /// Made by this key, by the algorithm of Schnorr.
    By(Key),
    /// Made by this key, by the older algorithm, ECDSA. It is some bytes longer.
    Ecdsa(Key),
    /// Made elsewhere, with its type byte.
    Made(Vec<u8>),
}

/// `N` signatures of a multisig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sigs<const N: usize>(pub [Signer; N]);

impl From<Key> for Sig {
    fn from(key: Key) -> Self {
        Self::By(key)
    }
}

impl From<&Key> for Sig {
    fn from(key: &Key) -> Self {
        Self::By(*key)
    }
}

impl<const N: usize> From<[Key; N]> for Sigs<N> {
    /// The keys' places are looked up in the script.
    fn from(keys: [Key; N]) -> Self {
        Self(keys.map(|key| Signer { position: None, key }))
    }
}

impl Given {
    /// The value, where nothing has to be signed.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        let all = |parts: &[Self]| parts.iter().map(Self::value).collect::<Option<_>>();
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Sig(Sig::Made(bytes)) => Some(Value::Bytes(bytes.clone())),
            Self::Sig(_) | Self::Sigs(_) => None,
            Self::Parts(parts) => all(parts).map(Value::Parts),
            Self::Variant(place, parts) => all(parts).map(|parts| Value::Variant(*place, parts)),
        }
    }

    /// The same as an argument of type `ty`; nothing if it is of another type.
    pub(crate) fn arg(&self, ty: &AbiType) -> Option<Arg> {
        if let Some(value) = self.value() {
            return ty.encode(&value).ok().map(Arg::Value);
        }
        match (self, ty) {
            (Self::Sig(Sig::By(key)), AbiType::Sig) => Some(Arg::Sign(*key)),
            (Self::Sig(Sig::Ecdsa(key)), AbiType::Sig) => Some(Arg::SignEcdsa(*key)),
            (Self::Sigs(signers), AbiType::Sigs(count)) if signers.len() == *count => {
                Some(Arg::SignEach(signers.clone()))
            }
            (Self::Parts(parts), AbiType::Tuple(types)) => each(parts, &types.iter().collect::<Vec<_>>()),
            (Self::Parts(parts), AbiType::Struct(of)) => {
                each(parts, &of.fields.iter().map(|field| &field.ty).collect::<Vec<_>>())
            }
            (Self::Parts(parts), AbiType::Array(of, len)) => each(parts, &vec![&**of; *len]),
            _ => None,
        }
    }

    /// The same as a parameter's value; nothing if it is of another type.
    pub(crate) fn param(&self, ty: &AbiType) -> Option<AbiValue> {
        self.value().and_then(|value| ty.encode(&value).ok())
    }
}

fn each(parts: &[Given], types: &[&AbiType]) -> Option<Arg> {
    let args = parts.iter().zip(types).map(|(part, ty)| part.arg(ty));
    (parts.len() == types.len()).then(|| args.collect::<Option<_>>())?.map(Arg::Parts)
}

impl Abi for Sig {
    fn given(&self) -> Given {
        Given::Sig(self.clone())
    }

    fn from_value(_: &Value) -> Option<Self> {
        None
    }
}

impl<const N: usize> Abi for Sigs<N> {
    fn given(&self) -> Given {
        Given::Sigs(self.0.to_vec())
    }

    fn from_value(_: &Value) -> Option<Self> {
        None
    }
}

impl Abi for bool {
    fn given(&self) -> Given {
        Given::Value(Value::Bool(*self))
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl<T: Abi, const N: usize> Abi for [T; N] {
    fn given(&self) -> Given {
        Given::Parts(self.iter().map(Abi::given).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        let parts = value.parts()?.iter().map(T::from_value).collect::<Option<Vec<_>>>()?;
        parts.try_into().ok()
    }
}

/// The records of a list.
impl<T: Abi> Abi for Vec<T> {
    fn given(&self) -> Given {
        Given::Parts(self.iter().map(Abi::given).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.parts()?.iter().map(T::from_value).collect()
    }
}

/// The language's `Option`: `None` comes first.
impl<T: Abi> Abi for Option<T> {
    fn given(&self) -> Given {
        match self {
            None => Given::Variant(0, Vec::new()),
            Some(value) => Given::Variant(1, vec![value.given()]),
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Variant(0, _) => Some(None),
            Value::Variant(1, parts) => T::from_value(parts.first()?).map(Some),
            _ => None,
        }
    }
}

/// Tuples: the letters of their parts, and the parts' places.
macro_rules! tuples {
    ($(($($letter:ident $place:tt),*))*) => {$(
        impl<$($letter: Abi),*> Abi for ($($letter,)*) {
            fn given(&self) -> Given {
                Given::Parts(vec![$(self.$place.given()),*])
            }

            fn from_value(value: &Value) -> Option<Self> {
                let mut parts = value.parts()?.iter();
                let whole = ($($letter::from_value(parts.next()?)?,)*);
                parts.next().is_none().then_some(whole)
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
