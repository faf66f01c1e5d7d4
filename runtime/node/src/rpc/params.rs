//! Parameters: what a method declares, and how what a client sent is read.
//!
//! Amounts are read from the client's digits, so they stay exact.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use spec::Sats;

use crate::rpc::envelope::RawParams;
use crate::rpc::error::{Code, RpcError};

/// A parameter as a method declares it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Int,
    /// A truth value.
    Bool,
    /// A whole number, or a truth value that stands for 0 or 1.
    Level,
    /// An amount, as a number or a text; older clients send a truth value in its place.
    Amount,
    /// A list.
    List,
    /// An object.
    Object,
    /// An object, or a list.
    Outputs,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int | Self::Level | Self::Amount => "number",
            Self::Bool => "bool",
            Self::List => "array",
            Self::Object => "object",
            Self::Outputs => "array or object",
        }
    }

    fn admits(self, found: &str) -> bool {
        match self {
            Self::Text | Self::Int | Self::Bool | Self::List | Self::Object => found == self.name(),
            Self::Level => matches!(found, "number" | "bool"),
            Self::Amount => matches!(found, "number" | "string" | "bool"),
            Self::Outputs => matches!(found, "array" | "object"),
        }
    }
}

/// A required parameter.
pub(crate) const fn need(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: true }
}

/// A parameter that may be left out.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: false }
}

/// The parameters of a call in declared order; one that was left out or is `null` is none.
#[derive(Debug)]
pub(crate) struct Args {
    declared: &'static [Param],
    values: Vec<Option<Box<RawValue>>>,
    wallet: Option<String>,
}

/// Why parameters do not fit a declaration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// There are too many or too few.
    Count,
    /// Something else, with its error.
    Error(RpcError),
}

impl Args {
    /// Puts what a client sent into declared order and checks count and types.
    pub(crate) fn fit(declared: &'static [Param], sent: RawParams) -> Result<Self, Misfit> {
        let values = match sent {
            RawParams::List(values) => {
                values.into_iter().map(|value| (value.get() != "null").then_some(value)).collect()
            }
            RawParams::Named(members) => by_position(declared, members).map_err(Misfit::Error)?,
        };
        let args = Self { declared, values, wallet: None };
        if args.values.len() > declared.len() || (0..declared.len()).any(|at| args.lacks(at)) {
            return Err(Misfit::Count);
        }
        args.check_types().map_err(Misfit::Error)?;
        Ok(args)
    }

    /// The parameters of a call that means this wallet.
    pub(crate) fn at_wallet(self, wallet: Option<String>) -> Self {
        Self { wallet, ..self }
    }

    /// The wallet that the call means; the default one where it names none.
    pub(crate) fn wallet(&self) -> Option<&str> {
        self.wallet.as_deref()
    }

    fn lacks(&self, at: usize) -> bool {
        self.declared.get(at).is_some_and(|param| param.required) && self.raw(at).is_none()
    }

    fn check_types(&self) -> Result<(), RpcError> {
        for (param, value) in self.declared.iter().zip(&self.values) {
            let Some(value) = value else { continue };
            let found = type_name(value.get());
            if !param.kind.admits(found) {
                let (name, expected) = (param.name, param.kind.name());
                let message = format!("Expected type {expected}, got {found} (parameter `{name}`)");
                return Err(RpcError::new(Code::Type, message));
            }
        }
        Ok(())
    }

    /// The text of a parameter, if it is there.
    pub(crate) fn raw(&self, at: usize) -> Option<&str> {
        self.values.get(at)?.as_ref().map(|raw| raw.get())
    }

    fn name(&self, at: usize) -> &'static str {
        self.declared.get(at).map_or("?", |param| param.name)
    }

    /// The parameter as a `T`, if it is there.
    pub(crate) fn get<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, RpcError> {
        let Some(raw) = self.raw(at) else { return Ok(None) };
        serde_json::from_str(raw).map(Some).map_err(|error| {
            let message = format!("parameter `{}` cannot be read: {}", self.name(at), shorten(&error.to_string()));
            RpcError::new(Code::Type, message)
        })
    }

    /// The required parameter as a `T`.
    pub(crate) fn need<T: DeserializeOwned>(&self, at: usize) -> Result<T, RpcError> {
        self.get(at)?
            .ok_or_else(|| RpcError::new(Code::InvalidParameter, format!("parameter `{}` is missing", self.name(at))))
    }

    /// The required text.
    pub(crate) fn text(&self, at: usize) -> Result<String, RpcError> {
        self.need(at)
    }

    /// The whole number, if it is there.
    pub(crate) fn int(&self, at: usize) -> Result<Option<i64>, RpcError> {
        let Some(raw) = self.raw(at) else { return Ok(None) };
        raw.parse().map(Some).map_err(|_| RpcError::new(Code::Misc, "JSON integer out of range"))
    }

    /// The whole number, which must lie in `range`.
    pub(crate) fn int_in(&self, at: usize, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, RpcError> {
        match self.int(at)? {
            Some(number) if !range.contains(&number) => Err(RpcError::new(
                Code::InvalidParameter,
                format!("`{}` must be between {} and {}", self.name(at), range.start(), range.end()),
            )),
            number => Ok(number),
        }
    }

    /// The level of detail: a number, or a truth value as 0 or 1.
    pub(crate) fn level(&self, at: usize, default: i64) -> Result<i64, RpcError> {
        match self.raw(at) {
            None => Ok(default),
            Some("true") => Ok(1),
            Some("false") => Ok(0),
            Some(_) => Ok(self.int(at)?.unwrap_or(default)),
        }
    }

    /// The truth value, or `default` where it was left out.
    pub(crate) fn flag(&self, at: usize, default: bool) -> Result<bool, RpcError> {
        Ok(self.get(at)?.unwrap_or(default))
    }

    /// The amount in coins, if it is there; a truth value in its place is none.
    pub(crate) fn amount(&self, at: usize) -> Result<Option<Sats>, RpcError> {
        match self.raw(at) {
            None | Some("true" | "false") => Ok(None),
            Some(raw) => parse_amount(raw).map(Some),
        }
    }

    /// The required identifier: 64 hexadecimal digits.
    pub(crate) fn id<T: FromStr>(&self, at: usize) -> Result<T, RpcError> {
        parse_id(&self.text(at)?, self.name(at))
    }
}

/// Reads an identifier that a parameter or member named `name` holds.
pub(crate) fn parse_id<T: FromStr>(text: &str, name: &str) -> Result<T, RpcError> {
    let shown = shorten(text);
    let message = match text.len() {
        64 => format!("{name} must be hexadecimal string (not '{shown}')"),
        len => format!("{name} must be of length 64 (not {len}, for '{shown}')"),
    };
    text.parse().map_err(|_| RpcError::new(Code::InvalidParameter, message))
}

/// Reads an amount from the digits of a JSON number, which may have an exponent, or from a JSON text.
pub(crate) fn parse_amount(raw: &str) -> Result<Sats, RpcError> {
    let digits = raw.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(raw);
    let plain = without_exponent(digits).ok_or_else(|| RpcError::new(Code::Type, "Invalid amount"))?;
    plain.parse().map_err(|error| match error {
        spec::units::AmountError::Syntax => RpcError::new(Code::Type, "Invalid amount"),
        spec::units::AmountError::Range => RpcError::new(Code::Type, "Amount out of range"),
    })
}

/// `1.5e-3` as `0.0015`; numbers without an exponent as they are. `None` if the exponent is absurd.
fn without_exponent(digits: &str) -> Option<String> {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return Some(digits.to_owned()) };
    let exponent: i32 = exponent.parse().ok().filter(|exponent| (-16..=16).contains(exponent))?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = usize::try_from(exponent.unsigned_abs()).ok()?;
    let padding = "0".repeat(zeros);
    let (whole, fraction) = if exponent < 0 {
        let padded = format!("{padding}{whole}");
        let (whole, moved) = padded.split_at_checked(padded.len().checked_sub(zeros)?)?;
        (whole.to_owned(), format!("{moved}{fraction}"))
    } else {
        let padded = format!("{fraction}{padding}");
        let (moved, fraction) = padded.split_at_checked(zeros)?;
        (format!("{whole}{moved}"), fraction.to_owned())
    };
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    Some(format!("{}.{}", if whole.is_empty() { "0" } else { whole }, if fraction.is_empty() { "0" } else { fraction }))
}

fn by_position(
    declared: &[Param],
    members: Vec<(String, Box<RawValue>)>,
) -> Result<Vec<Option<Box<RawValue>>>, RpcError> {
    let mut values: Vec<Option<Box<RawValue>>> = declared.iter().map(|_| None).collect();
    for (name, value) in members {
        let place = declared.iter().position(|param| param.name == name || alias_of(param.name) == Some(&name));
        let slot = place.and_then(|at| values.get_mut(at)).ok_or_else(|| {
            RpcError::new(Code::InvalidParameter, format!("Unknown named parameter {}", shorten(&name)))
        })?;
        if slot.is_some() {
            let message = format!("Parameter {} specified multiple times", shorten(&name));
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
        *slot = (value.get() != "null").then_some(value);
    }
    Ok(values)
}

/// The other name that clients use for some parameters.
fn alias_of(name: &str) -> Option<&'static str> {
    match name {
        "verbosity" => Some("verbose"),
        "verbose" => Some("verbosity"),
        "maxfeerate" => Some("allowhighfees"),
        _ => None,
    }
}

fn type_name(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "string",
        Some(b'[') => "array",
        Some(b'{') => "object",
        Some(b't' | b'f') => "bool",
        Some(b'n') | None => "null",
        Some(_) => "number",
    }
}

/// At most 100 characters of a client's text, fit to be shown back.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 100;
    let mut short: String =
        text.chars().take(SHOWN).map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    if short.len() < text.len() {
        // Writing to a string cannot fail.
        let _ = write!(short, "…");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &[Param] = &[need("txid", Kind::Text), may("verbosity", Kind::Level), may("n", Kind::Int)];

    fn fit(params: &str) -> Result<Args, Misfit> {
        let body = format!(r#"{{"method":"m","params":{params}}}"#);
        let Ok(crate::rpc::envelope::Body::Single(request)) = crate::rpc::envelope::read_body(body.as_bytes()) else {
            panic!("{params}");
        };
        Args::fit(DECLARED, request.call.unwrap().params)
    }

    #[test]
    fn parameters_fit_by_position_and_by_name() {
        for params in
            [r#"["a"]"#, r#"["a",null,null]"#, r#"{"txid":"a"}"#, r#"["a",true]"#, r#"{"verbose":2,"txid":"a"}"#]
        {
            assert!(fit(params).is_ok(), "{params}");
        }
        for params in ["[]", "[null]", r#"["a",1,2,3]"#, "{}"] {
            assert_eq!(fit(params).unwrap_err(), Misfit::Count, "{params}");
        }
        for (params, code) in [
            ("[7]", Code::Type),
            (r#"[["a"]]"#, Code::Type),
            (r#"["a","1"]"#, Code::Type),
            (r#"{"txid":"a","tx":1}"#, Code::InvalidParameter),
            (r#"{"txid":"a","txid":"b"}"#, Code::InvalidParameter),
        ] {
            let Err(Misfit::Error(error)) = fit(params) else { panic!("{params}") };
            assert_eq!(error.code(), code, "{params}");
        }
    }

    #[test]
    fn integers_are_read_exactly_or_refused() {
        for (text, expected) in [
            ("0", Ok(Some(0))),
            ("-1", Ok(Some(-1))),
            ("9223372036854775807", Ok(Some(i64::MAX))),
            ("9223372036854775808", Err(())),
            ("1.0", Err(())),
            ("1e3", Err(())),
        ] {
            let args = fit(&format!(r#"["a",0,{text}]"#)).unwrap();
            assert_eq!(args.int(2).map_err(drop), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_read_exactly_from_their_digits() {
        for (text, sats) in [
            ("1", Some(100_000_000)),
            ("0.1", Some(10_000_000)),
            ("\"0.00000001\"", Some(1)),
            ("1e-8", Some(1)),
            ("1.5e-3", Some(150_000)),
            ("12E2", Some(120_000_000_000)),
            ("20999999.99999999", Some(2_099_999_999_999_999)),
            ("0.000000001", None),
            ("1e-9", None),
            ("1e99999", None),
            ("-1", None),
            ("21000001", None),
            ("\"x\"", None),
            ("\"\u{20ac}e1\"", None),
        ] {
            assert_eq!(parse_amount(text).ok().map(Sats::get), sats, "{text}");
        }
    }
}
