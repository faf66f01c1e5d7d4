//! Expressions.

use analysis::hir::{BinaryOp, Builtin, Expr, ExprKind, Fact, ItemKind, Type, UnaryOp};
use spec::Opcode;
use spec::script::{Instruction, TruncatedPush, instructions};

use super::parts::fields_of;
use super::parts::width;
use super::{Excess, Frame, Items, Lowering};
use crate::code::{Instr, Op, PlaceId};
use crate::holes::Place;
use crate::mir::{Effect, NodeId, Operation, Run};
use crate::number;

/// Bit 22 of a sequence number says that it counts units of 512 seconds.
const AGE_IN_SECONDS: i64 = 1 << 22;
const AGE_UNIT_SECONDS: i64 = 512;

impl Lowering<'_> {
    /// The items of a value.
    pub(super) fn expr(&mut self, frame: &mut Frame, expr: &Expr) -> Result<Items, Excess> {
        self.descend()?;
        let place = self.place(&expr.loc);
        let value = match &expr.kind {
            ExprKind::Int(n) => vec![self.graph.bytes(number::encode(n), place)],
            ExprKind::Bool(truth) => vec![self.graph.int(i64::from(*truth), place)],
            ExprKind::Bytes(data) => vec![self.graph.bytes(data.clone(), place)],
            ExprKind::Param(param) => match self.holes.of(*param) {
                Place::Holes(leaves) => leaves.map(|leaf| self.leaf(leaf, place)).collect(),
                Place::Values(values) => values.iter().map(|value| self.graph.bytes(value.clone(), place)).collect(),
            },
            ExprKind::Arg(arg) => frame.args.get(arg.index()).expect("analysis resolved the argument").clone(),
            ExprKind::Local(local) => frame.local(*local).to_vec(),
            ExprKind::Call { function, type_args, args } => self
                .call(frame, *function, type_args, args, &expr.loc)?
                .expect("analysis sees that the function gives a value"),
            ExprKind::If { condition, then, otherwise } => self
                .choose(frame, condition, then, otherwise, &expr.loc)?
                .expect("analysis sees that both blocks give a value"),
            ExprKind::Match { value, arms } => {
                self.choose_arm(frame, value, arms, &expr.loc)?.expect("analysis sees that all blocks give a value")
            }
            ExprKind::Tuple(parts) => {
                let mut items = Items::new();
                for part in parts {
                    items.extend(self.expr(frame, part)?);
                }
                items
            }
            ExprKind::Element { base, index } => self.part_of(frame, base, *index)?,
            ExprKind::Index { base, index } => self.indexed(frame, base, index, &expr.loc)?,
            ExprKind::Variant { variant, fields } => self.variant(frame, expr, *variant, fields)?,
            ExprKind::Is { value, variant } => vec![self.is_variant(frame, value, *variant, place)?],
            ExprKind::Payload { value, variant, index } => {
                let items = self.expr(frame, value)?;
                let mut fields = fields_of(&frame.ty(&value.ty), &items, Some(*variant));
                fields.get_mut(*index).map(std::mem::take).unwrap_or_default()
            }
            ExprKind::Block(block) => self.block(frame, block)?.expect("analysis sees that the block gives a value"),
            ExprKind::Builtin { builtin: Builtin::Cast, args } => {
                self.expr(frame, args.first().expect("a cast has an operand"))?
            }
            ExprKind::Asm { inputs, code } => self.given(frame, expr, inputs, code)?,
            _ => vec![self.computation(frame, expr, place)?],
        };
        self.leave();
        Ok(value)
    }

    /// The only item of a value.
    pub(super) fn item(&mut self, frame: &mut Frame, expr: &Expr) -> Result<NodeId, Excess> {
        let items = self.expr(frame, expr)?;
        Ok(*items.first().expect("analysis sees that the value is one item"))
    }

    /// Instructions as their author wrote them.
    fn given(&mut self, frame: &mut Frame, expr: &Expr, inputs: &[Expr], code: &[u8]) -> Result<Items, Excess> {
        let place = self.place(&expr.loc);
        let mut taken = Vec::with_capacity(inputs.len());
        for input in inputs {
            taken.extend(self.expr(frame, input)?);
        }
        let count = width(&frame.ty(&expr.ty));
        let refused = |why| Excess::Given { loc: expr.loc.clone(), why };
        analysis::asm_effect(code, taken.len(), count, self.rules).map_err(|fault| refused(fault.why))?;
        let read = |step: Result<Instruction<'_>, TruncatedPush>| {
            let op = Op::read(&step.ok()?)?;
            Some(Instr { op, place, site: None })
        };
        let code = instructions(code).filter_map(read).collect();
        let results: Items = (0..count).map(|_| self.graph.phi(place)).collect();
        self.effects.push(Effect::Run(Box::new(Run { code, place, inputs: taken, results: results.clone() })));
        Ok(results)
    }

    fn exprs<'e>(
        &mut self,
        frame: &mut Frame,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Vec<NodeId>, Excess> {
        exprs.into_iter().map(|expr| self.item(frame, expr)).collect()
    }

    /// The expressions that an opcode computes.
    fn computation(&mut self, frame: &mut Frame, expr: &Expr, place: PlaceId) -> Result<NodeId, Excess> {
        match &expr.kind {
            ExprKind::Unary { op, operand } => {
                let operand = self.item(frame, operand)?;
                Ok(self.graph.op(unary(*op), &[operand], place))
            }
            ExprKind::Binary { op: op @ (BinaryOp::Equal(_) | BinaryOp::NotEqual(_)), left, right }
                if left.ty.is_composite() || matches!(left.ty, Type::Param(..)) =>
            {
                let ty = frame.ty(&left.ty);
                let (left, right) = (self.expr(frame, left)?, self.expr(frame, right)?);
                let same = self.same(&ty, &left, &right, &expr.loc);
                Ok(if matches!(op, BinaryOp::Equal(_)) { same } else { self.graph.op(Opcode::Not, &[same], place) })
            }
            ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                self.both(frame, *op, (left, right), place)
            }
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.item(frame, left)?, self.item(frame, right)?);
                Ok(self.binary(*op, left, right, place))
            }
            ExprKind::Introspect { fact, index } => {
                let index = self.exprs(frame, index.as_deref())?;
                Ok(self.graph.op(fact_opcode(*fact), &index, place))
            }
            ExprKind::Builtin { builtin, args } => {
                let args = self.exprs(frame, args)?;
                Ok(self.builtin(*builtin, &args, place))
            }
            ExprKind::Signed { key, sig } => {
                let inputs = self.exprs(frame, [sig.as_ref(), key])?;
                Ok(self.graph.op(Opcode::CheckSig, &inputs, place))
            }
            ExprKind::DataSigned { key, message, sig } => {
                let inputs = self.exprs(frame, [sig.as_ref(), message, key])?;
                Ok(self.graph.op(Opcode::CheckDataSig, &inputs, place))
            }
            ExprKind::Threshold { keys, required, sigs } => {
                let mut inputs = frame.args.get(sigs.index()).cloned().unwrap_or_default();
                inputs.push(self.graph.int(i64::from(*required), place));
                inputs.extend(self.exprs(frame, keys)?);
                inputs.push(self.graph.int(i64::try_from(keys.len()).unwrap_or(i64::MAX), place));
                Ok(self.graph.op(Opcode::CheckMultiSig, &inputs, place))
            }
            ExprKind::Int(_)
            | ExprKind::Bool(_)
            | ExprKind::Bytes(_)
            | ExprKind::Param(_)
            | ExprKind::Arg(_)
            | ExprKind::Local(_)
            | ExprKind::Call { .. }
            | ExprKind::If { .. }
            | ExprKind::Match { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Element { .. }
            | ExprKind::Index { .. }
            | ExprKind::Variant { .. }
            | ExprKind::Is { .. }
            | ExprKind::Payload { .. }
            | ExprKind::Block(_)
            | ExprKind::Asm { .. } => self.item(frame, expr),
        }
    }

    fn is_variant(
        &mut self,
        frame: &mut Frame,
        value: &Expr,
        variant: usize,
        place: PlaceId,
    ) -> Result<NodeId, Excess> {
        let tag = self.item(frame, value)?;
        let number = self.graph.int(i64::try_from(variant).unwrap_or(i64::MAX), place);
        Ok(self.graph.op(Opcode::NumEqual, &[tag, number], place))
    }

    fn binary(&mut self, op: BinaryOp, left: NodeId, right: NodeId, place: PlaceId) -> NodeId {
        let opcode = match op {
            BinaryOp::NotEqual(ItemKind::Bytes) => {
                let equal = self.graph.op(Opcode::Equal, &[left, right], place);
                return self.graph.op(Opcode::Not, &[equal], place);
            }
            BinaryOp::NotEqual(ItemKind::Number) => Opcode::NumNotEqual,
            BinaryOp::Equal(ItemKind::Number) => Opcode::NumEqual,
            BinaryOp::Equal(ItemKind::Bytes) => Opcode::Equal,
            BinaryOp::Add => Opcode::Add,
            BinaryOp::Sub => Opcode::Sub,
            BinaryOp::Mul => Opcode::Mul,
            BinaryOp::Div => Opcode::Div,
            BinaryOp::Mod => Opcode::Mod,
            BinaryOp::Less => Opcode::LessThan,
            BinaryOp::LessEqual => Opcode::LessThanOrEqual,
            BinaryOp::Greater => Opcode::GreaterThan,
            BinaryOp::GreaterEqual => Opcode::GreaterThanOrEqual,
            BinaryOp::And => Opcode::BoolAnd,
            BinaryOp::Or => Opcode::BoolOr,
            BinaryOp::BitAnd => Opcode::And,
            BinaryOp::BitOr => Opcode::Or,
            BinaryOp::BitXor => Opcode::Xor,
            BinaryOp::ShiftLeft(ItemKind::Number) => Opcode::LShiftNum,
            BinaryOp::ShiftLeft(ItemKind::Bytes) => Opcode::LShiftBin,
            BinaryOp::ShiftRight(ItemKind::Number) => Opcode::RShiftNum,
            BinaryOp::ShiftRight(ItemKind::Bytes) => Opcode::RShiftBin,
            BinaryOp::Concat => Opcode::Cat,
        };
        self.graph.op(opcode, &[left, right], place)
    }

    fn builtin(&mut self, builtin: Builtin, args: &[NodeId], place: PlaceId) -> NodeId {
        let opcode = match builtin {
            Builtin::Sha256 => Opcode::Sha256,
            Builtin::Sha1 => Opcode::Sha1,
            Builtin::Ripemd160 => Opcode::Ripemd160,
            Builtin::Hash160 => Opcode::Hash160,
            Builtin::Hash256 => Opcode::Hash256,
            Builtin::ToBytes => Opcode::Num2Bin,
            Builtin::ToInt => Opcode::Bin2Num,
            Builtin::Reverse => Opcode::ReverseBytes,
            Builtin::Abs => Opcode::Abs,
            Builtin::Min => Opcode::Min,
            Builtin::Max => Opcode::Max,
            Builtin::Within => Opcode::Within,
            Builtin::Size => return self.graph.compute(Operation::Length, args, place),
            Builtin::Prefix => return self.graph.compute(Operation::Head, args, place),
            Builtin::Suffix => return self.graph.compute(Operation::Tail, args, place),
            Builtin::Slice => return self.slice(args, place),
            Builtin::LockP2pkh => return self.wrapped(&[0x76, 0xa9, 0x14], args, &[0x88, 0xac], place),
            Builtin::LockP2sh32 => return self.wrapped(&[0xaa, 0x20], args, &[0x87], place),
            Builtin::Cast => return *args.first().expect("a cast has an operand"),
            Builtin::AgeUnits => return self.age_units(args, place),
        };
        self.graph.op(opcode, args, place)
    }

    fn slice(&mut self, args: &[NodeId], place: PlaceId) -> NodeId {
        let [data, from, to] = *args else { unreachable!("a slice has three operands") };
        let head = self.graph.compute(Operation::Head, &[data, to], place);
        if self.graph.as_const(from) == Some(&[]) {
            return head;
        }
        self.graph.compute(Operation::Tail, &[head, from], place)
    }

    /// The argument between two constants.
    fn wrapped(&mut self, before: &[u8], args: &[NodeId], after: &[u8], place: PlaceId) -> NodeId {
        let mut value = self.graph.bytes(before.to_vec(), place);
        for arg in args {
            value = self.graph.op(Opcode::Cat, &[value, *arg], place);
        }
        let after = self.graph.bytes(after.to_vec(), place);
        self.graph.op(Opcode::Cat, &[value, after], place)
    }

    fn age_units(&mut self, args: &[NodeId], place: PlaceId) -> NodeId {
        let seconds = *args.first().expect("a duration is one operand");
        let round_up = self.graph.int(AGE_UNIT_SECONDS - 1, place);
        let unit = self.graph.int(AGE_UNIT_SECONDS, place);
        let flag = self.graph.int(AGE_IN_SECONDS, place);
        let padded = self.graph.op(Opcode::Add, &[seconds, round_up], place);
        let units = self.graph.op(Opcode::Div, &[padded, unit], place);
        self.graph.op(Opcode::Add, &[units, flag], place)
    }
}

const fn unary(op: UnaryOp) -> Opcode {
    match op {
        UnaryOp::Neg => Opcode::Negate,
        UnaryOp::Not => Opcode::Not,
        UnaryOp::BitNot => Opcode::Invert,
    }
}

const fn fact_opcode(fact: Fact) -> Opcode {
    match fact {
        Fact::TxVersion => Opcode::TxVersion,
        Fact::TxLocktime => Opcode::TxLockTime,
        Fact::InputCount => Opcode::TxInputCount,
        Fact::OutputCount => Opcode::TxOutputCount,
        Fact::InputIndex => Opcode::InputIndex,
        Fact::ActiveBytecode => Opcode::ActiveBytecode,
        Fact::InputValue => Opcode::UtxoValue,
        Fact::InputLock => Opcode::UtxoBytecode,
        Fact::InputTxid => Opcode::OutpointTxHash,
        Fact::InputOutpointIndex => Opcode::OutpointIndex,
        Fact::InputUnlock => Opcode::InputBytecode,
        Fact::InputSequence => Opcode::InputSequenceNumber,
        Fact::InputCategory => Opcode::UtxoTokenCategory,
        Fact::InputCommitment => Opcode::UtxoTokenCommitment,
        Fact::InputTokens => Opcode::UtxoTokenAmount,
        Fact::OutputValue => Opcode::OutputValue,
        Fact::OutputLock => Opcode::OutputBytecode,
        Fact::OutputCategory => Opcode::OutputTokenCategory,
        Fact::OutputCommitment => Opcode::OutputTokenCommitment,
        Fact::OutputTokens => Opcode::OutputTokenAmount,
    }
}
