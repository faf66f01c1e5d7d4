//! What a division becomes: plain statements that demand the exact outputs.

use dashu_base::Gcd;
use dashu_int::IBig;
use spec::Sats;
use syntax::Loc;

use super::{Leaf, Table};
use crate::hir::{
    ArgId, BinaryOp, Block, Builtin, Condition, Contract, Expr, ExprKind, Fact, ItemKind, Local, LocalId, Param,
    ParamId, SpendPath, Stmt, StmtKind, Type,
};
use crate::number::grouped;

/// Makes a variable of a name and type.
type NewLocal<'f> = &'f mut dyn FnMut(String, Type) -> LocalId;

/// The contract that a reward declares: anyone may settle a coin of it, paying at most the fee.
///
/// A token on the coin is not looked at: it was sent by mistake, and demanding anything of it could
/// lock the money.
pub(crate) fn contract(table: &Table) -> Contract {
    let first = ParamId::new(0);
    let mut locals = Vec::new();
    let mut new_local = |name: String, ty: Type| {
        locals.push(Local { name, ty, mutable: false });
        LocalId::new(locals.len() - 1)
    };
    let at = Nodes { loc: &table.loc };
    let fee = at.make(ExprKind::Arg(ArgId::new(0)), Type::Coin);
    let own_value = at.of_coin(Fact::InputValue, at.fact(Fact::InputIndex, Type::Int), Type::Coin);
    let pot = at.binary(BinaryOp::Sub, own_value, fee.clone(), Type::Coin);
    let mut stmts = vec![fee_bound(table, fee)];
    stmts.extend(divide(table, pot, first, &table.loc, &mut new_local));
    let settle = SpendPath {
        name: "settle".into(),
        docs: "Pays every source its share. Anyone may do it; `fee` goes to the miner.".into(),
        loc: table.loc.clone(),
        args: vec![Param { name: "fee".into(), ty: Type::Coin, loc: table.fee_loc.clone() }],
        locals,
        body: Block { stmts, value: None },
    };
    Contract {
        name: table.name.to_string(),
        docs: table.docs.clone(),
        loc: table.loc.clone(),
        params: params(table),
        derived: Vec::new(),
        state: None,
        paths: vec![settle],
        reward: Some(table.shares(first)),
        allows: Vec::new(),
    }
}

fn params(table: &Table) -> Vec<Param> {
    let param = |leaf: &Leaf| Param { name: leaf.param.clone(), ty: Type::Lock, loc: leaf.loc.clone() };
    table.leaves.iter().map(param).collect()
}

fn fee_bound(table: &Table, fee: Expr) -> Stmt {
    let at = Nodes { loc: &table.fee_loc };
    let args = vec![fee, at.sats(0), at.sats(table.fee_max.get() + 1)];
    let holds = at.make(ExprKind::Builtin { builtin: Builtin::Within, args }, Type::Bool);
    at.require(holds, format!("the fee is at most {}", sats_text(table.fee_max)))
}

/// The statements of `split pot by Table`, whose first source is the parameter `first`.
///
/// Worked example, 30 % and 70 %: the first output is `(pot * 3 + 5) / 10`, the second `pot` less that.
pub(crate) fn divide(table: &Table, pot: Expr, first: ParamId, loc: &Loc, new_local: NewLocal<'_>) -> Vec<Stmt> {
    let at = Nodes { loc };
    let pot_local = new_local("pot".into(), Type::Coin);
    let pot_value = || at.make(ExprKind::Local(pot_local), Type::Coin);
    let mut stmts = vec![Stmt { kind: StmtKind::Let { local: pot_local, value: pot }, loc: loc.clone() }];
    stmts.extend(shape(table, loc));
    let minimum = Nodes { loc: &table.minimum_loc };
    let holds = minimum.binary(BinaryOp::GreaterEqual, pot_value(), minimum.sats(table.pot_min().get()), Type::Bool);
    stmts.push(minimum.require(
        holds,
        format!("the pot less the fee is at least {}: the minimum less the largest fee", sats_text(table.pot_min())),
    ));

    let mut ranked: Vec<_> = table.leaves.iter().enumerate().collect();
    ranked.sort_by_key(|(_, leaf)| leaf.rank);
    let mut reached = 0u64;
    let mut paid: Option<LocalId> = None;
    for (output, leaf) in ranked {
        let at = Nodes { loc: &leaf.loc };
        reached += leaf.weight;
        let upto = if reached == table.denominator {
            None
        } else {
            let local = new_local(format!("upto_{}", leaf.param), Type::Coin);
            let value = at.cumulative(pot_value(), reached, table.denominator);
            stmts.push(Stmt { kind: StmtKind::Let { local, value }, loc: leaf.loc.clone() });
            Some(local)
        };
        let end = upto.map_or_else(pot_value, |local| at.make(ExprKind::Local(local), Type::Coin));
        let share = match paid {
            Some(local) => at.binary(BinaryOp::Sub, end, at.make(ExprKind::Local(local), Type::Coin), Type::Coin),
            None => end,
        };
        stmts.extend(payment(table, leaf, output, share, first));
        paid = upto;
    }
    stmts
}

/// The coin is spent alone and the outputs are the sources, nothing else.
fn shape(table: &Table, loc: &Loc) -> [Stmt; 2] {
    let at = Nodes { loc };
    let count = table.leaves.len();
    let equal = |fact, count: usize| {
        let number = at.int(IBig::from(count), Type::Int);
        at.binary(BinaryOp::Equal(ItemKind::Number), at.fact(fact, Type::Int), number, Type::Bool)
    };
    let outputs =
        if count == 1 { "output".to_owned() } else { format!("outputs, one for each source of `{}`", table.name) };
    [
        at.require(equal(Fact::InputCount, 1), "the coin is spent alone: the transaction has one input".into()),
        at.require(equal(Fact::OutputCount, count), format!("the transaction has exactly {count} {outputs}")),
    ]
}

/// Output `output` pays `share` to the leaf's lock.
fn payment(table: &Table, leaf: &Leaf, output: usize, share: Expr, first: ParamId) -> [Stmt; 2] {
    let at = Nodes { loc: &leaf.loc };
    let index = || at.int(IBig::from(output), Type::Int);
    let lock = at.of_coin(Fact::OutputLock, index(), Type::Lock);
    let own = at.make(ExprKind::Param(ParamId::new(first.index() + output)), Type::Lock);
    let value = at.of_coin(Fact::OutputValue, index(), Type::Coin);
    let same_lock = at.binary(BinaryOp::Equal(ItemKind::Bytes), lock, own, Type::Bool);
    let same_value = at.binary(BinaryOp::Equal(ItemKind::Number), value, share, Type::Bool);
    let common = leaf.weight.gcd(table.denominator);
    let (part, whole) = (leaf.weight / common, table.denominator / common);
    let gets = if whole == 1 { "the whole pot".to_owned() } else { format!("{part}/{whole} of the pot") };
    let rounding = if leaf.rank + 1 == table.leaves.len() && whole > 1 { ", and what rounding leaves" } else { "" };
    [
        at.require(same_lock, format!("`{}` is paid at its own lock (output {output})", leaf.name)),
        at.require(same_value, format!("`{}` gets {gets}{rounding} (output {output})", leaf.name)),
    ]
}

fn sats_text(amount: Sats) -> String {
    format!("{} sats", grouped(&IBig::from(amount.get())))
}

/// Makes nodes that stand at one place.
struct Nodes<'l> {
    loc: &'l Loc,
}

impl Nodes<'_> {
    fn make(&self, kind: ExprKind, ty: Type) -> Expr {
        Expr { kind, ty, loc: self.loc.clone() }
    }

    fn int(&self, n: IBig, ty: Type) -> Expr {
        self.make(ExprKind::Int(n), ty)
    }

    fn sats(&self, sats: u64) -> Expr {
        self.int(IBig::from(sats), Type::Coin)
    }

    fn binary(&self, op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
        self.make(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty)
    }

    fn fact(&self, fact: Fact, ty: Type) -> Expr {
        self.make(ExprKind::Introspect { fact, index: None }, ty)
    }

    fn of_coin(&self, fact: Fact, index: Expr, ty: Type) -> Expr {
        self.make(ExprKind::Introspect { fact, index: Some(Box::new(index)) }, ty)
    }

    fn require(&self, holds: Expr, message: String) -> Stmt {
        let kind = StmtKind::Require { condition: Condition::Holds(holds), message };
        Stmt { kind, loc: self.loc.clone() }
    }

    /// `pot · weight / denominator` to the nearest unit, in lowest terms: dividing all three numbers
    /// by a common factor does not change the rounded quotient.
    fn cumulative(&self, pot: Expr, weight: u64, denominator: u64) -> Expr {
        let common = weight.gcd(denominator);
        let (weight, denominator) = (weight / common, denominator / common);
        let scaled = match weight {
            1 => pot,
            weight => self.binary(BinaryOp::Mul, pot, self.int(IBig::from(weight), Type::Int), Type::Coin),
        };
        let raised = self.binary(BinaryOp::Add, scaled, self.sats(denominator / 2), Type::Coin);
        self.binary(BinaryOp::Div, raised, self.int(IBig::from(denominator), Type::Int), Type::Coin)
    }
}
