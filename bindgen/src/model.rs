//! What a client of some artifacts has, before it is written in any language.

use std::collections::{BTreeMap, BTreeSet};

use spec::Artifact;
use spec::artifact::{ABOUT, AbiType, Slot, SpendPath};
use spec::plan::Plan;

use crate::Ungenerated;
use crate::names::{Scope, pascal};
use crate::text::pieces;

/// What belongs to a contract has its name and one of these behind it.
const PARTS: &[&str] = &["", "Params", "State", "Spend"];

/// A client.
pub(crate) struct Model<'a> {
    pub(crate) contracts: Vec<Contract<'a>>,
    pub(crate) plans: Vec<PlanOf<'a>>,
    pub(crate) types: Types,
    /// The artifacts as a list in JSON, in pieces.
    pub(crate) json: Vec<String>,
}

/// A contract of a client.
pub(crate) struct Contract<'a> {
    pub(crate) artifact: &'a Artifact,
    /// Its name as a type.
    pub(crate) name: String,
    /// What must be given to deploy it.
    pub(crate) params: Vec<Slot>,
    pub(crate) paths: Vec<Path<'a>>,
}

/// A path, and those of its arguments that must be given.
pub(crate) struct Path<'a> {
    pub(crate) path: &'a SpendPath,
    pub(crate) args: Vec<&'a Slot>,
}

/// A plan, and the name that finds it.
pub(crate) struct PlanOf<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) key: String,
}

impl<'a> Model<'a> {
    /// The model of these artifacts, none of whose types is called one of `reserved`.
    pub(crate) fn of(artifacts: &'a [Artifact], reserved: &[&str]) -> Result<Self, Ungenerated> {
        let mut sorted: Vec<&Artifact> = artifacts.iter().collect();
        sorted.sort_by(|one, other| one.contract.cmp(&other.contract));
        if let Some([twin, _]) = sorted.array_windows().find(|[one, other]| one.contract == other.contract) {
            return Err(Ungenerated::Twins(twin.contract.clone()));
        }
        let first = sorted.first().ok_or(Ungenerated::Empty)?;
        let json = serde_json::to_string(&sorted).map_err(|_| Ungenerated::Json(first.contract.clone()))?;
        let mut scope = Scope::with(reserved);
        let contracts: Vec<Contract<'_>> = sorted.iter().map(|artifact| Contract::of(artifact, &mut scope)).collect();
        let plans = plans(&sorted);
        let mut types = Types { scope, all: Vec::new() };
        for contract in &contracts {
            contract.params.iter().for_each(|slot| types.add(&slot.ty));
            contract.paths.iter().flat_map(|path| &path.args).for_each(|slot| types.add(&slot.ty));
            let state = contract.artifact.state.iter().flat_map(|layout| &layout.fields);
            state.for_each(|field| types.add(&field.ty));
        }
        plans.iter().flat_map(|plan| &plan.plan.args).for_each(|slot| types.add(&slot.ty));
        Ok(Self { contracts, plans, types, json: pieces(&json) })
    }

    /// The sources, each once, with the first digits of their digests.
    pub(crate) fn sources(&self) -> Vec<String> {
        let all = self.contracts.iter().flat_map(|contract| &contract.artifact.sources);
        let seen: BTreeSet<(&str, &str)> = all.map(|source| (source.path.as_str(), source.sha256.as_str())).collect();
        let digits = |digest: &str| digest.chars().take(16).collect::<String>();
        seen.into_iter().map(|(path, digest)| format!("{path} (SHA-256 {}..)", digits(digest))).collect()
    }
}

impl<'a> Contract<'a> {
    fn of(artifact: &'a Artifact, scope: &mut Scope) -> Self {
        let lists: Vec<&str> = artifact
            .params
            .iter()
            .filter(|slot| matches!(slot.ty, AbiType::List(_)))
            .map(|slot| slot.name.as_str())
            .collect();
        let is_known = |slot: &Slot| lists.contains(&slot.name.strip_suffix(ABOUT).unwrap_or(&slot.name));
        let args = |path: &'a SpendPath| path.args.iter().filter(|slot| !is_known(slot)).collect();
        Self {
            artifact,
            name: scope.take(&pascal(&artifact.contract), PARTS),
            params: flow::open_slots(artifact),
            paths: artifact.paths.iter().map(|path| Path { path, args: args(path) }).collect(),
        }
    }
}

/// All plans: one that speaks of several contracts is in the artifacts of all of them, but different plans may have one
/// name.
fn plans<'a>(artifacts: &[&'a Artifact]) -> Vec<PlanOf<'a>> {
    let mut by_name: BTreeMap<&str, Vec<(&Artifact, &'a Plan)>> = BTreeMap::new();
    for artifact in artifacts {
        for plan in &artifact.plans {
            let same = by_name.entry(plan.name.as_str()).or_default();
            if !same.iter().any(|(_, known)| *known == plan) {
                same.push((artifact, plan));
            }
        }
    }
    let keyed = |(name, same): (&str, Vec<(&Artifact, &'a Plan)>)| {
        let is_only = same.len() == 1;
        let key = |artifact: &Artifact| match is_only {
            true => name.to_owned(),
            false => format!("{}.{name}", artifact.contract),
        };
        same.into_iter().map(|(artifact, plan)| PlanOf { plan, key: key(artifact) }).collect::<Vec<_>>()
    };
    by_name.into_iter().flat_map(keyed).collect()
}

/// The types that the contracts declare, in the order in which they are first met, parts before wholes.
pub(crate) struct Types {
    scope: Scope,
    all: Vec<(AbiType, String)>,
}

impl Types {
    /// The types and their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&AbiType, &str)> {
        self.all.iter().map(|(ty, name)| (ty, name.as_str()))
    }

    /// The name of a declared type.
    pub(crate) fn name(&self, ty: &AbiType) -> &str {
        self.all().find(|(known, _)| *known == ty).map_or("", |(_, name)| name)
    }

    fn add(&mut self, ty: &AbiType) {
        parts(ty).into_iter().for_each(|part| self.add(part));
        let (own, name) = match ty {
            AbiType::Struct(of) => (ty.clone(), &of.name),
            AbiType::List(of) => (AbiType::Struct(of.clone()), &of.name),
            AbiType::Enum(of) if option_of(ty).is_none() => (ty.clone(), &of.name),
            _ => return,
        };
        if !self.all.iter().any(|(known, _)| *known == own) {
            let name = self.scope.take(&pascal(name), &[""]);
            self.all.push((own, name));
        }
    }
}

fn parts(ty: &AbiType) -> Vec<&AbiType> {
    match ty {
        AbiType::Tuple(parts) => parts.iter().collect(),
        AbiType::Array(of, _) | AbiType::Table(of, _) => vec![of],
        AbiType::Struct(of) | AbiType::List(of) => of.fields.iter().map(|field| &field.ty).collect(),
        AbiType::Enum(of) => of.variants.iter().flat_map(|variant| &variant.fields).collect(),
        _ => Vec::new(),
    }
}

/// The type inside of an `Option`.
pub(crate) fn option_of(ty: &AbiType) -> Option<&AbiType> {
    let AbiType::Enum(of) = ty else { return None };
    match of.variants.as_slice() {
        [none, some] if of.name == "Option" && none.name == "None" && some.name == "Some" => {
            match (none.fields.as_slice(), some.fields.as_slice()) {
                ([], [inner]) => Some(inner),
                _ => None,
            }
        }
        _ => None,
    }
}
