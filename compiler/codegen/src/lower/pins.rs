//! Arguments of one length or form: what is not pinned by its use gets a check of its own.
//!
//! Without one, anybody could lengthen an argument of a transaction under way, or replace a truth
//! value by another true one. A use pins an argument of fixed length if it happens on every run of the path:
//! - it is the key of a signature check, which refuses everything that is no key;
//! - it, or its hash, is compared for equality with something the spender does not choose.
//!
//! The tag of an enum must be one of its variants, and what a variant does not use must be empty.

use analysis::hir::{self, EnumType, Type};
use spec::Opcode;
use syntax::Loc;

use super::parts::width;
use super::{Excess, Frame, Lowering, is_arg};
use crate::mir::{Effect, Graph, NodeId, Operation};

/// An argument or a part of one.
struct Part<'p> {
    name: String,
    ty: &'p Type,
    items: &'p [NodeId],
    loc: &'p Loc,
}

impl Lowering<'_> {
    /// Puts the missing checks before everything else.
    pub(super) fn pin_args(&mut self, path: &hir::SpendPath, frame: &mut Frame) -> Result<(), Excess> {
        let body = std::mem::take(&mut self.effects);
        for (arg, items) in path.args.iter().zip(&self.args.clone()) {
            let part = Part { name: arg.name.clone(), ty: &arg.ty, items, loc: &arg.loc };
            self.pin(frame, &part, &body)?;
        }
        self.effects.extend(body);
        Ok(())
    }

    fn pin(&mut self, frame: &mut Frame, part: &Part<'_>, body: &[Effect]) -> Result<(), Excess> {
        let named = |(index, ty)| (format!("{}.{index}", part.name), ty);
        match part.ty {
            Type::Tuple(parts) => self.pin_parts(frame, part, parts.iter().enumerate().map(named), body),
            Type::Array(element, count) => {
                let elements = (0..*count as usize).map(|index| (index, &**element));
                self.pin_parts(frame, part, elements.map(named), body)
            }
            Type::Struct(ty) => {
                let fields = ty.fields.iter().map(|(field, ty)| (format!("{}.{field}", part.name), ty));
                self.pin_parts(frame, part, fields, body)
            }
            Type::Enum(ty) => self.pin_enum(frame, part, ty, body),
            leaf => {
                if let [item] = part.items {
                    self.pin_item(part, leaf, *item, body);
                }
                Ok(())
            }
        }
    }

    fn pin_parts<'t>(
        &mut self,
        frame: &mut Frame,
        whole: &Part<'_>,
        parts: impl Iterator<Item = (String, &'t Type)>,
        body: &[Effect],
    ) -> Result<(), Excess> {
        let mut rest = whole.items;
        for (name, ty) in parts {
            let (items, after) = rest.split_at_checked(width(ty)).unwrap_or_default();
            rest = after;
            self.pin(frame, &Part { name, ty, items, loc: whole.loc }, body)?;
        }
        Ok(())
    }

    fn pin_item(&mut self, part: &Part<'_>, ty: &Type, item: NodeId, body: &[Effect]) {
        let name = &part.name;
        let place = self.place(part.loc);
        let (wanted, message) = match (ty, ty.fixed_len()) {
            // The length of `true` is 1, that of `false` 0: only they are their own length.
            (Type::Bool, _) => (item, format!("argument `{name}` must be true or false")),
            (_, Some(len)) if !is_pinned(&self.graph, item, body) => {
                (self.graph.int(i64::from(len), place), format!("argument `{name}` must have {len} bytes"))
            }
            _ => return,
        };
        let len = self.graph.compute(Operation::Length, &[item], place);
        let opcode = if wanted == item { Opcode::Equal } else { Opcode::NumEqual };
        let value = self.graph.op(opcode, &[len, wanted], place);
        self.verify(value, &message, part.loc, place);
    }

    fn pin_enum(&mut self, frame: &mut Frame, part: &Part<'_>, ty: &EnumType, body: &[Effect]) -> Result<(), Excess> {
        let Some((tag, slots)) = part.items.split_first() else { return Ok(()) };
        let place = self.place(part.loc);
        let message = format!("argument `{}` must be a `{}`", part.name, ty.name);
        let count = i64::try_from(ty.variants.len()).unwrap_or(i64::MAX);
        if slots.is_empty() && count == 2 {
            self.pin_item(part, &Type::Bool, *tag, body);
            return Ok(());
        }
        if slots.is_empty() {
            let [low, high] = [0, count].map(|n| self.graph.int(n, place));
            let value = self.graph.op(Opcode::Within, &[*tag, low, high], place);
            self.verify(value, &message, part.loc, place);
            return Ok(());
        }
        self.pin_variant(frame, part, ty, 0, body)
    }

    /// The checks of the variant and, if it is another one, of those behind it.
    fn pin_variant(
        &mut self,
        frame: &mut Frame,
        part: &Part<'_>,
        ty: &EnumType,
        index: usize,
        body: &[Effect],
    ) -> Result<(), Excess> {
        let (Some((tag, slots)), Some(variant)) = (part.items.split_first(), ty.variants.get(index)) else {
            return Ok(());
        };
        let place = self.place(part.loc);
        let number = self.graph.int(i64::try_from(index).unwrap_or(i64::MAX), place);
        let is_it = self.graph.op(Opcode::NumEqual, &[*tag, number], place);
        let pin_fields = |lowering: &mut Self, frame: &mut Frame| {
            let fields = Type::Tuple(variant.fields.clone().into());
            let (used, unused) = slots.split_at_checked(width(&fields)).unwrap_or_default();
            let name = format!("{}.{}", part.name, variant.name);
            lowering.pin(frame, &Part { name, ty: &fields, items: used, loc: part.loc }, body)?;
            for slot in unused {
                let empty = lowering.graph.bytes(Vec::new(), place);
                let value = lowering.graph.op(Opcode::Equal, &[*slot, empty], place);
                let message = format!("argument `{}` must be empty where `{}` has no value", part.name, variant.name);
                lowering.verify(value, &message, part.loc, place);
            }
            Ok(None)
        };
        self.descend()?;
        if index + 1 == ty.variants.len() {
            let message = format!("argument `{}` must be a `{}`", part.name, ty.name);
            self.verify(is_it, &message, part.loc, place);
            pin_fields(self, frame)?;
        } else {
            let otherwise = |lowering: &mut Self, frame: &mut Frame| {
                lowering.pin_variant(frame, part, ty, index + 1, body).map(|()| None)
            };
            self.either(frame, is_it, place, pin_fields, otherwise)?;
        }
        self.leave();
        Ok(())
    }
}

fn is_pinned(graph: &Graph, item: NodeId, body: &[Effect]) -> bool {
    body.iter().any(|effect| match effect {
        Effect::Verify { value, .. } => pins(graph, *value, item),
        Effect::Lock { .. } | Effect::Choose(_) | Effect::Repeat(_) | Effect::Run(_) => false,
    })
}

fn pins(graph: &Graph, check: NodeId, item: NodeId) -> bool {
    let Some((Operation::Op(opcode), inputs)) = graph.as_op(check) else { return false };
    match (opcode, inputs) {
        (Opcode::Equal, [a, b]) => pins_by_equality(graph, *a, *b, item) || pins_by_equality(graph, *b, *a, item),
        (Opcode::CheckSig, [_, key]) | (Opcode::CheckDataSig, [_, _, key]) => *key == item,
        // Keys stand above the signatures; an argument of fixed length can only be a key.
        (Opcode::CheckMultiSig, all) => all.contains(&item),
        _ => false,
    }
}

fn pins_by_equality(graph: &Graph, side: NodeId, other: NodeId, item: NodeId) -> bool {
    if graph.node(other).from_args {
        return false;
    }
    let hashed = match graph.as_op(side) {
        Some((
            Operation::Op(Opcode::Hash160 | Opcode::Hash256 | Opcode::Sha256 | Opcode::Sha1 | Opcode::Ripemd160),
            [under],
        )) => *under == item && is_arg(graph, *under),
        _ => false,
    };
    side == item || hashed
}
