//! Conditionals and matches: each branch is a block of its own, and what it changes meets behind it.

use analysis::hir::{Arm, BinaryOp, Block as HirBlock, Expr};
use syntax::Loc;

use super::{Excess, Frame, Items, Lowering};
use crate::code::PlaceId;
use crate::mir::{Block, Choice, Effect, NodeId, Phi};
use spec::Opcode;

/// Lowers the body of an arm.
type LowerArm<'f, 'h> = dyn Fn(&mut Lowering<'_>, &mut Frame, &'h Arm) -> Result<Option<Items>, Excess> + 'f;

/// A block's effects, its value and the variables at its end.
struct Branch {
    block: Block,
    value: Option<Items>,
    locals: Vec<Option<Items>>,
}

impl Lowering<'_> {
    /// Lowers a conditional; gives the value of the block taken, if blocks have one.
    pub(super) fn choose(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        then: &HirBlock,
        otherwise: &HirBlock,
        loc: &Loc,
    ) -> Result<Option<Items>, Excess> {
        let condition = self.item(frame, condition)?;
        let place = self.place(loc);
        self.either(
            frame,
            condition,
            place,
            |lowering, frame| lowering.block(frame, then),
            |lowering, frame| lowering.block(frame, otherwise),
        )
    }

    /// One of two things, by a truth value; gives what the one taken gives.
    pub(super) fn either(
        &mut self,
        frame: &mut Frame,
        condition: NodeId,
        place: PlaceId,
        then: impl FnOnce(&mut Self, &mut Frame) -> Result<Option<Items>, Excess>,
        otherwise: impl FnOnce(&mut Self, &mut Frame) -> Result<Option<Items>, Excess>,
    ) -> Result<Option<Items>, Excess> {
        if let Some(data) = self.graph.as_const(condition) {
            return if spec::num::is_truthy(data) { then(self, frame) } else { otherwise(self, frame) };
        }
        let then = self.branch(frame, then)?;
        let otherwise = self.branch(frame, otherwise)?;
        Ok(self.join(frame, condition, place, then, otherwise))
    }

    /// `&&` and `||`: the right side is left out if the left decides, unless computing it cannot hurt.
    pub(super) fn both(
        &mut self,
        frame: &mut Frame,
        op: BinaryOp,
        (left, right): (&Expr, &Expr),
        place: PlaceId,
    ) -> Result<NodeId, Excess> {
        let left = self.item(frame, left)?;
        let (opcode, decides) = match op {
            BinaryOp::Or => (Opcode::BoolOr, true),
            _ => (Opcode::BoolAnd, false),
        };
        if let Some(truth) = self.graph.as_const(left).map(spec::num::is_truthy) {
            return if truth == decides { Ok(left) } else { self.item(frame, right) };
        }
        let rest = self.branch(frame, |lowering, frame| lowering.item(frame, right).map(|item| Some(vec![item])))?;
        let item = rest.value.as_ref().and_then(|items| items.first()).copied().unwrap_or(left);
        if !self.may_fail(left, item, &rest.block) {
            self.effects.extend(rest.block.effects);
            frame.locals = rest.locals;
            return Ok(self.graph.op(opcode, &[left, item], place));
        }
        let decided = self.graph.int(i64::from(decides), place);
        let early = Branch { block: Block::default(), value: Some(vec![decided]), locals: frame.locals.clone() };
        let (then, otherwise) = if decides { (early, rest) } else { (rest, early) };
        let value = self.join(frame, left, place, then, otherwise).unwrap_or_default();
        Ok(value.first().copied().unwrap_or(left))
    }

    /// Where two branches meet: the value of the one taken, if they have one, and what variables are then.
    fn join(
        &mut self,
        frame: &mut Frame,
        condition: NodeId,
        place: PlaceId,
        then: Branch,
        otherwise: Branch,
    ) -> Option<Items> {
        let mut phis = Vec::new();
        let value = match (then.value, otherwise.value) {
            (Some(a), Some(b)) => Some(self.meet(&mut phis, &a, &b, place)),
            _ => None,
        };
        let pairs = then.locals.iter().zip(&otherwise.locals);
        for (local, (a, b)) in frame.locals.iter_mut().zip(pairs) {
            if let (Some(_), Some(a), Some(b)) = (&local, a, b) {
                *local = Some(self.meet(&mut phis, a, b, place));
            }
        }
        let choice = Choice { condition, place, then: then.block, otherwise: otherwise.block, phis, fork: None };
        self.effects.push(Effect::Choose(Box::new(choice)));
        value
    }

    fn branch(
        &mut self,
        frame: &mut Frame,
        lower: impl FnOnce(&mut Self, &mut Frame) -> Result<Option<Items>, Excess>,
    ) -> Result<Branch, Excess> {
        let before = frame.locals.clone();
        let outer = std::mem::take(&mut self.effects);
        let proven = self.proven.len();
        let value = lower(self, frame)?;
        self.proven.truncate(proven);
        let effects = std::mem::replace(&mut self.effects, outer);
        let locals = std::mem::replace(&mut frame.locals, before);
        Ok(Branch { block: Block { effects }, value, locals })
    }

    fn meet(&mut self, phis: &mut Vec<Phi>, then: &[NodeId], otherwise: &[NodeId], place: PlaceId) -> Items {
        debug_assert_eq!(then.len(), otherwise.len(), "both branches give a value of one type");
        then.iter().zip(otherwise).map(|(a, b)| self.meet_item(phis, *a, *b, place)).collect()
    }

    fn meet_item(&mut self, phis: &mut Vec<Phi>, then: NodeId, otherwise: NodeId, place: PlaceId) -> NodeId {
        if then == otherwise {
            return then;
        }
        if let Some(phi) = phis.iter().find(|phi| phi.then == then && phi.otherwise == otherwise) {
            return phi.result;
        }
        let result = self.graph.phi(place);
        phis.push(Phi { result, then, otherwise, verdicts: [None; 2] });
        result
    }

    /// Lowers a match; gives the value of the arm taken, if arms have one.
    pub(super) fn choose_arm(
        &mut self,
        frame: &mut Frame,
        value: &Expr,
        arms: &[Arm],
        loc: &Loc,
    ) -> Result<Option<Items>, Excess> {
        let ty = frame.ty(&value.ty);
        let items = self.expr(frame, value)?;
        let place = self.place(loc);
        self.match_arms(frame, &Matched { ty, items, place }, arms, &|lowering, frame, arm| {
            lowering.block(frame, &arm.body)
        })
    }

    /// Tries the arms in turn; the last one is for whatever is left.
    pub(super) fn match_arms<'h>(
        &mut self,
        frame: &mut Frame,
        matched: &Matched,
        arms: &'h [Arm],
        lower: &LowerArm<'_, 'h>,
    ) -> Result<Option<Items>, Excess> {
        let Some((arm, rest)) = arms.split_first() else { return Ok(None) };
        let tag = *matched.items.first().expect("an enum has a tag");
        let variant = match arm.variant {
            Some(variant) if !rest.is_empty() => variant,
            _ => return self.arm(frame, matched, arm, lower),
        };
        self.descend()?;
        let number = self.graph.int(i64::try_from(variant).unwrap_or(i64::MAX), matched.place);
        let is_it = self.graph.op(Opcode::NumEqual, &[tag, number], matched.place);
        let value = self.either(
            frame,
            is_it,
            matched.place,
            |lowering, frame| lowering.arm(frame, matched, arm, lower),
            |lowering, frame| lowering.match_arms(frame, matched, rest, lower),
        )?;
        self.leave();
        Ok(value)
    }

    fn arm<'h>(
        &mut self,
        frame: &mut Frame,
        matched: &Matched,
        arm: &'h Arm,
        lower: &LowerArm<'_, 'h>,
    ) -> Result<Option<Items>, Excess> {
        let fields = super::parts::fields_of(&matched.ty, &matched.items, arm.variant);
        for (local, field) in arm.bindings.iter().zip(fields) {
            if let Some(local) = local {
                super::set(frame, *local, field);
            }
        }
        lower(self, frame, arm)
    }
}

/// The enum of a match.
pub(super) struct Matched {
    pub(super) ty: analysis::hir::Type,
    pub(super) items: Items,
    pub(super) place: PlaceId,
}
