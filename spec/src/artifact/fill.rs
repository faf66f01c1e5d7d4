//! From an artifact and values to bytecode: the holes of the redeem script, and the pushes that unlock it.

use std::collections::BTreeMap;

use super::{AbiType, AbiValue, Artifact, Locking, Part, Piece, Record, Slot, SpendPath, StructType, UnlockItem};
use crate::script::{p2sh32, push_data, push_int};
use crate::{hash, num};

/// What the argument is called, behind the name of its list, that holds what the list's hash begins with.
pub const ABOUT: &str = ".about";

/// Why values do not fit an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// A parameter has no value.
    #[error("parameter `{0}` has no value")]
    MissingParam(String),
    /// An argument has no value.
    #[error("argument `{0}` has no value")]
    MissingArg(String),
    /// A value is given for a name that does not exist.
    #[error("there is no parameter or argument `{0}`")]
    Unknown(String),
    /// A value is given for a parameter that has another one built in.
    #[error("parameter `{0}` is sealed with another value")]
    Sealed(String),
    /// A value has another number of items than its type.
    #[error("the value of `{name}` has {found} items, a `{ty}` has {expected}")]
    Shape {
        /// The parameter or argument.
        name: String,
        /// Its type.
        ty: String,
        /// How many items its values have.
        expected: usize,
        /// How many this one has.
        found: usize,
    },
    /// The artifact refers to something it does not hold.
    #[error("the artifact is inconsistent: {0}")]
    Inconsistent(&'static str),
}

impl Artifact {
    /// The redeem script with every hole filled from `values`, by name. Values of sealed parameters may be left out.
    ///
    /// # Errors
    /// [`AbiError`] if a value is missing, has another number of items than its type, names nothing, or is not the one
    /// that is built in.
    pub fn redeem_script(&self, values: &BTreeMap<String, AbiValue>) -> Result<Vec<u8>, AbiError> {
        if let Some(stray) = values.keys().find(|name| !self.params.iter().any(|slot| slot.name == **name)) {
            return Err(AbiError::Unknown(stray.clone()));
        }
        for sealed in &self.sealed {
            let slot =
                self.params.get(sealed.param).ok_or(AbiError::Inconsistent("a sealed value has no parameter"))?;
            if values.get(&slot.name).is_some_and(|given| fillings(given) != fillings(&sealed.value)) {
                return Err(AbiError::Sealed(slot.name.clone()));
            }
        }
        let leaves = Leaves { ends: ends(&self.params), slots: &self.params, values };
        let mut out = Vec::new();
        for piece in &self.bytecode {
            match piece {
                Piece::Code(code) => out.extend_from_slice(code),
                Piece::Param(leaf) => push_data(&mut out, &leaves.get(*leaf)?),
                Piece::Push(parts) => {
                    let mut data = Vec::new();
                    for part in parts {
                        match part {
                            Part::Bytes(bytes) => data.extend_from_slice(bytes),
                            Part::Param(leaf) => data.extend_from_slice(&leaves.get(*leaf)?),
                        }
                    }
                    push_data(&mut out, &data);
                }
            }
        }
        Ok(out)
    }

    /// The lock that coins of the contract carry.
    ///
    /// # Errors
    /// As [`Artifact::redeem_script`].
    pub fn lock(&self, values: &BTreeMap<String, AbiValue>) -> Result<Vec<u8>, AbiError> {
        Ok(self.lock_of(&self.redeem_script(values)?))
    }

    /// The lock of coins that this script of the contract guards: its hash, or the script itself.
    #[must_use]
    pub fn lock_of(&self, script: &[u8]) -> Vec<u8> {
        match self.locking {
            Locking::P2sh32 => p2sh32(&hash::sha256d(script)),
            Locking::P2s => script.to_vec(),
        }
    }

    /// The unlocking bytecode that pushes `args` for a path, by name, and the script where coins have its hash.
    ///
    /// # Errors
    /// As [`SpendPath::pushes`].
    pub fn unlock_script(
        &self,
        path: &SpendPath,
        args: &BTreeMap<String, AbiValue>,
        script: &[u8],
    ) -> Result<Vec<u8>, AbiError> {
        match self.locking {
            Locking::P2sh32 => path.unlock_script(args, script),
            Locking::P2s => path.pushes(args),
        }
    }

    /// The parameter behind a hole, and the place of the leaf in it.
    #[must_use]
    pub fn hole(&self, leaf: usize) -> Option<(&Slot, usize)> {
        locate(&self.params, &ends(&self.params), leaf)
    }
}

impl SpendPath {
    /// The unlocking bytecode that pushes `args`, by name, and the redeem script.
    ///
    /// # Errors
    /// As [`SpendPath::pushes`].
    pub fn unlock_script(&self, args: &BTreeMap<String, AbiValue>, redeem: &[u8]) -> Result<Vec<u8>, AbiError> {
        let mut out = self.pushes(args)?;
        push_data(&mut out, redeem);
        Ok(out)
    }

    /// The pushes of `args`, by name.
    ///
    /// The records of a list are pushed from the last to the first, so that record 0 comes to lie on top; the fields
    /// of a record in their order.
    ///
    /// # Errors
    /// [`AbiError`] if a value is missing, has another number of items than its type, or names nothing.
    pub fn pushes(&self, args: &BTreeMap<String, AbiValue>) -> Result<Vec<u8>, AbiError> {
        if let Some(stray) = args.keys().find(|name| !self.args.iter().any(|slot| slot.name == **name)) {
            return Err(AbiError::Unknown(stray.clone()));
        }
        let mut out = Vec::new();
        for item in &self.unlock {
            match item {
                UnlockItem::Int(n) => push_int(&mut out, *n),
                UnlockItem::Arg(index) => {
                    let value = self.arg(*index, args)?;
                    match self.args.get(*index).map(|slot| &slot.ty) {
                        Some(AbiType::List(of)) => shortest(of, value).push(&mut out),
                        _ => value.push(&mut out),
                    }
                }
                UnlockItem::Leaf(index, leaf) => {
                    let leaf = self.arg(*index, args)?.items().get(*leaf);
                    push_data(&mut out, leaf.ok_or(AbiError::Inconsistent("a push names no leaf of its argument"))?);
                }
            }
        }
        Ok(out)
    }

    /// The value of the argument that reads the list parameter `param`, from the records that fill it.
    ///
    /// Such an argument has the parameter's name; its type names the fields that are pushed. `None` where the path
    /// reads no such list, or the records are not known or lack a field.
    #[must_use]
    pub fn list_from(&self, param: &Slot, value: &AbiValue) -> Option<AbiValue> {
        let slot = self.args.iter().find(|slot| slot.name == param.name)?;
        let (AbiType::List(all), AbiType::List(pushed)) = (&param.ty, &slot.ty) else { return None };
        let place = |field: &Slot| all.fields.iter().position(|known| known.name == field.name);
        let places = pushed.fields.iter().map(place).collect::<Option<Vec<_>>>()?;
        let AbiValue::Records(records) = value else { return None };
        let cut = |record: &Record| places.iter().map(|place| record.get(*place).cloned()).collect::<Option<_>>();
        records.all.iter().map(cut).collect::<Option<Vec<_>>>().map(|cut| AbiValue::Records(cut.into()))
    }

    /// The value of an argument that the parameters say: the records of a list, or what its hash begins with.
    #[must_use]
    pub fn known_arg(&self, arg: &Slot, params: &[Slot], values: &BTreeMap<String, AbiValue>) -> Option<AbiValue> {
        let about = arg.name.strip_suffix(ABOUT);
        let name = about.unwrap_or(&arg.name);
        let param = params.iter().find(|param| param.name == name && matches!(param.ty, AbiType::List(_)))?;
        match (about, values.get(name)?) {
            (Some(_), AbiValue::Records(records)) => Some(AbiValue::Item(records.about.clone())),
            (Some(_), _) => None,
            (None, value) => self.list_from(param, value),
        }
    }

    fn arg<'v>(&self, index: usize, args: &'v BTreeMap<String, AbiValue>) -> Result<&'v AbiValue, AbiError> {
        let slot = self.args.get(index).ok_or(AbiError::Inconsistent("a push names no argument"))?;
        let value = args.get(&slot.name).ok_or_else(|| AbiError::MissingArg(slot.name.clone()))?;
        shaped(slot, value).map(|()| value)
    }
}

/// Records as they are pushed: they hold their fields as they are stored, but numbers are pushed as short as they can be.
fn shortest(of: &StructType, value: &AbiValue) -> AbiValue {
    let AbiValue::Records(records) = value else { return value.clone() };
    let field = |(slot, bytes): (&Slot, &Vec<u8>)| match slot.ty.is_number() {
        true => num::decode_sized(bytes).map_or_else(|| bytes.clone(), num::encode_wide),
        false => bytes.clone(),
    };
    let record = |record: &Record| of.fields.iter().zip(record).map(field).collect();
    AbiValue::Records(records.all.iter().map(record).collect::<Vec<_>>().into())
}

/// The holes of some parameters.
struct Leaves<'a> {
    /// The leaf after the last of each parameter.
    ends: Vec<usize>,
    slots: &'a [Slot],
    values: &'a BTreeMap<String, AbiValue>,
}

impl Leaves<'_> {
    fn get(&self, leaf: usize) -> Result<Vec<u8>, AbiError> {
        let (slot, place) =
            locate(self.slots, &self.ends, leaf).ok_or(AbiError::Inconsistent("a hole names no parameter"))?;
        let value = self.values.get(&slot.name).ok_or_else(|| AbiError::MissingParam(slot.name.clone()))?;
        let leaves = slot.leaves(value)?;
        leaves.into_iter().nth(place).ok_or(AbiError::Inconsistent("a hole names no leaf"))
    }
}

impl Slot {
    /// What fills the holes of a parameter: the items of its value; of a list, the hash of its records.
    ///
    /// # Errors
    /// [`AbiError::Shape`] if the value has another number of items than the type.
    pub fn leaves(&self, value: &AbiValue) -> Result<Vec<Vec<u8>>, AbiError> {
        if !matches!(value, AbiValue::Records(_)) {
            shaped(self, value)?;
        }
        Ok(fillings(value))
    }
}

/// What a value fills holes with; a list may stand as its records or as their hash.
fn fillings(value: &AbiValue) -> Vec<Vec<u8>> {
    match value {
        AbiValue::Records(records) => vec![records.hash().to_vec()],
        value => value.items().to_vec(),
    }
}

pub(super) fn ends(slots: &[Slot]) -> Vec<usize> {
    let mut end = 0usize;
    let mut next = |slot: &Slot| {
        end = end.saturating_add(slot.ty.leaf_count());
        end
    };
    slots.iter().map(&mut next).collect()
}

/// The slot that a leaf belongs to, and the leaf's place in it.
pub(super) fn locate<'a>(slots: &'a [Slot], ends: &[usize], leaf: usize) -> Option<(&'a Slot, usize)> {
    let index = ends.partition_point(|end| *end <= leaf);
    let first = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    Some((slots.get(index)?, leaf.checked_sub(first)?))
}

/// Refuses values with more or fewer items than their type; the items of a list are any number.
fn shaped(slot: &Slot, value: &AbiValue) -> Result<(), AbiError> {
    let (expected, found) = (slot.ty.leaf_count(), value.items().len());
    if matches!(slot.ty, AbiType::List(_)) || expected == found {
        return Ok(());
    }
    Err(AbiError::Shape { name: slot.name.clone(), ty: slot.ty.to_string(), expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{SourceFile, TimeNeeds, Value, chain_hash};

    fn slot(name: &str, ty: &str) -> Slot {
        Slot { name: name.into(), ty: ty.parse().unwrap() }
    }

    fn path(args: Vec<Slot>, unlock: Vec<UnlockItem>) -> SpendPath {
        SpendPath {
            name: "spend".into(),
            docs: String::new(),
            args,
            unlock,
            route: Vec::new(),
            time: TimeNeeds::default(),
            cost_bound: Some(1),
        }
    }

    fn owned() -> Artifact {
        let unlock = vec![UnlockItem::Arg(0), UnlockItem::Arg(1)];
        Artifact {
            compiler: "0".into(),
            contract: "P2pkh".into(),
            sources: vec![SourceFile { path: "a.bmc".into(), sha256: "00".into() }],
            params: vec![slot("pkh", "Bytes<20>")],
            paths: vec![path(vec![slot("sig", "Sig"), slot("key", "PubKey")], unlock)],
            bytecode: vec![Piece::Code(vec![0x76, 0xa9]), Piece::Param(0), Piece::Code(vec![0x88, 0xac])],
            asm: "OP_DUP OP_HASH160 <pkh> OP_EQUALVERIFY OP_CHECKSIG".into(),
            ..Artifact::default()
        }
    }

    #[test]
    fn an_artifact_survives_json() {
        let artifact = owned();
        let json = serde_json::to_string(&artifact).unwrap();
        assert!(json.contains(r#""type":"Bytes<20>""#), "{json}");
        assert_eq!(serde_json::from_str::<Artifact>(&json).unwrap(), artifact);
    }

    #[test]
    fn a_value_inside_a_push_makes_it_longer() {
        let push =
            |before: Vec<u8>| Piece::Push(vec![Part::Bytes(before), Part::Param(0), Part::Bytes(vec![0x88, 0xac])]);
        let bytecode = vec![push(vec![0x76, 0xa9, 0x14]), push(vec![1; 60]), Piece::Push(vec![Part::Param(0)])];
        let artifact = Artifact { bytecode, ..owned() };
        let json = serde_json::to_string(&artifact).unwrap();
        assert!(json.contains(r#"{"push":[{"bytes":"76a914"},{"param":0},{"bytes":"88ac"}]}"#), "{json}");
        assert_eq!(serde_json::from_str::<Artifact>(&json).unwrap(), artifact);
        let values = BTreeMap::from([("pkh".to_owned(), AbiValue::Item(vec![7; 20]))]);
        let lock = [&[25, 0x76, 0xa9, 0x14], [7; 20].as_slice(), &[0x88, 0xac]].concat();
        let long = [&[0x4c, 82], [1; 60].as_slice(), &[7; 20], &[0x88, 0xac]].concat();
        let alone = [&[20], [7; 20].as_slice()].concat();
        assert_eq!(artifact.redeem_script(&values).unwrap(), [lock, long, alone].concat());
        assert_eq!(artifact.usual_instruction_lens(), [26, 84, 21]);
        let missing = artifact.redeem_script(&BTreeMap::new());
        assert!(missing.is_err(), "{missing:?}");
    }

    #[test]
    fn holes_are_filled_with_shortest_pushes_and_misfits_are_named() {
        let artifact = owned();
        let values = BTreeMap::from([("pkh".to_owned(), AbiValue::Item(vec![7; 20]))]);
        assert_eq!(artifact.redeem_script(&values).unwrap(), crate::script::p2pkh(&[7; 20]));
        assert_eq!(artifact.redeem_script(&BTreeMap::new()), Err(AbiError::MissingParam("pkh".into())));
        let stray = BTreeMap::from([("kph".to_owned(), AbiValue::int(1))]);
        assert_eq!(artifact.redeem_script(&stray), Err(AbiError::Unknown("kph".into())));
        let two = BTreeMap::from([("pkh".to_owned(), AbiValue::Items(vec![vec![7; 20]; 2]))]);
        let error = artifact.redeem_script(&two).unwrap_err().to_string();
        assert_eq!(error, "the value of `pkh` has 2 items, a `Bytes<20>` has 1");
    }

    #[test]
    fn composite_parameters_fill_one_hole_for_each_leaf() {
        let artifact = Artifact {
            params: vec![slot("first", "Int"), slot("pair", "(Int, [Bool; 2])"), slot("last", "Int")],
            bytecode: [4, 2, 0, 3, 1].map(Piece::Param).to_vec(),
            ..Artifact::default()
        };
        let pair = Value::Parts(vec![Value::Int(2), Value::Parts(vec![Value::Bool(true), Value::Bool(false)])]);
        let values = BTreeMap::from([
            ("first".to_owned(), AbiValue::int(5)),
            ("pair".to_owned(), artifact.params[1].ty.encode(&pair).unwrap()),
            ("last".to_owned(), AbiValue::int(9)),
        ]);
        assert_eq!(artifact.redeem_script(&values).unwrap(), [0x59, 0x51, 0x55, 0x00, 0x52]);
        assert_eq!(artifact.hole(2).map(|(slot, leaf)| (slot.name.as_str(), leaf)), Some(("pair", 1)));
        assert_eq!(artifact.hole(5), None);
    }

    #[test]
    fn a_list_fills_one_hole_and_is_pushed_last_record_first() {
        let fields = vec![slot("weight", "Int<4>"), slot("lock", "Lock")];
        let records = AbiType::List(StructType { name: "Recipient".into(), fields });
        let unlock = vec![UnlockItem::Arg(0), UnlockItem::Leaf(1, 1), UnlockItem::Int(0)];
        let pushed = AbiType::List(StructType { name: "Recipient".into(), fields: vec![slot("weight", "Int<4>")] });
        let list = |ty| Slot { name: "recipients".into(), ty };
        let artifact = Artifact {
            params: vec![list(records)],
            paths: vec![path(vec![list(pushed), slot("pair", "(Int, Int)")], unlock)],
            bytecode: vec![Piece::Param(0)],
            ..Artifact::default()
        };
        let records = vec![vec![vec![1, 0, 0, 0], vec![0x51]], vec![vec![2, 0, 0, 0], vec![0x52]]];
        let values = BTreeMap::from([("recipients".to_owned(), AbiValue::Records(records.clone().into()))]);
        let redeem = artifact.redeem_script(&values).unwrap();
        assert_eq!(redeem, [&[32], chain_hash(b"", &records).as_slice()].concat());
        let hash = BTreeMap::from([("recipients".to_owned(), AbiValue::Item(chain_hash(b"", &records).to_vec()))]);
        assert_eq!(artifact.redeem_script(&hash).unwrap(), redeem);

        let path = &artifact.paths[0];
        let list = path.list_from(&artifact.params[0], &values["recipients"]).unwrap();
        assert_eq!(list, AbiValue::Records(vec![vec![vec![1, 0, 0, 0]], vec![vec![2, 0, 0, 0]]].into()));
        let pair = AbiValue::Items(vec![vec![7], vec![8]]);
        let args = BTreeMap::from([("recipients".to_owned(), list), ("pair".to_owned(), pair)]);
        assert_eq!(hex::encode(path.unlock_script(&args, &[0x51]).unwrap()), "525158000151");
        assert_eq!(path.list_from(&artifact.params[0], &hash["recipients"]), None);
    }
}
