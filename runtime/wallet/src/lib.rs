//! Keys, coins and signed transactions: payments, contract calls, plans and settlements built from artifacts, each proved on the virtual machine before it is returned.
//!
//! It performs no input or output, holds no chain state and knows no clock; randomness and coins come in as arguments.

mod clock;
mod coins;
mod contract;
mod dates;
mod draft;
mod explain;
mod keys;
mod padding;
mod places;
mod plan;
mod recover;
mod reward;
mod sign;
mod spending;
mod values;
mod written;

pub use clock::check_params;
pub use coins::{FeeRate, Selection, ShortOfCoins, Utxo, select};
pub use contract::{Arg, Args, Call, Params, Signer, call};
pub use draft::{BuildError, Built, Purse, Refusal, SEQUENCE_FINAL, SEQUENCE_LOCKTIME, pay};
pub use explain::{Explanation, Other, Place, explain, explain_input, explain_path, path_taken};
pub use flow::open_slots;
pub use keys::{Accounts, DEVNET_MNEMONIC, ExtendedKey, Key, KeyError, Mnemonic, WifError};
pub use places::Places;
pub use plan::{
    Carried, Deployed, Forged, Forgery, PlanError, PlanFault, PlanWish, Program, ProgramError, carry_out, forge,
    locks_of, unjudged,
};
pub use recover::{Difference, Mismatch, Recovered, recover};
pub use reward::{JOINED_MAX, SettleError, Settled, Settlement, after, publish, settle};
pub use sign::{Unsignable, sign_inputs};
pub use spec::DEVNET_NAMES;
pub use spending::{Given, Spending, script_of, spending};
pub use values::{Names, ValueError, parse_amount, parse_value, record_names};
pub use written::written;
