//! Why a transaction or a block is refused, in bitcoind's words.

use std::fmt;

use spec::{BlockHash, Txid};

use crate::store::StoreError;

/// Declares unit variants together with bitcoind's reject reason for each.
macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident => $reason:literal,)* } and { $($rest:tt)* } else $fallback:ident) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)*
            $($rest)*
        }

        impl $name {
            /// The reject reason that bitcoind's clients know, without details.
            #[must_use]
            pub const fn reason(&self) -> &'static str {
                match self {
                    $(Self::$variant => $reason,)*
                    other => other.$fallback(),
                }
            }
        }
    };
}

reasons! {
    /// Why a transaction is refused.
    ///
    /// [`TxError::reason`] gives the short reason, `Display` the whole message of the RPC.
    #[derive(Clone, Debug, PartialEq, Eq)]
    TxError {
        /// It has no inputs.
        NoInputs => "bad-txns-vin-empty",
        /// It has no outputs.
        NoOutputs => "bad-txns-vout-empty",
        /// It has more bytes than a block may hold in one transaction.
        Oversize => "bad-txns-oversize",
        /// It has fewer bytes than the least that cannot pass for an inner node of the Merkle tree.
        Undersize => "bad-txns-undersize",
        /// Its version is neither 1 nor 2.
        Version => "bad-txns-version",
        /// An output's amount is above all the money there can be.
        OutputTooLarge => "bad-txns-vout-toolarge",
        /// The outputs' amounts add up to more than all the money there can be.
        OutputTotalTooLarge => "bad-txns-txouttotal-toolarge",
        /// Two inputs spend the same output.
        DuplicateInput => "bad-txns-inputs-duplicate",
        /// An input spends nothing though the transaction is no coinbase.
        NullPrevout => "bad-txns-prevout-null",
        /// A coinbase stands where an ordinary transaction belongs.
        UnexpectedCoinbase => "bad-tx-coinbase",
        /// A coinbase's script has fewer than 2 or more than 100 bytes.
        CoinbaseScriptLength => "bad-cb-length",
        /// A spent output does not exist or is spent already.
        MissingInputs => "bad-txns-inputs-missingorspent",
        /// A spent coinbase output is not mature.
        ImmatureCoinbase => "bad-txns-premature-spend-of-coinbase",
        /// The spent amounts add up to more than all the money there can be.
        InputsOutOfRange => "bad-txns-inputvalues-outofrange",
        /// The outputs hold more than the spent outputs did.
        SpendsTooMuch => "bad-txns-in-belowout",
        /// Its lock time is not reached.
        NotFinal => "bad-txns-nonfinal",
        /// A relative lock of an input is not reached.
        RelativeLock => "non-BIP68-final",
        /// An output opens with the token prefix byte but carries no token.
        OutputTokenPrefix => "bad-txns-vout-tokenprefix",
        /// A spent output opens with the token prefix byte but carries no token.
        InputTokenPrefix => "bad-txns-vin-tokenprefix",
        /// A coinbase has token outputs.
        CoinbaseTokens => "bad-txns-coinbase-has-tokens",
        /// A token's commitment is longer than allowed.
        TokenCommitment => "bad-txns-token-commitment-oversized",
        /// Amounts of one token add up to more than a token's largest amount.
        TokenOverflow => "bad-txns-token-amount-overflow",
        /// An output's token category is neither spent nor created here.
        TokenCategory => "bad-txns-token-invalid-category",
        /// A category that is already spent here would be created again.
        TokenGenesisTwice => "bad-txns-token-dupe-genesis",
        /// Outputs hold more of a token than the spent outputs did.
        TokenSpendsTooMuch => "bad-txns-token-in-belowout",
        /// An output holds a non-fungible token that no spent output entitles to.
        NftExNihilo => "bad-txns-token-nft-ex-nihilo",
        /// The scripts check more signatures than one transaction may.
        TooManySigChecks => "bad-txns-too-many-sigchecks",
        /// Relay: it has more bytes than nodes pass on.
        NonstandardSize => "tx-size",
        /// Relay: its version is not one that nodes pass on.
        NonstandardVersion => "version",
        /// Relay: an unlocking script is longer than nodes pass on.
        UnlockSize => "scriptsig-size",
        /// Relay: an unlocking script does more than push.
        UnlockNotPushOnly => "scriptsig-not-pushonly",
        /// Relay: an output's lock is of no standard form.
        NonstandardOutput => "scriptpubkey",
        /// Relay: a spent output's lock is of no standard form.
        NonstandardInputs => "bad-txns-nonstandard-inputs",
        /// Relay: an output costs more to spend than it holds.
        Dust => "dust",
        /// Relay: data outputs hold more bytes than nodes pass on.
        DataCarrierSize => "oversize-op-return",
        /// Relay: the fee is below one unit a byte.
        FeeTooLow => "min relay fee not met",
        /// Mempool: the fee is below what is due since others left for want of room.
        FloorNotMet => "mempool min fee not met",
        /// Mempool: it is there already.
        AlreadyInMempool => "txn-already-in-mempool",
        /// Mempool: it is in the chain already.
        AlreadyInChain => "txn-already-known",
        /// Mempool: it spends what a waiting transaction spends.
        Conflict => "txn-mempool-conflict",
        /// Mempool: there is no room left.
        MempoolFull => "mempool full",
    } and {
        /// A script failed.
        Script {
            /// Which input, from 0.
            input: usize,
            /// How and where.
            failure: Box<vm::Failure>,
            /// Whether blocks refuse it too; `false` when only relay does.
            mandatory: bool,
        },
        /// The store failed; the transaction was not judged.
        Store(StoreError),
    } else detailed_reason
}

impl TxError {
    const fn detailed_reason(&self) -> &'static str {
        match self {
            Self::Script { mandatory: true, .. } => "mandatory-script-verify-flag-failed",
            Self::Script { mandatory: false, .. } => "non-mandatory-script-verify-flag",
            _ => "internal-error",
        }
    }
}

impl fmt::Display for TxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script { failure, .. } => write!(f, "{} ({})", self.reason(), failure.error),
            Self::Store(error) => write!(f, "{}: {error}", self.reason()),
            _ => f.write_str(self.reason()),
        }
    }
}

impl std::error::Error for TxError {}

impl From<StoreError> for TxError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

reasons! {
    /// Why a block is refused.
    #[derive(Clone, Debug, PartialEq, Eq)]
    BlockError {
        /// It is known already.
        Duplicate => "duplicate",
        /// It is known already, and known to be invalid.
        DuplicateInvalid => "duplicate-invalid",
        /// The block before it is not known.
        Orphan => "prev-blk-not-found",
        /// Its header is alone, and too many headers wait for their blocks.
        TooManyHeaders => "too-many-headers",
        /// Its branch leaves the active chain below the blocks that are kept, so it can never become the active one.
        TooDeep => "bad-fork-below-pruned",
        /// The block before it is invalid.
        InvalidParent => "bad-prevblk",
        /// Its hash does not meet its target.
        HighHash => "high-hash",
        /// Its target is not the one due at its place.
        WrongTarget => "bad-diffbits",
        /// Its time is not after the median of the eleven blocks before it.
        TimeTooOld => "time-too-old",
        /// Its time is more than two hours ahead.
        TimeTooNew => "time-too-new",
        /// Its version is below 4.
        Version => "bad-version",
        /// It holds no transaction or has too many bytes.
        Length => "bad-blk-length",
        /// Its first transaction is no coinbase.
        NoCoinbase => "bad-cb-missing",
        /// It has a second coinbase.
        ManyCoinbases => "bad-cb-multiple",
        /// Its coinbase has fewer than 100 bytes.
        CoinbaseSize => "bad-cb-size",
        /// Its coinbase does not open with the block's height.
        CoinbaseHeight => "bad-cb-height",
        /// Its coinbase takes more than subsidy and fees.
        CoinbaseAmount => "bad-cb-amount",
        /// The header's Merkle root is not that of the transactions.
        MerkleRoot => "bad-txnmrklroot",
        /// A transaction stands in it twice.
        DuplicateTransaction => "bad-txns-duplicate",
        /// The transactions after the coinbase are not in ascending order of their ids.
        Order => "tx-ordering",
        /// Its scripts check more signatures than one block may.
        TooManySigChecks => "bad-blk-sigchecks",
        /// The fees add up to more than all the money there can be.
        FeesOutOfRange => "bad-txns-accumulated-fee-outofrange",
    } and {
        /// One of its transactions is refused.
        Transaction {
            /// Where it stands in the block, from 0.
            position: usize,
            /// Its id.
            txid: Txid,
            /// Why.
            error: TxError,
        },
        /// A heavier branch that this block completes holds an invalid block.
        Branch {
            /// The invalid block.
            hash: BlockHash,
            /// Why.
            error: Box<BlockError>,
        },
        /// The store failed; the block was not judged.
        Store(StoreError),
    } else detailed_reason
}

impl BlockError {
    const fn detailed_reason(&self) -> &'static str {
        match self {
            Self::Transaction { error, .. } => error.reason(),
            Self::Branch { .. } => "bad-prevblk",
            _ => "internal-error",
        }
    }
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction { position, txid, error } => write!(f, "{error}, transaction {position} ({txid})"),
            Self::Branch { hash, error } => write!(f, "{}: block {hash}: {error}", self.reason()),
            Self::Store(error) => write!(f, "{}: {error}", self.reason()),
            _ => f.write_str(self.reason()),
        }
    }
}

impl std::error::Error for BlockError {}

impl From<StoreError> for BlockError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
