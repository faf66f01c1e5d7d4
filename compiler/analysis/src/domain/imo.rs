//! `imo`: Initial Model Offering, the token of a model.
//!
//! A launch coin makes the token: its category is the coin's own outpoint, so there is one launch for
//! one coin, and its script says where every token of the supply goes. Nothing that could make more of
//! them leaves the transaction. What follows is one contract for each kind of part:
//!
//! ```text
//!             judges attest the model
//!                       │
//!  launch coin ─ launch ┼► Claim      receipts of an `imi` go in, tokens come out
//!                       ├► Vesting    tokens come out as blocks pass
//!                       ├► Upstream   divided among the sources of the model
//!                       ├► Sale       money goes in, tokens come out; withdraw ─► treasury
//!                       ├► any lock
//!                       └► Holders ◄─ join ─ Revenue ◄─ a share of a reward
//!                             └ redeem: tokens go in for ever, their part of the money comes out
//! ```
//!
//! Scripts can demand that time has passed and never that it has not. So a price may fall as blocks
//! pass, since who names an older block pays more, but not rise; and a sale ends when it is sold out.
//! A price may rise with what has been sold, which the sale itself counts.

mod adoption;
mod check;
mod plans;
mod price;
mod text;
mod usage;

pub(crate) use check::check;
pub(crate) use text::text;

use syntax::Loc;

use super::settings::{At, Quorum};
use price::Price;
use usage::Usage;

/// What a contract of an offering holds beside money that counts, so that its outputs are never dust.
pub(super) const BASE_SATS: u64 = 2_000;

/// An offering whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offering {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) loc: Loc,
    pub(crate) judges: At<Quorum>,
    /// What the judges attest of the model, in words.
    pub(crate) criteria: At<String>,
    pub(crate) supply: At<u64>,
    /// In order; the amounts sum to the supply.
    pub(crate) parts: Vec<Part>,
    /// The parameter that holds the lock that the money of the sale goes to.
    pub(crate) treasury: At<String>,
    /// Where the share of a reward is set that goes to the holders, if there is one.
    pub(crate) revenue: Option<Revenue>,
    /// What users must have paid before the launch, if anything.
    pub(crate) usage: Option<Usage>,
    /// How many models of a registry build on the one that is offered, at least, if that is demanded.
    pub(crate) adoption: Option<At<u64>>,
}

/// A part of the supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// In tokens, at least one.
    pub(crate) amount: u64,
    pub(crate) kind: Kind,
    pub(crate) loc: Loc,
}

/// How a part reaches its owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It goes to a lock at once.
    Plain,
    /// To those who bring receipts of the campaign, by how many they bring.
    ProRata(Backed),
    /// To a lock as blocks pass.
    Vest { over: u64, cliff: u64 },
    /// To the sources of a reward, or to those of a list that is given at deployment.
    Upstream(Option<Vec<Source>>),
    /// To whoever pays the price.
    Sale(Price),
}

/// The campaign whose backers get a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backed {
    /// Its name here.
    pub(crate) campaign: String,
    /// What its record is in the end: of `raised` receipts, for `model`.
    pub(crate) record: String,
    /// Whether the record says which model the judges of the campaign accepted.
    pub(crate) names_model: bool,
}

/// A source that takes a fixed part of the upstream tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The parameter that holds its lock.
    pub(crate) param: String,
    pub(crate) amount: u64,
}

/// A share of a reward for those who hold the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revenue {
    pub(crate) reward: String,
    pub(crate) loc: Loc,
}

impl Offering {
    /// The campaign whose backers get a part, if one does.
    pub(super) fn backed(&self) -> Option<&Backed> {
        self.parts.iter().find_map(|part| match &part.kind {
            Kind::ProRata(backed) => Some(backed),
            _ => None,
        })
    }

    /// How many inputs the launch reads that come back as the outputs of the same numbers, from input 1 on: the
    /// record of a campaign, and edges.
    fn shown(&self) -> usize {
        let edges = self.adoption.as_ref().map_or(0, |children| usize::try_from(children.value).unwrap_or(usize::MAX));
        usize::from(self.backed().is_some()) + edges
    }

    /// The first input of the launch that is an edge.
    pub(super) fn first_edge(&self) -> usize {
        1 + usize::from(self.backed().is_some())
    }

    /// The output of the launch that carries a part. The first is the first, whatever the launch reads.
    pub(super) fn output_of(&self, part: usize) -> usize {
        if part > 0 { part + self.shown() } else { part }
    }

    /// The first input of the launch that is a coin of the meter.
    pub(super) fn first_meter(&self) -> usize {
        1 + self.shown()
    }

    /// The output of the launch that gives the treasury what the meter holds, behind those of all tokens.
    pub(super) fn treasury_output(&self) -> usize {
        self.output_of(self.parts.len()) + usize::from(self.revenue.is_some())
    }

    /// The contract that holds a part, without the offering's name; nothing for a plain lock.
    pub(crate) fn contract_of(&self, part: &Part) -> Option<String> {
        let vestings = self.parts.iter().filter(|part| matches!(part.kind, Kind::Vest { .. })).count();
        let kind = match &part.kind {
            Kind::Plain => return None,
            Kind::ProRata(_) => "Claim",
            Kind::Vest { .. } if vestings > 1 => return Some(format!("{}Vesting{}", self.name, camel(&part.name))),
            Kind::Vest { .. } => "Vesting",
            Kind::Upstream(_) => "Upstream",
            Kind::Sale(_) => "Sale",
        };
        Some(format!("{}{kind}", self.name))
    }
}

/// `first_team` as `FirstTeam`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    name.split('_').map(word).collect()
}
