//! What the node says of itself on standard error: how much, of what, and in which form. All of it but the form may change while it runs.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A part of the node that can say more, and where its code is.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("http", &["node::server"]),
    ("mempool", &["node::tell", "chain::mempool"]),
    ("mining", &["node::miner", "node::method::mining"]),
    ("net", &["p2p", "node::peers"]),
    ("rpc", &["node::owner", "node::rpc"]),
    ("storage", &["storage"]),
    ("validation", &["chain", "node::state"]),
    ("wallet", &["node::wallets"]),
];

/// How much is said, and which parts say all.
///
/// ```
/// let levels: node::LogLevels = "info,http,rpc".parse().unwrap();
/// assert_eq!(levels.to_string(), "info,http,rpc");
/// assert!("loud".parse::<node::LogLevels>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevels {
    level: LevelFilter,
    loud: BTreeSet<&'static str>,
}

impl Default for LogLevels {
    fn default() -> Self {
        Self { level: LevelFilter::WARN, loud: BTreeSet::new() }
    }
}

/// A text is neither a level nor a category.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a level (`off`, `error`, `warn`, `info`, `debug`, `trace`) nor a part that can say more ({known})", known = names())]
pub struct UnknownLog(String);

fn names() -> String {
    let names: Vec<String> = CATEGORIES.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.join(", ")
}

fn category(name: &str) -> Option<&'static str> {
    CATEGORIES.iter().map(|(known, _)| *known).find(|known| *known == name)
}

impl FromStr for LogLevels {
    type Err = UnknownLog;

    fn from_str(text: &str) -> Result<Self, UnknownLog> {
        let mut levels = Self::default();
        for word in text.split(',') {
            match (category(word), word.parse::<LevelFilter>()) {
                (Some(name), _) => drop(levels.loud.insert(name)),
                (None, Ok(level)) if word.parse::<u8>().is_err() && !word.is_empty() => levels.level = level,
                _ => return Err(UnknownLog(word.chars().take(40).collect())),
            }
        }
        Ok(levels)
    }
}

impl fmt::Display for LogLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        self.loud.iter().try_for_each(|name| write!(f, ",{name}"))
    }
}

impl LogLevels {
    /// Every part, and whether it says all.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, bool)> {
        CATEGORIES.iter().map(|(name, _)| (*name, self.loud.contains(name) || self.level >= LevelFilter::DEBUG))
    }

    /// Lets parts say all, or no more than others; `all` and `1` mean every part, `none` and `0` no part.
    pub(crate) fn set(&mut self, names: &[String], loud: bool) -> Result<(), UnknownLog> {
        for name in names {
            match (name.as_str(), category(name)) {
                ("all" | "1" | "", _) => CATEGORIES.iter().for_each(|(name, _)| self.set_one(name, loud)),
                ("none" | "0", _) => {}
                (_, Some(name)) => self.set_one(name, loud),
                _ => return Err(UnknownLog(name.chars().take(40).collect())),
            }
        }
        Ok(())
    }

    fn set_one(&mut self, name: &'static str, loud: bool) {
        if loud {
            self.loud.insert(name);
        } else {
            self.loud.remove(name);
        }
    }

    fn targets(&self) -> Targets {
        let loud = CATEGORIES.iter().filter(|(name, _)| self.loud.contains(name)).flat_map(|(_, targets)| *targets);
        Targets::new().with_default(self.level).with_targets(loud.map(|target| (*target, LevelFilter::DEBUG)))
    }
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    #[default]
    Text,
    /// An object for each line, for programs.
    Json,
}

/// The logs of a process.
#[derive(Clone)]
pub struct Logs {
    levels: Arc<Mutex<LogLevels>>,
    apply: Option<Arc<dyn Fn(Targets) + Send + Sync>>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logs({})", self.levels())
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self::silent()
    }
}

impl Logs {
    /// Logs that nobody hears: the process has its own, or none.
    #[must_use]
    pub fn silent() -> Self {
        Self { levels: Arc::default(), apply: None }
    }

    /// Begins to log on standard error.
    #[must_use]
    pub fn start(levels: LogLevels, form: LogForm) -> Self {
        let (filter, handle) = reload::Layer::new(levels.targets());
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
        let layer = match form {
            LogForm::Text => layer.boxed(),
            LogForm::Json => layer.json().flatten_event(true).boxed(),
        };
        // A process that logs already goes on as it did.
        let started = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().is_ok();
        let apply = move |targets: Targets| {
            // It fails only when the layer is gone, and it stays as long as the process.
            let _ = handle.reload(targets);
        };
        Self { levels: Arc::new(Mutex::new(levels)), apply: started.then(|| Arc::new(apply) as Arc<_>) }
    }

    /// How much is said now.
    #[must_use]
    pub fn levels(&self) -> LogLevels {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes how much is said.
    pub fn set(&self, levels: LogLevels) {
        if let Some(apply) = &self.apply {
            apply(levels.targets());
        }
        *self.levels.lock().unwrap_or_else(PoisonError::into_inner) = levels;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_read_back() {
        for text in ["warn", "off", "trace", "info,http", "warn,http,mempool,wallet"] {
            assert_eq!(text.parse::<LogLevels>().unwrap().to_string(), text);
        }
        for text in ["", "5", "loud", "info,", "info,gossip"] {
            let error = text.parse::<LogLevels>().unwrap_err().to_string();
            assert!(error.contains("is neither a level"), "{error}");
        }
        assert_eq!("http".parse::<LogLevels>().unwrap().to_string(), "warn,http");
    }

    #[test]
    fn parts_are_named_with_their_code() {
        let targets = "error,http".parse::<LogLevels>().unwrap().targets();
        assert!(targets.would_enable("node::server::listen", &tracing::Level::DEBUG));
        assert!(!targets.would_enable("node::state", &tracing::Level::INFO));
        assert!(targets.would_enable("node::state", &tracing::Level::ERROR));
    }
}
