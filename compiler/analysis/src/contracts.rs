//! What others may know of a contract: its parameters, its state and its paths.

use std::sync::Arc;

use syntax::Loc;
use syntax::ast::{self, Member};

use crate::body::{Env, Slot};
use crate::declared::TypeDeclaration;
use crate::hir::{StructType, Type};
use crate::report::Report;
use crate::signatures::{Signatures, Taker, slots};
use crate::types;

/// The interface of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContractSignature {
    pub(crate) name: Arc<str>,
    /// What must be known to deploy it, in order.
    pub(crate) params: Vec<Slot>,
    /// The fields of its state, in order.
    pub(crate) state: Vec<Slot>,
    pub(crate) paths: Vec<PathSignature>,
    /// The struct `Contract::State`, of contracts that have one.
    pub(crate) state_type: Option<TypeDeclaration>,
    pub(crate) loc: Loc,
}

/// What the struct of a contract's state is called, behind the contract's name.
pub(crate) const STATE_TYPE: &str = "State";

/// A way to spend a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathSignature {
    pub(crate) name: Arc<str>,
    pub(crate) args: Vec<Slot>,
}

/// Reads the interface of a contract. The messages are dropped: they come again when it is checked.
pub(crate) fn contract_signature(
    contract: &ast::Contract,
    signatures: &Signatures,
    report: &Report<'_>,
) -> ContractSignature {
    let mut silent = report.beside();
    let env = Env::of_file(signatures);
    let params = slots(&contract.params, Taker::Contract, env, &mut silent);
    let mut state = Vec::new();
    let mut paths: Vec<PathSignature> = Vec::new();
    for member in &contract.members {
        match member {
            Member::Spend(spend) => {
                let args = slots(&spend.params, Taker::Path, env, &mut silent);
                if !paths.iter().any(|path| path.name == spend.name.name) {
                    paths.push(PathSignature { name: spend.name.name.clone(), args });
                }
            }
            Member::State(fields) => state.extend(fields.fields.iter().map(|field| Slot {
                name: field.name.name.clone(),
                ty: types::resolve(&field.ty, env, &mut silent),
                span: field.name.span,
            })),
            Member::Const(_) | Member::Fn(_) | Member::Allow(_) | Member::Budget(_) | Member::Error(_) => {}
        }
    }
    let (name, loc) = (contract.name.name.clone(), report.loc(contract.name.span));
    let state_type = state_type(&name, &state, &loc);
    ContractSignature { name, params, state, paths, state_type, loc }
}

fn state_type(contract: &str, state: &[Slot], loc: &Loc) -> Option<TypeDeclaration> {
    if state.is_empty() {
        return None;
    }
    let fields: Option<Vec<_>> = state.iter().map(|slot| Some((slot.name.to_string(), slot.ty.clone()?))).collect();
    let name = format!("{contract}::{STATE_TYPE}");
    let of = |fields| Type::Struct(StructType { name, args: Vec::new(), fields }.into());
    Some(TypeDeclaration { params: Arc::default(), ty: fields.map(of), loc: Some(loc.clone()) })
}
