//! Items: what stands at the top of a file, and the parts they are made of.

use super::{Block, Expr, Ident};
use crate::span::Span;
use std::sync::Arc;

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct File {
    /// `//!` lines at the top; their spans count from the start of the file.
    pub docs: Vec<Doc>,
    /// Items in source order, one for each island.
    pub items: Vec<Item>,
}

/// One line of documentation, without its `///` or `//!` and one space after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Doc {
    /// The Markdown.
    pub text: Arc<str>,
    /// Where, slashes included.
    pub span: Span,
}

/// A declaration at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// `use a::b;`
    Use(Use),
    /// `const NAME: T = e;`
    Const(Const),
    /// `fn name(..) -> T { .. }`
    Fn(Fn),
    /// `contract Name(..) { .. }`
    Contract(Contract),
    /// `reward Name { .. }`
    Reward(Reward),
    /// Text that is no item.
    Error(Span),
}

impl Item {
    /// The declared name, when the item has one.
    pub fn name(&self) -> Option<&Ident> {
        match self {
            Item::Const(item) => Some(&item.name),
            Item::Fn(item) => Some(&item.name),
            Item::Contract(item) => Some(&item.name),
            Item::Reward(item) => Some(&item.name),
            Item::Use(_) | Item::Error(_) => None,
        }
    }

    /// The whole item without its documentation.
    pub fn span(&self) -> Span {
        match self {
            Item::Use(item) => item.span,
            Item::Const(item) => item.span,
            Item::Fn(item) => item.span,
            Item::Contract(item) => item.span,
            Item::Reward(item) => item.span,
            Item::Error(span) => *span,
        }
    }
}

/// `use std::merkle;` or `use ./shares::ModelShare;`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Use {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The path starts with `./`: a file beside this one.
    pub relative: bool,
    /// The names between `::`.
    pub path: Vec<Ident>,
    /// The whole item.
    pub span: Span,
}

/// `const NAME: T = value;`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Const {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The type, when written.
    pub ty: Option<TypeExpr>,
    /// The value.
    pub value: Expr,
    /// The whole item.
    pub span: Span,
}

/// `fn name(params) -> result { body }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fn {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The parameters.
    pub params: Vec<Param>,
    /// The type of the result; `None` when the function gives nothing back.
    pub result: Option<TypeExpr>,
    /// The body.
    pub body: Block,
    /// The whole item.
    pub span: Span,
}

/// `name: T`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: TypeExpr,
    /// Both.
    pub span: Span,
}

/// `contract Name(params) { members }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contract {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The parameters: holes of the template.
    pub params: Vec<Param>,
    /// The members in source order.
    pub members: Vec<Member>,
    /// The whole item.
    pub span: Span,
}

/// What stands in a contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// `const NAME: T = e;`
    Const(Const),
    /// `fn name(..) { .. }`
    Fn(Fn),
    /// `spend name(..) { .. }`
    Spend(Spend),
    /// Text that is no member.
    Error(Span),
}

/// `spend name(args) { body }`: one way to spend a coin of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spend {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name of the path.
    pub name: Ident,
    /// What the spender brings.
    pub params: Vec<Param>,
    /// The conditions.
    pub body: Block,
    /// The whole member.
    pub span: Span,
}

/// `reward Name { entries }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reward {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// Sources and settings in source order; which key is a setting is not a matter of grammar.
    pub entries: Vec<Entry>,
    /// The whole item.
    pub span: Span,
}

/// `key: value`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The key; any word, keywords included.
    pub key: Ident,
    /// The value.
    pub value: EntryValue,
    /// Key and value, without the comma.
    pub span: Span,
}

/// The right side of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntryValue {
    /// A weight, a name such as `rest`, an amount: any expression.
    Expr(Expr),
    /// `20% { a: 1/2, b: 1/2 }`
    Group {
        /// The part of the whole that the group shares.
        weight: Expr,
        /// The entries of the group.
        entries: Vec<Entry>,
    },
    /// `up to 1_000 sats`
    UpTo(Expr),
    /// `by curator after 144 blocks`
    ByAfter {
        /// Who.
        by: Expr,
        /// The notice period.
        after: Expr,
    },
    /// A value that could not be read.
    Error(Span),
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeExpr {
    /// What is written.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `Int`, `Bytes<32>`
    Name {
        /// The name of the type.
        name: Ident,
        /// What stands between `<` and `>`; empty without them.
        args: Vec<TypeArg>,
    },
    /// `[T; N]`
    Array {
        /// The type of an element.
        element: Box<TypeExpr>,
        /// The length.
        length: Box<Expr>,
    },
    /// `(A, B)`
    Tuple(Vec<TypeExpr>),
    /// A type that could not be read.
    Error,
}

/// An argument of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeArg {
    /// A type.
    Type(TypeExpr),
    /// A number: the digits as written.
    Int {
        /// The digits, `_` included.
        digits: Arc<str>,
        /// Where.
        span: Span,
    },
}
