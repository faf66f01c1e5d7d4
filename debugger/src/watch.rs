//! What one wants to see at every moment: expressions over what lies on the stacks.

use std::fmt;

use spec::hash::{hash160, sha256, sha256d};
use spec::num;

use crate::recording::Item;

/// Longer expressions, or deeper ones, are refused.
const CHARS_MAX: usize = 1_000;
const DEPTH_MAX: usize = 64;
/// So much of a value is shown.
const BYTES_SHOWN: usize = 40;

/// An expression over the stacks.
///
/// ```text
/// amount                       the item that the source calls so; the one nearest to the top
/// stack[0], alt[1]             by its place from the top
/// sha256(secret) == digest     + - * / % == != < <= > >= && || ! and the functions sha256, hash256, hash160, int, bytes
/// data.length, data[0..4]      a length, a part
/// ```
///
/// ```
/// use debugger::{Item, Watch};
/// let item = |name: &str, bytes: &[u8]| Item { bytes: bytes.into(), name: Some(name.into()) };
/// let stack = [item("price", &[100]), item("data", &[1, 2, 3, 4])];
/// let value = |text: &str| Watch::new(text).unwrap().value(&stack, &[]);
/// assert_eq!(value("price * 2 + 1").as_deref(), Ok("201"));
/// assert_eq!(value("data[1..3]").as_deref(), Ok("0x0203 = 770"));
/// assert_eq!(value("stack[0].length == 4 && price > 99").as_deref(), Ok("true"));
/// assert!(value("missing").is_err() && Watch::new("1 +").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    text: String,
    expr: Expr,
}

/// Why an expression is none, or has no value now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchError(String);

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WatchError {}

fn wrong<T>(why: impl Into<String>) -> Result<T, WatchError> {
    Err(WatchError(why.into()))
}

impl Watch {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, WatchError> {
        if text.chars().count() > CHARS_MAX {
            return wrong(format!("an expression has at most {CHARS_MAX} characters"));
        }
        let mut reader = Reader { rest: text.trim_start(), depth: 0 };
        let expr = reader.binary(0)?;
        if !reader.rest.is_empty() {
            return wrong(format!("`{}` is too much", reader.rest.trim_end()));
        }
        Ok(Self { text: text.trim().to_owned(), expr })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value, as people read it.
    ///
    /// # Errors
    /// Why it has none with these stacks, bottom first.
    pub fn value(&self, main: &[Item], alt: &[Item]) -> Result<String, WatchError> {
        Ok(match (Stacks { main, alt }).value(&self.expr)? {
            Value::Bytes(bytes) => shown(&bytes),
            Value::Int(n) => n.to_string(),
            Value::Bool(truth) => truth.to_string(),
        })
    }

    /// The same as the digits of the bytes that it has on a stack; what is only true or false has none.
    ///
    /// # Errors
    /// Why it has no value with these stacks.
    pub fn digits(&self, main: &[Item], alt: &[Item]) -> Result<String, WatchError> {
        Ok(match (Stacks { main, alt }).value(&self.expr)? {
            Value::Bool(truth) => truth.to_string(),
            value => format!("0x{}", hex::encode(value.bytes())),
        })
    }

    /// Whether its value counts as true.
    ///
    /// # Errors
    /// Why it has none with these stacks.
    pub fn is_true(&self, main: &[Item], alt: &[Item]) -> Result<bool, WatchError> {
        (Stacks { main, alt }).value(&self.expr).map(Value::truth)
    }
}

/// Bytes as people read them: digits, behind them the number if they are a short one, or the text if they are one.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "empty = 0".to_owned();
    }
    let start = bytes.get(..BYTES_SHOWN).filter(|_| bytes.len() > BYTES_SHOWN + 2);
    let digits = match start {
        Some(start) => format!("0x{}.. ({} bytes)", hex::encode(start), bytes.len()),
        None => format!("0x{}", hex::encode(bytes)),
    };
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() > 2 && text.chars().all(|c| !c.is_control()));
    match (num::decode(bytes).filter(|_| bytes.len() <= 8), text) {
        (_, Some(text)) if start.is_none() => format!("{digits} = {text:?}"),
        (Some(n), _) => format!("{digits} = {n}"),
        _ => digits,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expr {
    Int(i128),
    Bytes(Vec<u8>),
    Bool(bool),
    /// A name, with all `.field` and `[0]` behind it; the last may be a length or an index instead.
    Name(String),
    /// An item by its place from the top.
    Main(usize),
    Alt(usize),
    Length(Box<Expr>),
    Part(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    Call(Function, Box<Expr>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(Operator, Box<(Expr, Expr)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Sha256,
    Hash256,
    Hash160,
    Int,
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Eq,
    Ne,
    Le,
    Ge,
    Lt,
    Gt,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

/// Operators with how strongly they bind; of two that begin alike the longer first.
const OPERATORS: [(&str, Operator, u8); 13] = [
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Eq, 3),
    ("!=", Operator::Ne, 3),
    ("<=", Operator::Le, 3),
    (">=", Operator::Ge, 3),
    ("<", Operator::Lt, 3),
    (">", Operator::Gt, 3),
    ("+", Operator::Add, 4),
    ("-", Operator::Sub, 4),
    ("*", Operator::Mul, 5),
    ("/", Operator::Div, 5),
    ("%", Operator::Mod, 5),
];

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn need(&mut self, word: &str) -> Result<(), WatchError> {
        if self.eat(word) { Ok(()) } else { wrong(format!("`{word}` is missing before `{}`", self.rest)) }
    }

    fn while_some(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn binary(&mut self, least: u8) -> Result<Expr, WatchError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return wrong("the expression is too deep");
        }
        let mut left = self.unary()?;
        while let Some((word, operator, strength)) =
            OPERATORS.into_iter().find(|(word, ..)| self.rest.starts_with(word))
        {
            if strength <= least {
                break;
            }
            self.eat(word);
            left = Expr::Binary(operator, Box::new((left, self.binary(strength)?)));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, WatchError> {
        let mut signs = Vec::new();
        while let Some(sign) = self.rest.chars().next().filter(|sign| ['!', '-'].contains(sign)) {
            self.eat(&sign.to_string());
            signs.push(sign);
        }
        if signs.len() > DEPTH_MAX {
            return wrong("the expression is too deep");
        }
        let value = self.primary()?;
        Ok(signs.into_iter().rev().fold(value, |value, sign| match sign {
            '!' => Expr::Not(Box::new(value)),
            _ => Expr::Minus(Box::new(value)),
        }))
    }

    fn primary(&mut self) -> Result<Expr, WatchError> {
        let expr = if self.eat("(") {
            let inside = self.binary(0)?;
            self.need(")")?;
            inside
        } else if let Some(rest) = self.rest.strip_prefix("0x") {
            self.rest = rest;
            let digits = self.while_some(|c| c.is_ascii_alphanumeric());
            Expr::Bytes(hex::decode(digits).map_err(|_| WatchError(format!("`0x{digits}` are no bytes")))?)
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = self.while_some(|c| c.is_ascii_alphanumeric() || c == '_');
            let number = digits.replace('_', "").parse();
            Expr::Int(number.map_err(|_| WatchError(format!("`{digits}` is no number")))?)
        } else {
            self.name()?
        };
        self.rest = self.rest.trim_start();
        self.behind(expr)
    }

    fn name(&mut self) -> Result<Expr, WatchError> {
        let name = self.while_some(|c| c.is_alphanumeric() || c == '_');
        let function = match name {
            "" => return wrong(format!("a value is missing before `{}`", self.rest)),
            "true" | "false" => return Ok(Expr::Bool(name == "true")),
            "stack" | "alt" => {
                self.need("[")?;
                let digits = self.while_some(|c| c.is_ascii_digit());
                let at = digits.parse().map_err(|_| WatchError(format!("write a place, as in `{name}[0]`")))?;
                self.need("]")?;
                return Ok(if name == "stack" { Expr::Main(at) } else { Expr::Alt(at) });
            }
            "sha256" => Function::Sha256,
            "hash256" => Function::Hash256,
            "hash160" => Function::Hash160,
            "int" => Function::Int,
            "bytes" => Function::Bytes,
            _ => return Ok(Expr::Name(name.to_owned())),
        };
        self.need("(")?;
        let arg = self.binary(0)?;
        self.need(")")?;
        Ok(Expr::Call(function, Box::new(arg)))
    }

    /// What stands behind a value: `.length`, a part, or more of a name.
    fn behind(&mut self, mut expr: Expr) -> Result<Expr, WatchError> {
        loop {
            if self.rest.starts_with('.') && !self.rest.starts_with("..") {
                self.eat(".");
                let field = self.while_some(|c| c.is_alphanumeric() || c == '_');
                expr = match expr {
                    of if field == "length" => Expr::Length(Box::new(of)),
                    Expr::Name(name) if !field.is_empty() => Expr::Name(format!("{name}.{field}")),
                    _ => return wrong(format!("nothing here has a field `{field}`")),
                };
            } else if self.eat("[") {
                expr = self.part(expr)?;
            } else {
                return Ok(expr);
            }
            self.rest = self.rest.trim_start();
        }
    }

    fn part(&mut self, of: Expr) -> Result<Expr, WatchError> {
        let from = if self.rest.starts_with("..") { None } else { Some(self.binary(0)?) };
        if let (Expr::Name(name), Some(Expr::Int(at))) = (&of, &from)
            && self.eat("]")
        {
            return Ok(Expr::Name(format!("{name}[{at}]")));
        }
        self.need("..")?;
        let to = if self.rest.starts_with(']') { None } else { Some(self.binary(0)?) };
        self.need("]")?;
        Ok(Expr::Part(Box::new(of), from.map(Box::new), to.map(Box::new)))
    }
}

enum Value {
    Bytes(Vec<u8>),
    Int(i128),
    Bool(bool),
}

impl Value {
    fn int(self) -> Result<i128, WatchError> {
        match self {
            Self::Int(n) => Ok(n),
            Self::Bool(truth) => Ok(truth.into()),
            Self::Bytes(bytes) => {
                num::decode_wide(&bytes).map_or_else(|| wrong(format!("{} is no number", shown(&bytes))), Ok)
            }
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(n) => num::encode_wide(n),
            Self::Bool(truth) => num::encode(truth.into()),
        }
    }

    fn truth(self) -> bool {
        match self {
            Self::Bool(truth) => truth,
            other => num::is_truthy(&other.bytes()),
        }
    }
}

struct Stacks<'s> {
    main: &'s [Item],
    alt: &'s [Item],
}

impl Stacks<'_> {
    fn named(&self, name: &str) -> Result<Value, WatchError> {
        let mut items = self.main.iter().rev().chain(self.alt.iter().rev());
        let item = items.find(|item| item.name.as_deref() == Some(name));
        item.map_or_else(
            || wrong(format!("`{name}` is not on the stacks now")),
            |item| Ok(Value::Bytes(item.bytes.to_vec())),
        )
    }

    fn value(&self, expr: &Expr) -> Result<Value, WatchError> {
        let from_top = |stack: &[Item], at: usize| {
            let item = stack.len().checked_sub(at + 1).and_then(|at| stack.get(at));
            item.map_or_else(|| wrong("there are not so many items"), |item| Ok(Value::Bytes(item.bytes.to_vec())))
        };
        match expr {
            Expr::Int(n) => Ok(Value::Int(*n)),
            Expr::Bytes(bytes) => Ok(Value::Bytes(bytes.clone())),
            Expr::Bool(truth) => Ok(Value::Bool(*truth)),
            Expr::Name(name) => self.named(name),
            Expr::Main(at) => from_top(self.main, *at),
            Expr::Alt(at) => from_top(self.alt, *at),
            Expr::Length(of) => Ok(Value::Int(self.value(of)?.bytes().len() as i128)),
            Expr::Not(of) => Ok(Value::Bool(!self.value(of)?.truth())),
            Expr::Minus(of) => in_range(self.value(of)?.int()?.checked_neg()),
            Expr::Part(of, from, to) => self.part(of, from.as_deref(), to.as_deref()),
            Expr::Call(function, arg) => {
                let arg = self.value(arg)?;
                Ok(match function {
                    Function::Sha256 => Value::Bytes(sha256(&arg.bytes()).to_vec()),
                    Function::Hash256 => Value::Bytes(sha256d(&arg.bytes()).to_vec()),
                    Function::Hash160 => Value::Bytes(hash160(&arg.bytes()).to_vec()),
                    Function::Int => Value::Int(arg.int()?),
                    Function::Bytes => Value::Bytes(arg.bytes()),
                })
            }
            Expr::Binary(operator, sides) => self.binary(*operator, &sides.0, &sides.1),
        }
    }

    fn part(&self, of: &Expr, from: Option<&Expr>, to: Option<&Expr>) -> Result<Value, WatchError> {
        let bytes = self.value(of)?.bytes();
        let place = |expr: Option<&Expr>, otherwise: usize| match expr {
            None => Ok(otherwise),
            Some(expr) => Ok(usize::try_from(self.value(expr)?.int()?).unwrap_or(usize::MAX)),
        };
        let range = place(from, 0)?..place(to, bytes.len())?;
        let part = bytes.get(range.clone());
        part.map_or_else(
            || wrong(format!("there are no bytes {}..{}", range.start, range.end)),
            |part| Ok(Value::Bytes(part.to_vec())),
        )
    }

    fn binary(&self, operator: Operator, left: &Expr, right: &Expr) -> Result<Value, WatchError> {
        let left = self.value(left)?;
        if let Operator::Or | Operator::And = operator {
            let left = left.truth();
            let decided = left == (operator == Operator::Or);
            return Ok(Value::Bool(if decided { left } else { self.value(right)?.truth() }));
        }
        let right = self.value(right)?;
        if let (Operator::Eq | Operator::Ne, Value::Bytes(left), Value::Bytes(right)) = (operator, &left, &right) {
            return Ok(Value::Bool((left == right) == (operator == Operator::Eq)));
        }
        let (left, right) = (left.int()?, right.int()?);
        match operator {
            Operator::Or | Operator::And => Ok(Value::Bool(false)),
            Operator::Eq => Ok(Value::Bool(left == right)),
            Operator::Ne => Ok(Value::Bool(left != right)),
            Operator::Le => Ok(Value::Bool(left <= right)),
            Operator::Ge => Ok(Value::Bool(left >= right)),
            Operator::Lt => Ok(Value::Bool(left < right)),
            Operator::Gt => Ok(Value::Bool(left > right)),
            Operator::Add => in_range(left.checked_add(right)),
            Operator::Sub => in_range(left.checked_sub(right)),
            Operator::Mul => in_range(left.checked_mul(right)),
            Operator::Div => in_range(left.checked_div(right)),
            Operator::Mod => in_range(left.checked_rem(right)),
        }
    }
}

fn in_range(n: Option<i128>) -> Result<Value, WatchError> {
    n.map_or_else(|| wrong("the number is out of range"), |n| Ok(Value::Int(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_in_the_language() {
        let value =
            |text: &str| Watch::new(text).and_then(|watch| watch.value(&[], &[])).map_err(|error| error.to_string());
        for (text, expected) in [
            ("1 + 2 * 3", "7"),
            ("(1+2)*3", "9"),
            ("10-3-2", "5"),
            ("-7 / 2", "-3"),
            ("-7 % 3", "-1"),
            ("1 < 2 && !(3 >= 4) || false", "true"),
            ("0x0102.length", "2"),
            ("0x010203[1..]", "0x0203 = 770"),
            ("int(0x0a)", "10"),
            ("bytes(1_000)", "0xe803 = 1000"),
            ("0x0a == 10", "true"),
            ("0x0a00 == 0x0a", "false"),
            ("sha256(0x)[..4]", "0xe3b0c442 = 1120186595"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["", "1 +", "1 2", "(1", "0xzz", "0x1", "12a", "stack[x]", "1 / 0", "0x01[1..9]", "a.b.c", "x[1]", "!"]
        {
            assert!(value(text).is_err(), "{text}");
        }
        assert!(Watch::new(&"(".repeat(900)).is_err() && Watch::new(&"-".repeat(900)).is_err());
        assert!(Watch::new(&"1+".repeat(900)).is_err());
    }
}
