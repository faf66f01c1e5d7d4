//! What there is to see: as data, which is printed, drawn or given to programs.

use std::collections::BTreeMap;

use serde::Serialize;
use spec::artifact::{AbiType, AbiValue, Locking};
use spec::script::{LockKind, instructions, last_push};
use spec::token::Capability;
use spec::{Address, Artifact, Mode, RuleSet, Rules, SpendContext, Transaction, TxOut, asm};
use wallet::{Given, Places, recover, spending, written};

use crate::link::NETWORK;
use crate::onchain::is_hash_of;

/// What is recognised.
#[derive(Default)]
pub(super) struct Known {
    pub(super) artifacts: Vec<Artifact>,
    /// The contracts of locks that only show a hash, as the node knows them.
    pub(super) locks: BTreeMap<Vec<u8>, String>,
}

/// A transaction.
#[derive(Serialize)]
pub(super) struct Looked {
    pub(super) txid: String,
    pub(super) version: u32,
    pub(super) locktime: u32,
    pub(super) bytes: usize,
    /// What goes in less what comes out, where the coins are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fee_sats: Option<i128>,
    /// How much that is for 1,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fee_sats_per_kb: Option<i128>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
}

/// An input.
#[derive(Serialize)]
pub(super) struct Input {
    /// The output that it spends; none in the first transaction of a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outpoint: Option<String>,
    pub(super) sequence: u32,
    pub(super) unlock: Script,
    /// The coin, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coin: Option<Output>,
    /// The script behind the coin's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redeem: Option<Script>,
    /// The path that is taken, where it can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<Named>,
    /// What running it took, where the coins are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<Ran>,
}

/// What an input's scripts did.
#[derive(Serialize)]
pub(super) struct Ran {
    pub(super) valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
    pub(super) cost: u64,
    pub(super) budget: u64,
}

/// An output, or a coin.
#[derive(Serialize)]
pub(super) struct Output {
    pub(super) sats: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<TokenSeen>,
    pub(super) lock: Script,
}

/// The token of an output.
#[derive(Serialize)]
pub(super) struct TokenSeen {
    pub(super) category: String,
    pub(super) amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commitment: Option<String>,
    /// The fields of the contract's state in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) state: Vec<Named>,
}

/// A script.
#[derive(Serialize)]
pub(super) struct Script {
    pub(super) hex: String,
    pub(super) kind: &'static str,
    pub(super) instructions: Vec<Word>,
    /// The contract that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contract: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) params: Vec<Named>,
}

/// An instruction.
#[derive(Serialize)]
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) word: String,
}

/// A value.
#[derive(Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: String,
    pub(super) text: String,
}

impl Named {
    fn new(name: &str, ty: &AbiType, value: &AbiValue) -> Self {
        Self { name: name.to_owned(), ty: ty.to_string(), text: written(ty, value) }
    }
}

/// Looks at a script.
pub(super) fn script(script: &[u8], known: &Known) -> Script {
    let word = |step: Result<spec::script::Instruction<'_>, spec::script::TruncatedPush>| match step {
        Ok(step) => Word { at: step.at, word: asm::word(&step) },
        Err(cut) => {
            let rest = script.get(cut.at..).unwrap_or_default();
            Word { at: cut.at, word: format!("{} (the push is longer than what is left)", asm::disassemble(rest)) }
        }
    };
    let instance = known.artifacts.iter().find_map(|artifact| Some((artifact, recover(artifact, script).ok()?)));
    let params = instance.iter().flat_map(|(artifact, recovered)| {
        let value =
            |slot: &spec::artifact::Slot| Some(Named::new(&slot.name, &slot.ty, recovered.params.get(&slot.name)?));
        artifact.params.iter().filter_map(value)
    });
    Script {
        hex: hex::encode(script),
        kind: kind(script),
        instructions: instructions(script).map(word).collect(),
        contract: instance
            .as_ref()
            .map(|(artifact, _)| artifact.contract.clone())
            .or_else(|| known.locks.get(script).cloned()),
        params: params.collect(),
    }
}

fn kind(lock: &[u8]) -> &'static str {
    match LockKind::of(lock) {
        LockKind::P2pkh(_) => "the hash of a key",
        LockKind::P2sh20(_) => "the 20-byte hash of a script",
        LockKind::P2sh32(_) => "the 32-byte hash of a script",
        LockKind::P2pk(_) => "a key",
        LockKind::Multisig { .. } => "several keys",
        LockKind::Data => "data",
        LockKind::Other => "a script",
    }
}

/// Looks at a transaction.
pub(super) fn transaction(tx: &Transaction, spent: Option<&[TxOut]>, known: &Known, rules: RuleSet) -> Looked {
    let total = |outputs: &[TxOut]| outputs.iter().map(|output| i128::from(output.value.get())).sum::<i128>();
    let bytes = tx.len_bytes();
    let fee = spent.map(|spent| total(spent) - total(&tx.outputs));
    let context = spent.and_then(|spent| SpendContext::new(tx, spent));
    let inputs = (0..tx.inputs.len()).filter_map(|index| input(tx, index, context.as_ref(), known, rules));
    Looked {
        txid: tx.txid().to_string(),
        version: tx.version,
        locktime: tx.locktime,
        bytes,
        fee_sats: fee,
        fee_sats_per_kb: fee.map(|fee| fee * 1_000 / i128::try_from(bytes.max(1)).unwrap_or(1)),
        inputs: inputs.collect(),
        outputs: tx.outputs.iter().map(|one| output(one, known, None)).collect(),
    }
}

fn input(
    tx: &Transaction,
    index: usize,
    context: Option<&SpendContext<'_>>,
    known: &Known,
    rules: RuleSet,
) -> Option<Input> {
    let input = tx.inputs.get(index)?;
    let coin = context.and_then(|context| context.spent().get(index));
    let shown = last_push(&input.unlock);
    let redeem = shown.filter(|shown| match coin {
        Some(coin) => is_hash_of(&coin.lock, shown),
        // Without the coin, what is an instance of a contract is taken for it.
        None => known
            .artifacts
            .iter()
            .any(|artifact| artifact.locking == Locking::P2sh32 && recover(artifact, shown).is_ok()),
    });
    let code = redeem.or_else(|| coin.map(|coin| coin.lock.as_slice()));
    let artifact = code.and_then(|code| known.artifacts.iter().find(|artifact| recover(artifact, code).is_ok()));
    let (run, places) = match context {
        Some(context) if !tx.is_coinbase() => ran(context, index, artifact.zip(code), rules),
        _ => (None, None),
    };
    let lock = coin.map(|coin| coin.lock.as_slice()).or(redeem).unwrap_or_default();
    let taken = |number: usize| places.as_ref()?.taken(number);
    let spending = artifact.and_then(|artifact| spending(artifact, lock, &input.unlock, &taken));
    let given = |given: &Given<'_>| Named::new(&given.slot.name, &given.slot.ty, &given.value);
    Some(Input {
        outpoint: (!tx.is_coinbase()).then(|| format!("{}:{}", input.prevout.txid, input.prevout.index)),
        sequence: input.sequence,
        unlock: script(&input.unlock, &Known::default()),
        coin: coin.map(|coin| output(coin, known, artifact)),
        redeem: redeem.map(|redeem| script(redeem, known)),
        path: spending.as_ref().and_then(|spending| Some(spending.path?.name.clone())),
        args: spending.iter().flat_map(|spending| spending.args.iter().map(given)).collect(),
        run,
    })
}

/// Runs an input's scripts, and remembers the way that a contract's took.
fn ran<'a>(
    context: &SpendContext<'_>,
    index: usize,
    contract: Option<(&'a Artifact, &[u8])>,
    rules: RuleSet,
) -> (Option<Ran>, Option<Places<'a>>) {
    let mut places = contract.map(|(artifact, code)| Places::new(artifact, code));
    let rules = Rules::new(rules, Mode::Consensus);
    let unlock = context.tx().inputs.get(index).map_or(0, |input| input.unlock.len());
    let verdict = vm::verify_input_traced(&rules, context, index, &mut places);
    let cost = match &verdict {
        Ok(metrics) => metrics.cost,
        Err(failure) => failure.metrics.cost,
    };
    let ran = Ran {
        valid: verdict.is_ok(),
        failure: verdict.err().map(|failure| failure.to_string()),
        cost: cost.get(),
        budget: rules.cost_budget(unlock).get(),
    };
    (Some(ran), places)
}

/// Looks at an output; `of` is the contract whose hash its lock is, where that is known.
fn output(output: &TxOut, known: &Known, of: Option<&Artifact>) -> Output {
    let lock = script(&output.lock, known);
    let own = known.artifacts.iter().find(|artifact| lock.contract.as_ref() == Some(&artifact.contract)).or(of);
    let token = output.token.as_ref().map(|token| {
        let commitment = token.nft.as_ref().map(|nft| nft.commitment.as_slice());
        let layout = own.and_then(|artifact| artifact.state.as_ref());
        let values =
            layout.zip(commitment).and_then(|(layout, commitment)| layout.decode(commitment)).unwrap_or_default();
        let fields = layout.iter().flat_map(|layout| &layout.fields).zip(values);
        let field = |(field, value): (&spec::artifact::StateField, spec::artifact::Value)| {
            Some(Named::new(&field.name, &field.ty, &field.ty.encode(&value).ok()?))
        };
        TokenSeen {
            category: token.category.to_string(),
            amount: token.amount.to_string(),
            capability: token.nft.as_ref().map(|nft| capability(nft.capability)),
            commitment: commitment.map(hex::encode),
            state: fields.filter_map(field).collect(),
        }
    });
    let address = Address::of_lock(NETWORK, &output.lock).map(|address| address.to_string());
    Output { sats: output.value.get(), address, token, lock }
}

const fn capability(capability: Capability) -> &'static str {
    match capability {
        Capability::None => "none",
        Capability::Mutable => "mutable",
        Capability::Minting => "minting",
    }
}
