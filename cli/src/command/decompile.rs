//! `bmc decompile`: a script as text in the language.

use clap::Args;
use serde_json::{Value, json};
use spec::script::LockKind;

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::onchain;
use crate::shell::Shell;

/// Write a script as text in the language: expressions and `require`s instead of a stack.
///
/// Each way through the script that takes other items is a path. Where all of it can be said, the text compiles; where
/// not, comments tell from which byte on, and why. Of a coin that shows a hash, the node is asked for a transaction that
/// shows the script.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc decompile 76a914000000000000000000000000000000000000000088ac\n  bmc decompile \"OP_SHA256 0xab..cd OP_EQUAL\"\n  bmc decompile 4f1c…e2:0\n  bmc decompile bchreg:p…"
)]
pub(crate) struct Decompile {
    /// A script in hexadecimal digits or in words, a file with either, an output or an address.
    #[arg(value_name = "HEX|ASM|FILE|TXID:N|ADDRESS")]
    what: String,
    /// The name of the contract.
    #[arg(long, default_value = "Script")]
    name: String,
    #[command(flatten)]
    node: NodeArgs,
}

impl Decompile {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let script = script(&self.what, &self.node)?;
        if !is_name(&self.name) {
            return Err(Fail::usage(format!("`{}` is no name of a contract", self.name))
                .help("write a capital letter, then letters and digits"));
        }
        let found = decompile::decompile(&script, &self.name);
        let way = |way: &decompile::Way| json!({ "name": way.name, "args": way.args });
        let stop = |stop: &decompile::Stop| json!({ "at": stop.at, "why": stop.why });
        let data = json!({
            "complete": found.is_complete(),
            "reads_own_code": found.reads_own_code,
            "paths": found.ways.iter().map(way).collect::<Vec<Value>>(),
            "stops": found.stops.iter().map(stop).collect::<Vec<Value>>(),
            "text": found.text,
            "script": hex::encode(&script),
        });
        shell.print(&data, |out| write!(out, "{}", found.text))?;
        if found.ways.is_empty() {
            shell.note("note: no way through the script succeeds, so nobody can spend with it");
        }
        if found.reads_own_code && found.is_complete() {
            shell.note("note: the script reads its own code, which is another once this text is compiled");
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The script that is meant: of a hash the one that was shown.
fn script(what: &str, node: &NodeArgs) -> Result<Vec<u8>, Fail> {
    let lock = if let Some((txid, index)) = onchain::outpoint(what) {
        onchain::output(&node.link(), &txid, index)?.lock
    } else if let Some(lock) = onchain::address(what) {
        lock
    } else {
        let text = onchain::text_of(what)?;
        return onchain::script(&text, spec::RuleSet::Bitmodel);
    };
    if !matches!(LockKind::of(&lock), LockKind::P2sh20(_) | LockKind::P2sh32(_)) {
        return Ok(lock);
    }
    onchain::shown(&node.link(), &lock)?.map(|(_, script)| script).ok_or_else(|| {
        Fail::refused("no transaction shows the script behind this hash")
            .help("wait until a coin of it is spent, or give the script itself")
    })
}
