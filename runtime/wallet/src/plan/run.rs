//! From a wish to a signed transaction: rounds until the fee and everything that depends on it agree.

use std::collections::{BTreeMap, BTreeSet};

use spec::artifact::AbiType;
use spec::plan::{Age, Change, Source};
use spec::{Mode, Rules, Sats, SpendContext, Transaction};

use super::scene::Scene;
use super::{Carried, Forged, Forgery, PlanError, PlanFault, PlanWish, args, choose, ledger, outputs, publish};
use crate::clock::{TimeAsk, age_in_blocks, age_in_seconds, free_sequence};
use crate::coins::STANDARD_TX_BYTES_MAX;
use crate::contract::{Args, ContractUnlock};
use crate::draft::{BuildError, Draft, Fixed, Purse, Refusal, Unlock, Unsigned};
use crate::padding;

/// The fee is sought from below. A larger one has longer pushes and so costs more, but a handful of rounds reaches it.
const ROUNDS_MAX: usize = 12;

/// Builds the transaction of a plan, signs it, and lets the machine judge every input.
///
/// What it gives back is accepted by the rules of relay as far as scripts, money and tokens go; whether coins are old
/// enough and the lock time has come is the chain's to say.
///
/// # Errors
/// [`PlanError`] names the part of the plan and what is in its way.
pub fn carry_out(wish: &PlanWish<'_>) -> Result<Carried, PlanError> {
    let (mut scene, round) = settled(wish)?;
    if let Some(error) = round.refused {
        return Err(error);
    }
    let len_bytes = round.unsigned.len_bytes().map_err(|error| scene.plan_error(error))?;
    if len_bytes > STANDARD_TX_BYTES_MAX {
        return Err(scene.plan_error(PlanFault::TooLarge(len_bytes)));
    }
    let inputs = names(&scene, round.unsigned.inputs.len());
    let built = round.unsigned.build(wish.program.rules()).map_err(|error| refusal(&scene, error))?;
    let contracts = contracts(&scene);
    let mut made = scene.named_locks.take();
    made.retain(|lock, _| built.tx.outputs.iter().any(|output| output.lock == *lock));
    Ok(Carried { first: std::mem::take(&mut scene.first), built, inputs, contracts, made })
}

/// The locks whose coins a plan may spend: those of the payer and the keys, and those of the contracts as far as they
/// are known before any coin is.
///
/// # Errors
/// [`PlanError`] if the arguments do not fit.
pub fn locks_of(wish: &PlanWish<'_>) -> Result<BTreeSet<Vec<u8>>, PlanError> {
    let scene = scene_of(wish)?;
    let mut locks: BTreeSet<Vec<u8>> = wish.keys.iter().chain(&wish.payer).map(crate::keys::Key::lock).collect();
    for input in &wish.plan.inputs {
        let found = match &input.source {
            Source::Contract(source) => choose::locks(&scene, source),
            Source::Key(source) => {
                scene.evaluator().bytes(&source.owner).map(|owner| vec![choose::lock_of_owner(&owner)]).ok()
            }
            Source::Genesis => None,
        };
        locks.extend(found.into_iter().flatten());
    }
    Ok(locks)
}

fn scene_of<'a>(wish: &'a PlanWish<'a>) -> Result<Scene<'a>, PlanError> {
    Scene::new(wish).map_err(|fault| {
        let plan = wish.plan.name.clone();
        PlanError { plan, part: String::new(), place: None, fault: Box::new(fault) }
    })
}

/// What a plan would give, changed by `change` before it is signed and without asking the machine: for tests of what a
/// contract refuses.
///
/// What the plan itself demands is not asked either.
///
/// # Errors
/// [`PlanError`] if there is nothing to change, or the change adds or takes away inputs.
pub fn forge(wish: &PlanWish<'_>, change: impl FnOnce(&mut Forgery<'_>)) -> Result<Forged, PlanError> {
    let (scene, mut round) = settled(wish)?;
    let mut tx = round.unsigned.frame();
    let of = |input: &Fixed<'_>| match &input.unlock {
        Unlock::Contract(contract) => contract.args.clone(),
        Unlock::Key(_) | Unlock::Ready(_) => Args::new(),
    };
    let mut args: Vec<Args> = round.unsigned.inputs.iter().map(of).collect();
    change(&mut Forgery { tx: &mut tx, args: &mut args });
    for (input, changed) in round.unsigned.inputs.iter_mut().zip(args) {
        if let Unlock::Contract(contract) = &mut input.unlock {
            contract.args = changed;
        }
    }
    if tx.inputs.len() != round.unsigned.inputs.len() {
        return Err(
            scene.plan_error(BuildError::Abi(spec::artifact::AbiError::Inconsistent("a forgery keeps its inputs")))
        );
    }
    signed(scene, &round, tx)
}

/// The transaction of a plan, signed, without asking the machine: for whoever judges it.
///
/// # Errors
/// [`PlanError`] if it cannot be built, or a condition of the plan does not hold.
pub fn unjudged(wish: &PlanWish<'_>) -> Result<Forged, PlanError> {
    let (scene, mut round) = settled(wish)?;
    match round.refused.take() {
        Some(error) => Err(error),
        None => {
            let tx = round.unsigned.frame();
            signed(scene, &round, tx)
        }
    }
}

fn signed(mut scene: Scene<'_>, round: &Round<'_>, tx: Transaction) -> Result<Forged, PlanError> {
    let tx = round.unsigned.signed(tx).map_err(|error| scene.plan_error(error))?;
    let (spent, contracts, named) = (round.unsigned.spent(), contracts(&scene), scene.named_locks.take());
    let inputs = names(&scene, spent.len());
    Ok(Forged { first: std::mem::take(&mut scene.first), tx, spent, inputs, contracts, named })
}

/// A transaction that pays for itself, before it is signed.
struct Round<'a> {
    unsigned: Unsigned<'a>,
    /// The plan's condition that does not hold.
    refused: Option<PlanError>,
    /// What the transaction leaves to the miner.
    fee: Sats,
    /// What nodes ask for it.
    asked: Sats,
}

fn settled<'a>(wish: &'a PlanWish<'a>) -> Result<(Scene<'a>, Round<'a>), PlanError> {
    let mut scene = scene_of(wish)?;
    for at in 0..ROUNDS_MAX {
        scene.fee_read.set(false);
        let mut round = round(&mut scene)?;
        let fee = scene.fee.unwrap_or_default();
        let enough = round.fee == fee && round.fee >= round.asked;
        let steady = !scene.fee_read.get() || enough;
        let padded = steady && pad(&mut scene, &mut round.unsigned).map_err(|error| scene.plan_error(error))?;
        if steady && !padded {
            let round = check_fee(&scene, round)?;
            return Ok((scene, round));
        }
        scene.fee = Some(fee.max(round.fee).max(round.asked));
        if at + 1 == ROUNDS_MAX {
            check_fee(&scene, round)?;
        }
    }
    Err(scene.plan_error(PlanFault::NoFee))
}

/// Refuses a transaction that leaves less to the miner than nodes ask.
fn check_fee<'a>(scene: &Scene<'_>, round: Round<'a>) -> Result<Round<'a>, PlanError> {
    let (left, asked) = (round.fee, round.asked);
    if left >= asked {
        return Ok(round);
    }
    let len_bytes = round.unsigned.len_bytes().map_err(|error| scene.plan_error(error))?;
    // An input that no padding helps has the longest: why its script refuses says more than what that costs.
    if let Err(error @ BuildError::Refused(_)) = round.unsigned.build(scene.wish.program.rules()) {
        return Err(refusal(scene, error));
    }
    Err(scene.plan_error(PlanFault::FeeTooLow { left, asked, len_bytes }))
}

fn round<'a>(scene: &mut Scene<'a>) -> Result<Round<'a>, PlanError> {
    let chosen = choose::choose(scene).and_then(|()| publish::prepare(scene));
    if let Err(error) = chosen {
        // A condition that speaks of the arguments alone says more than that there are no coins for them.
        return Err(requires(scene).ok().flatten().unwrap_or(error));
    }
    let refused = requires(scene)?;
    if !scene.fee_read.get()
        && let Some(error) = refused
    {
        return Err(error);
    }
    let mut outputs = outputs::outputs(scene)?;
    outputs.extend(scene.published.iter().filter_map(publish::Published::output));
    let (fixed, locktime, locked) = inputs(scene)?;
    let balance = ledger::balance(scene, &outputs).map_err(|fault| scene.plan_error(fault))?;
    outputs.extend(balance.outputs);
    let mut draft = Draft { fixed, outputs, locktime, sequence: free_sequence(locked) };
    if let Some(payer) = scene.wish.payer {
        let sequence = draft.sequence;
        let of = |coin| Fixed { coin, unlock: Unlock::Key(payer), sequence };
        draft.fixed.extend(balance.inputs.into_iter().map(of));
    }
    let unsigned = fund(scene, draft)?;
    let measure = || Ok((unsigned.fee()?, scene.wish.rate.fee(unsigned.len_bytes()?)));
    let (fee, asked) = measure().map_err(|error: BuildError| scene.plan_error(error))?;
    Ok(Round { unsigned, refused, fee, asked })
}

/// The first condition of the plan that does not hold.
fn requires(scene: &Scene<'_>) -> Result<Option<PlanError>, PlanError> {
    let mut evaluator = scene.evaluator();
    for require in &scene.wish.plan.requires {
        let part = || "a condition".to_owned();
        match evaluator.truth(&require.condition) {
            Ok(true) => {}
            Ok(false) => {
                return Ok(Some(scene.error(String::new(), require.span, PlanFault::Require(require.message.clone()))));
            }
            Err(error) => return Err(scene.error(part(), require.span, error)),
        }
    }
    Ok(None)
}

/// Lets the payer pay what is missing and take what is over.
fn fund<'a>(scene: &Scene<'a>, draft: Draft<'a>) -> Result<Unsigned<'a>, PlanError> {
    let change = match &scene.wish.plan.change {
        Change::None => return Ok(draft.unfunded()),
        Change::Wallet => None,
        Change::To(lock) => Some(scene.evaluator().bytes(lock).map_err(|error| scene.plan_error(error))?),
    };
    let mut purse = scene.purse().map_err(|fault| scene.plan_error(fault))?;
    let taken = |coin: &crate::coins::Utxo| draft.fixed.iter().any(|input| input.coin.outpoint == coin.outpoint);
    purse.coins.retain(|coin| !taken(coin));
    let purse = Purse { change_lock: change.unwrap_or_else(|| purse.change_lock.clone()), ..purse };
    let fee_min = scene.fee.filter(|_| scene.fee_read.get()).unwrap_or_default();
    draft.funded(&purse, scene.wish.rate, fee_min).map_err(|error| scene.plan_error(error))
}

/// An input's coin before its sequence is known.
struct Waiting<'a> {
    input: usize,
    coin: usize,
    contract: Option<ContractUnlock<'a>>,
}

/// The plan's inputs, those that publish behind them, the lock time, and whether it is in force.
fn inputs<'a>(scene: &Scene<'a>) -> Result<(Vec<Fixed<'a>>, u32, bool), PlanError> {
    let waiting = unlocks(scene)?;
    let contracts = || waiting.iter().filter_map(|waiting| Some((waiting, waiting.contract.as_ref()?)));
    let locktime = match &scene.wish.plan.locktime {
        Some(expr) => {
            let n = scene.evaluator().int(expr).map_err(|error| scene.plan_error(error))?;
            u32::try_from(n).map_err(|_| scene.plan_error(PlanFault::Range { what: "a lock time", n }))?
        }
        None => {
            let least = contracts().map(|(waiting, contract)| {
                ask(scene, waiting, contract).locktime().map_err(|error| scene.input_error(waiting.input, error))
            });
            latest(scene, &least.collect::<Result<Vec<_>, _>>()?)?
        }
    };
    let locked = locktime > 0 || contracts().any(|(_, contract)| !contract.path.time.locktime.is_empty());
    let mut fixed = Vec::new();
    for waiting in waiting {
        fixed.push(timed(scene, waiting, free_sequence(locked))?);
    }
    for (coin, chunk) in scene.published.iter().flat_map(|published| &published.coins) {
        let unlock = Unlock::Ready(chunk.unlock());
        fixed.push(Fixed { coin: coin.clone(), unlock, sequence: free_sequence(locked) });
    }
    Ok((fixed, locktime, locked))
}

/// The least lock time that all accept.
fn latest(scene: &Scene<'_>, least: &[u32]) -> Result<u32, PlanError> {
    let last = least.iter().copied().max().unwrap_or(0);
    let is_time = |n: u32| n >= crate::clock::FIRST_TIME_U32;
    let mixed = least.iter().any(|n| *n > 0 && is_time(*n) != is_time(last));
    if mixed { Err(scene.plan_error(PlanFault::MixedClocks)) } else { Ok(last) }
}

fn unlocks<'a>(scene: &Scene<'a>) -> Result<Vec<Waiting<'a>>, PlanError> {
    let mut evaluator = scene.evaluator();
    let mut all = Vec::new();
    for (at, input) in scene.wish.plan.inputs.iter().enumerate() {
        for (coin, taken) in scene.taken(at).iter().enumerate() {
            let contract = match (&input.source, &taken.instance) {
                (Source::Contract(source), Some(instance)) => {
                    let unlock = args::unlock(scene, &mut evaluator, (at, coin), source, instance);
                    Some(unlock.map_err(|fault| scene.input_error(at, fault))?)
                }
                _ => None,
            };
            all.push(Waiting { input: at, coin, contract });
        }
    }
    Ok(all)
}

fn ask<'s>(scene: &'s Scene<'_>, waiting: &Waiting<'_>, contract: &'s ContractUnlock<'_>) -> TimeAsk<'s> {
    static NONE: crate::contract::Params = crate::contract::Params::new();
    let taken = scene.taken(waiting.input).get(waiting.coin);
    let params = taken.and_then(|taken| taken.instance.as_ref()).map_or(&NONE, |instance| &instance.params);
    TimeAsk { artifact: contract.artifact, params, path: contract.path, args: &contract.args }
}

/// The input with its sequence.
fn timed<'a>(scene: &Scene<'a>, waiting: Waiting<'a>, free: u32) -> Result<Fixed<'a>, PlanError> {
    let Waiting { input, coin, ref contract } = waiting;
    let error = |fault: PlanFault| scene.input_error(input, fault);
    let asked = scene.wish.plan.inputs.get(input).and_then(|input| input.age.as_ref());
    let number = |expr| -> Result<i128, PlanFault> {
        let value = scene.evaluator().eval_for(input, coin, expr)?;
        value.int().ok_or(PlanFault::Range { what: "an age", n: 0 })
    };
    let sequence = match (asked, contract) {
        (Some(Age::Blocks(expr)), _) => {
            let n = number(expr).map_err(error)?;
            age_in_blocks(n).ok_or_else(|| error(PlanFault::Range { what: "an age in blocks", n }))?
        }
        (Some(Age::Seconds(expr)), _) => {
            let n = number(expr).map_err(error)?;
            age_in_seconds(n).ok_or_else(|| error(PlanFault::Range { what: "an age in seconds", n }))?
        }
        (None, Some(contract)) => ask(scene, &waiting, contract).sequence(free).map_err(|why| error(why.into()))?,
        (None, None) => free,
    };
    let taken = scene.taken(input).get(coin).ok_or_else(|| error(PlanFault::NoCoin("it".to_owned())))?.coin.clone();
    let unlock = match waiting.contract {
        Some(contract) => Unlock::Contract(contract),
        None => {
            let lock = &taken.output.lock;
            let key = scene.key(lock).ok_or_else(|| error(PlanFault::NoKey(crate::draft::lock_text(lock))))?;
            Unlock::Key(key)
        }
    };
    Ok(Fixed { coin: taken, unlock, sequence })
}

/// Measures what padded inputs cost, and notes the padding they need. Whether any needs more than it has.
fn pad(scene: &mut Scene<'_>, unsigned: &mut Unsigned<'_>) -> Result<bool, BuildError> {
    let places = padded_inputs(scene, unsigned);
    if places.is_empty() {
        return Ok(false);
    }
    let mut bare = Vec::new();
    for (at, _, slot) in &places {
        bare.push(set_padding(unsigned, *at, slot, 0)?);
    }
    for ((at, _, slot), bare) in places.iter().zip(&bare) {
        set_padding(unsigned, *at, slot, padding::most(*bare))?;
    }
    let spent = unsigned.spent();
    let tx = unsigned.signed(unsigned.frame())?;
    let context = SpendContext::new(&tx, &spent).expect("there is one spent output for each input");
    let rules = Rules::new(scene.wish.program.rules(), Mode::Relay);
    let mut more = false;
    for ((at, place, slot), bare) in places.iter().zip(&bare) {
        let needed = match vm::verify_input(&rules, &context, *at) {
            Ok(metrics) => padding::needed(*bare, &metrics),
            // The final judgement fails in the same way, and says why.
            Err(_) => padding::most(*bare),
        };
        let before = scene.padding(place.0, place.1);
        more |= needed > before;
        scene.paddings.insert(*place, needed.max(before));
        set_padding(unsigned, *at, slot, needed.max(before))?;
    }
    Ok(more)
}

/// The inputs that have padding: their place in the transaction and in the plan, and the argument's name.
fn padded_inputs(scene: &Scene<'_>, unsigned: &Unsigned<'_>) -> Vec<(usize, (usize, usize), String)> {
    let places = (0..scene.wish.plan.inputs.len())
        .flat_map(|input| (0..scene.taken(input).len()).map(move |coin| (input, coin)));
    let mut found = Vec::new();
    for ((at, fixed), place) in unsigned.inputs.iter().enumerate().zip(places) {
        if let Unlock::Contract(contract) = &fixed.unlock
            && let Some(slot) = contract.path.args.iter().find(|slot| slot.ty == AbiType::Padding)
        {
            found.push((at, place, slot.name.clone()));
        }
    }
    found
}

/// Sets an input's padding, and gives the length of its unlocking bytecode.
fn set_padding(unsigned: &mut Unsigned<'_>, at: usize, slot: &str, len: usize) -> Result<usize, BuildError> {
    let Some(input) = unsigned.inputs.get_mut(at) else { return Ok(0) };
    if let Unlock::Contract(contract) = &mut input.unlock {
        contract.args.insert(slot.to_owned(), padding::arg(len));
    }
    input.unlock.unlock_bytes()
}

/// The names of the transaction's inputs in the plan.
fn names(scene: &Scene<'_>, count: usize) -> Vec<Option<String>> {
    let of = |(at, input): (usize, &spec::plan::Input)| vec![Some(input.name.clone()); scene.taken(at).len()];
    let mut names: Vec<_> = scene.wish.plan.inputs.iter().enumerate().flat_map(of).collect();
    names.resize(count, None);
    names
}

/// The contracts behind the locks that are spent.
fn contracts(scene: &Scene<'_>) -> BTreeMap<Vec<u8>, String> {
    let all = scene.inputs.iter().flatten().flatten().filter_map(|taken| taken.instance.as_ref());
    all.map(|instance| (instance.lock.clone(), instance.artifact.contract.clone())).collect()
}

/// A refusal of the machine, told of the plan's input.
fn refusal(scene: &Scene<'_>, error: BuildError) -> PlanError {
    let place = match &error {
        BuildError::Refused(refusal) => place_of(scene, refusal),
        _ => None,
    };
    match place {
        Some(input) => scene.input_error(input, error),
        None => scene.plan_error(error),
    }
}

fn place_of(scene: &Scene<'_>, refusal: &Refusal) -> Option<usize> {
    let mut before = 0;
    (0..scene.wish.plan.inputs.len()).find(|input| {
        before += scene.taken(*input).len();
        refusal.input < before
    })
}
