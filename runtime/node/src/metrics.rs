//! What the node counts, in the text that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::state::Node;

/// What has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Calls by method: how many, how many failed, and how long all took.
    calls: BTreeMap<&'static str, (u64, u64, Duration)>,
    /// Blocks that joined the active chain.
    pub(crate) connected: u64,
    /// Blocks that left it.
    pub(crate) disconnected: u64,
    /// Transactions that were taken in.
    pub(crate) accepted: u64,
    /// Transactions that were refused.
    pub(crate) refused: u64,
    /// Rivals of waiting transactions.
    pub(crate) double_spends: u64,
}

impl Counts {
    /// Counts a call.
    pub(crate) fn call(&mut self, method: &'static str, failed: bool, took: Duration) {
        let (count, failures, time) = self.calls.entry(method).or_default();
        *count += 1;
        *failures += u64::from(failed);
        *time += took;
    }
}

/// A page of lines that is being written.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP bitmodel_{name} {help}\n# TYPE bitmodel_{name} {kind}");
    }

    fn row(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "bitmodel_{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.row(name, "", value);
    }
}

/// The page, for so many connected clients.
pub(crate) fn page(node: &Node, connections: usize) -> String {
    let mut page = Page(String::new());
    let (tip, mempool, counts) = (node.tip(), node.mempool(), node.counts());
    page.one("height", "gauge", "Height of the active chain.", tip.entry.height.get());
    page.one("tip_time_seconds", "gauge", "Time of the block at the tip.", tip.entry.header.time);
    page.one("chain_work", "gauge", "Hashes that the active chain took.", tip.entry.work);
    page.one("blocks_connected_total", "counter", "Blocks that joined the active chain.", counts.connected);
    page.one("blocks_disconnected_total", "counter", "Blocks that left the active chain.", counts.disconnected);
    page.one("mempool_transactions", "gauge", "Transactions that wait.", mempool.len());
    page.one("mempool_bytes", "gauge", "Bytes of transactions that wait.", mempool.len_bytes());
    page.one("mempool_fees_satoshis", "gauge", "Fees of transactions that wait.", mempool.fees().get());
    page.one("mempool_min_fee_satoshis_per_kb", "gauge", "Least fee of a newcomer.", node.fee_rate_min().get());
    page.one("transactions_accepted_total", "counter", "Transactions that were taken in.", counts.accepted);
    page.one("transactions_refused_total", "counter", "Transactions that were refused.", counts.refused);
    page.one("double_spends_total", "counter", "Rivals of waiting transactions that were seen.", counts.double_spends);
    page.one("connections", "gauge", "Clients that are connected.", connections);
    page.one("listeners", "gauge", "Clients that listen to events.", node.hub().listeners());
    page.one("uptime_seconds", "gauge", "Seconds since the start.", node.clock().uptime_secs());
    engine(&mut page, node);
    page.head("rpc_calls_total", "counter", "Calls by method.");
    for (method, (count, _, _)) in &counts.calls {
        page.row("rpc_calls_total", &format!("{{method=\"{method}\"}}"), count);
    }
    page.head("rpc_errors_total", "counter", "Calls that failed, by method.");
    for (method, (_, failures, _)) in &counts.calls {
        page.row("rpc_errors_total", &format!("{{method=\"{method}\"}}"), failures);
    }
    page.head("rpc_seconds_total", "counter", "How long calls took, by method.");
    for (method, (_, _, time)) in &counts.calls {
        let seconds = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
        page.row("rpc_seconds_total", &format!("{{method=\"{method}\"}}"), seconds);
    }
    page.0
}

fn engine(page: &mut Page, node: &Node) {
    let counts = node.engine().counts();
    page.head("scripts_total", "counter", "Inputs whose scripts ran, by what ended them.");
    for (by, count) in [
        ("register_code", counts.accepted.saturating_sub(counts.jitted)),
        ("machine_code", counts.jitted),
        ("oracle_after_doubt", counts.left),
        ("oracle_alone", counts.direct),
    ] {
        page.row("scripts_total", &format!("{{by=\"{by}\"}}"), count);
    }
    page.one("script_cache_bytes", "gauge", "Bytes of lowered scripts that are kept.", counts.bytes);
    page.one("machine_code_bytes", "gauge", "Bytes of machine code that are kept.", counts.machine_bytes);
}
