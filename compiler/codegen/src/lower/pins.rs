//! Arguments of one length or form: what is not pinned by its use gets a check of its own.
//!
//! Without one, anybody could lengthen an argument of a transaction under way, or replace a truth
//! value by another true one. A use pins an argument of fixed length if it happens on every run of the path:
//! - it is the key of a signature check, which refuses everything that is no key;
//! - it, or its hash, is compared for equality with something the spender does not choose.

use analysis::hir;
use spec::Opcode;

use super::{Frame, Lowering, is_arg};
use crate::mir::{Effect, Graph, NodeId, Operation};

impl Lowering<'_> {
    /// Puts the missing checks before everything else.
    pub(super) fn pin_args(&mut self, path: &hir::SpendPath, frame: &Frame) {
        let body = std::mem::take(&mut self.effects);
        for (arg, items) in path.args.iter().zip(&frame.args) {
            if let [item] = items.as_slice() {
                self.pin(arg, *item, &body);
            }
        }
        self.effects.extend(body);
    }

    fn pin(&mut self, arg: &hir::Param, item: NodeId, body: &[Effect]) {
        let (wanted, message) = match (&arg.ty, arg.ty.fixed_len()) {
            // The length of `true` is 1, that of `false` 0: only they are their own length.
            (hir::Type::Bool, _) => (None, format!("argument `{}` must be true or false", arg.name)),
            (_, Some(len)) if !is_pinned(&self.graph, item, body) => {
                (Some(len), format!("argument `{}` must have {len} bytes", arg.name))
            }
            _ => return,
        };
        let place = self.place(&arg.loc);
        let len = self.graph.compute(Operation::Length, &[item], place);
        let value = match wanted {
            Some(wanted) => {
                let wanted = self.graph.int(i64::from(wanted), place);
                self.graph.op(Opcode::NumEqual, &[len, wanted], place)
            }
            None => self.graph.op(Opcode::Equal, &[len, item], place),
        };
        let site = self.site(&message, &arg.loc);
        self.effects.push(Effect::Verify { value, site, place });
    }
}

fn is_pinned(graph: &Graph, item: NodeId, body: &[Effect]) -> bool {
    body.iter().any(|effect| match effect {
        Effect::Verify { value, .. } => pins(graph, *value, item),
        Effect::Lock { .. } | Effect::Choose(_) => false,
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
