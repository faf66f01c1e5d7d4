//! Lists between braces whose elements are separated by commas: fields, variants, arms, entries.

use crate::ast::{
    Arm, AsmOp, AsmWord, Doc, Entry, EntryValue, Expr, ExprKind, Field, FieldInit, Ident, Pattern, PatternField,
    PatternKind, TypeExpr, TypeKind, Variant, VariantFields,
};
use crate::body::error_block;
use crate::codes::Code;
use crate::collect::{BRACKETS_MAX, Piece, literal_code};
use crate::literal::{self, LiteralError};
use crate::nodes::{self, Node};
use crate::parser::Parser;
use crate::run::Outcome;
use crate::span::Span;
use crate::stream::{Lexeme, PatternFields, Start, Tok};
use crate::token::TokenKind;
use std::sync::Arc;

impl Parser<'_> {
    /// The entries from `lo` up to `hi`, inside `depth` brackets.
    pub(crate) fn entries(&mut self, lo: usize, hi: usize, depth: usize) -> Node<Vec<Entry>> {
        self.listed(Start::Entry, lo, hi, depth, |piece, docs| match piece {
            nodes::Piece::Entry(entry) => Some(Entry { docs, ..entry }),
            _ => None,
        })
    }

    /// The declared fields from `lo` up to `hi`.
    pub(crate) fn fields(&mut self, lo: usize, hi: usize, depth: usize) -> Node<Vec<Field>> {
        self.listed(Start::Field, lo, hi, depth, |piece, docs| match piece {
            nodes::Piece::Field(field) => Some(Field { docs, ..field }),
            _ => None,
        })
    }

    /// The variants from `lo` up to `hi`.
    pub(crate) fn variants(&mut self, lo: usize, hi: usize, depth: usize) -> Node<Vec<Variant>> {
        self.listed(Start::Variant, lo, hi, depth, |piece, docs| match piece {
            nodes::Piece::Variant(variant) => Some(Variant { docs, ..variant }),
            _ => None,
        })
    }

    /// The fields declared in the braces at `open`.
    pub(crate) fn braced_fields(&mut self, open: usize, depth: usize) -> Node<Arc<[Field]>> {
        self.braced(open, depth, |parser, lo, hi, depth| parser.fields(lo, hi, depth)).map(Arc::from)
    }

    /// The group of entries in the braces at `open`.
    pub(crate) fn braced_group(&mut self, open: usize, depth: usize) -> Node<Arc<[Entry]>> {
        self.braced(open, depth, |parser, lo, hi, depth| parser.entries(lo, hi, depth)).map(Arc::from)
    }

    /// The fields of a literal in the braces at `open`.
    pub(crate) fn braced_inits(&mut self, open: usize, depth: usize) -> Node<Arc<[FieldInit]>> {
        let list = self.braced(open, depth, |parser, lo, hi, depth| {
            parser.listed(Start::Init, lo, hi, depth, |piece, _| match piece {
                nodes::Piece::Init(field) => Some(field),
                _ => None,
            })
        });
        list.map(Arc::from)
    }

    /// The fields of a pattern in the braces at `open`.
    pub(crate) fn braced_pattern_fields(&mut self, open: usize, depth: usize) -> Node<PatternFields> {
        let list: Node<Vec<Option<PatternField>>> = self.braced(open, depth, |parser, lo, hi, depth| {
            parser.listed(Start::PatternField, lo, hi, depth, |piece, _| match piece {
                nodes::Piece::PatternField(field) => Some(field),
                _ => None,
            })
        });
        list.map(|all| {
            let rest = all.contains(&None);
            (all.into_iter().flatten().collect(), rest)
        })
    }

    /// The arms in the braces at `open`.
    pub(crate) fn braced_arms(&mut self, open: usize, depth: usize) -> Node<Arc<[Arm]>> {
        let list = self.braced(open, depth, |parser, lo, hi, depth| {
            parser.listed(Start::Arm, lo, hi, depth, |piece, _| match piece {
                nodes::Piece::Arm(arm) => Some(arm),
                _ => None,
            })
        });
        list.map(Arc::from)
    }

    /// What `read` makes of the content of the braces at `open`, themselves inside `depth` brackets.
    fn braced<T>(
        &mut self,
        open: usize,
        depth: usize,
        read: impl FnOnce(&mut Self, usize, usize, usize) -> Node<Vec<T>>,
    ) -> Node<Vec<T>> {
        let mut partner = self.braces.partner(open);
        if !partner.closed {
            self.unclosed_brace(open);
            // The statement ends, and the list with it.
            if partner.end > open + 1 && self.source.is(partner.end - 1, TokenKind::Semi) {
                partner.end -= 1;
                self.braces.cut(open, partner.end);
            }
        }
        if depth >= BRACKETS_MAX {
            self.tell_too_nested(self.source.span(open));
            return Node::leaf(Vec::new());
        }
        let outer = std::mem::replace(&mut self.adrift, !partner.closed);
        let list = read(self, open + 1, partner.end, depth + 1);
        self.adrift = outer;
        list
    }

    fn listed<T>(
        &mut self,
        start: Start,
        lo: usize,
        hi: usize,
        depth: usize,
        unpack: fn(nodes::Piece, Vec<Doc>) -> Option<T>,
    ) -> Node<Vec<T>> {
        let mut list = Node::leaf(Vec::new());
        let all_told_before = self.diagnostics.len();
        let mut at = lo;
        while at < hi {
            let first = self.source.skip_docs(at).min(hi);
            let docs = self.element_docs(start, at, first);
            if first == hi {
                self.idle_doc(at);
                break;
            }
            if self.source.is(first, TokenKind::RBrace) {
                self.stray_brace(first);
                at = first + 1 + usize::from(self.source.is(first + 1, TokenKind::Comma));
                continue;
            }
            let told_before = self.diagnostics.len();
            let mut piece = self.collect_listed(start, first, hi, depth);
            // Fields are short: where braces do not match, other text has come between theirs.
            let mixed = self.unbalanced || (self.surplus && self.diagnostics.len() > all_told_before);
            self.adrift |= mixed && start != Start::Entry;
            piece.told |= self.adrift;
            at = piece.next.max(first + 1);
            if let Some(parsed) = self.read_listed(&piece) {
                list.depth = list.depth.max(parsed.depth);
                list.value.extend(unpack(*parsed.value, docs));
            }
            let sound = self.diagnostics.len() == told_before && !self.adrift;
            if at < hi && !piece.complete && sound {
                self.missing_comma(start, &piece.lexemes);
            }
        }
        list
    }

    /// The documentation from `lo` up to `hi`, before an element that may have some.
    fn element_docs(&mut self, start: Start, lo: usize, hi: usize) -> Vec<Doc> {
        if matches!(start, Start::Entry | Start::Field | Start::Variant) {
            return self.docs(lo, hi);
        }
        (lo..hi).for_each(|at| self.idle_doc(at));
        Vec::new()
    }

    fn read_listed(&mut self, piece: &Piece) -> Option<nodes::Parsed> {
        let span = self.lexemes_span(&piece.lexemes);
        if piece.lexemes.is_empty() {
            let at = piece.next.saturating_sub(1);
            if !piece.told && self.source.is(at, TokenKind::Comma) {
                let span = self.source.span(at);
                let message = format!("expected {}, found `,`", piece.start.beginning());
                self.tell(Code::E0009, span, message, "remove the `,`");
            }
            return None;
        }
        let outcome =
            if self.skips(piece) { Outcome::Failed } else { self.run(piece.start, &piece.lexemes, piece.told) };
        match outcome {
            Outcome::Whole(parsed) => Some(parsed),
            _ => Some(Node::leaf(Box::new(self.salvaged_element(piece.start, &piece.lexemes, span)))),
        }
    }

    /// What stands for an element that could not be read. Its name may be missing.
    fn salvaged_element(&self, start: Start, lexemes: &[Lexeme], span: Span) -> nodes::Piece {
        let name = match lexemes {
            [key, colon, ..] if matches!(key.tok, Tok::Name) && colon.tok.is(TokenKind::Colon) => {
                self.cx.ident(key.start, key.end)
            }
            _ => Ident { name: "".into(), span: Span::point(span.start) },
        };
        match start {
            Start::Field => {
                let ty = TypeExpr { kind: TypeKind::Error, span };
                nodes::Piece::Field(Field { docs: Vec::new(), name, ty, span })
            }
            Start::Variant => {
                nodes::Piece::Variant(Variant { docs: Vec::new(), name, fields: VariantFields::Unit, span })
            }
            Start::Init => {
                let value = Expr { kind: ExprKind::Error, span };
                nodes::Piece::Init(FieldInit { name, value, span })
            }
            Start::PatternField => nodes::Piece::PatternField(None),
            Start::Arm => {
                let pattern = Pattern { kind: PatternKind::Error, span };
                nodes::Piece::Arm(Arm { pattern, guard: None, body: Arc::new(error_block(span)), span })
            }
            Start::Entry | Start::Item | Start::Stmt | Start::Plan | Start::Test => {
                nodes::Piece::Entry(Entry { docs: Vec::new(), key: name, value: EntryValue::Error(span), span })
            }
        }
    }

    /// The code in the braces at `open`.
    pub(crate) fn braced_asm(&mut self, open: usize) -> Arc<[AsmOp]> {
        let partner = self.braces.partner(open);
        if !partner.closed {
            self.unclosed_brace(open);
        }
        let mut ops = Vec::new();
        let mut at = open + 1;
        while at < partner.end {
            let negative = self.source.is(at, TokenKind::Minus) && self.source.is(at + 1, TokenKind::Int);
            let next = at + 1 + usize::from(negative);
            match self.asm_word(next - 1, negative) {
                Ok(word) => ops.push(AsmOp { word, span: self.source.span_of(at, next) }),
                Err(_) if !partner.closed => {
                    self.braces.cut(open, at);
                    break;
                }
                Err(fault) => {
                    let base = self.source.span(at).start;
                    let code =
                        if fault.message.starts_with("expected") { Code::E0001 } else { literal_code(self.source, at) };
                    self.tell(code, fault.span.shifted(base), fault.message, fault.help);
                    break;
                }
            }
            at = next;
        }
        ops.into()
    }

    fn asm_word(&self, at: usize, negative: bool) -> Result<AsmWord, LiteralError> {
        let text = self.source.slice(at);
        let tok = match self.source.kind(at) {
            Some(TokenKind::Ident) => return Ok(AsmWord::Op(text.into())),
            Some(TokenKind::Int) => Tok::Int,
            Some(TokenKind::Bytes) => Tok::Bytes,
            Some(TokenKind::Str | TokenKind::UnclosedStr) => Tok::Str,
            _ => {
                return Err(LiteralError {
                    span: Span::new(0, self.source.span(at).len()),
                    message: format!("expected an opcode, a number or bytes, found `{}`", literal::shorten(text)),
                    help: "write opcodes as `OP_ADD`, and what is pushed as `5`, `0x0102` or `\"text\"`",
                });
            }
        };
        if let Some(fault) = self.literal_fault(at, &tok) {
            return Err(fault);
        }
        Ok(match tok {
            Tok::Bytes => AsmWord::Bytes(literal::bytes_of(text).unwrap_or_default()),
            Tok::Str => AsmWord::Bytes(literal::unescape(text, |_| ()).as_bytes().into()),
            _ if negative => AsmWord::Int(format!("-{text}").into()),
            _ => AsmWord::Int(text.into()),
        })
    }
}
