//! The contracts of a model: its flow, and, once for each file, the registry.

use std::fmt::Write as _;

use spec::Sats;
use spec::model::{DUST_LIMIT, FEE_SATS_MAX, SCRIPT_HEAD, SCRIPT_TAIL};

use super::{Model, ParentName, hex, plans};
use crate::domain::Text;
use crate::domain::reward::{self, percent};
use crate::number::grouped;

/// The contracts of records and of the threads that make them. They are the same for all models of all programs.
const REGISTRY: &str = include_str!("registry.bmc");

/// The flow of a model, and the registry if this model is the first of its file.
pub(crate) fn text(model: &Model, with_registry: bool) -> Text {
    let flow = reward::Table { docs: documented(model), ..model.flow.clone() };
    let mut text = reward::text(&flow);
    if with_registry {
        text.gap();
        text.at(&model.item_loc, |text| {
            registry().lines().for_each(|line| match line {
                "" => text.gap(),
                line => text.line(line),
            });
            plans::registry(text);
        });
    }
    plans::register(&mut text, model);
    text
}

/// The registry, with what it knows of flows: the script of all of them, and which numbers one may have.
fn registry() -> String {
    let number = |n: u64| grouped(&n.into());
    REGISTRY
        .replace("HEAD", &hex(&SCRIPT_HEAD))
        .replace("TAIL", &hex(&SCRIPT_TAIL))
        .replace("FEE_END", &number(u64::from(FEE_SATS_MAX) + 1))
        .replace("FEE_MAX", &number(FEE_SATS_MAX.into()))
        .replace("MONEY", &number(Sats::MAX.get()))
        .replace("DUST", &number(DUST_LIMIT.get()))
}

/// The documentation of the flow: what reaches which model of all that is paid.
fn documented(model: &Model) -> String {
    let mut docs = model.flow.docs.clone();
    if !docs.is_empty() {
        docs.push_str("\n\n");
    }
    let whole = u64::from(model.terms.whole);
    let part = |weight: u32| percent(&dashu_ratio::RBig::from_parts(weight.into(), whole.into()));
    let _ = write!(docs, "What is paid to the model `{}`: ", model.name);
    for parent in &model.parents {
        let _ = match &parent.to {
            ParentName::Model(name) => write!(docs, "{} to `{name}`, ", part(parent.weight)),
            ParentName::Record([a, b, c, d, ..]) => {
                write!(docs, "{} to the record `0x{a:02x}{b:02x}{c:02x}{d:02x}..`, ", part(parent.weight))
            }
        };
    }
    let given: u32 = model.parents.iter().map(|parent| parent.weight).sum();
    let _ = write!(docs, "{} to its own sources.", part(model.terms.whole.saturating_sub(given)));
    let further = model.inflow.iter().flatten().filter(|(name, _)| !names(model, name));
    let further: Vec<_> = further.map(|(name, share)| format!("{} reaches `{name}`", percent(share))).collect();
    if !further.is_empty() {
        let _ = write!(docs, "\n\nThrough them, {}.", further.join(", "));
    }
    docs
}

fn names(model: &Model, name: &str) -> bool {
    model.parents.iter().any(|parent| matches!(&parent.to, ParentName::Model(of) if **of == *name))
}
