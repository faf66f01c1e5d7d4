//! Puts an artifact together from what code generation made and where its places are.

use std::collections::BTreeMap;
use std::sync::Arc;

use analysis::hir;
use codegen::Generated;
use spec::artifact::{
    AbiError, AbiValue, Artifact, Derived, DerivedArg, Failing, Locking, MapEntry, RequireSite, RewardList,
    RewardSource, RewardTable, SealedParam, SharedFunction, Slot, SourceFile, SourceSpan, SpendPath, StateLayout, Step,
    Value,
};
use spec::plan::Plan;
use spec::rules::RuleSet;
use syntax::{FileId, Loc};

use crate::place::Places;

/// The version that artifacts name.
const COMPILER: &str = env!("CARGO_PKG_VERSION");

/// The artifact of `contract`, whose parameters have some values built in, with the plans of all `programs`, one for each file, that are about it. Places that do not resolve belong to no source and are left out.
pub fn artifact(
    contract: &hir::Contract,
    programs: &[&hir::Program],
    generated: Generated,
    sealed: Vec<SealedParam>,
    places: &Places,
    rules: RuleSet,
) -> Artifact {
    let mut spans = Spans { places, used: vec![contract.loc.file] };
    let source_map = spans.map_entries(&generated.source_map);
    let requires = spans.require_sites(generated.requires);
    let paths = spans.paths(generated.paths, &generated.routes);
    let functions = generated.functions.into_iter().map(|function| spans.function(function)).collect();
    let reward =
        contract.reward.as_ref().map(|reward| reward_table(reward, &mut |loc| spans.span(loc).unwrap_or_default()));
    let plans = spans.plans(contract, programs);
    let is_held = |other: &Arc<hir::Contract>| other.derived.iter().any(|derived| derived.contract == contract.name);
    let held = programs.iter().flat_map(|program| &program.contracts).any(is_held);
    let by_script = generated.stands_in_outputs && !held;
    Artifact {
        compiler: COMPILER.to_owned(),
        level: generated.level,
        objective: generated.objective,
        // A contract that holds the lock of another would hold all of its script.
        locking: if by_script { Locking::P2s } else { Locking::P2sh32 },
        contract: contract.name.clone(),
        docs: contract.docs.clone(),
        rules,
        sources: spans.sources(),
        source_map,
        requires,
        functions,
        params: generated.params,
        sealed,
        paths,
        bytecode: generated.bytecode,
        asm: generated.asm,
        reward,
        plans,
        derived: contract.derived.iter().filter_map(derived).collect(),
        state: state(contract),
        ..Artifact::default()
    }
}

/// Values for parameters of a contract.
#[derive(Default)]
pub struct Sealing {
    /// As code generation builds them in: by the parameter's index, one item for each leaf.
    pub leaves: BTreeMap<usize, Vec<Vec<u8>>>,
    /// As the artifact tells them.
    pub params: Vec<SealedParam>,
}

impl Sealing {
    /// Of those of `values` that `contract` has parameters for.
    pub fn of(contract: &hir::Contract, values: &BTreeMap<String, AbiValue>) -> Result<Self, AbiError> {
        let mut sealing = Self::default();
        for (param, declared) in contract.params.iter().enumerate() {
            let (Some(value), Some(ty)) = (values.get(&declared.name), declared.ty.abi()) else { continue };
            let slot = Slot { name: declared.name.clone(), ty };
            sealing.leaves.insert(param, slot.leaves(value)?);
            sealing.params.push(SealedParam { param, value: value.clone() });
        }
        Ok(sealing)
    }
}

/// How a parameter is computed that holds the lock of another contract.
fn derived(of: &hir::Derived) -> Option<Derived> {
    let arg = |expr: &hir::Expr| match &expr.kind {
        hir::ExprKind::Param(param) => Some(DerivedArg::Param(param.index())),
        _ => Some(DerivedArg::Const(expr.ty.abi()?.encode(&constant(expr)?).ok()?)),
    };
    let args = of.args.iter().map(arg).collect::<Option<Vec<_>>>()?;
    Some(Derived { param: of.param.index(), contract: of.contract.clone(), args })
}

/// The value of an expression that is nothing but a value.
fn constant(expr: &hir::Expr) -> Option<Value> {
    let all = |exprs: &[hir::Expr]| exprs.iter().map(constant).collect::<Option<Vec<_>>>();
    Some(match &expr.kind {
        hir::ExprKind::Int(n) => Value::Int(i128::try_from(n).ok()?),
        hir::ExprKind::Bool(truth) => Value::Bool(*truth),
        hir::ExprKind::Bytes(bytes) => Value::Bytes(bytes.clone()),
        hir::ExprKind::Tuple(parts) => Value::Parts(all(parts)?),
        hir::ExprKind::Variant { variant, fields } => Value::Variant(*variant, all(fields)?),
        _ => return None,
    })
}

/// How the state of a contract lies in its commitment.
fn state(contract: &hir::Contract) -> Option<StateLayout> {
    let field = |field: &hir::Param| Some(Slot { name: field.name.clone(), ty: field.ty.abi()? });
    let fields = contract.state.as_ref()?.iter().map(field).collect::<Option<Vec<_>>>()?;
    StateLayout::of(fields)
}

/// The shares of a reward as the artifact tells them; `span` says where a place is.
pub fn reward_table(reward: &hir::Reward, span: &mut dyn FnMut(&Loc) -> SourceSpan) -> RewardTable {
    let source = |source: &hir::RewardSource| RewardSource {
        name: source.name.clone(),
        param: source.param.index(),
        weight: source.weight,
        rank: source.rank,
        to: source.to.clone(),
        span: span(&source.loc),
    };
    RewardTable {
        denominator: reward.denominator,
        minimum_sats: reward.minimum,
        fee_sats_max: reward.fee_max,
        sources: reward.sources.iter().map(source).collect(),
        list: reward.list.as_ref().map(|list| RewardList {
            param: list.param.index(),
            unnamed: list.unnamed,
            weight_min: list.weight_min,
            adjustable: list.adjustable,
            has_terms: list.has_terms,
        }),
    }
}

/// Turns places into spans and numbers the sources that they lie in.
struct Spans<'a> {
    places: &'a Places,
    used: Vec<FileId>,
}

impl Spans<'_> {
    fn span(&mut self, loc: &Loc) -> Option<SourceSpan> {
        let place = self.places.resolve(loc)?;
        let file = self.used.iter().position(|file| *file == loc.file).unwrap_or_else(|| {
            self.used.push(loc.file);
            self.used.len() - 1
        });
        Some(SourceSpan {
            file,
            start: place.range.start,
            end: place.range.end,
            line: place.line,
            column: place.column,
        })
    }

    /// The plans that spend the contract's coins or make some, and those of its file that are about no contract;
    /// without any of the first kind, one for each path.
    fn plans(&mut self, contract: &hir::Contract, programs: &[&hir::Program]) -> Vec<Plan> {
        let declares =
            |program: &hir::Program| program.contracts.iter().any(|other| other.loc.file == contract.loc.file);
        let shadows = |program: &hir::Program| program.contracts.iter().any(|other| other.name == contract.name);
        let mut plans = Vec::new();
        let (mut about, mut own) = (false, None);
        for program in programs {
            let at_home = declares(program);
            own = own.or(Some(&program.functions).filter(|_| at_home));
            for plan in &program.plans {
                let names: Vec<&str> = codegen::contracts_of(plan).collect();
                // Another file of the program may have a contract of the same name.
                let is_about = names.contains(&contract.name.as_str()) && (at_home || !shadows(program));
                about |= is_about;
                if is_about || (names.is_empty() && at_home) {
                    plans.extend(self.plan(plan, &program.functions));
                }
            }
        }
        if let Some(functions) = own.filter(|_| !about) {
            plans.extend(
                analysis::default_plans(contract, functions).iter().filter_map(|plan| self.plan(plan, functions)),
            );
        }
        plans
    }

    /// The data of a plan. One of the source that no wallet can compute has been reported.
    fn plan(&mut self, plan: &hir::Plan, functions: &hir::Functions) -> Option<Plan> {
        codegen::template(plan, functions, &mut |loc| self.span(loc).unwrap_or_default()).ok()
    }

    fn map_entries(&mut self, origins: &[codegen::Origin]) -> Vec<MapEntry> {
        let entry = |origin: &codegen::Origin| {
            let (instruction, after) = (origin.instruction, origin.after.clone());
            self.span(&origin.loc).map(|span| MapEntry { instruction, after, span })
        };
        origins.iter().filter_map(entry).collect()
    }

    fn require_sites(&mut self, checks: Vec<codegen::Check>) -> Vec<RequireSite> {
        let site = |check: codegen::Check| RequireSite {
            instruction: check.instruction,
            after: check.after,
            span: self.span(&check.loc).unwrap_or_default(),
            message: check.message,
            expects: check.expects,
        };
        checks.into_iter().map(site).collect()
    }

    /// The paths with their routes.
    fn paths(&mut self, mut paths: Vec<SpendPath>, routes: &[Vec<codegen::Route>]) -> Vec<SpendPath> {
        for (path, route) in paths.iter_mut().zip(routes) {
            let step = |step: &codegen::Route| {
                let failing = |(message, loc): &(String, Loc)| Failing {
                    message: message.clone(),
                    span: self.span(loc).unwrap_or_default(),
                };
                Step { turn: step.turn, otherwise: step.otherwise.as_ref().map(failing) }
            };
            path.route = route.iter().map(step).collect();
        }
        paths
    }

    fn function(&mut self, function: codegen::Function) -> SharedFunction {
        SharedFunction {
            source_map: self.map_entries(&function.source_map),
            requires: self.require_sites(function.requires),
            name: function.name,
            id: function.id,
            definition: function.definition,
            asm: function.asm,
        }
    }

    fn sources(&self) -> Vec<SourceFile> {
        let file = |id: &FileId| {
            let file = self.places.file(*id)?;
            Some(SourceFile { path: file.path.to_string(), sha256: file.sha256().to_owned() })
        };
        self.used.iter().filter_map(file).collect()
    }
}
