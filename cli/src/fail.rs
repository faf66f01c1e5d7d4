//! Why a command ends without doing what was asked, and the exit code that says so.

use std::io;

/// The class of a failure, which scripts see as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something was checked and refused.
    Refused = 1,
    /// The command was asked for something that makes no sense.
    Usage = 2,
    /// The node does not answer.
    Unreachable = 3,
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) exit: Exit,
    /// What happened; empty if it has been said already.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl Fail {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), help: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: None }
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, message: message.into(), help: None }
    }

    /// A refusal whose reasons are on the screen already.
    pub(crate) fn said() -> Self {
        Self::refused("")
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// A closed pipe is no failure: the reader has seen enough.
impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::said() } else { Self::refused(error.to_string()) }
    }
}

impl From<client::NodeError> for Fail {
    fn from(error: client::NodeError) -> Self {
        match error {
            client::NodeError::Rpc(error) => error.into(),
            client::NodeError::Broken(method) => crate::link::broken(method),
        }
    }
}

impl From<client::RpcError> for Fail {
    fn from(error: client::RpcError) -> Self {
        match error {
            client::RpcError::Unreachable(_) => {
                Self::unreachable(error.to_string()).help("start one with `bmc node`, or name it with `--rpc`")
            }
            client::RpcError::Unauthorized => Self::unreachable(error.to_string())
                .help("name the node's cookie file with `--cookie`, or its user and password with `--auth`"),
            client::RpcError::Broken(_) => Self::unreachable(error.to_string()),
            client::RpcError::Refused { ref message, .. } => {
                let fail = Self::refused(error.to_string());
                match refusal_help(message) {
                    Some(help) => fail.help(help),
                    None => fail,
                }
            }
        }
    }
}

/// What to do about a refusal that passes with time, or comes from what was sent before.
fn refusal_help(message: &str) -> Option<&'static str> {
    let known = [
        ("bad-txns-nonfinal", "its lock time has not come: send it again after more blocks"),
        ("non-BIP68-final", "the coin is younger than the contract demands: send it again after more blocks"),
        ("txn-mempool-conflict", "another transaction spends the coin already: wait until it is mined"),
        ("(pruned data)", "ask a node that keeps all blocks, one without `--prune` and `--prune-data`"),
        ("txn-already-in-mempool", "it has been sent already: wait until it is mined"),
    ];
    known.iter().find(|(reason, _)| message.contains(reason)).map(|(_, help)| *help)
}

impl From<wallet::BuildError> for Fail {
    fn from(error: wallet::BuildError) -> Self {
        use wallet::BuildError as Why;
        let fail = Self::refused(error.to_string());
        match &error {
            Why::Short(_) => fail.help("pay less, or send money to the payer: `bmc wallet send @alice WHO AMOUNT`"),
            Why::Overspent { .. } => fail.help("ask for less, or let an account add money with `--fee-from @alice`"),
            Why::Dust { limit, .. } => fail.help(format!("pay at least {} sats", limit.get())),
            Why::NoKey(_) => fail.help("name an account that owns the coins"),
            Why::WrongLock(_) => fail.help("deploy the contract again with the parameters that the coin was paid to"),
            Why::WrongParam { .. } => fail.help("give it with `--param`, with the unit: `144 blocks`, `2 days`"),
            Why::UnknownTime { field, .. } => fail.help(format!("say it: `{} N`", time_flag(field))),
            Why::Refused(refusal) if is_time(refusal.failure.error) => {
                fail.help("raise `--locktime` or `--sequence`, or leave them out: the path's own bounds are used then")
            }
            Why::Refused(_) => fail.help("change what this check reads: an argument, an output, or who signs"),
            Why::MoneyRange | Why::NoSuchPath { .. } | Why::WrongArg { .. } | Why::Abi(_) => fail,
        }
    }
}

impl From<wallet::PlanError> for Fail {
    fn from(error: wallet::PlanError) -> Self {
        use wallet::PlanFault as Why;
        let fail = Self::refused(error.to_string());
        match *error.fault {
            Why::MissingArg(name) => fail.help(format!("add `--arg {name}=…`")),
            Why::NoDeployment(contract) => {
                fail.help(format!("deploy it here first: `bmc deploy FILE --contract {contract} --param name=value`"))
            }
            Why::NoPayer => fail.help("name an account: `--fee-from @alice`"),
            Why::NoKey(_) => fail.help("let its account sign too: `--sign @bob`"),
            Why::Several(_) => fail.help("name one with `--coin INPUT=TXID:INDEX`"),
            Why::NoCoin(_) => fail.help("pay it first, or wait until the block with its coin is mined"),
            Why::Short(_) | Why::ShortOfValue { .. } => {
                fail.help("pay less, or send money to the payer: `bmc wallet send @alice WHO AMOUNT`")
            }
            Why::Refused(refusal) => Self { help: Self::from(wallet::BuildError::Refused(refusal)).help, ..fail },
            Why::Build(inner) => Self { help: Self::from(*inner).help, ..fail },
            _ => fail,
        }
    }
}

fn time_flag(field: &str) -> &'static str {
    if field == "sequence" { "--sequence" } else { "--locktime" }
}

/// Whether a time lock refused.
fn is_time(error: vm::ScriptError) -> bool {
    matches!(error, vm::ScriptError::LockTime | vm::ScriptError::NegativeLockTime)
}

impl From<wallet::SettleError> for Fail {
    fn from(error: wallet::SettleError) -> Self {
        use wallet::SettleError as Why;
        let fail = Self::refused(error.to_string());
        match error {
            Why::Build(error) => error.into(),
            Why::List(error) => error.into(),
            Why::NotAReward(_) => fail.help("spend it by one of its paths: `bmc call NAME PATH`"),
            Why::UnderMinimum { minimum, .. } => {
                fail.help(format!("wait until its coins hold at least {} sats together, or pay more", minimum.get()))
            }
            Why::FeeTooHigh { max, .. } => fail.help(format!("give at most `--fee \"{} sats\"`", max.get())),
            Why::RelayAsksMore { .. } => fail.help("raise `fee` in the reward: this deployment relays at no price"),
            Why::Coins(_) => fail.help(format!("settle at most {} coins at a time", wallet::JOINED_MAX)),
            Why::NoJoin(_) => fail.help("name one of them by `--pot TXID:INDEX`"),
            Why::Inconsistent(_) => fail.help("deploy the contract again"),
        }
    }
}

impl From<flow::ListError> for Fail {
    fn from(error: flow::ListError) -> Self {
        use flow::ListError as Why;
        let fail = Self::refused(error.to_string());
        match error {
            Why::NoRecord(name) => fail.help(format!(
                "make the record first, `bmc call {name}Open …`, or name its token's category with `--record`"
            )),
            Why::TooLong { .. } => fail.help("pay some of them through one entry, a reward of its own"),
            Why::Names(_) => fail.help("deploy it again with the names that its list has"),
            _ => fail.help("deploy the reward with another list"),
        }
    }
}

impl From<wallet::ValueError> for Fail {
    fn from(error: wallet::ValueError) -> Self {
        Self::usage(error.to_string()).help(error.help())
    }
}

impl From<wallet::ProgramError> for Fail {
    fn from(error: wallet::ProgramError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<spec::artifact::AbiError> for Fail {
    fn from(error: spec::artifact::AbiError) -> Self {
        Self::usage(error.to_string())
    }
}
