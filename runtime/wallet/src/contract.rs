//! Spending a contract's coin by one of its paths.

use std::collections::BTreeMap;

use spec::artifact::{AbiType, AbiValue, Slot, SpendPath};
use spec::script::instructions;
use spec::{Artifact, Opcode, Sats, TxOut};

use crate::clock::{TimeAsk, TimeFields, time_fields};
use crate::coins::{FeeRate, Utxo};
use crate::draft::{BuildError, Built, Draft, Fixed, Purse, SEQUENCE_LOCKTIME, Unlock, checked_redeem};
use crate::keys::Key;
use crate::sign::Algorithm;

/// Values of a contract's parameters, by name.
pub type Params = BTreeMap<String, AbiValue>;
/// Values of a path's arguments, by name.
pub type Args = BTreeMap<String, Arg>;

/// A value, or the key that will make it once the transaction is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A value.
    Value(AbiValue),
    /// A signature of the transaction by this key, of the kind that Schnorr found.
    Sign(Key),
    /// The same by ECDSA, which some bytes more are set aside for.
    SignEcdsa(Key),
    /// The signatures of a multisig by these keys.
    SignEach(Vec<Signer>),
    /// The parts of a composite, in order.
    Parts(Vec<Arg>),
}

/// One signer of a multisig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The place of its key among the multisig's, from 0; `None` to look the key up in the script.
    pub position: Option<usize>,
    /// The key.
    pub key: Key,
}

/// A wish to spend a contract's coin.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The contract.
    pub artifact: &'a Artifact,
    /// Its parameters.
    pub params: &'a Params,
    /// The path to take.
    pub path: &'a str,
    /// The path's arguments; the records of a list that the parameters hold may be left out.
    pub args: &'a Args,
    /// The coin to spend; it becomes input 0.
    pub coin: Utxo,
    /// The outputs to make, in order.
    pub outputs: Vec<TxOut>,
    /// The transaction's lock time; `None` for the least that the path accepts.
    pub locktime: Option<u32>,
    /// The sequence of the contract's input; `None` for the least age that the path accepts.
    pub sequence: Option<u32>,
    /// What pays the fee where the coin does not, and takes change; without one the coin's remainder is the fee.
    pub purse: Option<&'a Purse>,
    /// The price of bytes, where a purse pays.
    pub rate: FeeRate,
}

/// Builds, signs and checks the transaction of a call.
///
/// # Errors
/// [`BuildError`]; where the contract refuses, with the failing `require`'s message and source line.
pub fn call(call: Call<'_>) -> Result<Built, BuildError> {
    let redeem = checked_redeem(call.artifact, call.params, &call.coin)?;
    let path = path_of(call.artifact, call.path)?;
    let mut args = call.args.clone();
    for slot in path.args.iter().filter(|slot| !call.args.contains_key(&slot.name)) {
        if let Some(known) = path.known_arg(slot, &call.artifact.params, call.params) {
            args.insert(slot.name.clone(), Arg::Value(known));
        }
    }
    check_args(path, &args)?;
    let ask = TimeAsk { artifact: call.artifact, params: call.params, path, args: &args };
    let TimeFields { locktime, sequence } = time_fields(&ask, call.locktime, call.sequence)?;
    let unlock = ContractUnlock { artifact: call.artifact, path, redeem, args: args.clone() };
    let fixed = vec![Fixed { coin: call.coin, unlock: Unlock::Contract(unlock), sequence }];
    // A coin that pays the fee need not be old.
    let draft = Draft { fixed, outputs: call.outputs, locktime, sequence: sequence.max(SEQUENCE_LOCKTIME) };
    let unsigned = match call.purse {
        Some(purse) => draft.funded(purse, call.rate, Sats::ZERO)?,
        None => draft.unfunded(),
    };
    unsigned.build(call.artifact.rules)
}

/// The path of this name.
pub(crate) fn path_of<'a>(artifact: &'a Artifact, path: &str) -> Result<&'a SpendPath, BuildError> {
    artifact.path(path).ok_or_else(|| no_such_path(artifact, path))
}

/// Refuses arguments of other kinds than the path declares.
pub(crate) fn check_args(path: &SpendPath, args: &Args) -> Result<(), BuildError> {
    path.args.iter().try_for_each(|slot| check_kind(slot, args))
}

/// How a contract's input unlocks.
pub(crate) struct ContractUnlock<'a> {
    pub(crate) artifact: &'a Artifact,
    pub(crate) path: &'a SpendPath,
    pub(crate) redeem: Vec<u8>,
    pub(crate) args: Args,
}

impl ContractUnlock<'_> {
    pub(crate) fn redeem(&self) -> &[u8] {
        &self.redeem
    }

    /// The unlocking bytecode, its signatures made by `sign`.
    pub(crate) fn bytes(&self, sign: &dyn Fn(&Key, Algorithm) -> Vec<u8>) -> Result<Vec<u8>, BuildError> {
        let mut values = Params::new();
        for (name, arg) in &self.args {
            values.insert(name.clone(), self.value(name, arg, sign)?);
        }
        Ok(self.artifact.unlock_script(self.path, &values, &self.redeem)?)
    }

    fn value(&self, name: &str, arg: &Arg, sign: &dyn Fn(&Key, Algorithm) -> Vec<u8>) -> Result<AbiValue, BuildError> {
        Ok(match arg {
            Arg::Value(value) => value.clone(),
            Arg::Sign(key) => AbiValue::Item(sign(key, Algorithm::Schnorr)),
            Arg::SignEcdsa(key) => AbiValue::Item(sign(key, Algorithm::Ecdsa)),
            Arg::SignEach(signers) => AbiValue::Items(self.multisig(name, signers, sign)?),
            Arg::Parts(parts) => {
                let parts = parts.iter().map(|part| self.value(name, part, sign)).collect::<Result<Vec<_>, _>>()?;
                AbiValue::Items(parts.iter().flat_map(AbiValue::items).cloned().collect())
            }
        })
    }

    /// The bit field that names the signing keys, then their signatures in the keys' order.
    fn multisig(
        &self,
        name: &str,
        signers: &[Signer],
        sign: &dyn Fn(&Key, Algorithm) -> Vec<u8>,
    ) -> Result<Vec<Vec<u8>>, BuildError> {
        let all: Vec<Key> = signers.iter().map(|signer| signer.key).collect();
        let keys = multisig_keys(&self.redeem, &all);
        let place = |signer: &Signer| {
            let known = keys.as_ref().and_then(|keys| keys.iter().position(|key| **key == signer.key.public()));
            signer.position.or(known).map(|position| (position, signer.key))
        };
        let wrong = || BuildError::WrongArg { name: name.to_owned(), expected: MULTISIG_HELP.to_owned() };
        let mut placed = signers.iter().map(place).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        placed.sort_by_key(|(position, _)| *position);
        let last = placed.last().map_or(0, |(position, _)| *position);
        let count = keys.map_or(last + 1, |keys| keys.len().max(last + 1));
        if last >= MULTISIG_KEYS_MAX || !placed.is_sorted_by(|(one, _), (other, _)| one < other) {
            return Err(wrong());
        }
        let bits = placed.iter().fold(0u32, |bits, (position, _)| bits | 1 << position);
        let field = bits.to_le_bytes().into_iter().take(count.div_ceil(8)).collect();
        Ok(std::iter::once(field).chain(placed.iter().map(|(_, key)| sign(key, Algorithm::Schnorr))).collect())
    }
}

const MULTISIG_KEYS_MAX: usize = 20;
const MULTISIG_HELP: &str = "signed by different keys of the multisig; where the script does not show them, say their places: `0:@alice, 2:@carol`";

/// The keys of the script's first multisig check that holds all of `signers`, among those whose keys lie right before
/// them: `<key>.. <count> OP_CHECKMULTISIG`.
fn multisig_keys<'s>(redeem: &'s [u8], signers: &[Key]) -> Option<Vec<&'s [u8]>> {
    let steps = instructions(redeem).collect::<Result<Vec<_>, _>>().ok()?;
    let is_check = |opcode| matches!(opcode, Some(Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify));
    let checks = steps.iter().enumerate().filter(|(_, step)| is_check(step.opcode()));
    let keys_of = |at: usize| -> Option<Vec<&'s [u8]>> {
        let (count, before) = steps.get(..at)?.split_last()?;
        let count = usize::from(count.byte.checked_sub(0x50)?);
        let keys = before.get(before.len().checked_sub(count)?..)?;
        keys.iter().map(|step| step.data.filter(|data| data.len() == 33)).collect()
    };
    let holds_all = |keys: &Vec<&[u8]>| signers.iter().all(|signer| keys.contains(&signer.public().as_slice()));
    checks.filter_map(|(at, _)| keys_of(at)).find(holds_all)
}

/// Where the keys of `signers` stand in a multisig check of the script, if that shows them.
pub(crate) fn multisig_places(redeem: &[u8], signers: &[Key]) -> Option<Vec<usize>> {
    let keys = multisig_keys(redeem, signers)?;
    signers.iter().map(|signer| keys.iter().position(|key| **key == signer.public())).collect()
}

fn check_kind(slot: &Slot, args: &Args) -> Result<(), BuildError> {
    let Some(arg) = args.get(&slot.name) else { return Ok(()) };
    let fits = match (&slot.ty, arg) {
        (AbiType::Sig, Arg::Sign(_) | Arg::SignEcdsa(_)) => true,
        (AbiType::Sigs(count), Arg::SignEach(signers)) => signers.len() == *count,
        (AbiType::Sigs(count), Arg::Value(AbiValue::Items(items))) => items.len() == count.saturating_add(1),
        (AbiType::List(_), Arg::Value(AbiValue::Records(_))) => true,
        (ty, Arg::Parts(parts)) => items_of(parts) == ty.leaf_count(),
        (AbiType::Sigs(_), _) | (_, Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_)) => false,
        (ty, Arg::Value(AbiValue::Item(item))) => ty.fixed_len().is_none_or(|len| item.len() == len),
        (ty, Arg::Value(value)) => !ty.is_scalar() && value.items().len() == ty.leaf_count(),
    };
    let expected = || match &slot.ty {
        AbiType::Sigs(count) => format!("{count} signatures"),
        ty => format!("a `{ty}`"),
    };
    if fits { Ok(()) } else { Err(BuildError::WrongArg { name: slot.name.clone(), expected: expected() }) }
}

/// The number of items that parts take together.
fn items_of(parts: &[Arg]) -> usize {
    let items = |part: &Arg| match part {
        Arg::Value(value) => value.items().len(),
        Arg::Sign(_) | Arg::SignEcdsa(_) => 1,
        Arg::SignEach(signers) => signers.len() + 1,
        Arg::Parts(parts) => items_of(parts),
    };
    parts.iter().map(items).sum()
}

fn no_such_path(artifact: &Artifact, path: &str) -> BuildError {
    let known: Vec<String> = artifact.paths.iter().map(|path| format!("`{}`", path.name)).collect();
    BuildError::NoSuchPath { contract: artifact.contract.clone(), path: path.to_owned(), known: known.join(", ") }
}
