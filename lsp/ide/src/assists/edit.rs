//! Making edits: texts of nodes as operands, indentation, places in blocks, values to begin with.

use std::cell::Cell;
use std::sync::Arc;

use analysis::hir::Type;
use syntax::ast::{
    BinaryOp, Block, Expr, ExprKind, Field, ForRange, Ident, Item, Match, Member, Param, Spend, Stmt, StmtKind,
    TypeArg, TypeExpr, TypeKind, VariantFields,
};
use syntax::{FileId, Span, Word};

use super::tokens::has_bare_brace;
use super::{Edits, Site, around};
use crate::names::{Files, Target};
use crate::text::{FileEdit, TextEdit};
use crate::tree::{Node, walk_expr};

impl Edits {
    /// Edits, of which those that touch become one. What goes takes along what is edited inside of it; of edits that
    /// overlap in another way there is nothing.
    pub(super) fn of(edits: impl IntoIterator<Item = FileEdit>) -> Option<Edits> {
        let mut edits: Vec<FileEdit> = edits.into_iter().collect();
        edits.sort_by(|a, b| {
            let key = |edit: &FileEdit| (Arc::clone(&edit.path), edit.edit.range.start, edit.edit.range.end);
            key(a).cmp(&key(b))
        });
        let mut merged: Vec<FileEdit> = Vec::with_capacity(edits.len());
        for next in edits {
            let Some(last) = merged.last_mut().filter(|last| last.path == next.path) else {
                merged.push(next);
                continue;
            };
            let (known, new) = (&mut last.edit, next.edit);
            if known.range.end < new.range.start {
                merged.push(FileEdit { path: next.path, edit: new });
            } else if known.range.end == new.range.start {
                known.range.end = new.range.end;
                known.text += &new.text;
            } else if known.text.is_empty() && new.range.end <= known.range.end {
                // It goes with what is around it.
            } else if new.text.is_empty() && known.range.start == new.range.start {
                *known = new;
            } else {
                return None;
            }
        }
        Some(Edits { edits: merged, creates: Vec::new() })
    }
}

/// How strongly an operator binds; operands that bind less need parentheses.
pub(super) const fn strength(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 3,
        BinaryOp::BitOr => 4,
        BinaryOp::BitXor => 5,
        BinaryOp::BitAnd => 6,
        BinaryOp::Shl | BinaryOp::Shr => 7,
        BinaryOp::Add | BinaryOp::Sub => 8,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 9,
    }
}

/// More than any operator: as strongly as what stands before a dot.
pub(super) const ATOM: u8 = 11;

/// How strongly an expression holds together.
pub(super) fn tightness(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary { op, .. } => strength(*op),
        ExprKind::Unary { .. } => 10,
        ExprKind::If(_) | ExprKind::Match(_) | ExprKind::Asm(_) => 0,
        ExprKind::Threshold { .. } | ExprKind::Quorum { .. } | ExprKind::With { .. } => 0,
        ExprKind::Int(_) | ExprKind::Decimal(_) | ExprKind::Quantity { .. } | ExprKind::Moment { .. } => 10,
        _ => ATOM,
    }
}

/// What ends the condition of an `if`: a struct before its brace.
pub(super) fn has_struct(expr: &Expr) -> bool {
    let mut found = false;
    walk_expr(expr, &mut |node| {
        if let Node::Expr(expr) = node {
            found |= matches!(expr.kind, ExprKind::Struct(_));
        }
        true
    });
    found
}

/// A text whose later lines begin so many blanks later.
pub(super) fn indented(text: &str, blanks: usize) -> String {
    let pad = " ".repeat(blanks);
    let push = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("{pad}{line}") };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    std::iter::once(first).chain(lines.map(push)).collect::<Vec<_>>().join("\n")
}

/// A text whose later lines begin so many blanks earlier.
pub(super) fn dedented(text: &str, blanks: usize) -> String {
    let cut = |line: &str| {
        let own = line.len() - line.trim_start_matches(' ').len();
        line.get(own.min(blanks)..).unwrap_or_default().to_owned()
    };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    std::iter::once(first).chain(lines.map(cut)).collect::<Vec<_>>().join("\n")
}

/// A text as what stands before the block of an `if` or `match`: in parentheses if it has a brace of its own.
pub(super) fn head(text: String) -> String {
    if has_bare_brace(&text) { format!("({text})") } else { text }
}

/// What stands before the blocks of a node.
fn heads<'s>(node: &Node<'s>) -> Vec<&'s Expr> {
    let of_match = |choice: &'s Match| {
        let guards = choice.arms.iter().filter_map(|arm| arm.guard.as_ref());
        std::iter::once(&*choice.value).chain(guards).collect()
    };
    match node {
        Node::Expr(Expr { kind: ExprKind::If(branch), .. }) | Node::Stmt(Stmt { kind: StmtKind::If(branch), .. }) => {
            vec![&*branch.cond]
        }
        Node::Expr(Expr { kind: ExprKind::Match(choice), .. })
        | Node::Stmt(Stmt { kind: StmtKind::Match(choice), .. }) => of_match(choice),
        Node::Stmt(Stmt { kind: StmtKind::While(repeat), .. }) => {
            std::iter::once(&repeat.cond).chain(&repeat.max).collect()
        }
        Node::Stmt(Stmt { kind: StmtKind::For(repeat), .. }) => match &repeat.range {
            ForRange::Numbers { from, to, max } => [from, to].into_iter().chain(max).collect(),
            ForRange::Each(list) => std::iter::once(list).chain(&repeat.filter).collect(),
        },
        _ => Vec::new(),
    }
}

/// Where the line begins that a byte stands on, and its blanks.
fn indent_of(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default();
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

impl<'s> Site<'_, 's> {
    /// An edit of the item.
    pub(super) fn put(&self, span: Span, text: impl Into<String>) -> FileEdit {
        let start = self.item.start as usize;
        let range = start + span.start as usize..start + span.end as usize;
        FileEdit { path: Arc::clone(&self.path), edit: TextEdit { range, text: text.into() } }
    }

    /// An edit that inserts before a byte of the item.
    pub(super) fn insert(&self, at: u32, text: impl Into<String>) -> FileEdit {
        self.put(Span::point(at), text)
    }

    /// The text of an expression, in parentheses where something that binds so strongly stands around it, or if it has
    /// some because of a brace.
    pub(super) fn operand(&self, expr: &Expr, outer: u8) -> String {
        let text = self.text(expr.span);
        let braced = || has_bare_brace(text) && self.tokens().grouped(expr.span) != expr.span;
        if tightness(expr) < outer || braced() { format!("({text})") } else { text.to_owned() }
    }

    /// The text of an expression for another place, in parentheses where what stands around that place demands them.
    pub(super) fn in_place_of(&self, place: Span, value: &Expr) -> String {
        self.placed(place, self.text(value.span), tightness(value))
    }

    /// A text that holds together so strongly for a place, in parentheses where what stands around it demands them.
    pub(super) fn placed(&self, place: Span, text: &str, tightness: u8) -> String {
        let around = around(self.item, place);
        let strongest = around.iter().filter_map(|node| match node {
            Node::Expr(expr) if !self.is_change(expr) => Some(demanded(expr, place)),
            _ => None,
        });
        let grouped = self.tokens().grouped(place) != place;
        let weak = tightness < strongest.max().unwrap_or(0);
        if !grouped && (weak || self.opens_block(&around, place, text)) { format!("({text})") } else { text.to_owned() }
    }

    /// Whether a text in a place would begin the block behind it.
    fn opens_block(&self, around: &[Node<'_>], place: Span, text: &str) -> bool {
        let holding = around.iter().flat_map(heads).map(|head| head.span);
        has_bare_brace(text)
            && holding.filter(|head| head.start <= place.start && place.end <= head.end).any(|head| {
                let before = self.text(Span::new(head.start, place.start));
                let behind = self.text(Span::new(place.end, head.end));
                has_bare_brace(&format!("{before}{text}{behind}"))
            })
    }

    /// Puts another condition before a block, without the parentheses around the one that stands there.
    pub(super) fn put_head(&self, cond: &Expr, text: String) -> FileEdit {
        let place = self.tokens().grouped(cond.span);
        self.put(place, format!("{}{}", self.gap_before(place.start), head(text)))
    }

    /// A blank if what stands before a byte would run into a word there.
    pub(super) fn gap_before(&self, at: u32) -> &'static str {
        let head = self.text(Span::new(0, at));
        if head.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') { " " } else { "" }
    }

    /// The blanks at the beginning of the line of a byte of the item.
    pub(super) fn indent(&self, at: u32) -> &'s str {
        indent_of(self.item.text, at as usize)
    }

    /// Whether a statement begins its line.
    pub(super) fn begins_line(&self, at: u32) -> bool {
        let head = self.item.text.get(..at as usize).unwrap_or_default();
        head.rsplit('\n').next().unwrap_or_default().trim().is_empty()
    }

    /// Whether braces stand around a block.
    pub(super) fn is_braced(&self, block: &Block) -> bool {
        self.text(block.span).starts_with('{')
    }

    /// Puts a statement before a byte at which another one begins.
    pub(super) fn stmt_before(&self, at: u32, stmt: &str) -> FileEdit {
        let gap = if self.begins_line(at) { format!("\n{}", self.indent(at)) } else { " ".to_owned() };
        self.insert(at, format!("{stmt}{gap}"))
    }

    /// Puts a statement at the beginning of a block.
    pub(super) fn stmt_first(&self, block: &Block, stmt: &str) -> FileEdit {
        let first = block.stmts.first().map(|stmt| stmt.span.start);
        let first = first.or_else(|| block.tail.as_ref().map(|tail| tail.span.start));
        match first {
            Some(at) => self.stmt_before(at, stmt),
            None => self.stmt_in_empty(block, stmt),
        }
    }

    /// Puts a statement behind the last one of a block without a tail.
    pub(super) fn stmt_last(&self, block: &Block, stmt: &str) -> FileEdit {
        let Some(last) = block.stmts.last() else { return self.stmt_in_empty(block, stmt) };
        let start = last.span.start;
        let gap = if self.begins_line(start) { format!("\n{}", self.indent(start)) } else { " ".to_owned() };
        self.insert(last.span.end, format!("{gap}{stmt}"))
    }

    fn stmt_in_empty(&self, block: &Block, stmt: &str) -> FileEdit {
        let indent = self.indent(block.span.start);
        self.put(Span::new(block.span.start + 1, block.span.start + 1), format!("\n{indent}    {stmt}\n{indent}"))
    }

    /// A name that means nothing yet at a byte of the item.
    pub(super) fn fresh(&self, wanted: &str, at: u32) -> String {
        let names = self.names();
        let visible = names.visible(at);
        let own = self.files.of(self.file);
        let later = |name: &str| names.names.iter().any(|known| self.text(known.span) == name);
        let taken = |name: &str| {
            visible.iter().any(|(known, _)| &***known == name)
                || later(name)
                || self.files.named(&own, self.file, name).is_some()
                || Word::from_text(name).is_some_and(Word::is_keyword)
                || analysis::builtins().any(|(known, _)| known == name)
        };
        if !taken(wanted) {
            return wanted.to_owned();
        }
        (2..).map(|number| format!("{wanted}_{number}")).find(|name| !taken(name)).unwrap_or_default()
    }

    /// The type of what stands at a span of the item.
    pub(super) fn type_of(&self, span: Span) -> Option<&'s Type> {
        let types = self.files.session.types_in(self.file, self.item.key);
        let index = types.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        types.get(index).map(|(_, ty)| ty)
    }

    /// A type as the file can write it; nothing if it has no name there.
    pub(super) fn written(&self, ty: &Type) -> Option<String> {
        let named = |name: &str| {
            let own = self.files.of(self.file);
            matches!(self.files.named(&own, self.file, name), Some(Target::Def(_)))
        };
        let all = |parts: &[Type]| parts.iter().all(|part| self.written(part).is_some());
        let sayable = match ty {
            Type::Struct(of) => named(&of.name) && all(&of.args),
            Type::Enum(of) => (of.name == "Option" || named(&of.name)) && all(&of.args),
            Type::Tuple(parts) => all(parts),
            Type::Array(of, _) | Type::Table(of, _) => self.written(of).is_some(),
            Type::Share | Type::Sigs(_) | Type::List(_) | Type::Padding | Type::Unit | Type::Param(..) => false,
            Type::IntN(_) => return Some("Int".to_owned()),
            _ => true,
        };
        sayable.then(|| ty.to_string())
    }

    /// The path or function of the item that holds a byte, with its parameters and its body.
    pub(super) fn member(&self, at: u32) -> Option<MemberView<'s>> {
        let holds = |span: Span| span.start <= at && at <= span.end;
        match self.item.ast {
            Item::Fn(function) => Some(MemberView {
                span: function.span,
                name: function.name.span,
                params: &function.params,
                body: &function.body,
                spend: None,
            }),
            Item::Contract(contract) => contract.members.iter().find_map(|member| match member {
                Member::Fn(of) if holds(of.span) => Some(MemberView {
                    span: of.span,
                    name: of.name.span,
                    params: &of.params,
                    body: &of.body,
                    spend: None,
                }),
                Member::Spend(of) if holds(of.span) => Some(MemberView {
                    span: of.span,
                    name: of.name.span,
                    params: &of.params,
                    body: &of.body,
                    spend: Some(of),
                }),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// A path or a function.
#[derive(Clone, Copy)]
pub(super) struct MemberView<'s> {
    pub(super) span: Span,
    pub(super) name: Span,
    pub(super) params: &'s [Param],
    pub(super) body: &'s Block,
    pub(super) spend: Option<&'s Spend>,
}

/// How strongly what stands in an expression in the place `part` must hold together.
fn demanded(expr: &Expr, part: Span) -> u8 {
    match &expr.kind {
        ExprKind::Binary { op, left, right, .. } => {
            // Comparisons do not chain, and the others read from the left.
            let more = u8::from(strength(*op) == 3);
            if left.span == part {
                strength(*op) + more
            } else if right.span == part {
                strength(*op) + 1
            } else {
                0
            }
        }
        ExprKind::Unary { operand, .. } if operand.span == part => 10,
        ExprKind::Field { base, .. } | ExprKind::Element { base, .. } if base.span == part => ATOM,
        ExprKind::Index { base, .. } | ExprKind::Slice { base, .. } if base.span == part => ATOM,
        ExprKind::MethodCall { receiver, .. } if receiver.span == part => ATOM,
        _ => 0,
    }
}

/// A value of a type to begin with.
pub(super) fn value_of(ty: &Type) -> String {
    let bytes = |length: u32| match length {
        0..=64 => format!("0x{}", "00".repeat(length as usize)),
        _ => format!("bytes(0, {length})"),
    };
    let list = |parts: &[Type]| parts.iter().map(value_of).collect::<Vec<_>>().join(", ");
    match ty {
        Type::Bool => "false".to_owned(),
        Type::Coin => "0 sats".to_owned(),
        Type::Height => "height 0".to_owned(),
        Type::Time => "time \"2026-12-01T00:00Z\"".to_owned(),
        Type::Blocks => "0 blocks".to_owned(),
        Type::Duration => "0 seconds".to_owned(),
        Type::BytesN(length) => bytes(*length),
        Type::PubKey => bytes(33),
        Type::Category | Type::Did => bytes(32),
        Type::Bytes | Type::Sig | Type::DataSig => "0x".to_owned(),
        Type::Lock => "lock(0x)".to_owned(),
        Type::Tuple(parts) => format!("({})", list(parts)),
        Type::Array(of, count) => format!("[{}; {count}]", value_of(of)),
        Type::Struct(of) => {
            let fields = of.fields.iter().map(|(name, ty)| format!("{name}: {}", value_of(ty)));
            format!("{} {{ {} }}", of.name, fields.collect::<Vec<_>>().join(", "))
        }
        Type::Enum(of) if of.name == "Option" => "None".to_owned(),
        Type::Enum(of) => of.variants.first().map_or_else(String::new, |variant| {
            let named = variant.names.iter().zip(&variant.fields);
            let named: Vec<String> = named.map(|(name, ty)| format!("{name}: {}", value_of(ty))).collect();
            match (variant.fields.is_empty(), named.is_empty()) {
                (true, _) => format!("{}::{}", of.name, variant.name),
                (false, true) => format!("{}::{}({})", of.name, variant.name, list(&variant.fields)),
                (false, false) => format!("{}::{} {{ {} }}", of.name, variant.name, named.join(", ")),
            }
        }),
        _ => "0".to_owned(),
    }
}

/// How deep the fields of fields are followed for a value to begin with.
const DEPTH_MAX: u8 = 8;
/// The most values that one is made of.
const PARTS_MAX: u32 = 256;

/// A value to begin with of a type as it is written in a file.
pub(super) fn value_of_written(files: &Files<'_>, file: FileId, ty: &TypeExpr) -> String {
    Values { files, left: Cell::new(PARTS_MAX) }.written(file, ty, 0)
}

/// Makes one value to begin with.
struct Values<'f, 's> {
    files: &'f Files<'s>,
    /// How many parts it may still have.
    left: Cell<u32>,
}

impl Values<'_, '_> {
    fn written(&self, file: FileId, ty: &TypeExpr, depth: u8) -> String {
        let inner = |ty: &TypeExpr| self.written(file, ty, depth + 1);
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        match &ty.kind {
            _ if depth > DEPTH_MAX || left == 0 => "0".to_owned(),
            TypeKind::Tuple(parts) => format!("({})", parts.iter().map(inner).collect::<Vec<_>>().join(", ")),
            TypeKind::Array { element, length } => match &length.kind {
                ExprKind::Int(digits) => format!("[{}; {digits}]", inner(element)),
                ExprKind::Name(name) => format!("[{}; {name}]", inner(element)),
                _ => "0".to_owned(),
            },
            TypeKind::Name { name, args, .. } => {
                let length = args.iter().find_map(|arg| match arg {
                    TypeArg::Int { digits, .. } => digits.replace('_', "").parse::<u32>().ok(),
                    TypeArg::Type(_) => None,
                });
                self.named(file, name.as_str(), length, depth)
            }
            TypeKind::Error => "0".to_owned(),
        }
    }

    fn named(&self, file: FileId, name: &str, length: Option<u32>, depth: u8) -> String {
        let known = match name {
            "Bool" => Some(Type::Bool),
            "Coin" => Some(Type::Coin),
            "Height" => Some(Type::Height),
            "Time" => Some(Type::Time),
            "Blocks" => Some(Type::Blocks),
            "Duration" => Some(Type::Duration),
            "PubKey" => Some(Type::PubKey),
            "Category" | "Did" => Some(Type::Did),
            "Hash160" => Some(Type::BytesN(20)),
            "Hash256" => Some(Type::BytesN(32)),
            "Bytes" => Some(length.map_or(Type::Bytes, Type::BytesN)),
            "Sig" | "DataSig" => Some(Type::Sig),
            "Lock" => Some(Type::Lock),
            "Option" => return "None".to_owned(),
            _ => None,
        };
        if let Some(ty) = known {
            return value_of(&ty);
        }
        let Some((file, item)) = self.files.type_named(file, name) else { return "0".to_owned() };
        let fields = |fields: &[Field]| {
            let one = |field: &Field| format!("{}: {}", field.name, self.written(file, &field.ty, depth + 1));
            fields.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        match item.ast {
            Item::Struct(of) => format!("{name} {{ {} }}", fields(&of.fields)),
            Item::Enum(of) => of.variants.first().map_or_else(String::new, |variant| match &variant.fields {
                VariantFields::Unit => format!("{name}::{}", variant.name),
                VariantFields::Tuple(types) => {
                    let values = types.iter().map(|ty| self.written(file, ty, depth + 1));
                    format!("{name}::{}({})", variant.name, values.collect::<Vec<_>>().join(", "))
                }
                VariantFields::Struct(of) => format!("{name}::{} {{ {} }}", variant.name, fields(of)),
            }),
            _ => "0".to_owned(),
        }
    }
}

impl Site<'_, '_> {
    /// Whether an expression gives a value whatever the transaction is, so that it may be computed earlier, later or
    /// never.
    pub(super) fn is_total(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Quantity { .. }
            | ExprKind::Moment { .. }
            | ExprKind::Percent(_)
            | ExprKind::Bytes(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Name(_)
            | ExprKind::Path(_)
            | ExprKind::SelfRef
            | ExprKind::Tx => true,
            ExprKind::Field { base, .. } | ExprKind::Element { base, .. } => self.is_total(base),
            ExprKind::Unary { operand, .. } => self.is_total(operand),
            ExprKind::Binary { op, left, right, .. } => {
                let fails = matches!(op, BinaryOp::Div | BinaryOp::Mod | BinaryOp::Shl | BinaryOp::Shr);
                !fails && self.is_total(left) && self.is_total(right)
            }
            ExprKind::Call { callee, args } => {
                let name = match &callee.kind {
                    ExprKind::Name(name) => name,
                    _ => return false,
                };
                TOTAL.contains(&name.as_str()) && self.is_builtin(name) && args.iter().all(|arg| self.is_total(arg))
            }
            ExprKind::Array(parts) | ExprKind::Tuple(parts) => parts.iter().all(|part| self.is_total(part)),
            ExprKind::Struct(literal) => literal.fields.iter().all(|field| self.is_total(&field.value)),
            _ => false,
        }
    }

    /// Whether a name means a function of the language, whose name no item has taken.
    fn is_builtin(&self, name: &Ident) -> bool {
        self.names().names.iter().any(|known| known.span == name.span && known.target == Target::Builtin)
    }
}

/// The functions of the language that give a value for all arguments.
const TOTAL: [&str; 10] = ["sha256", "sha1", "ripemd160", "hash160", "hash256", "min", "max", "abs", "within", "p2pkh"];

/// Whether an expression reads what is no value: a time that can only be bounded from below.
pub(super) fn reads_time(expr: &Expr) -> bool {
    let mut found = false;
    walk_expr(expr, &mut |node| {
        if let Node::Expr(expr) = node
            && let ExprKind::Field { base, name } = &expr.kind
        {
            found |= matches!(base.kind, ExprKind::Tx) && matches!(name.as_str(), "height" | "time")
                || matches!(base.kind, ExprKind::SelfRef) && name.as_str() == "age";
        }
        true
    });
    found
}

/// The index of a statement in its block.
pub(super) fn position(block: &Block, stmt: &Stmt) -> Option<usize> {
    block.stmts.iter().position(|known| known.span == stmt.span)
}
