//! What a plan's transaction makes.

use spec::artifact::SourceSpan;
use spec::plan::{CoinRef, Evaluator, Output, OutputKind, Pay, TokenOut};
use spec::publish::data_lock;
use spec::script::dust_limit;
use spec::token::{AMOUNT_MAX, Capability, Nft, Token};
use spec::{Category, Sats, TxOut};

use super::choose::money;
use super::scene::Scene;
use super::{PlanError, PlanFault};
use crate::draft::BuildError;

/// The plan's own outputs, in order; their places are noted in the scene.
pub(super) fn outputs(scene: &mut Scene<'_>) -> Result<Vec<TxOut>, PlanError> {
    let plan = scene.wish.plan;
    scene.starts.clear();
    let mut start = 0;
    for (at, output) in plan.outputs.iter().enumerate() {
        scene.starts.push(start);
        start += match &output.each {
            None => 1,
            Some(each) => {
                let rounds = scene.evaluator().each(each, |_| Ok::<_, PlanFault>(()));
                rounds.map_err(|fault| output_error(scene, at, fault))?.len()
            }
        };
    }
    let mut evaluator = scene.evaluator();
    let mut made = Vec::new();
    for (at, output) in plan.outputs.iter().enumerate() {
        let outputs = match &output.each {
            None => one(scene, &mut evaluator, output, made.len()).map(|output| vec![output]),
            Some(each) => evaluator.each(each, |inner| one(scene, inner, output, made.len())),
        };
        made.extend(outputs.map_err(|fault| output_error(scene, at, fault))?);
    }
    Ok(made)
}

fn output_error(scene: &Scene<'_>, at: usize, fault: PlanFault) -> PlanError {
    let output = scene.wish.plan.outputs.get(at);
    let name = output.and_then(|output| output.name.as_ref());
    let part = name.map_or_else(|| format!("output {at}"), |name| format!("output `{name}`"));
    scene.error(part, output.map_or(SourceSpan::default(), |output| output.span), fault)
}

type Eval<'e, 'a> = Evaluator<'e, Scene<'a>>;

fn one(scene: &Scene<'_>, evaluator: &mut Eval<'_, '_>, output: &Output, index: usize) -> Result<TxOut, PlanFault> {
    match &output.kind {
        OutputKind::Data(parts) => {
            let parts = parts.iter().map(|part| evaluator.bytes(part)).collect::<Result<Vec<_>, _>>()?;
            Ok(TxOut::plain(Sats::ZERO, data_lock(parts.iter().map(Vec::as_slice))))
        }
        OutputKind::Pay(pay) => paid(scene, evaluator, pay, index),
    }
}

fn paid(scene: &Scene<'_>, evaluator: &mut Eval<'_, '_>, pay: &Pay, index: usize) -> Result<TxOut, PlanFault> {
    let lock = evaluator.bytes(&pay.lock)?;
    let token = match &pay.token {
        None => None,
        Some(token) => token_of(scene, evaluator, token)?,
    };
    let mut output = TxOut { value: Sats::ZERO, token, lock };
    let limit = dust_limit(&output);
    output.value = match &pay.value {
        None => limit,
        Some(value) => money("the value of an output", evaluator.int(value)?)?,
    };
    if output.value < limit {
        return Err(BuildError::Dust { index, value: output.value, limit }.into());
    }
    Ok(output)
}

/// The tokens of an output: those of the coin that it names, with the parts that are said anew.
fn token_of(scene: &Scene<'_>, evaluator: &mut Eval<'_, '_>, out: &TokenOut) -> Result<Option<Token>, PlanFault> {
    let like = out.like.as_ref().map(|like| token_like(scene, evaluator, like)).transpose()?;
    let category_said = out.category.as_ref().map(|expr| evaluator.bytes(expr)).transpose()?;
    let category_said = category_said.map(|bytes| category(&bytes)).transpose()?;
    let capability_said = match &out.capability {
        Some(expr) => Some(capability(evaluator.int(expr)?)?),
        None => category_said.and_then(|(_, capability)| capability),
    };
    let commitment_said = out.commitment.as_ref().map(|expr| evaluator.bytes(expr)).transpose()?;
    let amount_said = out.amount.as_ref().map(|expr| evaluator.int(expr)).transpose()?;
    let amount_said = amount_said.map(|n| tokens("an amount of tokens", n)).transpose()?;

    let before = like.as_ref().and_then(|token| token.nft.clone()).filter(|_| !out.fungible_only);
    let nft = if capability_said.is_some() || commitment_said.is_some() {
        let (old_capability, old_commitment) =
            before.map_or((Capability::None, Vec::new()), |nft| (nft.capability, nft.commitment));
        Some(Nft {
            capability: capability_said.unwrap_or(old_capability),
            commitment: commitment_said.unwrap_or(old_commitment),
        })
    } else {
        before
    };
    let amount = amount_said.or(like.as_ref().map(|token| token.amount)).unwrap_or(0);
    let category = category_said.map(|(category, _)| category).or(like.map(|token| token.category));
    let category = category.ok_or(PlanFault::Category(0))?;
    Ok((amount > 0 || nft.is_some()).then_some(Token { category, amount, nft }))
}

fn token_like(scene: &Scene<'_>, evaluator: &mut Eval<'_, '_>, like: &CoinRef) -> Result<Token, PlanFault> {
    let coin = match &like.coin {
        Some(expr) => {
            let n = evaluator.int(expr)?;
            usize::try_from(n).map_err(|_| PlanFault::Range { what: "the number of a coin", n })?
        }
        None => evaluator.only_coin(like.input)?,
    };
    let taken = scene.taken(like.input).get(coin);
    taken.and_then(|taken| taken.coin.output.token.clone()).ok_or(PlanFault::NoTokens(like.input))
}

/// A category, and the capability that a 33rd byte names.
pub(super) fn category(bytes: &[u8]) -> Result<(Category, Option<Capability>), PlanFault> {
    let wrong = PlanFault::Category(bytes.len());
    let (category, rest) = bytes.split_first_chunk::<32>().ok_or(wrong.clone())?;
    let capability = match rest {
        [] => None,
        [byte] => Some(capability((*byte).into())?),
        _ => return Err(wrong),
    };
    Ok((Category::from_wire(*category), capability))
}

fn capability(n: i128) -> Result<Capability, PlanFault> {
    match n {
        0 => Ok(Capability::None),
        1 => Ok(Capability::Mutable),
        2 => Ok(Capability::Minting),
        _ => Err(PlanFault::Range { what: "a capability", n }),
    }
}

pub(super) fn tokens(what: &'static str, n: i128) -> Result<u64, PlanFault> {
    u64::try_from(n).ok().filter(|n| *n <= AMOUNT_MAX).ok_or(PlanFault::Range { what, n })
}
