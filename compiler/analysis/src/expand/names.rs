//! Names for variables, of which several may share one in the source.

use std::collections::BTreeSet;

use crate::hir::{Local, Param};

/// A name for each variable that nothing else in reach has.
pub(super) fn local_names(params: &[Param], args: &[Param], locals: &[Local]) -> Vec<String> {
    let mut taken: BTreeSet<String> = params.iter().chain(args).map(|param| param.name.clone()).collect();
    let mut next = std::collections::BTreeMap::new();
    let mut names = Vec::with_capacity(locals.len());
    for local in locals {
        let count: &mut usize = next.entry(local.name.as_str()).or_insert(1);
        let mut name = local.name.clone();
        while !taken.insert(name.clone()) {
            *count += 1;
            name = format!("{}_{count}", local.name);
        }
        names.push(name);
    }
    names
}
