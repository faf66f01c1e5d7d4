//! How the contracts' inputs of a plan are unlocked.

use spec::artifact::{AbiType, AbiValue, Slot};
use spec::hash::sha256;
use spec::plan::{ContractSource, Evaluator, PathArg};

use super::PlanFault;
use super::choose::lock_of_owner;
use super::scene::{Instance, Scene};
use crate::contract::{Arg, Args, ContractUnlock, Signer, check_args, multisig_places, path_of};
use crate::draft::lock_text;
use crate::keys::Key;
use crate::padding;

/// The arguments of one coin's path.
pub(super) fn unlock<'a>(
    scene: &Scene<'a>,
    evaluator: &mut Evaluator<'_, Scene<'a>>,
    (input, coin): (usize, usize),
    source: &ContractSource,
    instance: &Instance<'a>,
) -> Result<ContractUnlock<'a>, PlanFault> {
    let path = path_of(instance.artifact, &source.path)?;
    let mut args = Args::new();
    let mut asker = Asker { scene, instance, evaluator, at: (input, coin) };
    for slot in &path.args {
        let list = || path.known_arg(slot, &instance.artifact.params, &instance.params).map(Arg::Value);
        let arg = match source.args.get(&slot.name) {
            Some(arg) => asker.arg(arg, &slot.ty, &slot.name)?,
            None if slot.ty == AbiType::Padding => padding::arg(scene.padding(input, coin)),
            None => list().ok_or_else(|| PlanFault::MissingArg(slot.name.clone()))?,
        };
        args.insert(slot.name.clone(), arg);
    }
    check_args(path, &args)?;
    Ok(ContractUnlock { artifact: instance.artifact, path, redeem: instance.redeem.clone(), args })
}

/// Whoever evaluates the arguments of one coin's path.
struct Asker<'s, 'e, 'x, 'a> {
    scene: &'s Scene<'a>,
    instance: &'s Instance<'a>,
    evaluator: &'x mut Evaluator<'e, Scene<'a>>,
    at: (usize, usize),
}

impl Asker<'_, '_, '_, '_> {
    fn arg(&mut self, arg: &PathArg, ty: &AbiType, name: &str) -> Result<Arg, PlanFault> {
        let (input, coin) = self.at;
        let wrong = || PlanFault::WrongArg { name: name.to_owned(), ty: ty.to_string() };
        Ok(match arg {
            PathArg::Value(expr) => {
                let value = self.evaluator.eval_for(input, coin, expr)?;
                Arg::Value(ty.encode(&value).map_err(|_| wrong())?)
            }
            PathArg::Given(arg) => {
                let slot = self.scene.wish.plan.args.get(*arg).ok_or_else(wrong)?;
                let given = self.scene.wish.args.get(&slot.name);
                given.cloned().ok_or_else(|| PlanFault::MissingArg(slot.name.clone()))?
            }
            PathArg::Sign(owner) => {
                let owner = self.bytes(owner)?;
                Arg::Sign(self.key(&owner)?)
            }
            PathArg::SignEach(owners) => {
                let AbiType::Sigs(count) = ty else { return Err(wrong()) };
                self.signers(owners, *count)?
            }
            PathArg::Attest { key, message } => {
                let owner = self.bytes(key)?;
                let message = self.bytes(message)?;
                Arg::Value(AbiValue::Item(self.key(&owner)?.sign(&sha256(&message)).to_vec()))
            }
            PathArg::Parts(parts) => {
                let types = part_types(ty, parts.len()).ok_or_else(wrong)?;
                let parts = parts.iter().zip(types).map(|(part, ty)| self.part(part, &ty, name));
                Arg::Parts(parts.collect::<Result<_, _>>()?)
            }
        })
    }

    /// A part of a composite. Of several who attest, those whose keys are not at hand stay silent, and the contract
    /// decides whether the others suffice.
    fn part(&mut self, part: &PathArg, ty: &AbiType, name: &str) -> Result<Arg, PlanFault> {
        match self.arg(part, ty, name) {
            Err(PlanFault::NoKey(_)) if matches!(part, PathArg::Attest { .. }) => {
                Ok(Arg::Value(AbiValue::Item(Vec::new())))
            }
            other => other,
        }
    }

    /// The signatures of a multisig. The script says where the keys stand in it; where it does not show that, a list of
    /// all keys does.
    fn signers(&mut self, owners: &[spec::plan::Expr], count: usize) -> Result<Arg, PlanFault> {
        let mut found = Vec::new();
        let mut absent = None;
        for (position, owner) in owners.iter().enumerate() {
            let owner = self.bytes(owner)?;
            match self.key(&owner) {
                Ok(key) => found.push((position, key)),
                Err(fault) => absent = absent.or(Some(fault)),
            }
        }
        found.truncate(count);
        if let Some(fault) = absent.filter(|_| found.len() < count) {
            return Err(fault);
        }
        let keys: Vec<Key> = found.iter().map(|(_, key)| *key).collect();
        let shown = multisig_places(&self.instance.redeem, &keys).is_some();
        let place = |position| (!shown && owners.len() > count).then_some(position);
        Ok(Arg::SignEach(found.into_iter().map(|(at, key)| Signer { position: place(at), key }).collect()))
    }

    fn bytes(&mut self, expr: &spec::plan::Expr) -> Result<Vec<u8>, PlanFault> {
        let (input, coin) = self.at;
        let value = self.evaluator.eval_for(input, coin, expr)?;
        let wrong = || PlanFault::WrongArg { name: "a key".to_owned(), ty: "Bytes".to_owned() };
        value.bytes().map(<[u8]>::to_vec).ok_or_else(wrong)
    }

    fn key(&self, owner: &[u8]) -> Result<Key, PlanFault> {
        self.scene.key(owner).ok_or_else(|| PlanFault::NoKey(lock_text(&lock_of_owner(owner))))
    }
}

/// The types of the parts of a composite of so many parts.
fn part_types(ty: &AbiType, count: usize) -> Option<Vec<AbiType>> {
    let types: Vec<AbiType> = match ty {
        AbiType::Tuple(types) => types.clone(),
        AbiType::Struct(of) => of.fields.iter().map(|Slot { ty, .. }| ty.clone()).collect(),
        AbiType::Array(of, len) if *len == count => vec![(**of).clone(); count],
        _ => return None,
    };
    (types.len() == count).then_some(types)
}
