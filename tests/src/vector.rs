//! One vector of a JSON lines file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use spec::Mode;

/// What a transaction must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Pass in relay and in blocks.
    Standard,
    /// Fail in relay, pass in blocks.
    Nonstandard,
    /// Fail in both.
    Invalid,
}

impl Expect {
    /// Whether the transaction must pass in `mode`.
    #[must_use]
    pub const fn passes(self, mode: Mode) -> bool {
        match (self, mode) {
            (Self::Standard, _) | (Self::Nonstandard, Mode::Consensus) => true,
            (Self::Nonstandard, Mode::Relay) | (Self::Invalid, _) => false,
        }
    }
}

/// What another implementation recorded for one input: result text, operation cost, hash iterations, signature checks; figures may be unknown, as they are when the input fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recorded(
    pub String,
    #[serde(default)] pub Option<u64>,
    #[serde(default)] pub Option<u64>,
    #[serde(default)] pub Option<u64>,
);

/// [`Recorded`] for every input, in both modes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Metrics {
    #[serde(default)]
    relay: Vec<Recorded>,
    #[serde(default)]
    consensus: Vec<Recorded>,
}

/// A transaction, the outputs it spends, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Vector {
    /// A short name, unique in its file.
    pub id: String,
    /// The group it belongs to.
    #[serde(default)]
    pub family: String,
    /// What must come of it.
    pub expect: Expect,
    /// What it is about.
    #[serde(default)]
    pub about: String,
    /// The transaction.
    #[serde(with = "hex::serde")]
    pub tx: Vec<u8>,
    /// The spent outputs, in input order, with their count in front.
    #[serde(with = "hex::serde")]
    pub utxos: Vec<u8>,
    /// Whether scripts alone decide.
    #[serde(default)]
    pub script_only: bool,
    #[serde(default)]
    metrics: Option<Metrics>,
}

impl Vector {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// What another implementation recorded for each input, if it did.
    #[must_use]
    pub fn recorded(&self, mode: Mode) -> &[Recorded] {
        match (&self.metrics, mode) {
            (Some(metrics), Mode::Relay) => &metrics.relay,
            (Some(metrics), Mode::Consensus) => &metrics.consensus,
            (None, _) => &[],
        }
    }
}

/// The first bytes of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Frames with windows up to 128 MiB are read.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Opens a file, plain or zstd, for reading line by line.
///
/// # Errors
/// If it cannot be opened.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    if !file.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        return Ok(Box::new(file));
    }
    let mut decoder = zstd::Decoder::with_buffer(file)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(Box::new(BufReader::new(decoder)))
}
