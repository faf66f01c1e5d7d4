//! The contracts and plans of one program, and the values that its contracts give to each other.

use std::collections::BTreeMap;

use spec::artifact::{AbiError, AbiValue, DerivedArg, Misfit, Value};
use spec::plan::Plan;
use spec::{Artifact, RuleSet};

use crate::contract::Params;

/// Contracts that refer to each other go at most so deep.
const DEPTH_MAX: usize = 32;

/// The contracts of a program by name, with their plans.
#[derive(Clone, Debug, Default)]
pub struct Program {
    artifacts: BTreeMap<String, Artifact>,
}

/// Why a contract of a program cannot be given its parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// No contract has this name.
    #[error("the program has no contract `{0}`")]
    NoContract(String),
    /// Another number of values than parameters.
    #[error("`{contract}` takes {expected} parameters, not {found}")]
    Count {
        /// The contract.
        contract: String,
        /// How many it takes.
        expected: usize,
        /// How many are given.
        found: usize,
    },
    /// A value is not of its parameter's type.
    #[error("parameter `{param}` of `{contract}`: {misfit}")]
    Misfit {
        /// The contract.
        contract: String,
        /// The parameter.
        param: String,
        /// Why.
        misfit: Misfit,
    },
    /// Contracts refer to each other without end.
    #[error("`{0}` refers to itself")]
    Circular(String),
    /// The values do not fit the artifact.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// Recipients that are given by their names are none for the contract.
    #[error(transparent)]
    List(#[from] flow::ListError),
}

impl Program {
    /// The program of these contracts.
    #[must_use]
    pub fn new(artifacts: impl IntoIterator<Item = Artifact>) -> Self {
        Self { artifacts: artifacts.into_iter().map(|artifact| (artifact.contract.clone(), artifact)).collect() }
    }

    /// The contract of this name.
    #[must_use]
    pub fn artifact(&self, contract: &str) -> Option<&Artifact> {
        self.artifacts.get(contract)
    }

    /// All contracts, by name.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.values()
    }

    /// The plan of this name, with a contract that it speaks of. Where several contracts have one, `Contract.plan` says
    /// whose is meant.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<(&Artifact, &Plan)> {
        match name.split_once('.') {
            Some((contract, name)) => {
                self.plans().find(|(artifact, plan)| artifact.contract == contract && plan.name == name)
            }
            None => self.plans().find(|(_, plan)| plan.name == name),
        }
    }

    /// All plans, each perhaps several times: once for each contract that it speaks of.
    pub fn plans(&self) -> impl Iterator<Item = (&Artifact, &Plan)> {
        self.artifacts().flat_map(|artifact| artifact.plans.iter().map(move |plan| (artifact, plan)))
    }

    /// The rules that the contracts were compiled for.
    #[must_use]
    pub fn rules(&self) -> RuleSet {
        self.artifacts().next().map_or_else(RuleSet::default, |artifact| artifact.rules)
    }

    pub(super) fn get(&self, contract: &str) -> Result<&Artifact, ProgramError> {
        self.artifact(contract).ok_or_else(|| ProgramError::NoContract(contract.to_owned()))
    }

    /// All parameters of a contract, from the values of those that its source declares.
    ///
    /// # Errors
    /// [`ProgramError`] if there is no such contract or the values do not fit.
    pub fn params(&self, contract: &str, declared: &[Value]) -> Result<Params, ProgramError> {
        let artifact = self.get(contract)?;
        let slots: Vec<_> = artifact.declared_params().collect();
        if slots.len() != declared.len() {
            let (expected, found) = (slots.len(), declared.len());
            return Err(ProgramError::Count { contract: contract.to_owned(), expected, found });
        }
        let encode = |((_, slot), value): (&(usize, &spec::artifact::Slot), &Value)| {
            let misfit =
                |misfit| ProgramError::Misfit { contract: contract.to_owned(), param: slot.name.clone(), misfit };
            Ok((slot.name.clone(), slot.ty.encode(value).map_err(misfit)?))
        };
        let given = slots.iter().zip(declared).map(encode).collect::<Result<Params, ProgramError>>()?;
        self.complete(contract, given)
    }

    /// All parameters of a contract, from those that are neither computed nor sealed.
    ///
    /// # Errors
    /// [`ProgramError`] if a contract or a value is missing.
    pub fn complete(&self, contract: &str, given: Params) -> Result<Params, ProgramError> {
        self.completed(contract, given, DEPTH_MAX)
    }

    fn completed(&self, contract: &str, mut params: Params, depth: usize) -> Result<Params, ProgramError> {
        let artifact = self.get(contract)?;
        let depth = depth.checked_sub(1).ok_or_else(|| ProgramError::Circular(contract.to_owned()))?;
        for sealed in &artifact.sealed {
            let slot = artifact.params.get(sealed.param);
            let slot = slot.ok_or(AbiError::Inconsistent("a sealed value has no parameter"))?;
            params.entry(slot.name.clone()).or_insert_with(|| sealed.value.clone());
        }
        for derived in &artifact.derived {
            let slot = artifact.params.get(derived.param);
            let slot = slot.ok_or(AbiError::Inconsistent("a computed parameter is none of the contract's"))?;
            let other = self.get(&derived.contract)?;
            let mut values = Params::new();
            for ((_, to), from) in other.declared_params().zip(&derived.args) {
                values.insert(to.name.clone(), value_of(artifact, &params, from)?);
            }
            let values = self.completed(&derived.contract, values, depth)?;
            params.insert(slot.name.clone(), AbiValue::Item(other.lock(&values)?));
        }
        flow::gather(artifact, &mut params)?;
        flow::name_list(artifact, &mut params);
        Ok(params)
    }

    /// The redeem script of a contract with all its parameters, and the lock of its coins.
    ///
    /// # Errors
    /// [`ProgramError`] if there is no such contract or a value is missing.
    pub fn script(&self, contract: &str, params: &Params) -> Result<(Vec<u8>, Vec<u8>), ProgramError> {
        let artifact = self.get(contract)?;
        let redeem = artifact.redeem_script(params)?;
        let lock = artifact.lock_of(&redeem);
        Ok((redeem, lock))
    }
}

fn value_of(artifact: &Artifact, params: &Params, from: &DerivedArg) -> Result<AbiValue, ProgramError> {
    match from {
        DerivedArg::Const(value) => Ok(value.clone()),
        DerivedArg::Param(index) => {
            let slot = artifact.params.get(*index);
            let slot = slot.ok_or(AbiError::Inconsistent("a reference names no parameter"))?;
            let value = params.get(&slot.name).cloned();
            Ok(value.ok_or_else(|| AbiError::MissingParam(slot.name.clone()))?)
        }
    }
}
