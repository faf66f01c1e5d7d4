//! What is run: a transaction with what it spends, given or made up around a script.

use spec::tx::decode_outputs;
use spec::{OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut};

use crate::fail::Fail;
use crate::onchain::{cut, script, text_of};

/// A transaction and the outputs that it spends, one for each input.
pub(crate) struct Case {
    pub(crate) tx: Transaction,
    pub(crate) spent: Vec<TxOut>,
}

/// What the made-up transaction spends and pays.
const MADE_UP_SATS: Sats = Sats::from_wire(1_000);

impl Case {
    /// Reads what the command is given.
    pub(crate) fn read(what: &str, unlock: Option<&str>, spent: &[String], set: RuleSet) -> Result<Self, Fail> {
        let text = text_of(what)?;
        if text.trim().is_empty() {
            return Err(Fail::usage("there is nothing to run")
                .help("give a script, as `\"2 OP_ADD 5 OP_EQUAL\"`, or a transaction in hexadecimal digits"));
        }
        let bytes = script(&text, set)?;
        match Transaction::decode(&bytes) {
            Ok(tx) => Self::of_transaction(tx, unlock, spent, set),
            Err(error) if !spent.is_empty() => {
                Err(Fail::usage(format!("this is no transaction, so it spends no outputs: {error}"))
                    .help("leave out `--spent` to run a script; what its input pushes is given with `--unlock`"))
            }
            Err(_) => Ok(Self::of_script(bytes, script(unlock.unwrap_or_default(), set)?)),
        }
    }

    /// A made-up transaction that spends a coin with this lock.
    pub(crate) fn of_script(lock: Vec<u8>, unlock: Vec<u8>) -> Self {
        let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        let outputs = vec![TxOut::plain(MADE_UP_SATS, vec![0x51])];
        let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
        Self { tx, spent: vec![TxOut::plain(MADE_UP_SATS, lock)] }
    }

    /// A transaction with what it spends, as that is given.
    pub(crate) fn of_transaction(
        tx: Transaction,
        unlock: Option<&str>,
        spent: &[String],
        set: RuleSet,
    ) -> Result<Self, Fail> {
        if unlock.is_some() {
            return Err(Fail::usage("a transaction has its own unlocking bytecode").help("leave out `--unlock`"));
        }
        let spent = self::spent(&tx, spent, set)?;
        Ok(Self { tx, spent })
    }

    /// The unlocking bytecode of an input and the lock that it opens.
    pub(crate) fn scripts(&self, input: usize) -> (&[u8], &[u8]) {
        let unlock = self.tx.inputs.get(input).map(|input| input.unlock.as_slice());
        let lock = self.spent.get(input).map(|output| output.lock.as_slice());
        (unlock.unwrap_or_default(), lock.unwrap_or_default())
    }
}

/// The outputs that a transaction spends, as they are given.
pub(crate) fn spent(tx: &Transaction, spent: &[String], set: RuleSet) -> Result<Vec<TxOut>, Fail> {
    let spent: Vec<TxOut> = match spent {
        [list] if !list.contains(':') => list_of(list)?,
        each => each.iter().map(|one| output(one, set)).collect::<Result<_, _>>()?,
    };
    let (count, given) = (tx.inputs.len(), spent.len());
    if given == count {
        return Ok(spent);
    }
    Err(Fail::usage(format!("the transaction has {count} inputs, and {given} of the outputs that it spends are given"))
        .help("give each as `--spent SATS:LOCK`, in the order of the inputs"))
}

fn output(text: &str, set: RuleSet) -> Result<TxOut, Fail> {
    let wrong = |why: &str| {
        Fail::usage(format!("`{}`: {why}", cut(text))).help("write `--spent SATS:LOCK`, as `--spent 5000:76a914..88ac`")
    };
    let (value, lock) = text.split_once(':').ok_or_else(|| wrong("there is no `:`"))?;
    let value = value.replace('_', "").parse().map_err(|_| wrong("the amount is no number"))?;
    let value = Sats::new(value).ok_or_else(|| wrong("there is not so much money"))?;
    Ok(TxOut::plain(value, script(lock, set)?))
}

/// A count and that many outputs, the form in which they travel beside a transaction; this form has tokens too.
fn list_of(text: &str) -> Result<Vec<TxOut>, Fail> {
    let wrong = |error: String| {
        Fail::usage(format!("`--spent` has no `:`, and it is no list of outputs: {error}"))
            .help("write `--spent SATS:LOCK` for each input")
    };
    let bytes = hex::decode(text.trim()).map_err(|error| wrong(error.to_string()))?;
    decode_outputs(&bytes).map_err(|error| wrong(error.to_string()))
}
