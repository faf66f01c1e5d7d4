//! Evaluation of plan expressions: exact, bounded in time and memory, without any input or output.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::expr::{CoinFact, Expr, FactOf, IfOf, LockOf, MapOf, Op, ParamOf, Spanned, Typed};
use super::ops::{apply, item, kind, part_at, place, place_of, range, size};
use super::{Each, Plan};
use crate::artifact::{Misfit, SourceSpan, Value};
use crate::units::Sats;

/// What an evaluation asks of the world around it.
///
/// Numbers are places, as in the plan. Each method may say that it does not know.
pub trait World {
    /// An argument's value.
    ///
    /// # Errors
    /// [`Missing`] if there is none, or it is a signature that is made later.
    fn arg(&self, arg: usize) -> Result<Value, Missing>;

    /// A parameter of an input's contract.
    ///
    /// # Errors
    /// [`Missing`] if the input spends no contract or there is no such parameter.
    fn param(&self, input: usize, param: usize) -> Result<Value, Missing>;

    /// How many coins an input stands for.
    ///
    /// # Errors
    /// [`Missing`] if they are not chosen yet.
    fn coins(&self, input: usize) -> Result<usize, Missing>;

    /// Something about one of an input's coins.
    ///
    /// # Errors
    /// [`Missing`] if the coin is not chosen yet or has nothing of the kind.
    fn fact(&self, input: usize, coin: usize, what: CoinFact) -> Result<Value, Missing>;

    /// The place in the transaction of one of the plan's outputs.
    ///
    /// # Errors
    /// [`Missing`] if it is not known yet.
    fn output(&self, output: usize) -> Result<usize, Missing>;

    /// What the transaction leaves to the miner, in base units.
    ///
    /// # Errors
    /// [`Missing`] if it is not known yet.
    fn fee(&self) -> Result<Sats, Missing>;

    /// The lock at which the wallet takes change.
    ///
    /// # Errors
    /// [`Missing`] if there is none.
    fn wallet(&self) -> Result<Vec<u8>, Missing>;

    /// The lock of a contract whose parameters, those that are not computed, have these values.
    ///
    /// # Errors
    /// [`Missing`] if there is no such contract or the values are not its parameters'.
    fn lock(&self, contract: &str, params: &[Value]) -> Result<Vec<u8>, Missing>;
}

/// The world does not know something; why, in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub String);

/// An expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// Why.
    pub fault: Fault,
    /// The innermost place in the source that is known.
    pub span: Option<SourceSpan>,
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for EvalError {}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The world does not know something.
    #[error("{0}")]
    Missing(String),
    /// A value is of another kind than an operation takes.
    #[error("`{op}` takes {expected}, not {found}")]
    Kind {
        /// The operation.
        op: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it got.
        found: &'static str,
    },
    /// An operation has another number of values than it takes.
    #[error("`{0}` does not take so many values")]
    Arity(&'static str),
    /// A number leaves the range of 127 bits.
    #[error("the result of `{0}` is too large")]
    Overflow(&'static str),
    /// A division by zero.
    #[error("a division by zero")]
    DivideByZero,
    /// A place that a value does not have.
    #[error("`{op}` asks for place {place} of {len}")]
    OutOfRange {
        /// The operation.
        op: &'static str,
        /// The place.
        place: i128,
        /// How many there are.
        len: usize,
    },
    /// Weights are no weights: none, or one that is not above zero, or an amount that is no money.
    #[error("`split` takes an amount and weights above zero")]
    Weights,
    /// An input is several coins, and nothing says which one is meant.
    #[error("input {0} is several coins, and nothing says which")]
    WhichCoin(usize),
    /// A local that nothing binds.
    #[error("local {0} is not bound")]
    Unbound(usize),
    /// A name that is needed for its own value.
    #[error("local {0} needs its own value")]
    Circular(usize),
    /// A value does not fit the type by which it is encoded.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Bytes are no value of the type by which they are read.
    #[error("the bytes are no `{0}`")]
    NotStored(String),
    /// A condition of the source does not hold; what its author says then.
    #[error("{0}")]
    Refused(String),
    /// An expression nests too deep.
    #[error("an expression nests too deep")]
    TooDeep,
    /// An evaluation takes too long or makes too much.
    #[error("the plan takes too much work to evaluate")]
    TooMuch,
}

impl From<Missing> for Fault {
    fn from(Missing(why): Missing) -> Self {
        Self::Missing(why)
    }
}

/// How deep evaluations may nest.
const DEPTH_MAX: usize = 200;
/// How much one evaluator may do: each step counts one, and one more for each part and 16 bytes of its value.
const WORK_MAX: u64 = 20_000_000;

/// Evaluates the expressions of one plan over one world.
///
/// What a name stands for is computed once; so an evaluator must not outlive a change of its world.
///
/// ```
/// use spec::artifact::Value;
/// use spec::plan::{CoinFact, Evaluator, Expr, Missing, Op, Plan, World};
/// struct Nothing;
/// impl World for Nothing {
///     fn arg(&self, arg: usize) -> Result<Value, Missing> { Ok(Value::Int(arg as i128 + 40)) }
/// #   fn param(&self, _: usize, _: usize) -> Result<Value, Missing> { Err(Missing("no".into())) }
/// #   fn coins(&self, _: usize) -> Result<usize, Missing> { Ok(0) }
/// #   fn fact(&self, _: usize, _: usize, _: CoinFact) -> Result<Value, Missing> { Err(Missing("no".into())) }
/// #   fn output(&self, _: usize) -> Result<usize, Missing> { Err(Missing("no".into())) }
/// #   fn fee(&self) -> Result<spec::Sats, Missing> { Err(Missing("the fee is not known".into())) }
/// #   fn wallet(&self) -> Result<Vec<u8>, Missing> { Err(Missing("no".into())) }
/// #   fn lock(&self, _: &str, _: &[Value]) -> Result<Vec<u8>, Missing> { Err(Missing("no".into())) }
///     // and the other methods
/// }
/// let plan = Plan::default();
/// let mut evaluator = Evaluator::new(&plan, &Nothing);
/// assert_eq!(evaluator.eval(&Expr::op(Op::Add, [Expr::Arg(1), Expr::Int(1)])), Ok(Value::Int(42)));
/// assert_eq!(evaluator.eval(&Expr::Fee).unwrap_err().to_string(), "the fee is not known");
/// ```
#[derive(Debug)]
pub struct Evaluator<'a, W: World> {
    plan: &'a Plan,
    world: &'a W,
    /// What loops have bound, the innermost last.
    bound: Vec<(usize, Rc<Value>)>,
    /// What names stand for; none while it is computed.
    named: BTreeMap<usize, Option<Rc<Value>>>,
    args: BTreeMap<usize, Rc<Value>>,
    params: BTreeMap<(usize, usize), Rc<Value>>,
    /// The input and coin that facts without a number speak of.
    at_hand: Option<(usize, usize)>,
    depth: usize,
    work: u64,
}

type Outcome = Result<Rc<Value>, EvalError>;

impl<'a, W: World> Evaluator<'a, W> {
    /// An evaluator that has computed nothing yet.
    pub const fn new(plan: &'a Plan, world: &'a W) -> Self {
        Self {
            plan,
            world,
            bound: Vec::new(),
            named: BTreeMap::new(),
            args: BTreeMap::new(),
            params: BTreeMap::new(),
            at_hand: None,
            depth: 0,
            work: 0,
        }
    }

    /// Lets a name stand for a value that is known already.
    pub fn bind(&mut self, local: usize, value: Value) {
        self.named.insert(local, Some(Rc::new(value)));
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// [`EvalError`] says why it has none.
    pub fn eval(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        self.value(expr).map(Rc::unwrap_or_clone)
    }

    /// The value of an expression in which facts about `input` without a number speak of its coin `coin`.
    ///
    /// # Errors
    /// As [`Evaluator::eval`].
    pub fn eval_for(&mut self, input: usize, coin: usize, expr: &Expr) -> Result<Value, EvalError> {
        let before = self.at_hand.replace((input, coin));
        let value = self.eval(expr);
        self.at_hand = before;
        value
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Evaluator::eval`], and if the value is of another kind.
    pub fn int(&mut self, expr: &Expr) -> Result<i128, EvalError> {
        let value = self.value(expr)?;
        value.int().ok_or_else(|| kind("this place", "a number", &value).into())
    }

    /// A string of bytes.
    ///
    /// # Errors
    /// As [`Evaluator::eval`], and if the value is of another kind.
    pub fn bytes(&mut self, expr: &Expr) -> Result<Vec<u8>, EvalError> {
        let value = self.value(expr)?;
        value.bytes().map(<[u8]>::to_vec).ok_or_else(|| kind("this place", "a string of bytes", &value).into())
    }

    /// A truth value.
    ///
    /// # Errors
    /// As [`Evaluator::eval`], and if the value is of another kind.
    pub fn truth(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        match *self.value(expr)? {
            Value::Bool(truth) => Ok(truth),
            ref other => Err(kind("this place", "a truth value", other).into()),
        }
    }

    /// Runs `body` once for each part of a loop's list, with the part bound, and gives what each round gave.
    ///
    /// # Errors
    /// What `body` gives, and as [`Evaluator::eval`] for the list.
    pub fn each<T, E: From<EvalError>>(
        &mut self,
        each: &Each,
        mut body: impl FnMut(&mut Self) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let list = self.value(&each.list)?;
        let parts = list.parts().ok_or_else(|| EvalError::from(kind("a loop", "a list", &list)))?;
        let mut out = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            out.push(self.with(each.item, each.index, at, part, &mut body)?);
        }
        Ok(out)
    }

    fn with<T, E: From<EvalError>>(
        &mut self,
        item: usize,
        index: Option<usize>,
        at: usize,
        part: &Value,
        body: &mut impl FnMut(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.spend(size(part))?;
        let outer = self.bound.len();
        self.bound.push((item, Rc::new(part.clone())));
        self.bound.extend(index.map(|index| (index, Rc::new(place(at)))));
        let result = body(self);
        self.bound.truncate(outer);
        result
    }

    fn spend(&mut self, work: u64) -> Result<(), EvalError> {
        self.work = self.work.saturating_add(work);
        if self.work > WORK_MAX { Err(Fault::TooMuch.into()) } else { Ok(()) }
    }

    fn value(&mut self, expr: &Expr) -> Outcome {
        self.depth += 1;
        let value = if self.depth > DEPTH_MAX { Err(Fault::TooDeep.into()) } else { self.step(expr) };
        self.depth -= 1;
        let value = value?;
        let made = match expr {
            // These only hand on what was counted when it was made.
            Expr::Local(_) | Expr::Arg(_) | Expr::Param(_) | Expr::At(_) | Expr::Check(_) => 1,
            _ => 1 + size(&value),
        };
        self.spend(made)?;
        Ok(value)
    }

    fn step(&mut self, expr: &Expr) -> Outcome {
        Ok(match expr {
            Expr::Int(n) => Rc::new(Value::Int((*n).into())),
            Expr::Bool(truth) => Rc::new(Value::Bool(*truth)),
            Expr::Bytes(bytes) => Rc::new(Value::Bytes(bytes.clone())),
            Expr::Fee => Rc::new(Value::Int(self.world.fee()?.get().into())),
            Expr::Wallet => Rc::new(Value::Bytes(self.world.wallet()?)),
            Expr::Arg(arg) => self.arg(*arg)?,
            Expr::Local(local) => self.local(*local)?,
            Expr::Param(of) => self.param(*of)?,
            Expr::Fact(of) => Rc::new(self.fact(of)?),
            Expr::Coins(input) => Rc::new(range(0, self.world.coins(*input)?)),
            Expr::Output(output) => Rc::new(place(self.world.output(*output)?)),
            Expr::Lock(of) => Rc::new(self.lock(of)?),
            Expr::Parts(parts) => Rc::new(Value::Parts(self.all(parts)?)),
            Expr::Variant(of) => Rc::new(Value::Variant(of.variant, self.all(&of.fields)?)),
            Expr::Field(of) => Rc::new(part_at("field", &*self.value(&of.of)?, place_of(of.field))?),
            Expr::If(of) => self.choice(of)?,
            Expr::Map(of) => Rc::new(self.map(of)?),
            Expr::Check(of) if self.truth(&of.condition)? => self.value(&of.of)?,
            Expr::Check(of) => return Err(Fault::Refused(of.message.clone()).into()),
            Expr::Store(of) => Rc::new(Value::Bytes(of.ty.stored(&*self.value(&of.value)?)?)),
            Expr::Load(of) => Rc::new(self.load(of)?),
            Expr::Item(of) => Rc::new(Value::Bytes(item(&of.ty, &*self.value(&of.value)?)?)),
            Expr::At(Spanned { span, of }) => {
                let placed = |error: EvalError| EvalError { span: error.span.or(Some(*span)), ..error };
                self.value(of).map_err(placed)?
            }
            Expr::Op(op, of) => Rc::new(self.operation(*op, of)?),
        })
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, EvalError> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn arg(&mut self, arg: usize) -> Outcome {
        if let Some(known) = self.args.get(&arg) {
            return Ok(Rc::clone(known));
        }
        let value = Rc::new(self.world.arg(arg)?);
        self.spend(size(&value))?;
        self.args.insert(arg, Rc::clone(&value));
        Ok(value)
    }

    fn param(&mut self, of: ParamOf) -> Outcome {
        if let Some(known) = self.params.get(&(of.input, of.param)) {
            return Ok(Rc::clone(known));
        }
        let value = Rc::new(self.world.param(of.input, of.param)?);
        self.spend(size(&value))?;
        self.params.insert((of.input, of.param), Rc::clone(&value));
        Ok(value)
    }

    fn local(&mut self, local: usize) -> Outcome {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| *bound == local) {
            return Ok(Rc::clone(value));
        }
        match self.named.get(&local) {
            Some(Some(value)) => return Ok(Rc::clone(value)),
            Some(None) => return Err(Fault::Circular(local).into()),
            None => {}
        }
        let named = self.plan.lets.iter().find(|named| named.local == local).ok_or(Fault::Unbound(local))?;
        self.named.insert(local, None);
        // A name stands outside of all loops, and means the same wherever it is used.
        let (bound, at_hand) = (std::mem::take(&mut self.bound), self.at_hand.take());
        let value = self.value(&named.value);
        (self.bound, self.at_hand) = (bound, at_hand);
        match value {
            Ok(value) => {
                self.named.insert(local, Some(Rc::clone(&value)));
                Ok(value)
            }
            Err(error) => {
                self.named.remove(&local);
                Err(error)
            }
        }
    }

    fn fact(&mut self, of: &FactOf) -> Result<Value, EvalError> {
        let coin = match &of.coin {
            Some(coin) => {
                let coin = self.int(coin)?;
                let len = self.world.coins(of.input)?;
                let known = usize::try_from(coin).ok().filter(|coin| *coin < len);
                known.ok_or(Fault::OutOfRange { op: "fact", place: coin, len })?
            }
            None => self.only_coin(of.input)?,
        };
        Ok(self.world.fact(of.input, coin, of.what)?)
    }

    /// The coin of an input that is meant where nothing says which.
    ///
    /// # Errors
    /// [`EvalError`] if it is several, or none is chosen yet.
    pub fn only_coin(&self, input: usize) -> Result<usize, EvalError> {
        match (self.at_hand, self.world.coins(input)) {
            (Some((at_hand, coin)), _) if at_hand == input => Ok(coin),
            (_, Ok(1)) => Ok(0),
            (_, Ok(_)) => Err(Fault::WhichCoin(input).into()),
            (_, Err(missing)) => Err(missing.into()),
        }
    }

    fn lock(&mut self, of: &LockOf) -> Result<Value, EvalError> {
        let args = self.all(&of.args)?;
        Ok(Value::Bytes(self.world.lock(&of.contract, &args)?))
    }

    fn choice(&mut self, of: &IfOf) -> Outcome {
        let holds = self.truth(&of.condition)?;
        self.value(if holds { &of.then } else { &of.otherwise })
    }

    fn map(&mut self, of: &MapOf) -> Result<Value, EvalError> {
        let each = Each { list: of.list.clone(), item: of.item, index: of.index };
        self.each(&each, |inner| inner.eval(&of.value)).map(Value::Parts)
    }

    fn load(&mut self, of: &Typed) -> Result<Value, EvalError> {
        let bytes = self.bytes(&of.value)?;
        of.ty.load(&bytes).ok_or_else(|| Fault::NotStored(of.ty.to_string()).into())
    }

    fn operation(&mut self, op: Op, of: &[Expr]) -> Result<Value, EvalError> {
        if !op.takes(of.len()) {
            return Err(Fault::Arity(op.name()).into());
        }
        if let Op::And | Op::Or = op {
            for expr in of {
                if self.truth(expr)? == (op == Op::Or) {
                    return Ok(Value::Bool(op == Op::Or));
                }
            }
            return Ok(Value::Bool(op == Op::And));
        }
        let values = of.iter().map(|expr| self.value(expr)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<&Value> = values.iter().map(Rc::as_ref).collect();
        Ok(apply(op, &values)?)
    }
}

impl From<Fault> for EvalError {
    fn from(fault: Fault) -> Self {
        Self { fault, span: None }
    }
}

impl From<Missing> for EvalError {
    fn from(missing: Missing) -> Self {
        Fault::from(missing).into()
    }
}

impl From<Misfit> for EvalError {
    fn from(misfit: Misfit) -> Self {
        Fault::from(misfit).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Let;

    /// Two coins of 700 and 800 at input 0, nothing known of input 1, arguments 5 and a list.
    struct Desk;

    impl World for Desk {
        fn arg(&self, arg: usize) -> Result<Value, Missing> {
            match arg {
                0 => Ok(Value::Int(5)),
                1 => Ok(Value::Parts(vec![Value::Int(1), Value::Int(2), Value::Int(3)])),
                _ => Err(Missing(format!("argument {arg} is a signature"))),
            }
        }

        fn param(&self, _: usize, param: usize) -> Result<Value, Missing> {
            Ok(place(param))
        }

        fn coins(&self, input: usize) -> Result<usize, Missing> {
            if input == 0 { Ok(2) } else { Err(Missing("not chosen yet".into())) }
        }

        fn fact(&self, _: usize, coin: usize, _: CoinFact) -> Result<Value, Missing> {
            Ok(Value::Int(700 + 100 * place_of(coin)))
        }

        fn output(&self, output: usize) -> Result<usize, Missing> {
            Ok(output + 1)
        }

        fn fee(&self) -> Result<Sats, Missing> {
            Ok(Sats::from_wire(300))
        }

        fn wallet(&self) -> Result<Vec<u8>, Missing> {
            Ok(vec![0x51])
        }

        fn lock(&self, contract: &str, params: &[Value]) -> Result<Vec<u8>, Missing> {
            Ok([contract.as_bytes(), &[u8::try_from(params.len()).unwrap()]].concat())
        }
    }

    fn named(local: usize, json: &str) -> Let {
        Let { local, name: format!("n{local}"), value: serde_json::from_str(json).unwrap() }
    }

    fn eval(json: &str) -> Result<String, String> {
        let lets = vec![named(7, r#"{"add":[{"local":8},1]}"#), named(8, "41"), named(9, r#"{"add":[{"local":9}]}"#)];
        let plan = Plan { lets, ..Plan::default() };
        let expr: Expr = serde_json::from_str(json).unwrap();
        let value = Evaluator::new(&plan, &Desk).eval(&expr);
        value.map(|value| show(&value)).map_err(|error| error.to_string())
    }

    fn show(value: &Value) -> String {
        match value {
            Value::Int(n) => n.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Bytes(bytes) => hex::encode(bytes),
            Value::Parts(parts) => parts.iter().map(show).collect::<Vec<_>>().join(" "),
            Value::List { records, .. } => records.iter().map(show).collect::<Vec<_>>().join(" "),
            Value::Variant(tag, fields) => format!("{tag}({})", fields.iter().map(show).collect::<String>()),
        }
    }

    #[test]
    fn expressions_have_exact_values() {
        for (json, value) in [
            (r#"{"add":[1,2,{"arg":0}]}"#, "8"),
            (r#"{"div":[-7,2]}"#, "-3"),
            (r#"{"mod":[-7,2]}"#, "-1"),
            (r#"{"mul":[9223372036854775807,9223372036854775807]}"#, "85070591730234615847396907784232501249"),
            (r#"{"min":[3,1,2]}"#, "1"),
            (r#"{"max":[3,1,2]}"#, "3"),
            (r#"{"and":[true,{"ge":[5,5]}]}"#, "true"),
            (r#"{"or":[{"lt":[1,2]},{"div":[1,0]}]}"#, "true"),
            (r#"{"and":[{"gt":[1,2]},{"div":[1,0]}]}"#, "false"),
            (r#"{"if":{"condition":true,"then":1,"otherwise":{"div":[1,0]}}}"#, "1"),
            (r#"{"ne":["0x01","0x02"]}"#, "true"),
            (r#"{"cat":["0x01",{"to_bytes":[-1,4]},{"encode":[300]}]}"#, "01010000802c01"),
            (r#"{"slice":["0x01020304",1,3]}"#, "0203"),
            (r#"{"to_int":["0x2c0100"]}"#, "300"),
            (r#"{"reverse":["0x0102"]}"#, "0201"),
            (r#"{"len":["0x0102"]}"#, "2"),
            (r#"{"hash160":["0x"]}"#, "b472a266d0bd89c13706a4132ccfb16f7c3b9fcb"),
            (r#"{"p2pkh":[{"hash160":["0x"]}]}"#, "76a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb88ac"),
            (r#"{"local":7}"#, "42"),
            (
                r#"{"sum":[{"map":{"list":{"coins":0},"item":1,"value":{"fact":{"input":0,"coin":{"local":1},"what":"value"}}}}]}"#,
                "1500",
            ),
            (
                r#"{"map":{"list":{"arg":1},"item":1,"index":2,"value":{"mul":[{"local":1},{"local":2},{"local":7}]}}}"#,
                "0 84 252",
            ),
            (r#"{"split":[{"sub":[10,"fee"]},{"arg":1}]}"#, ""),
            (r#"{"split":[1001,{"arg":1}]}"#, "167 334 500"),
            (r#"{"sums":[{"arg":1}]}"#, "1 3 6"),
            (r#"{"index":[{"arg":1},2]}"#, "3"),
            (r#"{"field":{"of":{"variant":{"variant":1,"fields":[8]}},"field":0}}"#, "8"),
            (r#"{"tag":[{"variant":{"variant":1,"fields":[8]}}]}"#, "1"),
            (r#"{"join":[{"range":[1,3]},{"parts":[9]}]}"#, "1 2 9"),
            (r#"{"count":[{"arg":1}]}"#, "3"),
            (r#"{"store":{"type":"(Int<2>, Bool)","value":{"parts":[258,true]}}}"#, "020101"),
            (r#"{"load":{"type":"(Int<2>, Bool)","value":"0x020101"}}"#, "258 true"),
            (r#"{"item":{"type":"Int","value":258}}"#, "0201"),
            (r#"{"lock":{"contract":"A","args":[1,2]}}"#, "4102"),
            (r#"{"add":[{"output":1},{"param":{"input":0,"param":3}},"fee"]}"#, "305"),
            (r#""wallet""#, "51"),
        ] {
            if value.is_empty() {
                assert_eq!(eval(json).unwrap_err(), "`split` takes an amount and weights above zero");
            } else {
                assert_eq!(eval(json).as_deref(), Ok(value), "{json}");
            }
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        for (json, why) in [
            (r#"{"div":[1,0]}"#, "a division by zero"),
            (r#"{"add":[1,true]}"#, "`add` takes a number, not a truth value"),
            (r#"{"cat":[1]}"#, "`cat` takes a string of bytes, not a number"),
            (r#"{"sum":[1]}"#, "`sum` takes a list, not a number"),
            (r#"{"mul":[9223372036854775807,9223372036854775807,9]}"#, "the result of `mul` is too large"),
            (r#"{"slice":["0x0102",1,3]}"#, "`slice` asks for place 3 of 2"),
            (r#"{"index":[{"arg":1},-1]}"#, "`index` asks for place -1 of 3"),
            (r#"{"arg":2}"#, "argument 2 is a signature"),
            (r#"{"fact":{"input":0,"what":"value"}}"#, "input 0 is several coins, and nothing says which"),
            (r#"{"fact":{"input":0,"coin":2,"what":"value"}}"#, "`fact` asks for place 2 of 2"),
            (r#"{"fact":{"input":1,"what":"value"}}"#, "not chosen yet"),
            (r#"{"local":3}"#, "local 3 is not bound"),
            (r#"{"local":9}"#, "local 9 needs its own value"),
            (r#"{"load":{"type":"Bool","value":"0x02"}}"#, "the bytes are no `Bool`"),
            (r#"{"store":{"type":"Int<1>","value":128}}"#, "a number does not fit `Int<1>`"),
            (r#"{"to_bytes":[1,1000000000]}"#, "the result of `to_bytes` is too large"),
            (r#"{"range":[0,1000000000]}"#, "the result of `range` is too large"),
            (
                r#"{"map":{"list":{"range":[0,9999]},"item":1,"value":{"map":{"list":{"range":[0,9999]},"item":2,"value":1}}}}"#,
                "the plan takes too much work to evaluate",
            ),
        ] {
            assert_eq!(eval(json), Err(why.to_owned()), "{json}");
        }
        let deep = (0..1_000).fold(Expr::Bool(true), |inner, _| Expr::op(Op::Not, [inner]));
        let error = Evaluator::new(&Plan::default(), &Desk).eval(&deep).unwrap_err();
        assert_eq!(error.fault, Fault::TooDeep);
    }

    #[test]
    fn names_mean_the_same_inside_of_loops_and_outside() {
        let plan = Plan { lets: vec![named(0, r#"{"fact":{"input":0,"what":"value"}}"#)], ..Plan::default() };
        let fact = Expr::fact(0, CoinFact::Value);
        let mut evaluator = Evaluator::new(&plan, &Desk);
        assert_eq!(evaluator.eval_for(0, 1, &fact), Ok(Value::Int(800)));
        assert_eq!(evaluator.eval_for(0, 1, &Expr::Local(0)).unwrap_err().fault, Fault::WhichCoin(0));
    }

    #[test]
    fn an_error_names_the_innermost_place() {
        let span = |line| SourceSpan { line, ..SourceSpan::default() };
        let at = |line, of| Expr::At(Spanned { span: span(line), of: Box::new(of) });
        let inner = at(2, Expr::op(Op::Div, [Expr::Int(1), Expr::Int(0)]));
        let error = Evaluator::new(&Plan::default(), &Desk).eval(&at(1, Expr::op(Op::Neg, [inner]))).unwrap_err();
        assert_eq!(error.span.map(|span| span.line), Some(2));
    }
}
