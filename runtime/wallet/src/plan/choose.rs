//! Which coins the inputs of a plan take.

use std::cmp::Reverse;
use std::rc::Rc;

use spec::artifact::AbiType;
use spec::plan::{ContractSource, Expr, Fault, KeySource, Source, Take, TokenAsk};
use spec::script::p2pkh;
use spec::token::{Capability, Token};
use spec::{Category, Sats, hash};

use super::scene::{Instance, Scene, Taken, commitment_of};
use super::{PlanError, PlanFault, publish};
use crate::coins::Utxo;
use crate::draft::lock_text;

/// Chooses the coins of all inputs. An input whose choice depends on another's coin waits for it.
pub(super) fn choose(scene: &mut Scene<'_>) -> Result<(), PlanError> {
    let count = scene.wish.plan.inputs.len();
    scene.inputs = vec![None; count];
    let mut waiting: Vec<usize> = (0..count).collect();
    while !waiting.is_empty() {
        let mut still = Vec::new();
        let mut reason = None;
        for input in &waiting {
            scene.unchosen_read.set(false);
            match taken_by(scene, *input) {
                Ok(taken) => place(scene, *input, Some(taken)),
                Err(fault) if waits(scene, &fault) => {
                    place(scene, *input, None);
                    still.push(*input);
                    reason = reason.or(Some((*input, fault)));
                }
                Err(fault) => return Err(scene.input_error(*input, fault)),
            }
        }
        if let Some((input, fault)) = reason.filter(|_| still.len() == waiting.len()) {
            return Err(scene.input_error(input, fault));
        }
        waiting = still;
    }
    Ok(())
}

fn waits(scene: &Scene<'_>, fault: &PlanFault) -> bool {
    scene.unchosen_read.get() && matches!(fault, PlanFault::Eval(error) if matches!(error.fault, Fault::Missing(_)))
}

fn place<'a>(scene: &mut Scene<'a>, input: usize, taken: Option<Vec<Taken<'a>>>) {
    if let Some(place) = scene.inputs.get_mut(input) {
        *place = taken;
    }
}

fn taken_by<'a>(scene: &mut Scene<'a>, at: usize) -> Result<Vec<Taken<'a>>, PlanFault> {
    let Some(input) = scene.wish.plan.inputs.get(at) else { return Ok(Vec::new()) };
    let (found, whose) = match &input.source {
        Source::Contract(source) => of_contract(scene, source)?,
        Source::Key(source) => return of_key(scene, at, source),
        Source::Genesis => {
            let coins = publish::genesis_coins(scene)?.into_iter().map(Taken::of_key).collect();
            // Any of them will do, unless one is named.
            let mut found = accepted(scene, at, coins)?;
            found.truncate(1);
            return pick(scene, at, input.take, found, "the payer".to_owned());
        }
    };
    let found = accepted(scene, at, found)?;
    pick(scene, at, input.take, found, whose)
}

/// The coins that the plan accepts, in the order that is asked for by naming them.
fn accepted<'a>(scene: &mut Scene<'a>, at: usize, found: Vec<Taken<'a>>) -> Result<Vec<Taken<'a>>, PlanFault> {
    let Some(input) = scene.wish.plan.inputs.get(at) else { return Ok(found) };
    let mut found = match scene.wish.named.get(&input.name) {
        None => found,
        Some(named) => {
            let of = |outpoint| found.iter().find(|taken| taken.coin.outpoint == outpoint).cloned();
            let pick = |outpoint: &spec::OutPoint| of(*outpoint).ok_or(PlanFault::NamedCoin(*outpoint));
            named.iter().map(pick).collect::<Result<_, _>>()?
        }
    };
    let Some(accept) = &input.accept else { return Ok(found) };
    let mut kept = Vec::new();
    for taken in found.drain(..) {
        place(scene, at, Some(vec![taken]));
        let holds = scene.evaluator().eval_for(at, 0, accept);
        let taken = scene.inputs.get_mut(at).and_then(Option::take);
        if holds? == spec::artifact::Value::Bool(true) {
            kept.extend(taken.into_iter().flatten());
        }
    }
    Ok(kept)
}

fn pick<'a>(
    scene: &Scene<'a>,
    at: usize,
    take: Take,
    found: Vec<Taken<'a>>,
    whose: String,
) -> Result<Vec<Taken<'a>>, PlanFault> {
    let named = scene.wish.plan.inputs.get(at).is_some_and(|input| scene.wish.named.contains_key(&input.name));
    match (take, found.as_slice()) {
        (Take::Each, _) | (_, [_]) => Ok(found),
        (_, []) => Err(PlanFault::NoCoin(whose)),
        (Take::Any, _) if !named => {
            let best = found.into_iter().max_by_key(|taken| (taken.coin.output.value, Reverse(taken.coin.outpoint)));
            Ok(best.into_iter().collect())
        }
        (Take::Only | Take::Any, _) => Err(PlanFault::Several(found.iter().map(|taken| taken.coin.outpoint).collect())),
    }
}

impl Taken<'_> {
    pub(super) const fn of_key(coin: Utxo) -> Self {
        Self { coin, instance: None }
    }
}

/// The coins of a contract, and what to call it.
fn of_contract<'a>(scene: &Scene<'a>, source: &ContractSource) -> Result<(Vec<Taken<'a>>, String), PlanFault> {
    let instances = instances(scene, source)?;
    let mut found = Vec::new();
    for coin in scene.free() {
        let instance = instances.iter().find(|instance| instance.lock == coin.output.lock);
        if let Some(instance) = instance.filter(|instance| has_state(instance, coin)) {
            found.push(Taken { coin: coin.clone(), instance: Some(Rc::clone(instance)) });
        }
    }
    Ok((found, format!("`{}`", source.contract)))
}

/// The locks of a contract's coins, if they are known.
pub(super) fn locks(scene: &Scene<'_>, source: &ContractSource) -> Option<Vec<Vec<u8>>> {
    let instances = instances(scene, source).ok()?;
    Some(instances.iter().map(|instance| instance.lock.clone()).collect())
}

/// Whether a coin carries its contract's state, if it has any. Others can be paid there by anybody, and no path reads them.
fn has_state(instance: &Instance<'_>, coin: &Utxo) -> bool {
    let commitment = commitment_of(coin.output.token.as_ref());
    instance.artifact.state.as_ref().is_none_or(|layout| layout.decode(commitment).is_some())
}

fn instances<'a>(scene: &Scene<'a>, source: &ContractSource) -> Result<Vec<Rc<Instance<'a>>>, PlanFault> {
    let program = scene.wish.program;
    let artifact = program.get(&source.contract)?;
    let instance = |params| {
        let (redeem, lock) = program.script(&source.contract, &params)?;
        let params = with_records(scene, artifact, params, &lock);
        Ok(Rc::new(Instance { artifact, params, redeem, lock }))
    };
    if let Some(exprs) = &source.params {
        let mut evaluator = scene.evaluator();
        let values = exprs.iter().map(|expr| evaluator.eval(expr)).collect::<Result<Vec<_>, _>>()?;
        return Ok(vec![instance(program.params(&source.contract, &values)?)?]);
    }
    let known = scene.wish.deployments.iter().filter(|deployed| deployed.contract == source.contract);
    let deployed = |deployed: &'a super::Deployed| {
        let Some(artifact) = &deployed.artifact else { return instance(deployed.params.clone()) };
        let (redeem, lock) = deployed.script(program)?;
        Ok(Rc::new(Instance { artifact, params: deployed.params.clone(), redeem, lock }))
    };
    let known = known.map(deployed).collect::<Result<Vec<_>, PlanFault>>()?;
    if known.is_empty() { Err(PlanFault::NoDeployment(source.contract.clone())) } else { Ok(known) }
}

/// The records of a list, from a deployment with the same lock, where only its hash is known.
fn with_records(
    scene: &Scene<'_>,
    artifact: &spec::Artifact,
    params: crate::contract::Params,
    lock: &[u8],
) -> crate::contract::Params {
    let is_hash = |slot: &&spec::artifact::Slot| {
        matches!(slot.ty, AbiType::List(_)) && params.get(&slot.name).is_some_and(|value| value.item().is_some())
    };
    if !artifact.params.iter().any(|slot| is_hash(&slot)) {
        return params;
    }
    let same = |deployed: &&super::Deployed| {
        deployed.contract == artifact.contract
            && deployed.script(scene.wish.program).is_ok_and(|(_, other)| other == lock)
    };
    scene.wish.deployments.iter().find(same).map_or(params, |deployed| deployed.params.clone())
}

/// What a key's coins have to bring.
#[derive(Default)]
struct Wanted {
    token: Option<WantedToken>,
    value: Option<Sats>,
}

struct WantedToken {
    category: Category,
    /// Whether there has to be a non-fungible token, and what it may do.
    nft: Option<Capability>,
    commitment: Option<Vec<u8>>,
    amount: Option<u64>,
}

/// The lock that an owner means: it itself, or that of a public key or the hash of one.
pub(super) fn lock_of_owner(owner: &[u8]) -> Vec<u8> {
    match (<[u8; 20]>::try_from(owner), owner.len()) {
        (Ok(hash), _) => p2pkh(&hash),
        (_, 33) => p2pkh(&hash::hash160(owner)),
        _ => owner.to_vec(),
    }
}

fn of_key<'a>(scene: &mut Scene<'a>, at: usize, source: &KeySource) -> Result<Vec<Taken<'a>>, PlanFault> {
    let (lock, wanted) = {
        let mut evaluator = scene.evaluator();
        let lock = lock_of_owner(&evaluator.bytes(&source.owner)?);
        let value = source.value.as_ref().map(|value| evaluator.int(value)).transpose()?;
        let token = source.token.as_ref().map(|ask| wanted_token(&mut evaluator, ask)).transpose()?;
        let value = value.map(|n| money("the value of an input", n)).transpose()?;
        (lock, Wanted { token, value })
    };
    let fits = |coin: &&Utxo| coin.output.lock == lock && wanted.fits(coin.output.token.as_ref());
    let found: Vec<Taken<'a>> = scene.free().filter(fits).cloned().map(Taken::of_key).collect();
    let found = accepted(scene, at, found)?;
    let input = scene.wish.plan.inputs.get(at);
    if input.is_some_and(|input| input.take == Take::Each || scene.wish.named.contains_key(&input.name)) {
        return Ok(found);
    }
    if found.is_empty() {
        return Err(PlanFault::NoCoin(lock_text(&lock)));
    }
    wanted.fewest(found)
}

fn wanted_token(
    evaluator: &mut spec::plan::Evaluator<'_, Scene<'_>>,
    ask: &TokenAsk,
) -> Result<WantedToken, PlanFault> {
    let mut optional = |expr: &Option<Expr>| expr.as_ref().map(|expr| evaluator.int(expr)).transpose();
    let amount = optional(&ask.amount)?.map(|n| super::outputs::tokens("an amount of tokens", n)).transpose()?;
    let commitment = ask.commitment.as_ref().map(|expr| evaluator.bytes(expr)).transpose()?;
    let (category, nft) = super::outputs::category(&evaluator.bytes(&ask.category)?)?;
    let nft = nft.or_else(|| commitment.as_ref().map(|_| Capability::None));
    Ok(WantedToken { category, nft, commitment, amount })
}

impl Wanted {
    fn fits(&self, token: Option<&Token>) -> bool {
        match (&self.token, token) {
            (None, None) => true,
            (Some(wanted), Some(token)) => {
                let same = wanted.commitment.as_ref().is_none_or(|wanted| wanted == commitment_of(Some(token)));
                token.category == wanted.category && token.capability() == wanted.nft && same
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The fewest coins that bring what is wanted, at least one.
    fn fewest<'a>(&self, mut found: Vec<Taken<'a>>) -> Result<Vec<Taken<'a>>, PlanFault> {
        let amount = self.token.as_ref().and_then(|token| token.amount);
        let tokens = |taken: &Taken<'_>| taken.coin.output.token.as_ref().map_or(0, |token| token.amount);
        found.sort_by_key(|taken| {
            let by = amount.map(|_| tokens(taken));
            (Reverse(by), Reverse(taken.coin.output.value), taken.coin.outpoint)
        });
        let mut chosen: Vec<Taken<'a>> = Vec::new();
        let (mut have_tokens, mut have) = (0u64, Sats::ZERO);
        let enough = |chosen: usize, tokens: u64, value: Sats| {
            chosen > 0 && tokens >= amount.unwrap_or(0) && value >= self.value.unwrap_or(Sats::ZERO)
        };
        for taken in found {
            if enough(chosen.len(), have_tokens, have) {
                break;
            }
            have_tokens = have_tokens.saturating_add(tokens(&taken));
            have = have.checked_add(taken.coin.output.value).unwrap_or(Sats::MAX);
            chosen.push(taken);
        }
        match (amount, self.value) {
            (Some(need), _) if have_tokens < need => Err(PlanFault::ShortOfTokens { have: have_tokens, need }),
            (_, Some(need)) if have < need => Err(PlanFault::ShortOfValue { have, need }),
            _ => Ok(chosen),
        }
    }
}

/// An amount of money.
pub(super) fn money(what: &'static str, n: i128) -> Result<Sats, PlanFault> {
    u64::try_from(n).ok().and_then(Sats::new).ok_or(PlanFault::Range { what, n })
}
