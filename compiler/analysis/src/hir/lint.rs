//! The lints that `allow(name);` can silence: the one table of their names.

use std::fmt;

use syntax::{Code, Diagnostic, Effect, Fix, Loc};

use super::Allow;

/// Declares the table; every row becomes a variant of [`Lint`] with its name and the code it reports.
macro_rules! lints {
    ($($(#[$doc:meta])* $lint:ident $name:literal $code:ident;)*) => {
        /// Something that a contract should not do unless its author says so by name.
        ///
        /// ```
        /// use analysis::hir::Lint;
        /// assert_eq!(Lint::from_name("shared_output"), Some(Lint::SharedOutput));
        /// assert_eq!(Lint::of(Lint::SharedOutput.code()), Some(Lint::SharedOutput));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Lint {
            $($(#[$doc])* $lint,)*
        }

        impl Lint {
            /// Every lint, in table order.
            pub const ALL: &'static [Lint] = &[$(Lint::$lint),*];

            /// The name that `allow` takes.
            pub fn name(self) -> &'static str {
                match self { $(Lint::$lint => $name,)* }
            }

            /// The code of its message.
            pub fn code(self) -> Code {
                match self { $(Lint::$lint => Code::$code,)* }
            }
        }
    };
}

lints! {
    /// A path that demands nothing.
    OpenPath "open_path" E0401;
    /// A path that nobody can take.
    ClosedPath "closed_path" E0402;
    /// An argument that no condition reads.
    UnreadArgument "unread_argument" E0403;
    /// A division whose result is multiplied.
    DivideFirst "divide_first" E0404;
    /// One signature for two keys.
    OneSignature "one_signature" E0405;
    /// A height beside a time.
    MixedClocks "mixed_clocks" E0406;
    /// The lock time is read where it may not count.
    UnlockedLockTime "unlocked_lock_time" E0410;
    /// An output could carry the contract's token away.
    UnaccountedOutput "unaccounted_output" E0413;
    /// One output could satisfy several coins of the contract.
    SharedOutput "shared_output" E0414;
    /// Nothing bounds the length of something that is stored or hashed.
    UncheckedLength "unchecked_length" E0415;
    /// A token is trusted without looking at what its category says.
    UncheckedCapability "unchecked_capability" E0416;
    /// Money goes to a lock that the spender makes up.
    UnsafeDestination "unsafe_destination" E0417;
    /// Anyone may leave the coin's value to the miner.
    UncappedFee "uncapped_fee" E0418;
    /// A signed message serves for other coins too.
    UnboundAttestation "unbound_attestation" E0419;
    /// What should be a parameter is chosen by the spender.
    TrustArgument "trust_argument" E0420;
    /// A number may leave the range that its place has.
    NumberRange "number_range" E0421;
    /// An output that is not relayed.
    DustOutput "dust_output" E0422;
    /// A condition that only holds for a while.
    UpperTimeBound "upper_time_bound" E0423;
    /// A path that neither continues the state nor ends it.
    StateUnchecked "state_unchecked" E0424;
    /// More work than the transaction pays for.
    OverBudget "over_budget" E0504;
}

/// The names of messages that only warn, and that no `allow` in a source silences.
pub const WARNINGS: [(&str, Code); 7] = [
    ("idle_doc", Code::E0018),
    ("unused_name", Code::E0111),
    ("unused_import", Code::E0123),
    ("unreachable_arm", Code::E0217),
    ("unreachable_code", Code::E0222),
    ("no_fee", Code::E0314),
    ("idle_allow", Code::E0426),
];

impl Lint {
    /// Whether one body shows it, without the functions that it calls.
    pub(crate) fn shows_in_one_body(self) -> bool {
        matches!(
            self,
            Lint::OpenPath
                | Lint::ClosedPath
                | Lint::UnreadArgument
                | Lint::DivideFirst
                | Lint::OneSignature
                | Lint::MixedClocks
                | Lint::UnlockedLockTime
        )
    }

    /// The lint of that name.
    pub fn from_name(name: &str) -> Option<Lint> {
        Lint::ALL.iter().copied().find(|lint| lint.name() == name)
    }

    /// The lint that reports this code.
    pub fn of(code: Code) -> Option<Lint> {
        Lint::ALL.iter().copied().find(|lint| lint.code() == code)
    }
}

impl Allow {
    /// Whether a place lies where the lint is silenced.
    pub fn covers(&self, loc: &Loc) -> bool {
        let scope = &self.scope;
        scope.file == loc.file
            && scope.item == loc.item
            && scope.span.start <= loc.span.start
            && loc.span.end <= scope.span.end
    }

    /// The warning that it silences nothing.
    pub fn idle(&self) -> Diagnostic {
        let found =
            Diagnostic::warning(Code::E0426, format!("`allow({})` silences nothing", self.lint), self.loc.clone())
                .saying("nothing here gets this message")
                .help("remove it, so that the message comes when it is due");
        match &self.removal {
            Some(removal) => found.fix(Fix::new("remove it", Effect::Keeps).remove(removal.clone())),
            None => found,
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
