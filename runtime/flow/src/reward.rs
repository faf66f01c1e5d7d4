//! Rewards: whom they pay, what is published of them, and what became of them on a chain.

mod adjust;
mod published;
mod rebuild;
mod recipients;

pub use adjust::{Adjustment, adjustment, list_hash};
pub use published::{Form, Published};
pub(crate) use rebuild::rebuild;
pub use rebuild::{Change, Flow, Paid, Refused};
pub use recipients::{ListError, Recipient, Share, name_list, names_hash, recipients, records, records_of, shares};
