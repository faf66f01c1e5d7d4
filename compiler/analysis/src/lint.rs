//! What a well-typed path must not do.
//!
//! [`path`] looks at one body, as soon as it is checked. [`covenants`] looks at paths with every call
//! copied in, one way through a path after the other, and asks what an attacker could still do: take
//! the value, the token or the state, show something twice, choose what should be fixed. Each check
//! is exact about what it reports: it says nothing where a path could be meant.

mod allow;
mod body;
mod graph;
mod interval;
mod outputs;
mod range;
mod spender;
mod time;
mod tokens;
mod trace;
mod view;
mod ways;

use std::collections::BTreeMap;

use syntax::{Code, Diagnostic, Loc};

use crate::hir::{Allow, BinaryOp, Contract, Fact, Functions, Lint, SpendPath};
use graph::{Op, Value};
use view::View;

pub(crate) use allow::{Silencer, allows_of_contract, allows_of_function};
pub(crate) use body::{path, unused_params};

/// Values of one path times its ways, beyond which intervals are not computed.
const INTERVALS_MAX: usize = 2_000_000;

/// A way through a path, under question.
struct Case<'g> {
    contract: &'g Contract,
    path: &'g SpendPath,
    view: View<'g>,
}

/// What the given contracts, which call these functions, let happen, and what their authors allow for nothing.
pub(crate) fn covenants<'p>(
    functions: &'p Functions,
    contracts: impl IntoIterator<Item = &'p Contract>,
) -> Vec<Diagnostic> {
    let of_functions: Vec<&Allow> = functions.iter().flat_map(|(_, function)| &function.allows).collect();
    let mut found = Vec::new();
    for contract in contracts {
        // Whether an `allow` in a function is needed depends on who calls it, so only those of contracts are counted.
        let mut of_contract = Silencer::new(&contract.allows);
        let mut shared = Silencer::new(of_functions.iter().copied());
        for path in &contract.paths {
            let mut of_path = BTreeMap::new();
            ways_of(functions, contract, path, &mut of_path);
            let left = shared.filter(of_path.into_values().collect(), None);
            found.extend(of_contract.filter(left, Some(&path.loc)));
        }
        found.extend(of_contract.idle(|lint| !lint.shows_in_one_body() && lint != Lint::OverBudget));
    }
    found
}

/// One message for each code and place, whichever way it was found on.
type Findings = BTreeMap<(Code, Option<Loc>), Diagnostic>;

fn ways_of(functions: &Functions, contract: &Contract, path: &SpendPath, found: &mut Findings) {
    // What is larger than a script can be gets a message from code generation.
    let Some(trace) = trace::trace(path, functions) else { return };
    let ways = ways::ways(&trace.graph, &trace.steps);
    let with_ranges = trace.graph.len().saturating_mul(ways.len()) <= INTERVALS_MAX;
    for way in &ways {
        let case = Case { contract, path, view: View::new(&trace.graph, way) };
        let checks = [
            outputs::shared(&case),
            outputs::uncapped_fee(&case),
            outputs::dust(&case),
            tokens::state_unchecked(&case),
            tokens::unaccounted(&case),
            tokens::capability(&case),
            spender::unchecked_length(&case),
            spender::unsafe_destination(&case),
            spender::unbound_attestation(&case),
            spender::trust_argument(&case),
            time::upper_bound(&case),
        ];
        let ranges = if with_ranges { range::check(&case) } else { Vec::new() };
        for diagnostic in checks.into_iter().flatten().chain(ranges) {
            // One message of a kind is enough for a path, except where each is about a number of its own.
            let apart = diagnostic.code == Code::E0421;
            let place = diagnostic.labels.first().filter(|_| apart).map(|label| label.loc.clone());
            found.entry((diagnostic.code, place)).or_insert(diagnostic);
        }
    }
}

impl Case<'_> {
    /// A value as a message calls it.
    fn name_of(&self, value: Value) -> String {
        self.source_of(value).map_or_else(|| "this value".to_owned(), |text| format!("`{text}`"))
    }

    /// The source of a value, if it is short, or something else.
    fn text_or(&self, value: Value, other: &str) -> String {
        self.source_of(value).unwrap_or_else(|| other.to_owned())
    }

    fn text_of_output(&self, index: Value) -> String {
        self.text_of_coin("outputs", index)
    }

    /// An input or output as a message calls it.
    fn text_of_coin(&self, list: &str, index: Value) -> String {
        format!("`tx.{list}[{}]`", self.text_or(index, ".."))
    }

    fn source_of(&self, value: Value) -> Option<String> {
        let graph = self.view.graph;
        let sign = match graph.op(value) {
            Op::Binary(BinaryOp::Add) => Some("+"),
            Op::Binary(BinaryOp::Sub) => Some("-"),
            _ => None,
        };
        if let (Some(sign), [a, b]) = (sign, graph.parts(value)) {
            return Some(format!("{} {sign} {}", self.name(*a)?, self.name(*b)?));
        }
        self.name(value)
    }

    /// The source of a value that has a name.
    fn name(&self, value: Value) -> Option<String> {
        let graph = self.view.graph;
        Some(match graph.op(value) {
            Op::Arg(index) => self.path.args.get(*index)?.name.clone(),
            Op::Param(index) => self.contract.params.get(*index)?.name.clone(),
            Op::Int(n) => n.to_string(),
            Op::Fact(Fact::TxLocktime) => "tx.locktime".to_owned(),
            Op::Fact(Fact::InputIndex) => "self.index".to_owned(),
            Op::Fact(Fact::InputCount) => "tx.inputs.length".to_owned(),
            Op::Fact(Fact::OutputCount) => "tx.outputs.length".to_owned(),
            Op::Fact(fact) => {
                let (whose, field) = coin_field(*fact)?;
                let index = *graph.parts(value).first()?;
                let own = whose == "inputs" && *graph.op(index) == Op::Fact(Fact::InputIndex);
                if own { format!("self.{field}") } else { format!("tx.{whose}[{}].{field}", self.source_of(index)?) }
            }
            _ => return self.state_field(value),
        })
    }

    /// The field of the contract's state that a value is.
    fn state_field(&self, value: Value) -> Option<String> {
        let graph = self.view.graph;
        let mut bytes = value;
        while *graph.op(bytes) == Op::Builtin(crate::hir::Builtin::ToInt) {
            bytes = *graph.parts(bytes).first()?;
        }
        let (whole, from) = match (graph.op(bytes), graph.parts(bytes)) {
            (Op::Builtin(crate::hir::Builtin::Prefix), [whole, _]) => (*whole, 0),
            (Op::Builtin(crate::hir::Builtin::Suffix | crate::hir::Builtin::Slice), [whole, from, ..]) => {
                (*whole, graph.small(*from)?)
            }
            _ => return None,
        };
        if !self.view.is_own_fact(whole, Fact::InputCommitment) {
            return None;
        }
        let mut at = 0;
        for field in self.contract.state.as_ref()? {
            if at == from {
                return Some(format!("state.{}", field.name));
            }
            at += i64::from(field.ty.stored_len()?);
        }
        None
    }
}

fn coin_field(fact: Fact) -> Option<(&'static str, &'static str)> {
    Some(match fact {
        Fact::InputValue => ("inputs", "value"),
        Fact::InputLock => ("inputs", "lock"),
        Fact::InputTxid => ("inputs", "txid"),
        Fact::InputOutpointIndex => ("inputs", "index"),
        Fact::InputUnlock => ("inputs", "unlock"),
        Fact::InputSequence => ("inputs", "sequence"),
        Fact::InputCategory => ("inputs", "token.category"),
        Fact::InputCommitment => ("inputs", "token.commitment"),
        Fact::InputTokens => ("inputs", "token.amount"),
        Fact::OutputValue => ("outputs", "value"),
        Fact::OutputLock => ("outputs", "lock"),
        Fact::OutputCategory => ("outputs", "token.category"),
        Fact::OutputCommitment => ("outputs", "token.commitment"),
        Fact::OutputTokens => ("outputs", "token.amount"),
        _ => return None,
    })
}
