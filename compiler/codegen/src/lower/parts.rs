//! Values of several items: where the parts of a value lie among its items, and how one of them is
//! chosen or replaced.
//!
//! Composite values never exist on the machine. A struct, tuple or array is its parts, one behind the
//! other; an enum is its tag and then as many items as its largest variant, the unused ones empty.

use std::ops::Range;

use analysis::hir::{Expr, LocalId, Step, Type};
use spec::Opcode;
use syntax::Loc;

use super::{Excess, Frame, Items, Lowering};
use crate::mir::NodeId;

/// The way to a part, with the numbers of elements computed.
#[derive(Clone, Copy)]
enum Way {
    Element(usize),
    Index(NodeId),
}

impl Frame {
    /// The type with what the type parameters stand for.
    pub(super) fn ty(&self, ty: &Type) -> Type {
        ty.instantiate(&self.types)
    }

    /// The items of a variable that has a value.
    pub(super) fn local(&self, local: LocalId) -> &[NodeId] {
        let slot = self.locals.get(local.index()).and_then(Option::as_ref);
        slot.expect("analysis sees that a variable has a value before it is read")
    }
}

impl Lowering<'_> {
    /// The variable, or a part of it, gets another value.
    pub(super) fn assign(
        &mut self,
        frame: &mut Frame,
        local: LocalId,
        place: &[Step],
        value: &Expr,
        loc: &Loc,
    ) -> Result<(), Excess> {
        let mut ways = Vec::with_capacity(place.len());
        for step in place {
            ways.push(match step {
                Step::Element(index) => Way::Element(*index),
                Step::Index(index) => Way::Index(self.item(frame, index)?),
            });
        }
        let mut value = self.expr(frame, value)?;
        if !ways.is_empty() {
            let ty = frame.local_types.get(local.index()).cloned().unwrap_or(Type::Unit);
            let whole = frame.local(local).to_vec();
            value = self.replaced(frame, (&ty, &whole), &ways, value, loc)?;
        }
        super::set(frame, local, value);
        Ok(())
    }

    /// The whole with one part replaced.
    fn replaced(
        &mut self,
        frame: &mut Frame,
        (ty, whole): (&Type, &[NodeId]),
        ways: &[Way],
        value: Items,
        loc: &Loc,
    ) -> Result<Items, Excess> {
        let Some((way, deeper)) = ways.split_first() else { return Ok(value) };
        self.descend()?;
        let mut items = whole.to_vec();
        match (self.known(*way), *way) {
            (Some(index), _) => {
                let (inner, range) = part(ty, index);
                let old = items.get(range.clone()).unwrap_or_default().to_vec();
                let new = self.replaced(frame, (&inner, &old), deeper, value, loc)?;
                if range.end <= items.len() {
                    items.splice(range, new);
                } else {
                    self.no_element(loc);
                }
            }
            (None, Way::Element(_)) => unreachable!("the number of a field is known"),
            (None, Way::Index(index)) => {
                let old = self.element(frame, (ty, whole), index, loc)?;
                let (inner, _) = part(ty, 0);
                let new = self.replaced(frame, (&inner, &old), deeper, value, loc)?;
                for at in 0..part_count(ty) {
                    let (_, range) = part(ty, at);
                    let is_it = self.is_number(index, at, loc);
                    let kept = items.get(range.clone()).unwrap_or_default().to_vec();
                    let place = self.place(loc);
                    let chosen =
                        self.either(frame, is_it, place, |_, _| Ok(Some(new.clone())), |_, _| Ok(Some(kept)))?;
                    items.splice(range, chosen.unwrap_or_default());
                }
            }
        }
        self.leave();
        Ok(items)
    }

    fn known(&self, way: Way) -> Option<usize> {
        match way {
            Way::Element(index) => Some(index),
            Way::Index(index) => self.number_of_element(index),
        }
    }

    /// The number that a constant means; one that no array reaches if it is negative or too large.
    fn number_of_element(&self, index: NodeId) -> Option<usize> {
        Some(usize::try_from(self.graph.number(index)?).unwrap_or(usize::MAX))
    }

    fn is_number(&mut self, item: NodeId, number: usize, loc: &Loc) -> NodeId {
        let place = self.place(loc);
        let number = self.graph.int(i64::try_from(number).unwrap_or(i64::MAX), place);
        self.graph.op(Opcode::NumEqual, &[item, number], place)
    }

    /// A part of a struct, tuple or array.
    pub(super) fn part_of(&mut self, frame: &mut Frame, base: &Expr, index: usize) -> Result<Items, Excess> {
        let (_, range) = part(&frame.ty(&base.ty), index);
        let items = self.expr(frame, base)?;
        Ok(items.get(range).expect("analysis resolved the part").to_vec())
    }

    /// An element of an array by a number that may be known only when the script runs.
    pub(super) fn indexed(&mut self, frame: &mut Frame, base: &Expr, index: &Expr, loc: &Loc) -> Result<Items, Excess> {
        let ty = frame.ty(&base.ty);
        let items = self.expr(frame, base)?;
        let index = self.item(frame, index)?;
        self.element(frame, (&ty, &items), index, loc)
    }

    fn element(
        &mut self,
        frame: &mut Frame,
        (ty, whole): (&Type, &[NodeId]),
        index: NodeId,
        loc: &Loc,
    ) -> Result<Items, Excess> {
        if let Some(index) = self.number_of_element(index) {
            let (inner, range) = part(ty, index);
            return Ok(match whole.get(range) {
                Some(items) if index < part_count(ty) => items.to_vec(),
                _ => {
                    self.no_element(loc);
                    self.blank(width(&inner), loc)
                }
            });
        }
        self.search(frame, (ty, whole), index, 0, loc)
    }

    /// Compares with one number after the other, from `from` on; the last must fit.
    fn search(
        &mut self,
        frame: &mut Frame,
        (ty, whole): (&Type, &[NodeId]),
        index: NodeId,
        from: usize,
        loc: &Loc,
    ) -> Result<Items, Excess> {
        let (inner, range) = part(ty, from);
        let items = whole.get(range).unwrap_or_default().to_vec();
        let place = self.place(loc);
        if part_count(ty) == 0 {
            self.no_element(loc);
            return Ok(self.blank(width(&inner), loc));
        }
        let is_it = self.is_number(index, from, loc);
        if from + 1 == part_count(ty) {
            self.verify(is_it, NO_ELEMENT, loc, place);
            return Ok(items);
        }
        self.descend()?;
        let found = self.either(
            frame,
            is_it,
            place,
            |_, _| Ok(Some(items)),
            |lowering, frame| lowering.search(frame, (ty, whole), index, from + 1, loc).map(Some),
        )?;
        self.leave();
        Ok(found.unwrap_or_default())
    }

    fn no_element(&mut self, loc: &Loc) {
        let place = self.place(loc);
        let never = self.graph.int(0, place);
        self.verify(never, NO_ELEMENT, loc, place);
    }

    /// Empty items.
    fn blank(&mut self, count: usize, loc: &Loc) -> Items {
        let place = self.place(loc);
        vec![self.graph.bytes(Vec::new(), place); count]
    }

    /// A value of an enum.
    pub(super) fn variant(
        &mut self,
        frame: &mut Frame,
        expr: &Expr,
        variant: usize,
        fields: &[Expr],
    ) -> Result<Items, Excess> {
        let place = self.place(&expr.loc);
        let mut items = vec![self.graph.int(i64::try_from(variant).unwrap_or(i64::MAX), place)];
        for field in fields {
            items.extend(self.expr(frame, field)?);
        }
        let unused = width(&frame.ty(&expr.ty)).saturating_sub(items.len());
        items.extend(self.blank(unused, &expr.loc));
        Ok(items)
    }

    /// Whether two values of one type are the same in every part.
    pub(super) fn same(&mut self, ty: &Type, left: &[NodeId], right: &[NodeId], loc: &Loc) -> NodeId {
        let place = self.place(loc);
        let mut all = None;
        for (leaf, (a, b)) in ty.leaves().iter().zip(left.iter().zip(right)) {
            let opcode = if leaf.is_number() || *leaf == Type::Bool { Opcode::NumEqual } else { Opcode::Equal };
            let equal = self.graph.op(opcode, &[*a, *b], place);
            all = Some(match all {
                Some(before) => self.graph.op(Opcode::BoolAnd, &[before, equal], place),
                None => equal,
            });
        }
        all.unwrap_or_else(|| self.graph.int(1, place))
    }
}

const NO_ELEMENT: &str = "there is no element with this number";

/// How many items a value takes.
pub(crate) fn width(ty: &Type) -> usize {
    match ty {
        Type::Tuple(parts) => parts.iter().map(width).sum(),
        Type::Struct(ty) => ty.fields.iter().map(|(_, ty)| width(ty)).sum(),
        Type::Array(element, count) => width(element).saturating_mul(*count as usize),
        Type::Enum(ty) => {
            let of_variant = |fields: &[Type]| fields.iter().map(width).sum();
            1 + ty.variants.iter().map(|variant| of_variant(&variant.fields)).max().unwrap_or(0)
        }
        Type::Sigs(count) => *count as usize + 1,
        Type::Unit => 0,
        _ => 1,
    }
}

/// How many parts a struct, tuple or array has.
fn part_count(ty: &Type) -> usize {
    match ty {
        Type::Tuple(parts) => parts.len(),
        Type::Struct(ty) => ty.fields.len(),
        Type::Array(_, count) => *count as usize,
        _ => 0,
    }
}

/// The type of a part of a struct, tuple or array, and where its items lie.
fn part(ty: &Type, index: usize) -> (Type, Range<usize>) {
    let among = |parts: &mut dyn Iterator<Item = &Type>| {
        let mut start = 0;
        for (at, part) in parts.enumerate() {
            let end = start + width(part);
            if at == index {
                return (part.clone(), start..end);
            }
            start = end;
        }
        (Type::Unit, start..start)
    };
    match ty {
        Type::Tuple(parts) => among(&mut parts.iter()),
        Type::Struct(ty) => among(&mut ty.fields.iter().map(|(_, ty)| ty)),
        Type::Array(element, _) => {
            let width = width(element);
            let start = width.saturating_mul(index);
            ((**element).clone(), start..start.saturating_add(width))
        }
        _ => (Type::Unit, 0..0),
    }
}

/// The fields of a variant among the items of an enum.
pub(super) fn fields_of(ty: &Type, items: &[NodeId], variant: Option<usize>) -> Vec<Items> {
    let (Type::Enum(ty), Some(variant)) = (ty, variant) else { return Vec::new() };
    let mut start = 1;
    let fields = ty.variants.get(variant).map(|variant| variant.fields.as_slice()).unwrap_or_default();
    fields
        .iter()
        .map(|field| {
            let end = start + width(field);
            let items = items.get(start..end).unwrap_or_default().to_vec();
            start = end;
            items
        })
        .collect()
}

/// How many stack items an argument takes; lists lie beneath what is counted.
pub(super) fn arg_item_count(ty: &Type) -> usize {
    if is_list(ty) { 0 } else { width(ty) }
}

/// Whether an argument of this type is the list of records.
pub(super) fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_))
}
