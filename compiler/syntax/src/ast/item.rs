//! Items: what stands at the top of a file, and the parts they are made of.

use super::{Block, Entry, Expr, FieldInit, Ident, Plan, Test, TypeExpr};
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
    /// `struct Name<T> { .. }`
    Struct(Struct),
    /// `enum Name<T> { .. }`
    Enum(Enum),
    /// `fn name(..) -> T { .. }`
    Fn(Fn),
    /// `contract Name(..) { .. }`
    Contract(Contract),
    /// `reward Name { .. }`
    Reward(Reward),
    /// `model Name { .. }`
    Model(Model),
    /// `imi Name { .. }`
    Imi(Imi),
    /// `imo Name for Other { .. }`
    Imo(Imo),
    /// `plan name(..) { .. }`
    Plan(Plan),
    /// `test name { .. }` or `property name(..) { .. }`
    Test(Test),
    /// Text that is no item.
    Error(Span),
}

impl Item {
    /// The declared name, when the item has one.
    pub fn name(&self) -> Option<&Ident> {
        match self {
            Item::Const(item) => Some(&item.name),
            Item::Struct(item) => Some(&item.name),
            Item::Enum(item) => Some(&item.name),
            Item::Fn(item) => Some(&item.name),
            Item::Contract(item) => Some(&item.name),
            Item::Reward(item) => Some(&item.name),
            Item::Model(item) => Some(&item.name),
            Item::Imi(item) => Some(&item.name),
            Item::Imo(item) => Some(&item.name),
            Item::Plan(item) => Some(&item.name),
            Item::Test(item) => Some(&item.name),
            Item::Use(_) | Item::Error(_) => None,
        }
    }

    /// The whole item without its documentation.
    pub fn span(&self) -> Span {
        match self {
            Item::Use(item) => item.span,
            Item::Const(item) => item.span,
            Item::Struct(item) => item.span,
            Item::Enum(item) => item.span,
            Item::Fn(item) => item.span,
            Item::Contract(item) => item.span,
            Item::Reward(item) => item.span,
            Item::Model(item) => item.span,
            Item::Imi(item) => item.span,
            Item::Imo(item) => item.span,
            Item::Plan(item) => item.span,
            Item::Test(item) => item.span,
            Item::Error(span) => *span,
        }
    }
}

/// `use std::merkle;`, `use std::math::{isqrt, mul_div};` or `use ./shares::ModelShare as Share;`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Use {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The path starts with `./`: a file beside this one.
    pub relative: bool,
    /// What stands before the last `/`: `a` and `b` of `./a/b/shares::ModelShare`; `..` as written.
    pub folders: Vec<Ident>,
    /// The names between `::` outside the braces; at least one.
    pub path: Vec<Ident>,
    /// What stands in the braces at the end; `None` without braces.
    pub group: Option<Vec<UseName>>,
    /// What follows `as`; never together with braces.
    pub alias: Option<Ident>,
    /// The whole item.
    pub span: Span,
}

/// `name` or `name as other`, in the braces of a `use`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UseName {
    /// The name in the module.
    pub name: Ident,
    /// The name in this file, when it is another.
    pub alias: Option<Ident>,
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

/// `struct Name<T> { field: T }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Struct {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The names between `<` and `>`; empty without them.
    pub type_params: Vec<Ident>,
    /// The fields in source order.
    pub fields: Vec<Field>,
    /// The whole item.
    pub span: Span,
}

/// `name: T` of a struct, a variant or a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: TypeExpr,
    /// Both.
    pub span: Span,
}

/// `enum Name<T> { None, Some(T), Point { x: Int } }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Enum {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The names between `<` and `>`; empty without them.
    pub type_params: Vec<Ident>,
    /// The variants in source order.
    pub variants: Vec<Variant>,
    /// The whole item.
    pub span: Span,
}

/// One form of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// What it carries.
    pub fields: VariantFields,
    /// The whole variant.
    pub span: Span,
}

/// What a variant carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VariantFields {
    /// `None`
    Unit,
    /// `Some(T)`
    Tuple(Vec<TypeExpr>),
    /// `Point { x: Int, y: Int }`
    Struct(Arc<[Field]>),
}

/// `fn name<T>(params) -> result { body }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fn {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The names between `<` and `>`; empty without them.
    pub type_params: Vec<Ident>,
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
    /// `state { .. }`
    State(State),
    /// `allow(..);`
    Allow(Allow),
    /// `budget(..);`
    Budget(Budget),
    /// Text that is no member.
    Error(Span),
}

impl Member {
    /// The whole member, without its documentation.
    pub fn span(&self) -> Span {
        match self {
            Member::Const(member) => member.span,
            Member::Fn(member) => member.span,
            Member::Spend(member) => member.span,
            Member::State(member) => member.span,
            Member::Allow(member) => member.span,
            Member::Budget(member) => member.span,
            Member::Error(span) => *span,
        }
    }
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

/// `state { field: T, .. }`: what a contract carries from coin to coin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The fields in source order.
    pub fields: Vec<Field>,
    /// The word `state`.
    pub word_span: Span,
    /// The whole member.
    pub span: Span,
}

/// `allow(name, name);`: silences these lints in the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow {
    /// Documentation: why.
    pub docs: Vec<Doc>,
    /// The names of the lints.
    pub lints: Vec<Ident>,
    /// The whole member.
    pub span: Span,
}

/// `budget(script: 130 bytes, input: 220 bytes, cost: 40_000);`: the most that the contract may take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Documentation: why.
    pub docs: Vec<Doc>,
    /// What is limited, each with its limit.
    pub limits: Vec<FieldInit>,
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

/// `model Name { entries }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The entries in source order.
    pub entries: Vec<Entry>,
    /// The whole item.
    pub span: Span,
}

/// `imi Name { entries }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Imi {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// The entries in source order.
    pub entries: Vec<Entry>,
    /// The whole item.
    pub span: Span,
}

/// `imo Name for Other { entries }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Imo {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// What it offers: the name of an `imi` or `model`, with what stands before it.
    pub subject: Vec<Ident>,
    /// The entries in source order.
    pub entries: Vec<Entry>,
    /// The whole item.
    pub span: Span,
}
