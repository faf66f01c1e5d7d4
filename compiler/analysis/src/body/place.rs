//! What a script can read about its transaction: `tx`, `self` and their fields.

use syntax::ast::{self, ExprKind as Ast, Ident};
use syntax::{Code, Span};

use super::loops::constant_index;
use super::plan::Known;
use super::{Body, plural};
use crate::hir::{BinaryOp, Block, Builtin, Expr, ExprKind, Fact, ItemKind, Type};
use crate::suggest;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// A step on the way to a value.
pub(super) enum Place {
    Value(Expr),
    Tx,
    Coins(Side),
    Coin {
        side: Side,
        index: Expr,
        own: bool,
    },
    Token {
        side: Side,
        index: Expr,
    },
    /// What a plan names.
    Known(Known),
    State,
}

/// The bytes of a category without its capability.
const CATEGORY_BYTES: u32 = 32;

const TX_FIELDS: [&str; 4] = ["inputs", "outputs", "version", "locktime"];
const TOKEN_FIELDS: [&str; 4] = ["category", "commitment", "amount", "capability"];
const INPUT_FIELDS: [&str; 7] = ["value", "lock", "token", "txid", "index", "unlock", "sequence"];
const OUTPUT_FIELDS: [&str; 3] = ["value", "lock", "token"];
const OWN_FIELDS: [&str; 9] = ["value", "lock", "token", "state", "index", "code", "txid", "unlock", "sequence"];

impl Body<'_, '_> {
    /// The value at the end of a chain of fields.
    pub(super) fn place_value(&mut self, value: &ast::Expr) -> Option<Expr> {
        let (message, help) = match self.place(value)? {
            Place::Value(expr) => return Some(expr),
            Place::Tx => ("`tx` is not a value", "read a field, such as `tx.outputs[0].value`"),
            Place::Coins(_) => {
                ("a list of coins is not a value", "read one of them by `[0]`, or their number by `.length`")
            }
            Place::Coin { .. } => ("a coin is not a value", "read a field, such as `.value` or `.lock`"),
            Place::Token { .. } => {
                ("a token is not a value", "read a field: `.category`, `.commitment`, `.amount` or `.capability`")
            }
            Place::State => ("the state is not a value", "read a field of it, such as `state.count`"),
            Place::Known(known) => known.no_value(),
        };
        self.report.fail(self.report.error(Code::E0207, message, value.span).help(help))
    }

    fn place(&mut self, value: &ast::Expr) -> Option<Place> {
        let place = self.place_of_form(value)?;
        if let Place::Value(expr) = &place {
            self.report.note_type(value.span, &expr.ty);
        }
        Some(place)
    }

    fn place_of_form(&mut self, value: &ast::Expr) -> Option<Place> {
        if let Some(known) = self.known(value) {
            return known.map(Place::Known);
        }
        match &value.kind {
            Ast::SelfRef if self.plan.is_some() => self.not_in_plans(value.span),
            Ast::Tx => Some(Place::Tx),
            Ast::SelfRef => Some(Place::Coin { side: Side::Input, index: self.own_index(value.span), own: true }),
            Ast::Field { base, name } => {
                if let Some(about) = self.about_list(base, name, value.span) {
                    return about.map(Place::Value);
                }
                let base = self.place(base)?;
                self.field(base, name, value.span)
            }
            Ast::Index { base, index } => self.element(base, index, value.span),
            Ast::Name(name) if self.means_state(name) => Some(Place::State),
            Ast::Element { base, index, index_span } => {
                let base = self.place(base)?;
                self.tuple_element(base, *index, *index_span, value.span)
            }
            _ => self.expr(value).map(Place::Value),
        }
    }

    pub(super) fn own_index(&self, span: Span) -> Expr {
        self.make(ExprKind::Introspect { fact: Fact::InputIndex, index: None }, Type::Int, span)
    }

    pub(super) fn fact(&self, fact: Fact, index: Option<Expr>, span: Span) -> Expr {
        self.make(ExprKind::Introspect { fact, index: index.map(Box::new) }, type_of(fact), span)
    }

    fn element(&mut self, base: &ast::Expr, index: &ast::Expr, span: Span) -> Option<Place> {
        let place = self.place(base);
        let number = self.expect(index, &Type::Int);
        match place? {
            Place::Coins(side) => Some(Place::Coin { side, index: number?, own: false }),
            Place::Value(expr) if expr.ty.is_bytes() => self.report.fail(
                self.report.error(Code::E0214, "one byte is taken as a slice", base.span).help("write `x[i..i + 1]`"),
            ),
            Place::Value(expr) => self.value_element(expr, number?, (base.span, index.span), span).map(Place::Value),
            Place::Tx | Place::Coin { .. } | Place::Token { .. } | Place::State | Place::Known(_) => {
                self.no_elements("this", base.span)
            }
        }
    }

    fn value_element(&mut self, base: Expr, number: Expr, (of, at): (Span, Span), span: Span) -> Option<Expr> {
        match base.ty.clone() {
            Type::Array(element, count) => {
                let ty = element.read();
                let base = Box::new(base);
                Some(match self.constant_element(&number, count, at)? {
                    Some(index) => self.make(ExprKind::Element { base, index }, ty, span),
                    None => self.make(ExprKind::Index { base, index: Box::new(number) }, ty, span),
                })
            }
            Type::Table(_, count) => {
                self.constant_element(&number, count, at)?;
                self.table_element(base, number, span)
            }
            ty => self.no_elements(&format!("`{ty}`"), of),
        }
    }

    /// The number of an element, if it is known; nothing once it has been reported that there is none.
    pub(super) fn constant_element(&mut self, number: &Expr, count: u32, span: Span) -> Option<Option<usize>> {
        let Some(known) = constant_index(number) else { return Some(None) };
        match usize::try_from(known) {
            Ok(index) if index < count as usize => Some(Some(index)),
            _ => {
                let message = match count {
                    0 => "this has no elements".to_owned(),
                    count => format!("the elements have the numbers 0 to {}", count - 1),
                };
                let found = self.report.error(Code::E0210, message, span);
                self.report.fail(found.help("choose a number in this range"))
            }
        }
    }

    fn no_elements<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0214, format!("{what} has no elements"), span);
        self.report.fail(found.help("arrays, tables, `tx.inputs` and `tx.outputs` have elements"))
    }

    /// `base.0`
    fn tuple_element(&mut self, base: Place, index: u32, index_span: Span, span: Span) -> Option<Place> {
        let Place::Value(expr) = base else {
            let found = self.report.error(Code::E0104, "only tuples have numbered parts", index_span);
            return self.report.fail(found.help("write the name of a field"));
        };
        let ty = self.tuple_part(&expr.ty, index, index_span)?;
        let kind = ExprKind::Element { base: Box::new(expr), index: index as usize };
        Some(Place::Value(self.make(kind, ty, span)))
    }

    /// The type of a numbered part.
    pub(super) fn tuple_part(&mut self, ty: &Type, index: u32, span: Span) -> Option<Type> {
        let Type::Tuple(parts) = ty else {
            let found = self.report.error(Code::E0104, format!("`{ty}` has no numbered parts"), span);
            return self.report.fail(found.help(match ty {
                Type::Array(..) => "write `x[0]` for an element of an array",
                _ => "only tuples have them",
            }));
        };
        if let Some(part) = parts.get(index as usize) {
            return Some(part.read());
        }
        let message = format!("`{ty}` has {}", plural(parts.len(), "part"));
        let found = self.report.error(Code::E0104, message, span);
        self.report.fail(found.help("the first part is `.0`"))
    }

    fn field(&mut self, base: Place, name: &Ident, span: Span) -> Option<Place> {
        if name.is_missing() {
            return None;
        }
        match base {
            Place::Tx => self.tx_field(name, span),
            Place::Coins(side) => self.list_field(side, name, span),
            Place::Coin { side, index, own } => self.coin_field(side, index, own, name, span),
            Place::Token { side, index } => self.token_field(side, index, name, span),
            Place::State => self.state_field(name, span).map(Place::Value),
            Place::Value(expr) => self.value_field(expr, name, span).map(Place::Value),
            Place::Known(known) => self.known_field(known, name, span),
        }
    }

    fn tx_field(&mut self, name: &Ident, span: Span) -> Option<Place> {
        match name.as_str() {
            "inputs" => Some(Place::Coins(Side::Input)),
            "outputs" => Some(Place::Coins(Side::Output)),
            "version" => Some(Place::Value(self.fact(Fact::TxVersion, None, span))),
            "locktime" => Some(Place::Value(self.fact(Fact::TxLocktime, None, span))),
            "height" | "time" => self.misplaced_time_lock(&format!("tx.{name}"), span),
            _ => self.unknown_field("`tx`", name, &TX_FIELDS),
        }
    }

    fn list_field(&mut self, side: Side, name: &Ident, span: Span) -> Option<Place> {
        let fact = if side == Side::Input { Fact::InputCount } else { Fact::OutputCount };
        match name.as_str() {
            "length" => Some(Place::Value(self.fact(fact, None, span))),
            _ => self.unknown_field("a list of coins", name, &["length"]),
        }
    }

    fn coin_field(&mut self, side: Side, index: Expr, own: bool, name: &Ident, span: Span) -> Option<Place> {
        let fact = match (side, name.as_str()) {
            (_, "token") => return Some(Place::Token { side, index }),
            (_, "state") if own => {
                self.state_scope(span)?;
                return Some(Place::State);
            }
            (_, "age") if own => return self.misplaced_time_lock("self.age", span),
            (_, "index") if own => return Some(Place::Value(self.own_index(span))),
            (_, "code") if own => return Some(Place::Value(self.fact(Fact::ActiveBytecode, None, span))),
            (Side::Input, "value") => Fact::InputValue,
            (Side::Input, "lock") => Fact::InputLock,
            (Side::Input, "txid") => Fact::InputTxid,
            (Side::Input, "index") => Fact::InputOutpointIndex,
            (Side::Input, "unlock") => Fact::InputUnlock,
            (Side::Input, "sequence") => Fact::InputSequence,
            (Side::Output, "value") => Fact::OutputValue,
            (Side::Output, "lock") => Fact::OutputLock,
            _ if own => return self.unknown_field("`self`", name, &OWN_FIELDS),
            (Side::Input, _) => return self.unknown_field("an input", name, &INPUT_FIELDS),
            (Side::Output, _) => return self.unknown_field("an output", name, &OUTPUT_FIELDS),
        };
        Some(Place::Value(self.fact(fact, Some(index), span)))
    }

    fn token_field(&mut self, side: Side, index: Expr, name: &Ident, span: Span) -> Option<Place> {
        if name.as_str() == "capability" {
            return Some(Place::Value(self.capability(side, index, span)));
        }
        let fact = match (side, name.as_str()) {
            (Side::Input, "category") => Fact::InputCategory,
            (Side::Input, "commitment") => Fact::InputCommitment,
            (Side::Input, "amount") => Fact::InputTokens,
            (Side::Output, "category") => Fact::OutputCategory,
            (Side::Output, "commitment") => Fact::OutputCommitment,
            (Side::Output, "amount") => Fact::OutputTokens,
            _ => return self.unknown_field("a token", name, &TOKEN_FIELDS),
        };
        Some(Place::Value(self.fact(fact, Some(index), span)))
    }

    /// What follows the category of a token, as a number: 0 for none, 1 for mutable, 2 for minting.
    ///
    /// A coin of money alone has none either, so that a loop over outputs may ask each of them. The contract's own
    /// coin is not asked whether it has a token: where it has none, the path fails.
    fn capability(&mut self, side: Side, index: Expr, span: Span) -> Expr {
        let fact = if side == Side::Input { Fact::InputCategory } else { Fact::OutputCategory };
        let is_own = side == Side::Input && matches!(index.kind, ExprKind::Introspect { fact: Fact::InputIndex, .. });
        let category = self.fact(fact, Some(index), span);
        if is_own {
            return self.capability_in(category, span);
        }
        self.held(category, |body, category| {
            let size = ExprKind::Builtin { builtin: Builtin::Size, args: vec![category.clone()] };
            let left = Box::new(body.make(size, Type::Int, span));
            let right = Box::new(body.make(ExprKind::Int((CATEGORY_BYTES + 1).into()), Type::Int, span));
            let op = BinaryOp::Equal(ItemKind::Number);
            let condition = Box::new(body.make(ExprKind::Binary { op, left, right }, Type::Bool, span));
            let block = |value: Expr| Block { stmts: Vec::new(), value: Some(Box::new(value)) };
            let then = block(body.capability_in(category, span));
            let otherwise = block(body.make(ExprKind::Int(0.into()), Type::Int, span));
            body.make(ExprKind::If { condition, then, otherwise }, Type::Int, span)
        })
    }

    fn capability_in(&mut self, category: Expr, span: Span) -> Expr {
        let len = self.make(ExprKind::Int(CATEGORY_BYTES.into()), Type::Int, span);
        let kind = ExprKind::Builtin { builtin: Builtin::Suffix, args: vec![category, len] };
        let rest = self.make(kind, Type::Bytes, span);
        self.make(ExprKind::Builtin { builtin: Builtin::ToInt, args: vec![rest] }, Type::Int, span)
    }

    fn value_field(&mut self, expr: Expr, name: &Ident, span: Span) -> Option<Expr> {
        match (&expr.ty, name.as_str()) {
            (ty, "length") if ty.is_bytes() => {
                let kind = ExprKind::Builtin { builtin: Builtin::Size, args: vec![expr] };
                Some(self.make(kind, Type::Int, span))
            }
            (Type::Array(_, count) | Type::Table(_, count), "length") => {
                Some(self.make(ExprKind::Int((*count).into()), Type::Int, span))
            }
            _ => {
                let (index, ty) = self.field_index(&expr.ty, name)?;
                Some(self.make(ExprKind::Element { base: Box::new(expr), index }, ty, span))
            }
        }
    }

    /// The number and type of a field of a struct.
    pub(super) fn field_index(&mut self, ty: &Type, name: &Ident) -> Option<(usize, Type)> {
        let known: Vec<&str> = match ty {
            Type::Struct(of) => {
                let found = of.fields.iter().enumerate().find(|(_, (field, _))| field == name.as_str());
                if let Some((index, (_, ty))) = found {
                    return Some((index, ty.read()));
                }
                of.fields.iter().map(|(name, _)| name.as_str()).collect()
            }
            Type::Array(..) | Type::Table(..) => vec!["length"],
            ty if ty.is_bytes() => vec!["length"],
            _ => Vec::new(),
        };
        self.unknown_field(&format!("`{ty}`"), name, &known)
    }

    pub(super) fn unknown_field<T>(&mut self, of: &str, name: &Ident, known: &[&str]) -> Option<T> {
        let found = self.report.error(Code::E0104, format!("{of} has no field `{name}`"), name.span);
        let close = suggest::did_you_mean(name.as_str(), known.iter().copied());
        self.report.fail(found.help(close.or_say(|| match known {
            [] => "use the value itself".to_owned(),
            known => {
                let list: Vec<_> = known.iter().map(|field| format!("`{field}`")).collect();
                format!("the fields are {}", list.join(", "))
            }
        })))
    }

    fn misplaced_time_lock<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let example = if what == "self.age" { "144 blocks" } else { "deadline" };
        self.report.fail(
            self.report
                .error(Code::E0409, format!("`{what}` is no value: it can only be bounded from below"), span)
                .help(format!("write `require {what} >= {example};`, alone or joined by `&&`")),
        )
    }
}

fn type_of(fact: Fact) -> Type {
    match fact {
        Fact::TxVersion
        | Fact::TxLocktime
        | Fact::InputCount
        | Fact::OutputCount
        | Fact::InputIndex
        | Fact::InputOutpointIndex
        | Fact::InputSequence => Type::Int,
        Fact::InputValue | Fact::OutputValue => Type::Coin,
        Fact::InputLock | Fact::OutputLock => Type::Lock,
        Fact::InputTxid => Type::BytesN(32),
        Fact::ActiveBytecode
        | Fact::InputUnlock
        | Fact::InputCategory
        | Fact::InputCommitment
        | Fact::OutputCategory
        | Fact::OutputCommitment => Type::Bytes,
        Fact::InputTokens | Fact::OutputTokens => Type::Tokens,
    }
}
