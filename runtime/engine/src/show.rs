//! Register code as text, one instruction on each line.

use std::fmt;

use crate::ir::{Binary, Compare, Metering, Op, Unary, Unit};

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let costs = match self.metering {
            Metering::Exact => "exact costs",
            Metering::Bound => "bound costs",
        };
        writeln!(f, "{} instructions, {costs}, {} open at most", self.ops.len(), self.nesting)?;
        for (at, op) in self.ops.iter().enumerate() {
            write!(f, "{at:>6}  ")?;
            self.show(f, *op)?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Unit {
    fn show(&self, f: &mut fmt::Formatter<'_>, op: Op) -> fmt::Result {
        match op {
            Op::Block { low, high, cost } => write!(f, "block of r{low}..r{high}, cost {cost}"),
            Op::Cost(cost) => write!(f, "cost {cost}"),
            Op::Charge { a, weight } => write!(f, "charge r{a}{}", times(weight)),
            Op::Wide { d, at } => match self.numbers.get(at as usize) {
                Some(n) => write!(f, "r{d} = {n}"),
                None => write!(f, "r{d} = number {at}"),
            },
            Op::Value { opcode, d, a, weight } => write!(f, "r{d} = {} r{a}{}", opcode.name(), times(weight)),
            Op::Kernel { opcode, operands, results, shape } => {
                results.iter().take(usize::from(shape >> 4)).try_for_each(|reg| write!(f, "r{reg} "))?;
                f.write_str(if shape >> 4 > 0 { "= " } else { "" })?;
                f.write_str(opcode.name())?;
                operands.iter().take(usize::from(shape & 15)).try_for_each(|reg| write!(f, " r{reg}"))
            }
            Op::Many { opcode, top, after } => {
                write!(f, "{} on the stack below r{top}, which is below r{after} then", opcode.name())
            }
            op => flow(f, op),
        }
    }
}

/// Where code goes on, and what works on the stack in memory.
fn flow(f: &mut fmt::Formatter<'_>, op: Op) -> fmt::Result {
    match op {
        Op::Unless { kind, a, b, to } => write!(f, "unless r{a} {} r{b} goto {to}", compare(kind)),
        Op::UnlessInt { kind, a, n, to } => write!(f, "unless r{a} {} {n} goto {to}", compare(kind)),
        Op::Jump(to) => write!(f, "goto {to}"),
        Op::JumpUnless { a, to } => write!(f, "unless r{a} goto {to}"),
        Op::JumpIf { a, to } => write!(f, "if r{a} goto {to}"),
        Op::Shift(by) => write!(f, "window moves by {by}"),
        Op::IfDup { top } => write!(f, "OP_IFDUP on the stack below r{top}"),
        Op::Pick { d, a, top, weight } => write!(f, "r{d} = item r{a} below r{top}{}", times(weight)),
        Op::Roll { a, top } => write!(f, "item r{a} below r{top} moves to the top"),
        Op::ToAlt(a) => write!(f, "alt stack gets r{a}"),
        Op::FromAlt { d, weight } => write!(f, "r{d} = alt stack{}", times(weight)),
        Op::Separate(start) => write!(f, "signatures cover from byte {start}"),
        Op::Define { a, b } => write!(f, "function r{b} is r{a}"),
        Op::Call { a, top, open } => write!(f, "call r{a} on the stack below r{top}, {open} open"),
        Op::End(top) => write!(f, "end, the stack is below r{top}"),
        Op::Fail => f.write_str("fail"),
        op => value(f, op),
    }
}

/// What makes a value of others.
fn value(f: &mut fmt::Formatter<'_>, op: Op) -> fmt::Result {
    match op {
        Op::Copy { d, a } => write!(f, "r{d} = r{a}"),
        Op::Int { d, n } => write!(f, "r{d} = {n}"),
        Op::Data { d, start, len } => write!(f, "r{d} = bytes {start}..{}", u32::from(start) + u32::from(len)),
        Op::Number { d, start, len } => {
            write!(f, "r{d} = number in bytes {start}..{}", u32::from(start) + u32::from(len))
        }
        Op::Unary { kind, d, a, weight } => write!(f, "r{d} = {}r{a}{}", unary(kind), times(weight)),
        Op::Add { d, a, b, weight } => write!(f, "r{d} = r{a} + r{b}{}", times(weight)),
        Op::Sub { d, a, b, weight } => write!(f, "r{d} = r{a} - r{b}{}", times(weight)),
        Op::AddInt { d, a, weight, n } if n < 0 => write!(f, "r{d} = r{a} - {}{}", n.unsigned_abs(), times(weight)),
        Op::AddInt { d, a, weight, n } => write!(f, "r{d} = r{a} + {n}{}", times(weight)),
        Op::Mul { d, a, b, weight } => write!(f, "r{d} = r{a} * r{b}{}", times(weight)),
        Op::Binary { kind, d, a, b, weight } => write!(f, "r{d} = r{a} {} r{b}{}", binary(kind), times(weight)),
        Op::Compare { kind, d, a, b, weight } => write!(f, "r{d} = r{a} {} r{b}{}", compare(kind), times(weight)),
        Op::Equal { d, a, b, weight } => write!(f, "r{d} = r{a} is r{b}{}", times(weight)),
        Op::Size { d, a, weight } => write!(f, "r{d} = size of r{a}{}", times(weight)),
        Op::Depth { d, top, weight } => write!(f, "r{d} = items below r{top}{}", times(weight)),
        Op::Verify(a) => write!(f, "verify r{a}"),
        Op::VerifyEqual { a, b } => write!(f, "verify r{a} is r{b}"),
        // The others are shown by the callers.
        other => write!(f, "{other:?}"),
    }
}

/// How often the length of what is made is charged.
fn times(weight: u8) -> String {
    if weight == 0 { String::new() } else { format!("  ({weight}x length)") }
}

const fn unary(kind: Unary) -> &'static str {
    match kind {
        Unary::Negate => "-",
        Unary::Abs => "abs ",
        Unary::Not => "not ",
        Unary::NotZero => "0 != ",
    }
}

const fn binary(kind: Binary) -> &'static str {
    match kind {
        Binary::Div => "/",
        Binary::Mod => "%",
        Binary::Min => "min",
        Binary::Max => "max",
        Binary::And => "and",
        Binary::Or => "or",
    }
}

const fn compare(kind: Compare) -> &'static str {
    match kind {
        Compare::Less => "<",
        Compare::Equal => "==",
        Compare::AtMost => "<=",
        Compare::Greater => ">",
        Compare::NotEqual => "!=",
        Compare::AtLeast => ">=",
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::Metering;
    use spec::{Mode, RuleSet, Rules, asm};

    #[test]
    fn register_code_reads_as_what_it_does() {
        let script = "0 OP_BEGIN OP_1ADD OP_DUP 10 OP_GREATERTHAN OP_UNTIL OP_SIZE OP_SHA256 100000 OP_SWAP OP_CAT";
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
        let script = asm::assemble(script, rules.set).unwrap();
        let text = crate::lowered(&script, &rules, Metering::Exact).unwrap().to_string();
        for line in ["r96 = r96 + 1  (3x length)", "r96 > ", "goto 2", "r97 = OP_SHA256 r97", "number in bytes", "end"]
        {
            assert!(text.contains(line), "`{line}` is missing:\n{text}");
        }
        assert!(!text.contains('{'), "{text}");
    }
}
