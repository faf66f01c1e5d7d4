//! Shows that the money of a campaign is never stuck, whatever builder and judges do.
//!
//! The campaign is a small graph: its states are where money can lie, its moves are the spend paths.
//! A move is free if whoever is owed the money, or anyone, can make it once some height is reached.
//! From every state free moves must lead to the money's end: with the backers or with the builder.

use syntax::Code;

use super::{Campaign, Gate};
use crate::number::grouped;
use crate::report::Report;

/// Who a move needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anyone,
    /// The holders of receipts, to whom the money belongs.
    Backers,
    Builder,
    Judges,
}

/// Where money lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A pledge that waits as a coin of its own.
    Waiting,
    /// In the threads, before any refund.
    Raising,
    /// In the threads, after the first refund.
    Closed,
    /// In the escrow, this release being next.
    Escrow(usize),
    /// In the escrow, which pays back.
    Refunding,
    /// With its owner.
    Home,
}

/// A spend path from one state to another.
pub(super) struct Move {
    pub(super) from: State,
    pub(super) path: String,
    pub(super) who: Who,
    pub(super) after: Option<u64>,
    pub(super) to: State,
}

/// Every move of a campaign.
pub(super) fn moves(campaign: &Campaign) -> Vec<Move> {
    let deadline = Some(campaign.deadline.value);
    let mut moves = Vec::new();
    let mut add = |from, path: &str, who, after, to| moves.push(Move { from, path: path.to_owned(), who, after, to });
    add(State::Waiting, "gather", Who::Anyone, None, State::Raising);
    add(State::Waiting, "cancel", Who::Backers, None, State::Home);
    add(State::Waiting, "expire", Who::Anyone, deadline, State::Home);
    add(State::Raising, "collect", Who::Anyone, None, State::Escrow(0));
    add(State::Raising, "refund", Who::Backers, deadline, State::Closed);
    add(State::Closed, "refund", Who::Backers, deadline, State::Home);
    let last = campaign.release.len();
    for (number, release) in campaign.release.iter().enumerate() {
        let next = if number + 1 == last { State::Home } else { State::Escrow(number + 1) };
        let (who, by) = match &release.gate {
            Gate::Goal => (Who::Anyone, None),
            Gate::Attested { by } => (Who::Judges, by.as_ref()),
        };
        add(State::Escrow(number), &format!("release_{}", release.name), who, None, next);
        if let Some(by) = by {
            for from in 0..=number {
                let path = format!("fail_{}", release.name);
                add(State::Escrow(from), &path, Who::Anyone, Some(by.value), State::Refunding);
            }
        }
        add(State::Escrow(number), "abort", Who::Builder, None, State::Refunding);
    }
    add(State::Refunding, "redeem", Who::Backers, None, State::Home);
    moves
}

/// The states from which free moves do not lead home.
fn stuck(moves: &[Move], states: &[State]) -> Vec<State> {
    let mut safe = vec![State::Home];
    loop {
        let free = |state: &State| {
            let leads = |step: &&Move| step.from == *state && matches!(step.who, Who::Anyone | Who::Backers);
            moves.iter().filter(leads).any(|step| safe.contains(&step.to))
        };
        let more: Vec<State> = states.iter().filter(|state| !safe.contains(state) && free(state)).copied().collect();
        if more.is_empty() {
            return states.iter().filter(|state| !safe.contains(state)).copied().collect();
        }
        safe.extend(more);
    }
}

/// Walks through all states; one that only builder or judges can end is an error that shows the table.
pub(super) fn check(campaign: &Campaign, report: &mut Report<'_>) {
    let moves = moves(campaign);
    let escrows = (0..campaign.release.len()).map(State::Escrow);
    let states: Vec<State> =
        [State::Waiting, State::Raising, State::Closed].into_iter().chain(escrows).chain([State::Refunding]).collect();
    let stuck = stuck(&moves, &states);
    // A date on the last of them gives all of them a way.
    let Some(last) = stuck.last() else { return };
    let (loc, name) = match last {
        State::Escrow(number) => campaign.release.get(*number).map(|release| (&release.loc, release.name.as_str())),
        _ => None,
    }
    .unwrap_or((&campaign.loc, "goal"));
    let message = format!("money that waits for `at {name}` is stuck if the judges stay silent");
    let mut found = report.error(Code::E0905, message, loc).saying("no date, after which what is left goes back");
    for state in &states {
        let ways: Vec<String> = moves.iter().filter(|step| step.from == *state).map(shown).collect();
        let verdict = if stuck.contains(state) { " -- stuck" } else { "" };
        found = found.note(format!("{}: {}{verdict}", title(*state, campaign), ways.join(", ")));
    }
    report.push(match name {
        "accept" => found.help("add `deliver: { weights: Hash256, by: height 960_000 },`"),
        _ => found.help(format!("give it a date, such as `at {name}: 20% by height 950_000`")),
    });
}

fn title(state: State, campaign: &Campaign) -> String {
    match state {
        State::Waiting => "a pledge of its own".into(),
        State::Raising => "in the threads".into(),
        State::Closed => "in the threads, after a refund".into(),
        State::Escrow(number) => {
            let name = campaign.release.get(number).map_or("", |release| &release.name);
            format!("in the escrow, `at {name}` next")
        }
        State::Refunding => "in the escrow, refunding".into(),
        State::Home => "paid".into(),
    }
}

fn shown(step: &Move) -> String {
    let who = match step.who {
        Who::Anyone => "anyone",
        Who::Backers => "backers",
        Who::Builder => "builder",
        Who::Judges => "judges",
    };
    let after = step.after.map_or(String::new(), |height| format!(" from height {}", grouped(&height.into())));
    format!("`{}` by {who}{after}", step.path)
}
