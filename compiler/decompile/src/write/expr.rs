//! Expressions: what the language has words for, and `asm` for what it has none for.

use spec::Opcode;

use super::block::{Block, Text, fits};
use crate::graph::{Id, Op, Ty, wanted};

/// Longer constants have a name, so that they are written once.
const PUSHED_MAX: usize = 80;
/// Numbers are written with at most so many bytes by a word of the language.
const LENGTH_MAX: i64 = 520;

impl Block<'_> {
    /// The text of a node whose operands have theirs.
    pub(super) fn express(&mut self, id: Id) -> Text {
        let Some(node) = self.graph.get(id).cloned() else { return name("nothing".to_owned(), Ty::Bytes) };
        match &node.op {
            Op::Arg(depth) => {
                let (text, ty) = self.args.get(*depth);
                name(text.to_owned(), ty)
            }
            Op::Depth(more) => {
                let count = self.args.len().checked_add_signed(*more).unwrap_or_default();
                plain(count.to_string(), Ty::Int)
            }
            Op::Const(bytes) => plain(format!("0x{}", hex::encode(bytes)), Ty::Bytes),
            Op::Head | Op::Tail => self.part(&node.op, &node.args),
            Op::Loop(code) => self.whole_loop(code, &node.args),
            Op::Result(place) => self.result(*place, &node.args),
            // Choices are known from their conditional on.
            Op::Choice => name("nothing".to_owned(), Ty::Bytes),
            Op::Code(opcode) => {
                let native = self.native(*opcode, &node.args);
                native.unwrap_or_else(|| self.raw(*opcode, &node.op, &node.args))
            }
        }
    }

    fn part(&mut self, op: &Op, args: &[Id]) -> Text {
        let (Some(of), Some(at)) = (args.first(), args.get(1)) else { return plain(String::new(), Ty::Bytes) };
        let (of, _) = self.named_bytes(*of);
        let at = self.as_type(*at, Ty::Int);
        let at = super::block::bare(&at);
        plain(if *op == Op::Head { format!("{of}[..{at}]") } else { format!("{of}[{at}..]") }, Ty::Bytes)
    }

    /// Bytes that can be followed by brackets.
    fn named_bytes(&mut self, id: Id) -> (String, Ty) {
        (self.name_as(id, Ty::Bytes), Ty::Bytes)
    }

    fn whole_loop(&mut self, code: &[u8], args: &[Id]) -> Text {
        let inputs: Vec<String> = args.iter().map(|arg| format!("{}: Bytes", self.name_as(*arg, Ty::Bytes))).collect();
        let words = spec::asm::disassemble(code);
        let names: Vec<String> = args.iter().map(|_| self.fresh()).collect();
        let types = vec!["Bytes"; names.len()].join(", ");
        let (names_text, result) = match names.as_slice() {
            [] => (String::new(), String::new()),
            [only] => (format!("let {only} = "), " -> Bytes".to_owned()),
            names => (format!("let ({}) = ", names.join(", ")), format!(" -> ({types})")),
        };
        self.line(format!("{names_text}asm ({}){result} {{ {words} }};", inputs.join(", ")));
        // The names, for the results to find them.
        name(names.join(" "), Ty::Bytes)
    }

    fn result(&mut self, place: usize, args: &[Id]) -> Text {
        let all = args.first().and_then(|whole| self.known.get(whole));
        let text = all.and_then(|all| all.text.split(' ').nth(place)).unwrap_or("nothing");
        name(text.to_owned(), Ty::Bytes)
    }

    /// The words that the language has for an instruction.
    fn native(&mut self, opcode: Opcode, args: &[Id]) -> Option<Text> {
        use Opcode::*;
        Some(match opcode {
            Add => self.numbers("+", args, Ty::Int)?,
            Sub => self.numbers("-", args, Ty::Int)?,
            Mul => self.numbers("*", args, Ty::Int)?,
            NumEqual => self.numbers("==", args, Ty::Bool)?,
            NumNotEqual => self.numbers("!=", args, Ty::Bool)?,
            LessThan => self.numbers("<", args, Ty::Bool)?,
            GreaterThan => self.numbers(">", args, Ty::Bool)?,
            LessThanOrEqual => self.numbers("<=", args, Ty::Bool)?,
            GreaterThanOrEqual => self.numbers(">=", args, Ty::Bool)?,
            Add1 => plain(format!("({} + 1)", self.one(args, Ty::Int)?), Ty::Int),
            Sub1 => plain(format!("({} - 1)", self.one(args, Ty::Int)?), Ty::Int),
            Min => self.calls("min", args, Ty::Int)?,
            Max => self.calls("max", args, Ty::Int)?,
            Abs => self.calls("abs", args, Ty::Int)?,
            Within => self.calls("within", args, Ty::Bool)?,
            Negate => plain(format!("(-{})", self.one(args, Ty::Int)?), Ty::Int),
            Div | Mod => {
                // A division by a zero that stands there is refused by the language, and fails here.
                args.get(1).filter(|by| self.graph.number(**by) != Some(0))?;
                self.numbers(if opcode == Div { "/" } else { "mod" }, args, Ty::Int)?
            }
            Num2Bin => {
                let len = self.graph.number(*args.get(1)?).filter(|len| (1..=LENGTH_MAX).contains(len))?;
                plain(format!("bytes({}, {len})", super::block::bare(&self.one(args, Ty::Int)?)), Ty::Bytes)
            }
            Not => self.not(args)?,
            NotEqual0 => self.not_zero(args)?,
            Equal => self.equal(args)?,
            BoolAnd => self.both("&&", args)?,
            BoolOr => self.both("||", args)?,
            Size => {
                let of = self.name_as(*args.first()?, Ty::Bytes);
                plain(format!("{of}.length"), Ty::Int)
            }
            Sha256 => self.call("sha256", args, Ty::Bytes)?,
            Sha1 => self.call("sha1", args, Ty::Bytes)?,
            Ripemd160 => self.call("ripemd160", args, Ty::Bytes)?,
            Hash160 => self.call("hash160", args, Ty::Bytes)?,
            Hash256 => self.call("hash256", args, Ty::Bytes)?,
            ReverseBytes => self.call("reverse", args, Ty::Bytes)?,
            Bin2Num => self.call("int", args, Ty::Int)?,
            Cat => {
                let (a, b) = (self.as_type(*args.first()?, Ty::Bytes), self.as_type(*args.get(1)?, Ty::Bytes));
                plain(format!("({a} + {b})"), Ty::Bytes)
            }
            CheckSig => {
                let [sig, key] = args else { return None };
                let (Ty::Sig, true) = (self.type_of(*sig)?, self.is_key(*key)) else { return None };
                let (key, sig) = (self.name_as(*key, Ty::PubKey), self.as_type(*sig, Ty::Sig));
                plain(format!("{key}.signed({sig})"), Ty::Bool)
            }
            CheckDataSig => {
                let [sig, message, key] = args else { return None };
                let (Ty::DataSig, true) = (self.type_of(*sig)?, self.is_key(*key)) else { return None };
                let (key, sig) = (self.name_as(*key, Ty::PubKey), self.as_type(*sig, Ty::DataSig));
                let message = self.as_type(*message, Ty::Bytes);
                plain(format!("{key}.signed({}, {sig})", super::block::bare(&message)), Ty::Bool)
            }
            _ => return self.fact(opcode, args),
        })
    }

    fn is_key(&self, id: Id) -> bool {
        self.type_of(id) == Some(Ty::PubKey) || self.graph.constant(id).is_some_and(|bytes| bytes.len() == 33)
    }

    /// Facts about the transaction.
    fn fact(&mut self, opcode: Opcode, args: &[Id]) -> Option<Text> {
        use Opcode::*;
        let (side, field, ty) = match opcode {
            InputIndex => return Some(plain("self.index".to_owned(), Ty::Int)),
            ActiveBytecode => return Some(plain("self.code".to_owned(), Ty::Bytes)),
            TxVersion => return Some(plain("int(tx.version)".to_owned(), Ty::Int)),
            TxLockTime => return Some(plain("int(tx.locktime)".to_owned(), Ty::Int)),
            TxInputCount => return Some(plain("tx.inputs.length".to_owned(), Ty::Int)),
            TxOutputCount => return Some(plain("tx.outputs.length".to_owned(), Ty::Int)),
            UtxoValue => ("inputs", "value", Ty::Coin),
            UtxoBytecode => ("inputs", "lock", Ty::Bytes),
            OutpointTxHash => ("inputs", "txid", Ty::Bytes),
            OutpointIndex => ("inputs", "index", Ty::Int),
            InputBytecode => ("inputs", "unlock", Ty::Bytes),
            InputSequenceNumber => ("inputs", "sequence", Ty::Int),
            UtxoTokenCategory => ("inputs", "token.category", Ty::Bytes),
            UtxoTokenCommitment => ("inputs", "token.commitment", Ty::Bytes),
            UtxoTokenAmount => ("inputs", "token.amount", Ty::Tokens),
            OutputValue => ("outputs", "value", Ty::Coin),
            OutputBytecode => ("outputs", "lock", Ty::Bytes),
            OutputTokenCategory => ("outputs", "token.category", Ty::Bytes),
            OutputTokenCommitment => ("outputs", "token.commitment", Ty::Bytes),
            OutputTokenAmount => ("outputs", "token.amount", Ty::Tokens),
            _ => return None,
        };
        let index = self.as_type(*args.first()?, Ty::Int);
        // Which output its coin was is another matter than which input spends it.
        let own = side == "inputs" && index == "self.index" && field != "index";
        let text = match own {
            true => format!("self.{field}"),
            false => format!("tx.{side}[{}].{field}", super::block::bare(&index)),
        };
        Some(plain(if field == "sequence" { format!("int({text})") } else { text }, ty))
    }

    fn one(&mut self, args: &[Id], ty: Ty) -> Option<String> {
        Some(self.as_type(*args.first()?, ty))
    }

    fn calls(&mut self, word: &str, args: &[Id], ty: Ty) -> Option<Text> {
        let args: Vec<String> = args.iter().map(|arg| self.as_type(*arg, Ty::Int)).collect();
        let args: Vec<&str> = args.iter().map(|arg| super::block::bare(arg)).collect();
        Some(plain(format!("{word}({})", args.join(", ")), ty))
    }

    fn call(&mut self, word: &str, args: &[Id], ty: Ty) -> Option<Text> {
        let arg = self.one(args, Ty::Bytes)?;
        Some(plain(format!("{word}({})", super::block::bare(&arg)), ty))
    }

    /// Two numbers, of money or of tokens where both are and they are compared.
    fn numbers(&mut self, sign: &str, args: &[Id], ty: Ty) -> Option<Text> {
        let [a, b] = args else { return None };
        let unit = |block: &Self, one: Id, other: Id| {
            let own = block.type_of(one).filter(|ty| matches!(ty, Ty::Coin | Ty::Tokens))?;
            let same = block.type_of(other) == Some(own);
            let money = own == Ty::Coin && block.graph.number(other).is_some_and(|n| (1..1 << 50).contains(&n));
            (same || money).then_some(own)
        };
        let unit = (ty == Ty::Bool).then(|| unit(self, *a, *b).or_else(|| unit(self, *b, *a))).flatten();
        let (a, b) = (self.as_type(*a, unit.unwrap_or(Ty::Int)), self.as_type(*b, unit.unwrap_or(Ty::Int)));
        Some(plain(format!("({a} {sign} {b})"), ty))
    }

    fn not(&mut self, args: &[Id]) -> Option<Text> {
        let [of] = args else { return None };
        Some(plain(
            match self.type_of(*of) {
                Some(Ty::Bool) if self.graph.natural(*of) == Some(Ty::Bool) => {
                    format!("!{}", self.as_type(*of, Ty::Bool))
                }
                _ => format!("({} == 0)", self.as_type(*of, Ty::Int)),
            },
            Ty::Bool,
        ))
    }

    fn not_zero(&mut self, args: &[Id]) -> Option<Text> {
        let [of] = args else { return None };
        match self.graph.natural(*of) {
            Some(Ty::Bool) => Some(plain(self.as_type(*of, Ty::Bool), Ty::Bool)),
            _ => Some(plain(format!("({} != 0)", self.as_type(*of, Ty::Int)), Ty::Bool)),
        }
    }

    /// Short circuits are the same only where nothing can fail.
    fn both(&mut self, sign: &str, args: &[Id]) -> Option<Text> {
        let [a, b] = args else { return None };
        let truths = [*a, *b].iter().all(|id| self.graph.natural(*id) == Some(Ty::Bool));
        if !truths || self.graph.needed([*a, *b], |_| false).iter().any(|id| self.graph.may_fail(*id)) {
            return None;
        }
        let (a, b) = (self.as_type(*a, Ty::Bool), self.as_type(*b, Ty::Bool));
        Some(plain(format!("({a} {sign} {b})"), Ty::Bool))
    }

    /// Equal bytes: of two results that are numbers, equal numbers.
    fn equal(&mut self, args: &[Id]) -> Option<Text> {
        let [a, b] = args else { return None };
        // The language refuses to compare what never has the same length.
        if let (Some(x), Some(y)) = (self.graph.length(*a), self.graph.length(*b))
            && x != y
        {
            return None;
        }
        let keys = [*a, *b].map(|id| self.type_of(id) == Some(Ty::PubKey));
        if keys.contains(&true) && [*a, *b].iter().any(|id| self.graph.length(*id).is_some_and(|len| len != 33)) {
            return None;
        }
        let number = |id: Id| match self.graph.natural(id) {
            Some(ty) => (!ty.is_bytes()).then_some(ty),
            None => None,
        };
        let same = |ty: Ty, other: Id| {
            self.graph.constant(other).is_some_and(|bytes| fits(bytes, ty) && !(ty == Ty::Coin && bytes.is_empty()))
        };
        let ty = match (number(*a), number(*b)) {
            (Some(x), Some(y)) if x == y => x,
            (Some(x), _) if same(x, *b) => x,
            (_, Some(y)) if same(y, *a) => y,
            _ => Ty::Bytes,
        };
        let (a, b) = (self.as_type(*a, ty), self.as_type(*b, ty));
        Some(plain(format!("({a} == {b})"), Ty::Bool))
    }

    /// Any instruction, as it is. Constants at the end are pushed in the code, since some instructions need them there.
    fn raw(&mut self, opcode: Opcode, op: &Op, args: &[Id]) -> Text {
        let short = |arg: &Id| self.graph.constant(*arg).is_some_and(|bytes| bytes.len() <= PUSHED_MAX);
        let constants = args.iter().rev().take_while(|arg| short(arg)).count();
        let (first, last) = args.split_at(args.len() - constants);
        let inputs: Vec<String> = first
            .iter()
            .enumerate()
            .map(|(place, arg)| {
                let natural = self.type_of(*arg).filter(|ty| *ty == Ty::Int || *ty == Ty::Bool);
                let ty = natural.or_else(|| wanted(op, place).filter(|ty| *ty == Ty::Int)).unwrap_or(Ty::Bytes);
                format!("{}: {}", self.name_as(*arg, ty), ty.name())
            })
            .collect();
        let pushes = last.iter().filter_map(|arg| self.graph.constant(*arg));
        let pushes: String = pushes.map(|bytes| format!("{} ", push_word(bytes))).collect();
        let ty = self.graph_type(opcode);
        plain(format!("asm ({}) -> {} {{ {pushes}{} }}", inputs.join(", "), ty.name(), opcode.name()), ty)
    }

    fn graph_type(&self, opcode: Opcode) -> Ty {
        match crate::graph::result_of(opcode) {
            ty @ (Ty::Int | Ty::Bool) => ty,
            _ => Ty::Bytes,
        }
    }

    /// The text of a value where a type is asked for.
    pub(super) fn as_type(&mut self, id: Id, ty: Ty) -> String {
        if let Some(bytes) = self.graph.constant(id) {
            return self.constant(id, bytes, ty);
        }
        self.need(id);
        let Some(own) = self.known.get(&id).cloned() else { return "nothing".to_owned() };
        match (own.ty, ty) {
            (own_ty, ty) if own_ty == ty => own.text,
            (own_ty, Ty::Bytes) if own_ty.is_bytes() => own.text,
            (Ty::Coin | Ty::Tokens, Ty::Int) => format!("int({})", super::block::bare(&own.text)),
            (Ty::Bool, Ty::Int) if self.graph.natural(id) == Some(Ty::Bool) => {
                format!("int({})", super::block::bare(&own.text))
            }
            _ => self.turn(id, &own, ty),
        }
    }

    /// A value as another type, with the same bytes.
    fn turn(&mut self, id: Id, own: &Text, ty: Ty) -> String {
        if let Some(name) = self.turned.get(&(id, ty)) {
            return name.clone();
        }
        let source = match own.is_name {
            true => own.text.clone(),
            false => {
                let name = self.fresh();
                self.line(format!("let {name} = {};", super::block::bare(&own.text)));
                name
            }
        };
        let name = self.fresh();
        self.line(format!("let {name} = asm ({source}: {}) -> {} {{ OP_NOP }};", own.ty.name(), ty.name()));
        self.turned.insert((id, ty), name.clone());
        name
    }

    fn constant(&mut self, id: Id, bytes: &[u8], ty: Ty) -> String {
        let number = spec::num::decode(bytes).filter(|n| spec::num::encode(*n) == bytes);
        match (ty, number) {
            (Ty::Int, Some(n)) if n >= 0 => n.to_string(),
            (Ty::Int, Some(n)) => format!("({n})"),
            (Ty::Coin, Some(n)) => format!("{n} sats"),
            (Ty::Bool, _) if bytes.is_empty() => "false".to_owned(),
            (Ty::Bool, _) if bytes == [1] => "true".to_owned(),
            (ty, _) if ty.is_bytes() && bytes.len() <= PUSHED_MAX => format!("0x{}", hex::encode(bytes)),
            (ty, _) => {
                if let Some(name) = self.turned.get(&(id, ty)) {
                    return name.clone();
                }
                let name = self.fresh();
                let line = match ty.is_bytes() {
                    true => format!("let {name}: {} = 0x{};", ty.name(), hex::encode(bytes)),
                    false => format!("let {name} = asm () -> {} {{ {} }};", ty.name(), push_word(bytes)),
                };
                self.line(line);
                self.turned.insert((id, ty), name.clone());
                name
            }
        }
    }

    /// A condition.
    pub(super) fn truth(&mut self, id: Id) -> String {
        match self.graph.natural(id) {
            Some(Ty::Int | Ty::Coin | Ty::Tokens) => format!("({} != 0)", self.as_type(id, Ty::Int)),
            _ => self.as_type(id, Ty::Bool),
        }
    }
}

fn name(text: String, ty: Ty) -> Text {
    Text { text, ty, is_name: true }
}

fn plain(text: String, ty: Ty) -> Text {
    Text { text, ty, is_name: false }
}

/// A push in `asm`.
fn push_word(bytes: &[u8]) -> String {
    match spec::num::decode(bytes).filter(|n| spec::num::encode(*n) == bytes) {
        Some(n) if (-1..=16).contains(&n) => n.to_string(),
        _ => format!("0x{}", hex::encode(bytes)),
    }
}
