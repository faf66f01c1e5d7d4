//! The examples as stories: every plan on a devnet, every balance to the last unit, and attacks that fail.

mod adjustable_reward;
mod escrow;
mod htlc;
mod imi;
mod imi_attacks;
mod imi_boundaries;
mod imo;
mod imo_adoption;
mod imo_backers;
mod imo_usage;
mod linked_lists;
mod model_family;
mod model_flows;
mod multisig;
mod references;
mod splitter_985;
mod subscription;
mod vault;

use std::path::Path;

use spec::artifact::AbiValue;

/// Where another machine may be installed.
fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The changes of an adjustment as an argument says them.
fn changes(changes: &AbiValue) -> String {
    let AbiValue::Records(records) = changes else { panic!("changes are records") };
    let number = |bytes: &[u8]| spec::num::decode_sized(bytes).unwrap();
    let one = |record: &Vec<Vec<u8>>| {
        let [was, was_until, is, is_until] = [0, 1, 2, 3].map(|at| number(&record[at]));
        let lock = hex::encode(&record[4]);
        format!(
            r#"{{"was": {was}, "was_until": "height {was_until}", "is": {is}, "is_until": "height {is_until}", "lock": "0x{lock}"}}"#
        )
    };
    format!("[{}]", records.all.iter().map(one).collect::<Vec<_>>().join(","))
}
