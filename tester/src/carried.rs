//! Plans of the program that a test carries out.

use std::collections::BTreeMap;

use driver::Carried;
use spec::artifact::{AbiType, AbiValue, Value};
use spec::hash::sha256;
use spec::plan::{Evaluator, Expr, PathArg, Plan};
use wallet::{Arg, Args, Deployed, FeeRate, Key, PlanWish, Signer, Utxo};

use crate::ledger::Ledger;
use crate::people;
use crate::tried::{Deal, Unmade, whole};
use crate::values::part_types;
use crate::world::Known;

/// Builds the plan's transaction over all coins of the chain. Where the plan says no lock time, it has `locktime`.
pub(crate) fn make(
    known: &Known<'_>,
    locals: &BTreeMap<usize, Value>,
    carried: &Carried,
    locktime: Option<u32>,
    ledger: &Ledger,
) -> Result<Deal, Unmade> {
    let missing = || Unmade::Coin(format!("no contract without mistakes has the plan `{}`", carried.name));
    let mut plan = known.plan(&carried.name, &carried.declared).ok_or_else(missing)?.clone();
    plan.locktime = plan.locktime.take().or(locktime.map(|time| whole(time.into())));
    let args = args(known, locals, carried, &plan)?;
    let mut named = BTreeMap::new();
    for (input, coins) in &carried.coins {
        let outpoints = coins.iter().map(|coin| known.outpoint(*coin)).collect::<Result<_, _>>();
        named.insert(input.clone(), outpoints.map_err(|missing| Unmade::Coin(missing.0))?);
    }
    let coins: Vec<Utxo> = ledger.utxos().collect();
    let deployments: Vec<Deployed> = known.deployed.borrow().values().cloned().collect();
    let keys: Vec<Key> = known.keys.iter().copied().chain(people::made_up()).collect();
    let wish = PlanWish {
        program: known.program,
        plan: &plan,
        args: &args,
        deployments: &deployments,
        coins: &coins,
        keys: &keys,
        payer: Some(people::faucet()),
        named: &named,
        rate: FeeRate::RELAY_MIN,
    };
    let forged = wallet::unjudged(&wish).map_err(|error| Unmade::Plan(Box::new(error)))?;
    Ok(Deal::new(forged, &plan))
}

fn args(known: &Known<'_>, locals: &BTreeMap<usize, Value>, carried: &Carried, plan: &Plan) -> Result<Args, Unmade> {
    let nothing = Plan::default();
    let mut evaluator = Evaluator::new(&nothing, known);
    locals.iter().for_each(|(local, value)| evaluator.bind(*local, value.clone()));
    let mut giver = Giver { known, evaluator };
    let mut args = Args::new();
    for (name, arg) in &carried.args {
        let slot = plan.args.iter().find(|slot| slot.name == *name);
        let slot = slot.ok_or_else(|| Unmade::Coin(format!("the plan `{}` takes no `{name}`", plan.name)))?;
        args.insert(name.clone(), giver.arg(arg, &slot.ty)?);
    }
    Ok(args)
}

/// Whoever gives a plan its arguments.
struct Giver<'k, 'p> {
    known: &'k Known<'p>,
    evaluator: Evaluator<'k, Known<'p>>,
}

impl Giver<'_, '_> {
    fn arg(&mut self, arg: &PathArg, ty: &AbiType) -> Result<Arg, Unmade> {
        Ok(match arg {
            PathArg::Value(expr) => self.value(expr, ty)?,
            PathArg::Given(at) => self.value(&Expr::Arg(*at), ty)?,
            PathArg::Sign(key) => Arg::Sign(self.key(key)?),
            PathArg::SignEach(keys) => {
                let signers = keys.iter().map(|key| Ok(Signer { position: None, key: self.key(key)? }));
                Arg::SignEach(signers.collect::<Result<_, Unmade>>()?)
            }
            PathArg::Attest { key, message } => {
                let message = self.evaluator.bytes(message)?;
                Arg::Value(AbiValue::Item(self.key(key)?.sign(&sha256(&message)).to_vec()))
            }
            PathArg::Parts(parts) => {
                let types = part_types(ty, parts.len());
                let parts = parts.iter().zip(types).map(|(part, ty)| self.arg(part, &ty));
                Arg::Parts(parts.collect::<Result<_, _>>()?)
            }
        })
    }

    fn value(&mut self, expr: &Expr, ty: &AbiType) -> Result<Arg, Unmade> {
        let value = self.evaluator.eval(expr)?;
        let given = ty.encode(&value).map_err(|misfit| Unmade::Coin(misfit.to_string()))?;
        Ok(Arg::Value(given))
    }

    fn key(&mut self, owner: &Expr) -> Result<Key, Unmade> {
        let owner = self.evaluator.bytes(owner)?;
        let known = self.known.owner(&owner);
        known.ok_or_else(|| Unmade::Coin(format!("nobody of the test has the key of 0x{}", hex::encode(owner))))
    }
}
