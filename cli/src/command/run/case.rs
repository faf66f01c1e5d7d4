//! What is run: a transaction with what it spends, given or made up around a script.

use std::path::Path;

use spec::tx::decode_outputs;
use spec::{OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut, asm};

use crate::fail::Fail;

/// A transaction and the outputs that it spends, one for each input.
pub(crate) struct Case {
    pub(crate) tx: Transaction,
    pub(crate) spent: Vec<TxOut>,
}

/// What the made-up transaction spends and pays.
const MADE_UP_SATS: Sats = Sats::from_wire(1_000);

/// Larger files are no transactions.
const FILE_BYTES_MAX: u64 = 16 << 20;

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

    fn of_script(lock: Vec<u8>, unlock: Vec<u8>) -> Self {
        let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        let outputs = vec![TxOut::plain(MADE_UP_SATS, vec![0x51])];
        let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
        Self { tx, spent: vec![TxOut::plain(MADE_UP_SATS, lock)] }
    }

    fn of_transaction(tx: Transaction, unlock: Option<&str>, spent: &[String], set: RuleSet) -> Result<Self, Fail> {
        if unlock.is_some() {
            return Err(Fail::usage("a transaction has its own unlocking bytecode").help("leave out `--unlock`"));
        }
        let spent = match spent {
            [list] if !list.contains(':') => list_of(list)?,
            each => each.iter().map(|one| output(one, set)).collect::<Result<_, _>>()?,
        };
        let count = tx.inputs.len();
        if spent.len() == count {
            return Ok(Self { tx, spent });
        }
        let given = spent.len();
        Err(Fail::usage(format!(
            "the transaction has {count} inputs, and {given} of the outputs that it spends are given"
        ))
        .help("give each as `--spent SATS:LOCK`, in the order of the inputs"))
    }

    /// The unlocking bytecode of an input and the lock that it opens.
    pub(crate) fn scripts(&self, input: usize) -> (&[u8], &[u8]) {
        let unlock = self.tx.inputs.get(input).map(|input| input.unlock.as_slice());
        let lock = self.spent.get(input).map(|output| output.lock.as_slice());
        (unlock.unwrap_or_default(), lock.unwrap_or_default())
    }
}

/// The text itself, or that of the file it names.
fn text_of(what: &str) -> Result<String, Fail> {
    let path = Path::new(what);
    let Some(file) = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file) else {
        return Ok(what.to_owned());
    };
    let about = |error: String| Fail::refused(format!("`{what}`: {error}"));
    if file.len() > FILE_BYTES_MAX {
        return Err(about("the file is too large for a transaction".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| about(error.to_string()))
}

/// Bytecode: one word of digits as they are, otherwise words of assembly.
fn script(text: &str, set: RuleSet) -> Result<Vec<u8>, Fail> {
    if let Ok(bytes) = hex::decode(text.trim()) {
        return Ok(bytes);
    }
    asm::assemble(text, set).map_err(|error| {
        let one_word = text.split_whitespace().count() == 1;
        let help = if one_word {
            "write an even number of hexadecimal digits, or words such as `OP_ADD`"
        } else {
            "`bmc ops` lists all opcodes"
        };
        Fail::usage(cut(&error.to_string())).help(help)
    })
}

/// Long texts that are wrong are not repeated whole.
fn cut(text: &str) -> String {
    const SHOWN_MAX: usize = 200;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN_MAX / 2).collect();
    let skipped = text.chars().count() - SHOWN_MAX;
    let end: String = text.chars().skip(SHOWN_MAX / 2 + skipped).collect();
    format!("{start}..{end}")
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
