//! Draws typed programs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use analysis::hir::{
    ArgId, Arm, BinaryOp, Block, Builtin, EnumType, Expr, ExprKind, Function, FunctionId, Functions, ItemKind, LocalId,
    Step, Stmt, StmtKind, StructType, Type, UnaryOp, Variant,
};
use syntax::FileId;

use crate::hir::*;

/// A body that is being drawn.
pub struct Draw {
    pub seed: u64,
    /// How many numbers a record of the path's list has; none without a list.
    pub record_fields: usize,
    pub args: Vec<Type>,
    pub locals: Vec<Type>,
    in_scope: Vec<usize>,
    /// Variables that count rounds: nothing else assigns them.
    counters: Vec<usize>,
    /// Those that may be called.
    functions: Vec<(Vec<Type>, Type)>,
    /// What a `return` gives back, in a function.
    ret: Option<Type>,
}

pub fn pair() -> Type {
    let fields = vec![("a".into(), Type::Int), ("b".into(), Type::Bytes)];
    Type::Struct(StructType { name: "Pair".into(), args: vec![], fields }.into())
}

pub fn three() -> Type {
    Type::Array(Type::Int.into(), 3)
}

pub fn shape() -> Type {
    let variant = |name: &str, fields| Variant { name: name.into(), fields, names: vec![] };
    let variants =
        vec![variant("Empty", vec![]), variant("Size", vec![Type::Int]), variant("Both", vec![Type::Bytes, Type::Int])];
    Type::Enum(EnumType { name: "Shape".into(), args: vec![], variants }.into())
}

fn variants() -> [Vec<Type>; 3] {
    [vec![], vec![Type::Int], vec![Type::Bytes, Type::Int]]
}

/// A list of records of so many numbers.
pub fn list(fields: usize) -> Type {
    let fields = (0..fields).map(|at| (format!("n{at}"), Type::Int)).collect();
    Type::List(StructType { name: "Record".into(), args: vec![], fields }.into())
}

/// What the spender brings.
pub fn args() -> Vec<Type> {
    vec![Type::Int, Type::Int, Type::Bytes, Type::Bool, Type::Bytes, pair(), shape(), three()]
}

fn any_type(draw: &mut Draw) -> Type {
    [Type::Int, Type::Int, Type::Bool, Type::Bytes, pair(), three(), shape()][draw.below(7)].clone()
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            record_fields: 0,
            args: args(),
            locals: vec![],
            in_scope: vec![],
            counters: vec![],
            functions: vec![],
            ret: None,
        }
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % n
    }

    /// Some functions; each may call those before it. The first one is `fn either<T>(c: Bool, a: T, b: T) -> T`.
    pub fn functions(&mut self, count: usize) -> Functions {
        let opaque = Type::Param(0, "T".into());
        let chosen = ExprKind::If {
            condition: Box::new(arg(0, Type::Bool)),
            then: Block { stmts: vec![], value: Some(Box::new(arg(1, opaque.clone()))) },
            otherwise: Block { stmts: vec![], value: Some(Box::new(arg(2, opaque.clone()))) },
        };
        let body = Block { stmts: vec![], value: Some(Box::new(expr(chosen, opaque.clone()))) };
        let params = vec![Type::Bool, opaque.clone(), opaque.clone()];
        let mut drawn = vec![self.function(params, opaque, vec![], body)];
        for _ in 0..count {
            let params: Vec<Type> = (0..1 + self.below(3)).map(|_| any_type(self)).collect();
            let ret = any_type(self);
            let mut inner = Draw {
                seed: self.seed,
                record_fields: 0,
                args: params.clone(),
                locals: vec![],
                in_scope: vec![],
                counters: vec![],
                functions: self.functions.clone(),
                ret: Some(ret.clone()),
            };
            let count = inner.below(4);
            let stmts = (0..count).map(|_| inner.stmt(1)).collect();
            let value = Some(Box::new(inner.expr(ret.clone(), 2)));
            self.seed = inner.seed;
            drawn.push(self.function(params.clone(), ret.clone(), inner.locals, Block { stmts, value }));
            self.functions.push((params, ret));
        }
        drawn.into_iter().collect()
    }

    fn function(&self, params: Vec<Type>, ret: Type, locals: Vec<Type>, body: Block) -> Function {
        Function {
            name: "f".into(),
            docs: String::new(),
            contract: None,
            type_params: vec!["T".into()],
            params: params.into_iter().map(|ty| param("p", ty)).collect(),
            ret,
            locals: path("", vec![], locals, vec![]).locals,
            body,
            loc: loc(),
            allows: Vec::new(),
        }
    }

    /// Forgets the path that was drawn last, but for the functions.
    pub(crate) fn next_path(&mut self) {
        self.record_fields = 0;
        self.locals.clear();
        self.in_scope.clear();
        self.counters.clear();
    }

    /// The statements of a path, and a last check that may read every variable of its outermost block.
    pub fn path(&mut self, size: usize) -> Vec<Stmt> {
        let list_at = self.below(4 * size.max(1));
        let mut stmts = Vec::new();
        for at in 0..size {
            if at == list_at {
                stmts.push(self.each_record());
            }
            stmts.push(self.stmt(2));
        }
        let last = self.expr(Type::Bool, 3);
        stmts.push(require(last, "the last check"));
        stmts
    }

    /// A loop over the records of a list.
    fn each_record(&mut self) -> Stmt {
        self.record_fields = 1 + self.below(2);
        let fields: Vec<usize> = (0..self.record_fields).map(|_| self.new_local(Type::Int)).collect();
        let index = (self.below(2) == 0).then(|| self.counter());
        let scope = self.in_scope.len();
        self.in_scope.extend(fields.iter().copied().chain(index));
        let count = 1 + self.below(3);
        let body = self.block(count, 1);
        self.in_scope.truncate(scope);
        stmt(StmtKind::EachRecord {
            list: ArgId::new(args().len()),
            fields: fields.into_iter().map(LocalId::new).collect(),
            index: index.map(LocalId::new),
            body,
        })
    }

    fn boxed(&mut self, ty: Type, depth: usize) -> Expr {
        self.expr(ty, depth.saturating_sub(1))
    }

    fn leaf(&mut self, ty: Type) -> Expr {
        let known: Vec<usize> = self.in_scope.iter().copied().filter(|at| self.locals[*at] == ty).collect();
        if !known.is_empty() && self.below(2) == 0 {
            let at = self.below(known.len());
            return local(known[at], ty);
        }
        let fitting: Vec<usize> = (0..self.args.len()).filter(|at| self.args[*at] == ty).collect();
        if self.below(3) > 0 && !fitting.is_empty() {
            return arg(fitting[self.below(fitting.len())], ty);
        }
        match &ty {
            Type::Int => int([0, 1, -1, 2, 3, 7, 16, 17, 100, 255, 256, -5, 1000][self.below(13)]),
            Type::Bool => truth(self.below(2) == 0),
            Type::Bytes => bytes(&[1, 2, 3, 4, 5, 6, 7, 8][..self.below(9)]),
            _ => self.made(ty, 0),
        }
    }

    /// A composite value from its parts.
    fn made(&mut self, ty: Type, depth: usize) -> Expr {
        let kind = match &ty {
            Type::Struct(_) => ExprKind::Tuple(vec![self.boxed(Type::Int, depth), self.boxed(Type::Bytes, depth)]),
            Type::Array(..) => ExprKind::Tuple((0..3).map(|_| self.boxed(Type::Int, depth)).collect()),
            _ => {
                let variant = self.below(3);
                let fields = variants()[variant].iter().map(|field| self.boxed(field.clone(), depth)).collect();
                ExprKind::Variant { variant, fields }
            }
        };
        expr(kind, ty)
    }

    pub fn expr(&mut self, ty: Type, depth: usize) -> Expr {
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.below(16) {
            0 | 1 => {
                let condition = Box::new(self.boxed(Type::Bool, depth));
                let then = Block { stmts: vec![], value: Some(Box::new(self.boxed(ty.clone(), depth))) };
                let otherwise = Block { stmts: vec![], value: Some(Box::new(self.boxed(ty.clone(), depth))) };
                return expr(ExprKind::If { condition, then, otherwise }, ty);
            }
            2 => {
                let args =
                    vec![self.boxed(Type::Bool, depth), self.boxed(ty.clone(), depth), self.boxed(ty.clone(), depth)];
                return call(0, vec![ty.clone()], args, ty);
            }
            3 | 4 => {
                let fitting: Vec<usize> = (0..self.functions.len()).filter(|at| self.functions[*at].1 == ty).collect();
                if !fitting.is_empty() {
                    let at = fitting[self.below(fitting.len())];
                    let params = self.functions[at].0.clone();
                    let args = params.into_iter().map(|param| self.boxed(param, depth)).collect();
                    return call(at + 1, vec![], args, ty);
                }
            }
            5 => {
                let value = Box::new(self.boxed(shape(), depth));
                let arms =
                    self.arms(|draw| Block { stmts: vec![], value: Some(Box::new(draw.boxed(ty.clone(), depth))) });
                return expr(ExprKind::Match { value, arms }, ty);
            }
            _ => {}
        }
        match ty {
            Type::Int => self.number(depth),
            Type::Bool => self.truth(depth),
            Type::Bytes => self.data(depth),
            other => {
                if self.below(2) == 0 {
                    self.made(other, depth)
                } else {
                    self.leaf(other)
                }
            }
        }
    }

    /// Arms for the shape: all three variants, or some and one for the others.
    fn arms(&mut self, mut body: impl FnMut(&mut Self) -> Block) -> Vec<Arm> {
        let first = self.below(3);
        let mut arms = Vec::new();
        for at in 0..3 {
            let variant = (first + at) % 3;
            let scope = self.in_scope.len();
            let bindings = variants()[variant]
                .iter()
                .map(|ty| {
                    (self.below(4) > 0).then(|| {
                        let local = self.new_local(ty.clone());
                        self.in_scope.push(local);
                        LocalId::new(local)
                    })
                })
                .collect();
            let catch_all = at > 0 && self.below(3) == 0;
            if catch_all {
                self.in_scope.truncate(scope);
                arms.push(Arm { variant: None, bindings: vec![], body: body(self) });
                return arms;
            }
            arms.push(Arm { variant: Some(variant), bindings, body: body(self) });
            self.in_scope.truncate(scope);
        }
        arms
    }

    fn number(&mut self, depth: usize) -> Expr {
        let choice = self.below(15);
        match choice {
            0..=7 => {
                let op = [
                    BinaryOp::Add,
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::Mul,
                    BinaryOp::Div,
                    BinaryOp::Mod,
                ][choice];
                binary(op, self.boxed(Type::Int, depth), self.boxed(Type::Int, depth), Type::Int)
            }
            8 => unary(UnaryOp::Neg, self.boxed(Type::Int, depth), Type::Int),
            9 => builtin(Builtin::Abs, vec![self.boxed(Type::Int, depth)], Type::Int),
            10 => {
                let which = if self.below(2) == 0 { Builtin::Min } else { Builtin::Max };
                builtin(which, vec![self.boxed(Type::Int, depth), self.boxed(Type::Int, depth)], Type::Int)
            }
            13 => {
                let base = self.boxed(pair(), depth);
                expr(ExprKind::Element { base: Box::new(base), index: 0 }, Type::Int)
            }
            14 => {
                let base = Box::new(self.boxed(three(), depth));
                let index = Box::new(self.small());
                expr(ExprKind::Index { base, index }, Type::Int)
            }
            11 => builtin(Builtin::Size, vec![self.boxed(Type::Bytes, depth)], Type::Int),
            _ => builtin(Builtin::ToInt, vec![self.boxed(Type::Bytes, depth)], Type::Int),
        }
    }

    fn truth(&mut self, depth: usize) -> Expr {
        use ItemKind::{Bytes, Number};
        let comparisons = [
            BinaryOp::Equal(Number),
            BinaryOp::NotEqual(Number),
            BinaryOp::Less,
            BinaryOp::LessEqual,
            BinaryOp::Greater,
            BinaryOp::GreaterEqual,
        ];
        match self.below(13) {
            at @ 0..=5 => {
                binary(comparisons[at], self.boxed(Type::Int, depth), self.boxed(Type::Int, depth), Type::Bool)
            }
            6 => unary(UnaryOp::Not, self.boxed(Type::Bool, depth), Type::Bool),
            7 => {
                let op = if self.below(2) == 0 { BinaryOp::And } else { BinaryOp::Or };
                binary(op, self.boxed(Type::Bool, depth), self.boxed(Type::Bool, depth), Type::Bool)
            }
            8 => {
                let args = (0..3).map(|_| self.boxed(Type::Int, depth)).collect();
                builtin(Builtin::Within, args, Type::Bool)
            }
            11 | 12 => {
                let ty = [pair(), three(), shape()][self.below(3)].clone();
                let op = if self.below(2) == 0 { BinaryOp::Equal(Bytes) } else { BinaryOp::NotEqual(Bytes) };
                binary(op, self.boxed(ty.clone(), depth), self.boxed(ty, depth), Type::Bool)
            }
            9 => binary(
                BinaryOp::Equal(Bytes),
                self.boxed(Type::Bytes, depth),
                self.boxed(Type::Bytes, depth),
                Type::Bool,
            ),
            _ => binary(
                BinaryOp::NotEqual(Bytes),
                self.boxed(Type::Bytes, depth),
                self.boxed(Type::Bytes, depth),
                Type::Bool,
            ),
        }
    }

    fn data(&mut self, depth: usize) -> Expr {
        let inner = self.boxed(Type::Bytes, depth);
        let at = self.below(4) as i64;
        match self.below(10) {
            9 => {
                let base = self.boxed(pair(), depth);
                expr(ExprKind::Element { base: Box::new(base), index: 1 }, Type::Bytes)
            }
            0 | 1 => binary(BinaryOp::Concat, inner, self.boxed(Type::Bytes, depth), Type::Bytes),
            2 => builtin(Builtin::Prefix, vec![inner, int(at)], Type::Bytes),
            3 => builtin(Builtin::Suffix, vec![inner, int(at)], Type::Bytes),
            4 => builtin(Builtin::Slice, vec![inner, int(at), int(at + 2)], Type::Bytes),
            5 => builtin(Builtin::Reverse, vec![inner], Type::Bytes),
            6 => builtin(Builtin::Sha256, vec![inner], Type::Bytes),
            7 => builtin(Builtin::Hash160, vec![inner], Type::Bytes),
            _ => builtin(Builtin::ToBytes, vec![self.boxed(Type::Int, depth), int(9 + at)], Type::Bytes),
        }
    }

    /// A number that often is one of an element.
    fn small(&mut self) -> Expr {
        match self.below(4) {
            0 => {
                let some = builtin(Builtin::Size, vec![self.expr(Type::Bytes, 1)], Type::Int);
                builtin(Builtin::Min, vec![some, int(2)], Type::Int)
            }
            1 => {
                let counters: Vec<usize> =
                    self.in_scope.iter().copied().filter(|at| self.counters.contains(at)).collect();
                match counters.last() {
                    Some(at) => local(*at, Type::Int),
                    None => int(2),
                }
            }
            _ => int(self.below(8) as i64 % 3),
        }
    }

    fn new_local(&mut self, ty: Type) -> usize {
        self.locals.push(ty);
        self.locals.len() - 1
    }

    fn block(&mut self, count: usize, nesting: usize) -> Block {
        let scope = self.in_scope.len();
        let stmts = (0..count).map(|_| self.stmt(nesting)).collect();
        self.in_scope.truncate(scope);
        Block { stmts, value: None }
    }

    fn stmt(&mut self, nesting: usize) -> Stmt {
        match self.below(if nesting > 0 { 14 } else { 7 }) {
            0..=2 => {
                let ty = any_type(self);
                let value = self.expr(ty.clone(), 2);
                let at = self.new_local(ty);
                self.in_scope.push(at);
                stmt(StmtKind::Let { local: LocalId::new(at), value })
            }
            3 | 4 if !self.in_scope.is_empty() => self.assign(nesting),
            3..=6 => {
                // Two sides that are often true together.
                let condition = self.expr(Type::Bool, 2);
                let likely = binary(BinaryOp::Or, condition, self.expr(Type::Bool, 1), Type::Bool);
                require(likely, "a check")
            }
            7 | 8 => self.counted(nesting),
            9 => self.conditional(nesting),
            10 => {
                let value = self.expr(shape(), 2);
                let arms = self.arms(|draw| {
                    let count = draw.below(3);
                    draw.block(count, nesting - 1)
                });
                stmt(StmtKind::Match { value, arms })
            }
            11 if self.ret.is_some() => {
                // A branch that leaves the function.
                let ty = self.ret.clone().unwrap();
                let condition = self.expr(Type::Bool, 2);
                let count = self.below(2);
                let mut then = self.block(count, 0);
                then.stmts.push(stmt(StmtKind::Return(Some(self.expr(ty, 2)))));
                let count = self.below(2);
                let otherwise = self.block(count, 0);
                stmt(StmtKind::If { condition, then, otherwise })
            }
            _ => {
                let condition = self.expr(Type::Bool, 2);
                let (a, b) = (self.below(4), self.below(3));
                let then = self.block(a, nesting - 1);
                let otherwise = self.block(b, nesting - 1);
                stmt(StmtKind::If { condition, then, otherwise })
            }
        }
    }

    /// Another value for a variable or for a part of it.
    fn assign(&mut self, nesting: usize) -> Stmt {
        let chosen = self.below(self.in_scope.len());
        let at = self.in_scope[chosen];
        if self.counters.contains(&at) {
            return self.stmt(nesting);
        }
        let whole = self.locals[at].clone();
        let (place, ty) = match (&whole, self.below(3)) {
            (Type::Struct(_), 0) => (vec![Step::Element(0)], Type::Int),
            (Type::Struct(_), 1) => (vec![Step::Element(1)], Type::Bytes),
            (Type::Array(..), 0) => (vec![Step::Element(self.below(3))], Type::Int),
            (Type::Array(..), 1) => (vec![Step::Index(self.small())], Type::Int),
            _ => (vec![], whole),
        };
        let value = self.expr(ty, 2);
        stmt(StmtKind::Assign { local: LocalId::new(at), place, value })
    }

    fn counter(&mut self) -> usize {
        let at = self.new_local(Type::Int);
        self.counters.push(at);
        at
    }

    /// A `for` from one small number to another, known or not.
    fn counted(&mut self, nesting: usize) -> Stmt {
        let index = self.counter();
        let first = self.below(3) as i64 - 1;
        let (from, to) = match self.below(3) {
            0 => (int(first), int(first + self.below(4) as i64)),
            1 => {
                let some = builtin(Builtin::Size, vec![self.expr(Type::Bytes, 1)], Type::Int);
                (int(first), builtin(Builtin::Min, vec![some, int(2)], Type::Int))
            }
            _ => {
                let from = self.expr(Type::Int, 1);
                (from.clone(), binary(BinaryOp::Add, from, int(self.below(4) as i64), Type::Int))
            }
        };
        let known = matches!((&from.kind, &to.kind), (ExprKind::Int(_), ExprKind::Int(_)));
        let scope = self.in_scope.len();
        self.in_scope.push(index);
        let count = 1 + self.below(3);
        // Only loops whose rounds are known can be left by a `return`.
        let ret = if known { self.ret.clone() } else { None };
        let outer = std::mem::replace(&mut self.ret, ret);
        let body = self.block(count, nesting - 1);
        self.ret = outer;
        self.in_scope.truncate(scope);
        let rounds_max = 2 + self.below(3) as u32;
        let rounds_max = if known { 10 } else { rounds_max };
        stmt(StmtKind::For { index: LocalId::new(index), from, to, rounds_max, body })
    }

    /// A `while` that usually ends, because it counts as well.
    fn conditional(&mut self, nesting: usize) -> Stmt {
        let counter = self.counter();
        let id = LocalId::new(counter);
        let scope = self.in_scope.len();
        self.in_scope.push(counter);
        let end = int(self.below(4) as i64);
        let goes_on = binary(BinaryOp::Less, local(counter, Type::Int), end, Type::Bool);
        let more = self.expr(Type::Bool, 1);
        let op = if self.below(4) == 0 { BinaryOp::Or } else { BinaryOp::And };
        let condition = if self.below(3) == 0 { goes_on } else { binary(op, goes_on, more, Type::Bool) };
        let count = 1 + self.below(3);
        let outer = self.ret.take();
        let mut body = self.block(count, nesting - 1);
        self.ret = outer;
        let next = binary(BinaryOp::Add, local(counter, Type::Int), int(1), Type::Int);
        body.stmts.push(stmt(StmtKind::Assign { local: id, place: vec![], value: next }));
        self.in_scope.truncate(scope);
        let rounds = stmt(StmtKind::While { condition, rounds_max: 1 + self.below(4) as u32, body });
        let start = stmt(StmtKind::Let { local: id, value: int(0) });
        // Both as one statement.
        let then = Block { stmts: vec![start, rounds], value: None };
        stmt(StmtKind::If { condition: truth(true), then, otherwise: Block::default() })
    }
}

fn call(at: usize, type_args: Vec<Type>, args: Vec<Expr>, ty: Type) -> Expr {
    let function = FunctionId::new(FileId::default(), at);
    expr(ExprKind::Call { function, type_args, args }, ty)
}
