//! From inputs and outputs to a signed transaction that the machine has accepted.
//!
//! Sizes are known before signing, because every signature has 65 bytes, and one by ECDSA at most
//! 72; so the fee is set first, the digests are taken of the final outputs, and nothing is signed twice.

use spec::artifact::AbiError;
use spec::script::dust_limit;
use spec::sighash::SighashType;
use spec::{Address, Artifact, Mode, Network, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};
use vm::{Failure, Metrics};

use crate::coins::{Ask, FeeRate, ShortOfCoins, Utxo, count_len};
use crate::contract::ContractUnlock;
use crate::explain::{Explanation, explain_path};
use crate::keys::Key;
use crate::sign::{Algorithm, key_unlock, signature};

/// The sequence of an input that nothing delays.
pub const SEQUENCE_FINAL: u32 = 0xffff_ffff;
/// The sequence of an input that leaves the transaction's lock time in force and asks for no age.
pub const SEQUENCE_LOCKTIME: u32 = 0xffff_fffe;

const TX_VERSION: u32 = 2;
/// Outpoint and sequence.
const INPUT_FRAME_BYTES: usize = 40;

/// A signed transaction, the outputs it spends in input order, and what the machine counted.
#[derive(Clone, Debug)]
pub struct Built {
    /// The transaction, ready to be sent.
    pub tx: Transaction,
    /// What its inputs spend.
    pub spent: Vec<TxOut>,
    /// What it leaves to the miner.
    pub fee: Sats,
    /// What each input's scripts cost.
    pub metrics: Vec<Metrics>,
}

/// Keys and their coins, and where change goes.
#[derive(Clone, Debug)]
pub struct Purse {
    /// The keys that unlock the coins.
    pub keys: Vec<Key>,
    /// The coins.
    pub coins: Vec<Utxo>,
    /// The lock of change.
    pub change_lock: Vec<u8>,
}

impl Purse {
    /// The purse of one key, whose change comes back to it.
    #[must_use]
    pub fn of(key: Key, coins: Vec<Utxo>) -> Self {
        Self { keys: vec![key], coins, change_lock: key.lock() }
    }
}

/// The machine refuses an input.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which input, from 0.
    pub input: usize,
    /// What the machine says.
    pub failure: Failure,
    /// What the contract's author says, if the input spends a contract.
    pub explanation: Option<Explanation>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.explanation {
            Some(explanation) => write!(f, "input {}: {explanation}", self.input),
            None => write!(f, "input {}: {}", self.input, self.failure.error),
        }
    }
}

/// Why no transaction could be built.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BuildError {
    /// The coins do not reach.
    #[error(transparent)]
    Short(#[from] ShortOfCoins),
    /// The outputs take more than the contract's coin brings, and nothing else may pay.
    #[error("the outputs take {paid} coin, but the contract's coin holds {brought}")]
    Overspent {
        /// What the inputs bring.
        brought: Sats,
        /// What the outputs take.
        paid: Sats,
    },
    /// The outputs sum to more money than there is.
    #[error("the outputs sum to more than 21000000 coin")]
    MoneyRange,
    /// An output is smaller than relay accepts.
    #[error("output {index} of {value} coin is dust: its lock needs at least {limit} coin")]
    Dust {
        /// Which output, from 0.
        index: usize,
        /// What it holds.
        value: Sats,
        /// What it would have to hold.
        limit: Sats,
    },
    /// No key at hand unlocks a coin.
    #[error("no key at hand unlocks {0}")]
    NoKey(String),
    /// The artifact has no path of this name.
    #[error("`{contract}` has no path `{path}`; it has {known}")]
    NoSuchPath {
        /// The contract.
        contract: String,
        /// The name asked for.
        path: String,
        /// The names there are.
        known: String,
    },
    /// The coin is not locked by this contract with these parameters.
    #[error("the coin is not locked by `{0}` with these parameters")]
    WrongLock(String),
    /// An argument is of another kind than the path declares.
    #[error("argument `{name}` must be {expected}")]
    WrongArg {
        /// The argument.
        name: String,
        /// What it should be.
        expected: String,
    },
    /// A parameter has a value with which a time lock would open early or never.
    #[error("parameter `{name}` must be {expected}: it locks by time")]
    WrongParam {
        /// The parameter.
        name: String,
        /// What it may be.
        expected: &'static str,
    },
    /// What a time field must hold is not known without running the script.
    #[error("path `{path}` computes the {field} that it demands")]
    UnknownTime {
        /// The path.
        path: String,
        /// The field: `lock time` or `sequence`.
        field: &'static str,
    },
    /// Parameters or arguments do not fit the artifact.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// The machine refuses the result.
    #[error("{0}")]
    Refused(Box<Refusal>),
}

/// Pays `outputs` from a purse.
///
/// ```
/// use spec::{OutPoint, RuleSet, Sats, TxOut, Txid};
/// use wallet::{Accounts, FeeRate, Purse, Utxo, pay};
/// let (alice, bob) = (Accounts::devnet().key(0), Accounts::devnet().key(1));
/// let output = TxOut::plain(Sats::from_wire(100_000), alice.lock());
/// let coin = Utxo { outpoint: OutPoint { txid: Txid::default(), index: 0 }, output };
/// let wish = vec![TxOut::plain(Sats::from_wire(60_000), bob.lock())];
/// let built = pay(&Purse::of(alice, vec![coin]), wish, FeeRate::RELAY_MIN, RuleSet::Bitmodel).unwrap();
/// assert_eq!(built.fee.get(), built.tx.len_bytes() as u64);
/// ```
///
/// # Errors
/// [`BuildError`] if the coins do not reach, a key is missing, or an output is dust.
pub fn pay(purse: &Purse, outputs: Vec<TxOut>, rate: FeeRate, rules: RuleSet) -> Result<Built, BuildError> {
    let draft = Draft { fixed: Vec::new(), outputs, locktime: 0, sequence: SEQUENCE_FINAL };
    draft.funded(purse, rate, Sats::ZERO)?.build(rules)
}

/// A transaction before its purse has been asked.
pub(crate) struct Draft<'a> {
    /// The first inputs.
    pub(crate) fixed: Vec<Fixed<'a>>,
    pub(crate) outputs: Vec<TxOut>,
    pub(crate) locktime: u32,
    /// Of inputs that the purse adds.
    pub(crate) sequence: u32,
}

/// An input that is known: its coin, and how it is unlocked.
pub(crate) struct Fixed<'a> {
    pub(crate) coin: Utxo,
    pub(crate) unlock: Unlock<'a>,
    pub(crate) sequence: u32,
}

/// A transaction before it is signed: inputs and outputs are final.
pub(crate) struct Unsigned<'a> {
    pub(crate) inputs: Vec<Fixed<'a>>,
    pub(crate) outputs: Vec<TxOut>,
    pub(crate) locktime: u32,
}

/// How an input is unlocked.
pub(crate) enum Unlock<'a> {
    /// A signature by the key that the coin is locked to.
    Key(Key),
    /// A path of a contract.
    Contract(ContractUnlock<'a>),
    /// Bytecode that needs no signature.
    Ready(Vec<u8>),
}

impl<'a> Draft<'a> {
    /// Adds coins of `purse` until outputs and a fee of at least `fee_min` are paid, and change where there is some.
    pub(crate) fn funded(mut self, purse: &Purse, rate: FeeRate, fee_min: Sats) -> Result<Unsigned<'a>, BuildError> {
        refuse_dust(&self.outputs)?;
        let fixed_inputs = self.fixed.iter().map(|input| input.unlock.input_bytes()).collect::<Result<Vec<_>, _>>()?;
        let brought = Sats::checked_sum(self.fixed.iter().map(|input| input.coin.output.value));
        let ask = Ask {
            outputs: &self.outputs,
            change_lock: &purse.change_lock,
            rate,
            fee_min,
            fixed_inputs: &fixed_inputs,
            brought: brought.ok_or(BuildError::MoneyRange)?,
        };
        let selection = ask.select(&purse.coins)?;
        self.outputs.extend(selection.change);
        for coin in selection.coins {
            let key = purse.keys.iter().find(|key| key.lock() == coin.output.lock);
            let key = *key.ok_or_else(|| BuildError::NoKey(lock_text(&coin.output.lock)))?;
            self.fixed.push(Fixed { coin, unlock: Unlock::Key(key), sequence: self.sequence });
        }
        Ok(self.unfunded())
    }

    /// Leaves inputs and outputs as they are.
    pub(crate) fn unfunded(self) -> Unsigned<'a> {
        Unsigned { inputs: self.fixed, outputs: self.outputs, locktime: self.locktime }
    }
}

impl Unsigned<'_> {
    /// The bytes of the signed transaction.
    pub(crate) fn len_bytes(&self) -> Result<usize, BuildError> {
        let mut len = 8 + count_len(self.inputs.len()) + count_len(self.outputs.len());
        for input in &self.inputs {
            len += input.unlock.input_bytes()?;
        }
        Ok(len + self.outputs.iter().map(TxOut::len_bytes).sum::<usize>())
    }

    /// What is left to the miner.
    pub(crate) fn fee(&self) -> Result<Sats, BuildError> {
        fee_of(&self.spent(), &self.outputs)
    }

    /// Signs, and lets the machine judge the result by the rules of relay.
    pub(crate) fn build(self, rules: RuleSet) -> Result<Built, BuildError> {
        let fee = self.fee()?;
        let spent = self.spent();
        let tx = self.signed(self.frame())?;
        let metrics = self.judge(&tx, &spent, rules)?;
        Ok(Built { tx, spent, fee, metrics })
    }

    /// The outputs that the inputs spend.
    pub(crate) fn spent(&self) -> Vec<TxOut> {
        self.inputs.iter().map(|input| input.coin.output.clone()).collect()
    }

    /// The transaction without unlocking bytecode.
    pub(crate) fn frame(&self) -> Transaction {
        let input =
            |input: &Fixed<'_>| TxIn { prevout: input.coin.outpoint, unlock: Vec::new(), sequence: input.sequence };
        Transaction {
            version: TX_VERSION,
            inputs: self.inputs.iter().map(input).collect(),
            outputs: self.outputs.clone(),
            locktime: self.locktime,
        }
    }

    /// Signs `tx`, which has these inputs.
    pub(crate) fn signed(&self, mut tx: Transaction) -> Result<Transaction, BuildError> {
        let spent = self.spent();
        let unlocks = self.unlocks(&tx, &spent)?;
        for (input, unlock) in tx.inputs.iter_mut().zip(unlocks) {
            input.unlock = unlock;
        }
        Ok(tx)
    }

    fn unlocks(&self, tx: &Transaction, spent: &[TxOut]) -> Result<Vec<Vec<u8>>, BuildError> {
        let context = SpendContext::new(tx, spent).expect("there is one spent output for each input");
        let unlock = |(index, input): (usize, &Fixed<'_>)| match &input.unlock {
            Unlock::Key(key) => {
                let code = &input.coin.output.lock;
                Ok(key_unlock(key, &signed_all(&context, index, code, (key, Algorithm::Schnorr))))
            }
            Unlock::Contract(contract) => {
                contract.bytes(&|key, by| signed_all(&context, index, contract.redeem(), (key, by)))
            }
            Unlock::Ready(bytes) => Ok(bytes.clone()),
        };
        self.inputs.iter().enumerate().map(unlock).collect()
    }

    fn judge(&self, tx: &Transaction, spent: &[TxOut], rules: RuleSet) -> Result<Vec<Metrics>, BuildError> {
        let context = SpendContext::new(tx, spent).expect("there is one spent output for each input");
        let rules = Rules::new(rules, Mode::Relay);
        let judge = |(input, fixed): (usize, &Fixed<'_>)| {
            vm::verify_input(&rules, &context, input).map_err(|failure| {
                let explanation = match &fixed.unlock {
                    Unlock::Key(_) | Unlock::Ready(_) => None,
                    Unlock::Contract(contract) => Some(contract.explain(&failure)),
                };
                BuildError::Refused(Box::new(Refusal { input, failure, explanation }))
            })
        };
        self.inputs.iter().enumerate().map(judge).collect()
    }
}

impl Unlock<'_> {
    /// The bytes of the signed input.
    pub(crate) fn input_bytes(&self) -> Result<usize, BuildError> {
        let unlock = self.unlock_bytes()?;
        Ok(INPUT_FRAME_BYTES + count_len(unlock) + unlock)
    }

    /// The bytes of the unlocking bytecode.
    pub(crate) fn unlock_bytes(&self) -> Result<usize, BuildError> {
        Ok(match self {
            Unlock::Key(_) => crate::coins::KEY_UNLOCK_BYTES,
            Unlock::Contract(contract) => contract.bytes(&|_, by| vec![0; by.bytes_max()])?.len(),
            Unlock::Ready(bytes) => bytes.len(),
        })
    }
}

impl ContractUnlock<'_> {
    fn explain(&self, failure: &Failure) -> Explanation {
        explain_path(self.artifact, self.redeem(), failure, self.path)
    }
}

/// A signature over every input and output.
fn signed_all(context: &SpendContext<'_>, input: usize, code: &[u8], signer: (&Key, Algorithm)) -> Vec<u8> {
    signature(context, input, code, signer, SighashType::ALL).expect("the input is one of the transaction's")
}

pub(crate) fn refuse_dust(outputs: &[TxOut]) -> Result<(), BuildError> {
    let dust = outputs.iter().enumerate().find(|(_, output)| output.value < dust_limit(output));
    dust.map_or(Ok(()), |(index, output)| {
        Err(BuildError::Dust { index, value: output.value, limit: dust_limit(output) })
    })
}

pub(crate) fn fee_of(spent: &[TxOut], outputs: &[TxOut]) -> Result<Sats, BuildError> {
    let sum = |outputs: &[TxOut]| Sats::checked_sum(outputs.iter().map(|output| output.value));
    let (brought, paid) = sum(spent).zip(sum(outputs)).ok_or(BuildError::MoneyRange)?;
    brought.checked_sub(paid).ok_or(BuildError::Overspent { brought, paid })
}

pub(crate) fn lock_text(lock: &[u8]) -> String {
    Address::of_lock(Network::Devnet, lock).map_or_else(|| format!("0x{}", hex::encode(lock)), |text| text.to_string())
}

/// The redeem script of `artifact` with `params`, if the coin carries its lock.
pub(crate) fn checked_redeem(
    artifact: &Artifact,
    params: &crate::contract::Params,
    coin: &Utxo,
) -> Result<Vec<u8>, BuildError> {
    let redeem = artifact.redeem_script(params)?;
    let lock = artifact.lock(params)?;
    if lock == coin.output.lock { Ok(redeem) } else { Err(BuildError::WrongLock(artifact.contract.clone())) }
}
