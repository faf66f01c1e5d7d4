//! Rewards: whom they pay, what is published of them, and what became of them on a chain.

mod adjust;
mod published;
mod rebuild;
mod recipients;

pub use adjust::{Adjustment, adjustment, list_hash};
pub use published::{Form, Published};
pub use rebuild::{Change, Flow, Paid, Refused};
pub(crate) use rebuild::{pushed, rebuild};
pub use recipients::{
    ListError, Recipient, Share, gather, name_list, open_slots, recipients, records, records_of, shares,
};
