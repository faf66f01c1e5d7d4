//! Types of the language that Rust has no type for, each with its unit.

use spec::artifact::Value;
use spec::hash::sha256;
use spec::{Address, Category, Height, Sats};
use wallet::Key;

use crate::given::{Abi, Given};

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u32);

/// A number of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blocks(pub u32);

/// A number of seconds; what locks by it counts in steps of 512.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u32);

/// A number of fungible tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tokens(pub u64);

/// A compressed public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PubKey(pub [u8; 33]);

/// A locking bytecode.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock(pub Vec<u8>);

/// A signature over data; empty if nobody has signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DataSig(pub Vec<u8>);

/// An identity: the category of its control token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did(pub Category);

/// So many bytes that only buy operation budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Padding(pub usize);

impl From<&Key> for PubKey {
    fn from(key: &Key) -> Self {
        Self(key.public())
    }
}

impl From<Key> for PubKey {
    fn from(key: Key) -> Self {
        Self(key.public())
    }
}

impl From<&Key> for Lock {
    fn from(key: &Key) -> Self {
        Self(key.lock())
    }
}

impl From<Key> for Lock {
    fn from(key: Key) -> Self {
        Self(key.lock())
    }
}

impl From<Address> for Lock {
    fn from(address: Address) -> Self {
        Self(address.lock())
    }
}

impl DataSig {
    /// The signature of `key` over the SHA-256 of `message`.
    ///
    /// ```
    /// use client::{Accounts, DataSig};
    /// assert_eq!(DataSig::by(&Accounts::devnet().key(0), b"yes").0.len(), 64);
    /// ```
    #[must_use]
    pub fn by(key: &Key, message: &[u8]) -> Self {
        Self(key.sign(&sha256(message)).to_vec())
    }
}

/// Numbers: the type, what is given for it, and how it is read.
macro_rules! numbers {
    ($($ty:ty: $get:expr, $new:expr;)*) => {$(
        impl Abi for $ty {
            fn given(&self) -> Given {
                let get: fn(&Self) -> i128 = $get;
                Given::Value(Value::Int(get(self)))
            }

            fn from_value(value: &Value) -> Option<Self> {
                let new: fn(i128) -> Option<Self> = $new;
                value.int().and_then(new)
            }
        }
    )*};
}

numbers! {
    i128: |n| *n, Some;
    Sats: |sats| sats.get().into(), |n| u64::try_from(n).ok().and_then(Self::new);
    Height: |height| height.get().into(), |n| u32::try_from(n).ok().map(Self::new);
    Time: |time| time.0.into(), |n| u32::try_from(n).ok().map(Self);
    Blocks: |blocks| blocks.0.into(), |n| u32::try_from(n).ok().map(Self);
    Duration: |seconds| seconds.0.into(), |n| u32::try_from(n).ok().map(Self);
    Tokens: |tokens| tokens.0.into(), |n| u64::try_from(n).ok().map(Self);
}

/// Strings of bytes: the type, its bytes, and how it is read.
macro_rules! bytes {
    ($($ty:ty: $get:expr, $new:expr;)*) => {$(
        impl Abi for $ty {
            fn given(&self) -> Given {
                let get: fn(&Self) -> Vec<u8> = $get;
                Given::Value(Value::Bytes(get(self)))
            }

            fn from_value(value: &Value) -> Option<Self> {
                let new: fn(&[u8]) -> Option<Self> = $new;
                value.bytes().and_then(new)
            }
        }
    )*};
}

bytes! {
    Vec<u8>: Clone::clone, |bytes| Some(bytes.to_vec());
    PubKey: |key| key.0.to_vec(), |bytes| bytes.try_into().ok().map(Self);
    Lock: |lock| lock.0.clone(), |bytes| Some(Self(bytes.to_vec()));
    DataSig: |sig| sig.0.clone(), |bytes| Some(Self(bytes.to_vec()));
    Category: |category| category.as_wire().to_vec(), |bytes| bytes.try_into().ok().map(Self::from_wire);
    Did: |did| did.0.as_wire().to_vec(), |bytes| bytes.try_into().ok().map(Category::from_wire).map(Self);
    Padding: |padding| vec![0; padding.0], |bytes| Some(Self(bytes.len()));
}

impl<const N: usize> Abi for [u8; N] {
    fn given(&self) -> Given {
        Given::Value(Value::Bytes(self.to_vec()))
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.bytes()?.try_into().ok()
    }
}
