//! `bmc ops`: the opcode reference, from the one table.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};
use spec::opcode::{Availability, CostClass, Row, TABLE};

use crate::fail::Fail;
use crate::shell::{BOLD, FAINT, NAME, Shell};

/// Look up the machine's opcodes.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc ops CHECKSIG\n  bmc ops 0x76\n  bmc ops --group introspection")]
pub(crate) struct Ops {
    /// A name or a part of one, or a byte such as 0x76.
    name: Option<String>,
    /// Only one chapter: constants, flow, stack, bytes, arithmetic, crypto, locktime, introspection, reserved.
    #[arg(long)]
    group: Option<String>,
}

impl Ops {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let rows: Vec<&Row> = TABLE.iter().filter(|row| self.wants(row)).collect();
        if rows.is_empty() {
            return Err(Fail::refused("no opcode is like this").help("`bmc ops` lists them all"));
        }
        let data: Vec<Value> = rows.iter().map(|row| json_of(row)).collect();
        let exact = rows.iter().find(|row| self.name.as_deref().is_some_and(|name| is_name(row, name)));
        shell.print(&data, |out| match (exact, rows.as_slice()) {
            (Some(row), _) | (None, [row]) => page(out, row),
            (None, rows) => rows.iter().try_for_each(|row| line(out, row)),
        })
    }

    fn wants(&self, row: &Row) -> bool {
        let in_group = self.group.as_deref().is_none_or(|group| group_name(row).eq_ignore_ascii_case(group));
        in_group
            && self.name.as_deref().is_none_or(|name| is_name(row, name) || row.name.contains(&name.to_uppercase()))
    }
}

fn is_name(row: &Row, name: &str) -> bool {
    let byte = name.strip_prefix("0x").and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let plain = row.name.trim_start_matches("OP_");
    byte == Some(row.opcode.to_byte()) || row.name.eq_ignore_ascii_case(name) || plain.eq_ignore_ascii_case(name)
}

fn group_name(row: &Row) -> String {
    format!("{:?}", row.group).to_lowercase()
}

const fn availability(row: &Row) -> &'static str {
    match row.availability {
        Availability::Both => "everywhere",
        Availability::Bitmodel => "under the Bitmodel rules only",
        Availability::Nop => "does nothing; relay refuses it",
        Availability::Reserved => "fails when executed",
    }
}

const fn cost(row: &Row) -> &'static str {
    match row.cost {
        CostClass::Base => "100",
        CostClass::Push => "100, and 1 for each byte it pushes",
        CostClass::Verify => "101",
        CostClass::Arithmetic => "100, and 2 for each byte of the result",
        CostClass::Product => "100, 2 for each byte of the result, and the product of the operands' lengths",
        CostClass::Roll => "100, 1 for each byte it pushes, and the depth it reaches",
        CostClass::Define => "100, and 1 for each byte of the body",
        CostClass::Hash => "100, 1 for each byte it pushes, and the price of the hash iterations",
        CostClass::Signature => "100, 1 for each byte it pushes, and the price of hashing and of each signature",
        CostClass::Fail => "none: it always fails",
    }
}

fn json_of(row: &Row) -> Value {
    json!({
        "byte": row.opcode.to_byte(),
        "name": row.name,
        "stack": row.stack,
        "cost": cost(row),
        "available": availability(row),
        "group": group_name(row),
        "doc": row.doc,
    })
}

fn line(out: &mut dyn Write, row: &Row) -> io::Result<()> {
    let (name, byte) = (row.name, row.opcode.to_byte());
    writeln!(out, "{FAINT}0x{byte:02x}{FAINT:#} {NAME}{name:<24}{NAME:#} {:<28} {}", row.stack, row.doc)
}

fn page(out: &mut dyn Write, row: &Row) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#} (0x{:02x}, {})", row.name, row.opcode.to_byte(), group_name(row))?;
    writeln!(out, "  {}", row.doc)?;
    writeln!(out, "  stack      {}", row.stack)?;
    writeln!(out, "  cost       {}", cost(row))?;
    writeln!(out, "  available  {}", availability(row))
}
