//! How state lies in a token commitment, and how the records of a list are hashed.

use serde::{Deserialize, Serialize};

use super::value::{Misfit, Record, Value};
use super::{AbiType, StructType};
use crate::hash::{sha256, sha256d};

/// The longest commitment of a token.
pub const COMMITMENT_BYTES_MAX: usize = 128;

/// How a contract's state lies in the commitment of its coin's token: fields one after the other.
///
/// ```
/// use spec::artifact::{AbiType, Slot, StateLayout, Value};
/// let field = |name: &str, ty| Slot { name: name.into(), ty };
/// let layout = StateLayout::of(vec![field("raised", AbiType::Coin), field("seq", AbiType::IntN(4))]).unwrap();
/// let bytes = layout.encode(&[Value::Int(546), Value::Int(7)]).unwrap();
/// assert_eq!(hex::encode(&bytes), "220200000000000007000000");
/// assert_eq!(layout.decode(&bytes), Some(vec![Value::Int(546), Value::Int(7)]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateLayout {
    /// The fields, in order and without gaps.
    pub fields: Vec<StateField>,
    /// The length of the commitment.
    pub length: usize,
}

/// One field of a contract's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: AbiType,
    /// Its first byte in the commitment.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
}

impl StateLayout {
    /// Lays fields out. `None` if a field has no stored length or the whole is longer than
    /// [`COMMITMENT_BYTES_MAX`].
    #[must_use]
    pub fn of(fields: Vec<super::Slot>) -> Option<Self> {
        let mut layout = Self::default();
        for super::Slot { name, ty } in fields {
            let (offset, length) = (layout.length, ty.stored_len()?);
            layout.length = offset.checked_add(length).filter(|end| *end <= COMMITMENT_BYTES_MAX)?;
            layout.fields.push(StateField { name, ty, offset, length });
        }
        Some(layout)
    }

    /// The place of the field named `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The commitment that holds these values, one for each field.
    ///
    /// # Errors
    /// [`Misfit`] if a value is not of its field's type. A field without a value counts as a misfit too.
    pub fn encode(&self, values: &[Value]) -> Result<Vec<u8>, Misfit> {
        let whole = AbiType::Tuple(self.fields.iter().map(|field| field.ty.clone()).collect());
        whole.stored(&Value::Parts(values.to_vec()))
    }

    /// The values in a commitment, one for each field; `None` if it is no state of this layout.
    #[must_use]
    pub fn decode(&self, commitment: &[u8]) -> Option<Vec<Value>> {
        if commitment.len() != self.length {
            return None;
        }
        let value =
            |field: &StateField| field.ty.load(commitment.get(field.offset..field.offset.checked_add(field.length)?)?);
        self.fields.iter().map(value).collect()
    }
}

/// How the records of a list are hashed, and which bytes of each field a record's pushes hold.
///
/// A contract keeps only `h_n` of the chain `h_0 = HASH256(about)`, `h_{i+1} = SHA256(h_i ‖ record i)`, where a record
/// is its fields' bytes in order, and `about` is what else the list says, such as a digest of names; it may be empty.
/// Every preimage of a link so begins with 32 bytes of a hash, and `h_0` is the hash of 32 bytes, which no link is: so
/// no choice of records or of `about` makes a shorter list pass for a longer one.
///
/// ```
/// use spec::artifact::{AbiType, AbiValue, ListLayout, Slot, StructType, Value};
/// let field = |name: &str, ty| Slot { name: name.into(), ty };
/// let of = StructType { name: "Recipient".into(), fields: vec![field("weight", AbiType::IntN(4)), field("lock", AbiType::Lock)] };
/// let layout = ListLayout::of(&of);
/// assert_eq!(layout.fields.iter().map(|field| field.length).collect::<Vec<_>>(), [Some(4), None]);
/// assert_eq!(layout.chain_hash(b"", &[]), spec::hash::sha256d(b""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLayout {
    /// The fields of a record, in the order in which they are hashed.
    pub fields: Vec<ListField>,
}

/// One field of a list's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: AbiType,
    /// How many bytes it has in every record; none for a type whose values differ in length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
}

impl ListLayout {
    /// The layout of a list of `records`.
    #[must_use]
    pub fn of(records: &StructType) -> Self {
        let field = |field: &super::Slot| ListField {
            name: field.name.clone(),
            ty: field.ty.clone(),
            length: field.ty.stored_len(),
        };
        Self { fields: records.fields.iter().map(field).collect() }
    }

    /// The hash that stands for these records in a contract.
    #[must_use]
    pub fn chain_hash(&self, about: &[u8], records: &[Record]) -> [u8; 32] {
        chain_hash(about, records)
    }
}

/// The hash that stands for a list's records, whatever their fields, and for what is said about all of them.
#[must_use]
pub fn chain_hash(about: &[u8], records: &[Record]) -> [u8; 32] {
    let step = |before: [u8; 32], record: &Record| {
        let parts: Vec<&[u8]> = std::iter::once(before.as_slice()).chain(record.iter().map(Vec::as_slice)).collect();
        sha256(&parts.concat())
    };
    records.iter().fold(sha256d(about), step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Slot;

    fn slot(name: &str, ty: &str) -> Slot {
        Slot { name: name.into(), ty: ty.parse().unwrap() }
    }

    #[test]
    fn state_fills_a_commitment_and_no_more() {
        let layout = StateLayout::of(vec![slot("seq", "Int<4>"), slot("owner", "Bytes<32>"), slot("open", "Bool")]);
        let layout = layout.unwrap();
        let offsets: Vec<_> = layout.fields.iter().map(|field| (field.offset, field.length)).collect();
        assert_eq!((offsets, layout.length), (vec![(0, 4), (4, 32), (36, 1)], 37));
        let values = vec![Value::Int(-1), Value::Bytes(vec![9; 32]), Value::Bool(true)];
        let bytes = layout.encode(&values).unwrap();
        assert_eq!(layout.decode(&bytes), Some(values.clone()));
        assert_eq!(layout.decode(bytes.get(1..).unwrap()), None);
        assert!(layout.encode(values.get(1..).unwrap()).is_err());
        assert_eq!(layout.position("owner"), Some(1));
        let json = serde_json::to_string(&layout).unwrap();
        assert_eq!(serde_json::from_str::<StateLayout>(&json).unwrap(), layout);

        assert!(StateLayout::of(vec![slot("a", "Bytes<128>")]).is_some());
        assert!(StateLayout::of(vec![slot("a", "Bytes<128>"), slot("b", "Bool")]).is_none());
        assert!(StateLayout::of(vec![slot("a", "Lock")]).is_none());
    }

    #[test]
    fn a_damaged_layout_decodes_to_nothing() {
        for json in [
            r#"{"fields":[{"name":"a","type":"Int","offset":18446744073709551615,"length":8}],"length":8}"#,
            r#"{"fields":[{"name":"a","type":"Int","offset":4,"length":8}],"length":8}"#,
            r#"{"fields":[{"name":"a","type":"Bytes","offset":0,"length":8}],"length":8}"#,
        ] {
            let layout: StateLayout = serde_json::from_str(json).unwrap();
            assert_eq!(layout.decode(&[0; 8]), None, "{json}");
        }
    }

    #[test]
    fn the_chain_hash_covers_order_and_number_of_records() {
        let one = vec![vec![1, 0, 0, 0], vec![0x51]];
        let two = vec![vec![2, 0, 0, 0], vec![0x52]];
        let first = sha256(&[sha256d(b"").as_slice(), &[1, 0, 0, 0, 0x51]].concat());
        let second = sha256(&[first.as_slice(), &[2, 0, 0, 0, 0x52]].concat());
        assert_eq!(chain_hash(b"", &[one.clone(), two.clone()]), second);
        assert_ne!(chain_hash(b"", &[two, one.clone()]), second);
        assert_eq!(chain_hash(b"", std::slice::from_ref(&one)), first);
        // What is said about the list counts, and no link of the chain can stand in its place.
        assert_ne!(chain_hash(b"names", std::slice::from_ref(&one)), first);
        let link = [sha256d(b"").as_slice(), &[1, 0, 0, 0, 0x51]].concat();
        assert_ne!(chain_hash(&link, &[]), first);
    }
}
