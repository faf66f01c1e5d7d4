//! Answers as JSON: members stay in order and amounts stay exact.
//!
//! Clients compare field order with bitcoind's and read amounts as decimals, so an answer is a small tree of its own:
//! a number is text that was made from an integer, never a binary fraction.

use std::fmt::Write as _;

use spec::Sats;

/// A JSON value on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as its decimal digits.
    Number(String),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, in order.
    Object(Vec<(String, Self)>),
    /// A text that is JSON already.
    Raw(String),
}

/// An object with these members in this order.
#[must_use]
pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A list of everything that `items` yields.
#[must_use]
pub(crate) fn list<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Json {
    Json::List(items.into_iter().map(Into::into).collect())
}

/// The text of anything that displays.
#[must_use]
pub(crate) fn text(value: impl std::fmt::Display) -> Json {
    Json::Text(value.to_string())
}

/// An amount that may be below nothing, given in satoshis.
#[must_use]
pub(crate) fn signed_amount(sats: i128) -> Json {
    let (whole, rest) = (sats.unsigned_abs() / 100_000_000, sats.unsigned_abs() % 100_000_000);
    Json::Number(format!("{}{whole}.{rest:08}", if sats < 0 { "-" } else { "" }))
}

/// Bytes in hexadecimal.
#[must_use]
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> Json {
    Json::Text(hex::encode(bytes))
}

impl Json {
    /// The object with one more member; other values stay as they are.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// [`Json::with`] if there is a value.
    #[must_use]
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The object with the members of `other` after its own.
    #[must_use]
    pub(crate) fn merge(mut self, other: Self) -> Self {
        if let (Self::Object(members), Self::Object(more)) = (&mut self, other) {
            members.extend(more);
        }
        self
    }

    /// A member of an object.
    #[must_use]
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Appends the value's text.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::Raw(json) => out.push_str(json),
            Self::Text(text) => write_text(out, text),
            Self::List(items) => write_items(out, ('[', ']'), items, |out, item| item.write(out)),
            Self::Object(members) => write_items(out, ('{', '}'), members, |out, (name, value)| {
                write_text(out, name);
                out.push(':');
                value.write(out);
            }),
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

fn write_items<T>(out: &mut String, (open, close): (char, char), items: &[T], write: impl Fn(&mut String, &T)) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            control if control.is_control() => drop(write!(out, "\\u{:04x}", u32::from(control))),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for Json {
            fn from(value: $number) -> Self {
                Self::Number(value.to_string())
            }
        }
    )*};
}
from_number!(i32, i64, u8, u32, u64, usize);

impl From<Sats> for Json {
    fn from(amount: Sats) -> Self {
        Self::Number(amount.to_string())
    }
}

impl From<spec::Height> for Json {
    fn from(height: spec::Height) -> Self {
        Self::from(height.get())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_eight_decimals_and_no_exponent() {
        for (sats, expected) in [
            (0, "0.00000000"),
            (1, "0.00000001"),
            (123_456_789, "1.23456789"),
            (2_100_000_000_000_000, "21000000.00000000"),
        ] {
            assert_eq!(Json::from(Sats::new(sats).unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn any_text_reads_back_from_json() {
        for sample in ["", "plain", "\"quoted\\\"", "line\nbreak\ttab\r", "\u{0}\u{1f}\u{7f}\u{85}", "žluťoučký 🐎"]
        {
            let json = Json::from(sample).to_string();
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), sample, "{json}");
        }
    }

    #[test]
    fn members_keep_their_order() {
        let value = object([("b", Json::Null), ("a", list([1u32, 2]))]).with_some("z", None::<bool>).with("c", true);
        assert_eq!(value.to_string(), r#"{"b":null,"a":[1,2],"c":true}"#);
    }
}
