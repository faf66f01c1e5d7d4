//! Writes what was found out as a program: a contract with a path for each way through the script.

mod block;
mod expr;

use std::fmt::Write as _;

use crate::exec::{End, Exec, State};
use crate::graph::{Graph, Op};
use crate::names::Args;
use crate::structure::Structure;
use block::Block;
use spec::Opcode;

/// A script as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decompiled {
    /// The program.
    pub text: String,
    /// The paths that it has.
    pub ways: Vec<Way>,
    /// Where a way could not be followed to its end; with any of these the text is no program.
    pub stops: Vec<Stop>,
    /// Whether the script reads its own code, which is another once it is compiled.
    pub reads_own_code: bool,
}

/// A path of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// The names of its arguments, in the order in which they are pushed.
    pub args: Vec<String>,
}

/// A place where a script could not be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The byte of the script, or of the function that it is in.
    pub at: usize,
    /// Why.
    pub why: &'static str,
}

impl Decompiled {
    /// Whether the text says all that the script does.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stops.is_empty() && !self.ways.is_empty()
    }
}

/// What an author would be told of; the text only repeats what the script does.
const ALLOWED: [&str; 4] = [
    "open_path, closed_path, unread_argument, divide_first, one_signature, mixed_clocks",
    "unlocked_lock_time, unaccounted_output, shared_output, unchecked_length, unchecked_capability",
    "unsafe_destination, uncapped_fee, unbound_attestation, trust_argument, number_range",
    "dust_output, upper_time_bound, state_unchecked, over_budget",
];

/// Writes `script` as a contract called `name`.
///
/// Each way through the script that takes other items from its spender is a path. What the text cannot say stands in it
/// as a comment with the instructions. Time and memory grow with the length of the script and no faster.
///
/// ```
/// let script = spec::script::p2pkh(&[7; 20]);
/// let found = decompile::decompile(&script, "Owned");
/// assert!(found.is_complete());
/// assert!(found.text.contains("require pubkey.signed(sig);"), "{}", found.text);
/// ```
#[must_use]
pub fn decompile(script: &[u8], name: &str) -> Decompiled {
    let structure = Structure::of(script);
    let mut exec = Exec::default();
    let states = exec.ways(&structure);
    let mut found = Decompiled { text: String::new(), ways: Vec::new(), stops: Vec::new(), reads_own_code: false };
    found.reads_own_code = structure.instrs.iter().any(|instr| instr.opcode == Some(Opcode::ActiveBytecode));
    let (mut bodies, mut failing) = (String::new(), 0);
    for state in &states {
        match &state.end {
            Some(End::Fails) => failing += 1,
            _ => found.path(&exec.graph, state, &mut bodies),
        }
    }
    // Writing to a string cannot fail.
    let _ = writeln!(found.text, "/// Read from a script of {} bytes.", script.len());
    let _ = writeln!(found.text, "contract {name}() {{");
    if failing > 0 {
        let _ = writeln!(found.text, "    // Ways through the script that fail whatever is pushed: {failing}.");
    }
    found.text.push_str(bodies.strip_prefix('\n').filter(|_| failing == 0).unwrap_or(&bodies));
    if found.is_complete() {
        found.text.push_str("\n    // It only repeats what the script does, wise or not.\n");
        ALLOWED.iter().for_each(|lints| found.text.push_str(&format!("    allow({lints});\n")));
    }
    found.text.push_str("}\n");
    found
}

impl Decompiled {
    fn path(&mut self, graph: &Graph, state: &State, out: &mut String) {
        let name = format!("path{}", self.ways.len());
        let args = Args::of(graph, &state.effects, state.taken);
        let pushed = (0..args.len()).rev().map(|depth| args.get(depth));
        let slots: Vec<String> = pushed.clone().map(|(name, ty)| format!("{name}: {}", ty.name())).collect();
        let mut block = Block::new(graph, &args);
        block.effects(&state.effects);
        let _ = writeln!(out, "\n    spend {name}({}) {{", slots.join(", "));
        out.push_str(&block.finish(2));
        if let Some(End::Stops { at, why, rest }) = &state.end {
            stop(out, graph, &args, state, (*at, why, rest));
            self.stops.push(Stop { at: *at, why });
        }
        out.push_str("    }\n");
        self.ways.push(Way { name, args: pushed.map(|(name, _)| name.to_owned()).collect() });
    }
}

/// What could not be said: the stack, as far as it has names, and the instructions from here on.
fn stop(out: &mut String, graph: &Graph, args: &Args, state: &State, (at, why, rest): (usize, &str, &[u8])) {
    const SHOWN_MAX: usize = 40;
    let item = |id: &usize| match graph.get(*id).map(|node| &node.op) {
        Some(Op::Arg(depth)) => args.get(*depth).0.to_owned(),
        Some(Op::Const(bytes)) if bytes.len() <= 33 => format!("0x{}", hex::encode(bytes)),
        _ => "..".to_owned(),
    };
    let top: Vec<String> = state.stack.iter().rev().take(8).rev().map(item).collect();
    let words = spec::asm::disassemble(rest);
    let shown: Vec<&str> = words.split(' ').take(SHOWN_MAX).map(|word| word.get(..80).unwrap_or(word)).collect();
    let more = if words.split(' ').nth(SHOWN_MAX).is_some() { " .." } else { "" };
    let _ = writeln!(out, "        // From byte {at} on this is not followed: {why}.");
    let _ = writeln!(out, "        // The stack, top last: {}", top.join(" "));
    let _ = writeln!(out, "        // asm {{ {}{more} }}", shown.join(" "));
}
