//! The one opcode table: what each of the 256 bytes means, costs and does to the stack.
//!
//! Everything that speaks of opcodes reads this table: the interpreter, the assembler, the
//! compiler's scheduler, `bmc ops`, editors and the printed reference. A consumer that decides by
//! opcode matches [`Opcode`] exhaustively, so that a row added here is an error where it was forgotten.

use crate::rules::RuleSet;

/// What an instruction costs beyond the base price of every instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CostClass {
    /// Nothing.
    Base,
    /// One for each byte it pushes.
    Push,
    /// One, for the truth value it pushes and takes away again.
    Verify,
    /// Two for each byte of the result.
    Arithmetic,
    /// Two for each byte of the result, and the product of the operands' lengths.
    Product,
    /// As a push, and the depth it reaches.
    Roll,
    /// One for each byte of the function body.
    Define,
    /// As a push, and the price of the hash iterations.
    Hash,
    /// As a push, and the price of the hash iterations and of the signature.
    Signature,
    /// It has no price, because it always fails.
    Fail,
}

/// Under which rules an opcode works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Under every rule set.
    Both,
    /// Only under [`RuleSet::Bitmodel`]; elsewhere it fails when executed.
    Bitmodel,
    /// It does nothing under every rule set, and relay refuses to execute it.
    Nop,
    /// It fails when executed under every rule set.
    Reserved,
}

/// A chapter of the opcode reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Pushes of data and small numbers.
    Constants,
    /// Conditionals, loops, functions.
    Flow,
    /// Moving and copying items.
    Stack,
    /// Byte strings and their bits.
    Bytes,
    /// Numbers.
    Arithmetic,
    /// Hashes and signatures.
    Crypto,
    /// Absolute and relative time locks.
    Locktime,
    /// Facts about the transaction.
    Introspection,
    /// Kept for later.
    Reserved,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The opcode.
    pub opcode: Opcode,
    /// Its name in assembly.
    pub name: &'static str,
    /// The items it takes and leaves, top last: `a b -- c`. A `?` marks an item that may be missing, `..` any number.
    pub stack: &'static str,
    /// Its price.
    pub cost: CostClass,
    /// Where it works.
    pub availability: Availability,
    /// Its chapter.
    pub group: Group,
    /// What it does, in one sentence without a full stop.
    pub doc: &'static str,
}

macro_rules! opcodes {
    ($($group:ident { $($byte:literal => $variant:ident $name:literal $stack:literal $cost:ident $availability:ident $doc:literal;)* })*) => {
        /// A byte of bytecode that has a name. Pushes of 1 to 75 bytes (`0x01..=0x4b`) have none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $($(#[doc = concat!("`", $name, "` `", $stack, "`: ", $doc, ".")] $variant = $byte,)*)*
        }

        /// Every opcode, chapter by chapter.
        pub const TABLE: &[Row] = &[
            $($(Row {
                opcode: Opcode::$variant,
                name: $name,
                stack: $stack,
                cost: CostClass::$cost,
                availability: Availability::$availability,
                group: Group::$group,
                doc: $doc,
            },)*)*
        ];

        const BY_BYTE: [Option<Opcode>; 256] = {
            let mut table = [None; 256];
            $($(table[$byte] = Some(Opcode::$variant);)*)*
            table
        };

        impl Opcode {
            /// Its row of the table.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $($(Self::$variant => Row {
                        opcode: Self::$variant,
                        name: $name,
                        stack: $stack,
                        cost: CostClass::$cost,
                        availability: Availability::$availability,
                        group: Group::$group,
                        doc: $doc,
                    },)*)*
                }
            }

            /// How many items it takes and leaves; `None` where that depends on the items.
            #[must_use]
            pub const fn arity(self) -> Option<(usize, usize)> {
                match self {
                    $($(Self::$variant => const { arity_of($stack) },)*)*
                }
            }
        }
    };
}

opcodes! {
    Constants {
        0x00 => N0 "OP_0" "-- empty" Push Both
            "pushes an empty item: the number zero, and false";
        0x4c => PushData1 "OP_PUSHDATA_1" "-- data" Push Both
            "pushes as many bytes as the next byte says; only for 76 to 255 bytes";
        0x4d => PushData2 "OP_PUSHDATA_2" "-- data" Push Both
            "pushes as many bytes as the next two bytes say; only for 256 to 65,535 bytes";
        0x4e => PushData4 "OP_PUSHDATA_4" "-- data" Push Both
            "pushes as many bytes as the next four bytes say; no item is long enough to need it";
        0x4f => Negate1 "OP_1NEGATE" "-- n" Push Both
            "pushes the number -1";
        0x50 => Reserved "OP_RESERVED" "--" Fail Reserved
            "fails when executed, though it counts as a push";
        0x51 => N1 "OP_1" "-- n" Push Both
            "pushes the number 1";
        0x52 => N2 "OP_2" "-- n" Push Both
            "pushes the number 2";
        0x53 => N3 "OP_3" "-- n" Push Both
            "pushes the number 3";
        0x54 => N4 "OP_4" "-- n" Push Both
            "pushes the number 4";
        0x55 => N5 "OP_5" "-- n" Push Both
            "pushes the number 5";
        0x56 => N6 "OP_6" "-- n" Push Both
            "pushes the number 6";
        0x57 => N7 "OP_7" "-- n" Push Both
            "pushes the number 7";
        0x58 => N8 "OP_8" "-- n" Push Both
            "pushes the number 8";
        0x59 => N9 "OP_9" "-- n" Push Both
            "pushes the number 9";
        0x5a => N10 "OP_10" "-- n" Push Both
            "pushes the number 10";
        0x5b => N11 "OP_11" "-- n" Push Both
            "pushes the number 11";
        0x5c => N12 "OP_12" "-- n" Push Both
            "pushes the number 12";
        0x5d => N13 "OP_13" "-- n" Push Both
            "pushes the number 13";
        0x5e => N14 "OP_14" "-- n" Push Both
            "pushes the number 14";
        0x5f => N15 "OP_15" "-- n" Push Both
            "pushes the number 15";
        0x60 => N16 "OP_16" "-- n" Push Both
            "pushes the number 16";
    }
    Flow {
        0x61 => Nop "OP_NOP" "--" Base Both
            "does nothing";
        0x62 => Ver "OP_VER" "-- version" Push Bitmodel
            "pushes the transaction version as 4 bytes";
        0x63 => If "OP_IF" "condition --" Base Both
            "runs what follows, up to `OP_ELSE` or `OP_ENDIF`, if the condition is true";
        0x64 => NotIf "OP_NOTIF" "condition --" Base Both
            "runs what follows, up to `OP_ELSE` or `OP_ENDIF`, if the condition is false";
        0x65 => Begin "OP_BEGIN" "--" Base Both
            "marks the start of a loop";
        0x66 => Until "OP_UNTIL" "condition --" Base Both
            "goes back to the matching `OP_BEGIN` unless the condition is true";
        0x67 => Else "OP_ELSE" "--" Base Both
            "turns execution of the open conditional round; may be repeated";
        0x68 => EndIf "OP_ENDIF" "--" Base Both
            "closes the open conditional";
        0x69 => Verify "OP_VERIFY" "condition --" Base Both
            "fails unless the condition is true";
        0x6a => Return "OP_RETURN" "--" Fail Both
            "fails; as the first byte of a lock it marks an output that only carries data";
        0x89 => Define "OP_DEFINE" "body id --" Define Both
            "stores a function body under an identifier of up to 7 bytes; an identifier is defined once";
        0x8a => Invoke "OP_INVOKE" "id --" Base Both
            "runs the function stored under the identifier on the same stacks";
    }
    Stack {
        0x6b => ToAltStack "OP_TOALTSTACK" "x --" Base Both
            "moves the top item to the alt stack";
        0x6c => FromAltStack "OP_FROMALTSTACK" "-- x" Push Both
            "moves the top item of the alt stack back";
        0x6d => Drop2 "OP_2DROP" "a b --" Base Both
            "removes the top two items";
        0x6e => Dup2 "OP_2DUP" "a b -- a b a b" Push Both
            "copies the top two items";
        0x6f => Dup3 "OP_3DUP" "a b c -- a b c a b c" Push Both
            "copies the top three items";
        0x70 => Over2 "OP_2OVER" "a b c d -- a b c d a b" Push Both
            "copies the third and fourth items to the top";
        0x71 => Rot2 "OP_2ROT" "a b c d e f -- c d e f a b" Push Both
            "moves the fifth and sixth items to the top";
        0x72 => Swap2 "OP_2SWAP" "a b c d -- c d a b" Base Both
            "exchanges the top two pairs";
        0x73 => IfDup "OP_IFDUP" "a -- a a?" Push Both
            "copies the top item if it is true";
        0x74 => Depth "OP_DEPTH" "-- n" Push Both
            "pushes the number of items on the main stack";
        0x75 => Drop "OP_DROP" "a --" Base Both
            "removes the top item";
        0x76 => Dup "OP_DUP" "a -- a a" Push Both
            "copies the top item";
        0x77 => Nip "OP_NIP" "a b -- b" Base Both
            "removes the second item";
        0x78 => Over "OP_OVER" "a b -- a b a" Push Both
            "copies the second item to the top";
        0x79 => Pick "OP_PICK" ".. n -- .. x" Push Both
            "copies the item `n` below the top to the top";
        0x7a => Roll "OP_ROLL" ".. n -- .. x" Roll Both
            "moves the item `n` below the top to the top";
        0x7b => Rot "OP_ROT" "a b c -- b c a" Base Both
            "moves the third item to the top";
        0x7c => Swap "OP_SWAP" "a b -- b a" Base Both
            "exchanges the top two items";
        0x7d => Tuck "OP_TUCK" "a b -- b a b" Push Both
            "copies the top item below the second";
    }
    Bytes {
        0x7e => Cat "OP_CAT" "a b -- ab" Push Both
            "joins two items";
        0x7f => Split "OP_SPLIT" "ab n -- a b" Push Both
            "cuts an item after its first `n` bytes";
        0x80 => Num2Bin "OP_NUM2BIN" "num n -- bytes" Push Both
            "writes a number with exactly `n` bytes";
        0x81 => Bin2Num "OP_BIN2NUM" "bytes -- num" Push Both
            "reads bytes as a number and makes it minimal";
        0x82 => Size "OP_SIZE" "a -- a n" Push Both
            "pushes the length of the top item, which stays";
        0x83 => Invert "OP_INVERT" "a -- b" Push Both
            "turns every bit of an item round";
        0x84 => And "OP_AND" "a b -- c" Push Both
            "bitwise and of two items of one length";
        0x85 => Or "OP_OR" "a b -- c" Push Both
            "bitwise or of two items of one length";
        0x86 => Xor "OP_XOR" "a b -- c" Push Both
            "bitwise exclusive or of two items of one length";
        0x87 => Equal "OP_EQUAL" "a b -- bool" Push Both
            "whether two items are the same bytes";
        0x88 => EqualVerify "OP_EQUALVERIFY" "a b --" Verify Both
            "fails unless two items are the same bytes";
        0x98 => LShiftBin "OP_LSHIFTBIN" "a n -- b" Push Both
            "shifts the bits of an item left by `n`, keeping its length";
        0x99 => RShiftBin "OP_RSHIFTBIN" "a n -- b" Push Both
            "shifts the bits of an item right by `n`, keeping its length";
        0xbc => ReverseBytes "OP_REVERSEBYTES" "a -- b" Push Both
            "reverses the bytes of an item";
        0xbd => Substr "OP_SUBSTR" "data begin len -- out" Push Bitmodel
            "takes `len` bytes of an item, from `begin` on";
        0xbe => Left "OP_LEFT" "data n -- out" Push Bitmodel
            "takes the first `n` bytes of an item";
        0xbf => Right "OP_RIGHT" "data n -- out" Push Bitmodel
            "takes the last `n` bytes of an item";
    }
    Arithmetic {
        0x8b => Add1 "OP_1ADD" "a -- n" Arithmetic Both
            "adds one";
        0x8c => Sub1 "OP_1SUB" "a -- n" Arithmetic Both
            "subtracts one";
        0x8d => LShiftNum "OP_LSHIFTNUM" "a n -- b" Push Both
            "multiplies a number by two to the `n`";
        0x8e => RShiftNum "OP_RSHIFTNUM" "a n -- b" Push Both
            "divides a number by two to the `n`, rounding down";
        0x8f => Negate "OP_NEGATE" "a -- n" Arithmetic Both
            "changes the sign";
        0x90 => Abs "OP_ABS" "a -- n" Arithmetic Both
            "removes the sign";
        0x91 => Not "OP_NOT" "a -- bool" Push Both
            "whether a number is zero";
        0x92 => NotEqual0 "OP_0NOTEQUAL" "a -- bool" Push Both
            "whether a number is not zero";
        0x93 => Add "OP_ADD" "a b -- n" Arithmetic Both
            "adds two numbers";
        0x94 => Sub "OP_SUB" "a b -- n" Arithmetic Both
            "subtracts the top number from the second";
        0x95 => Mul "OP_MUL" "a b -- n" Product Both
            "multiplies two numbers";
        0x96 => Div "OP_DIV" "a b -- n" Product Both
            "divides the second number by the top one, rounding towards zero";
        0x97 => Mod "OP_MOD" "a b -- n" Product Both
            "the remainder of that division, with the sign of the dividend";
        0x9a => BoolAnd "OP_BOOLAND" "a b -- bool" Push Both
            "whether both numbers are not zero";
        0x9b => BoolOr "OP_BOOLOR" "a b -- bool" Push Both
            "whether one of the numbers is not zero";
        0x9c => NumEqual "OP_NUMEQUAL" "a b -- bool" Push Both
            "whether two numbers are equal";
        0x9d => NumEqualVerify "OP_NUMEQUALVERIFY" "a b --" Verify Both
            "fails unless two numbers are equal";
        0x9e => NumNotEqual "OP_NUMNOTEQUAL" "a b -- bool" Push Both
            "whether two numbers differ";
        0x9f => LessThan "OP_LESSTHAN" "a b -- bool" Push Both
            "whether the second number is below the top one";
        0xa0 => GreaterThan "OP_GREATERTHAN" "a b -- bool" Push Both
            "whether the second number is above the top one";
        0xa1 => LessThanOrEqual "OP_LESSTHANOREQUAL" "a b -- bool" Push Both
            "whether the second number is at most the top one";
        0xa2 => GreaterThanOrEqual "OP_GREATERTHANOREQUAL" "a b -- bool" Push Both
            "whether the second number is at least the top one";
        0xa3 => Min "OP_MIN" "a b -- n" Arithmetic Both
            "the smaller of two numbers";
        0xa4 => Max "OP_MAX" "a b -- n" Arithmetic Both
            "the larger of two numbers";
        0xa5 => Within "OP_WITHIN" "x low high -- bool" Push Both
            "whether `x` is at least `low` and below `high`";
        0xd4 => Mul2 "OP_2MUL" "a -- n" Arithmetic Bitmodel
            "doubles a number";
        0xd5 => Div2 "OP_2DIV" "a -- n" Arithmetic Bitmodel
            "halves a number, rounding towards zero";
    }
    Crypto {
        0xa6 => Ripemd160 "OP_RIPEMD160" "a -- hash" Hash Both
            "the RIPEMD-160 hash of an item";
        0xa7 => Sha1 "OP_SHA1" "a -- hash" Hash Both
            "the SHA-1 hash of an item";
        0xa8 => Sha256 "OP_SHA256" "a -- hash" Hash Both
            "the SHA-256 hash of an item";
        0xa9 => Hash160 "OP_HASH160" "a -- hash" Hash Both
            "RIPEMD-160 of the SHA-256 of an item: the hash in addresses";
        0xaa => Hash256 "OP_HASH256" "a -- hash" Hash Both
            "SHA-256 of an item, twice";
        0xab => CodeSeparator "OP_CODESEPARATOR" "--" Base Both
            "lets later signatures of this frame cover only the code after it";
        0xac => CheckSig "OP_CHECKSIG" "sig key -- bool" Signature Both
            "whether the key signed this transaction; a failed signature must be empty";
        0xad => CheckSigVerify "OP_CHECKSIGVERIFY" "sig key --" Signature Both
            "fails unless the key signed this transaction";
        0xae => CheckMultiSig "OP_CHECKMULTISIG" "check sigs.. m keys.. n -- bool" Signature Both
            "whether `m` of `n` keys signed; a non-empty check item is a bit field that names the keys";
        0xaf => CheckMultiSigVerify "OP_CHECKMULTISIGVERIFY" "check sigs.. m keys.. n --" Signature Both
            "fails unless `m` of `n` keys signed";
        0xba => CheckDataSig "OP_CHECKDATASIG" "sig message key -- bool" Signature Both
            "whether the key signed the SHA-256 of a message";
        0xbb => CheckDataSigVerify "OP_CHECKDATASIGVERIFY" "sig message key --" Signature Both
            "fails unless the key signed the SHA-256 of a message";
    }
    Locktime {
        0xb1 => CheckLockTimeVerify "OP_CHECKLOCKTIMEVERIFY" "n -- n" Base Both
            "fails unless the transaction waits at least until height or time `n`";
        0xb2 => CheckSequenceVerify "OP_CHECKSEQUENCEVERIFY" "n -- n" Base Both
            "fails unless the spent output is at least as old as `n` says";
    }
    Introspection {
        0xc0 => InputIndex "OP_INPUTINDEX" "-- n" Push Both
            "the index of the input that runs";
        0xc1 => ActiveBytecode "OP_ACTIVEBYTECODE" "-- code" Push Both
            "the code that runs, from its last `OP_CODESEPARATOR` on";
        0xc2 => TxVersion "OP_TXVERSION" "-- n" Push Both
            "the version of the transaction, signed";
        0xc3 => TxInputCount "OP_TXINPUTCOUNT" "-- n" Push Both
            "the number of inputs";
        0xc4 => TxOutputCount "OP_TXOUTPUTCOUNT" "-- n" Push Both
            "the number of outputs";
        0xc5 => TxLockTime "OP_TXLOCKTIME" "-- n" Push Both
            "the lock time of the transaction";
        0xc6 => UtxoValue "OP_UTXOVALUE" "i -- n" Push Both
            "the value of the output that input `i` spends";
        0xc7 => UtxoBytecode "OP_UTXOBYTECODE" "i -- code" Push Both
            "the lock of the output that input `i` spends, without its tokens";
        0xc8 => OutpointTxHash "OP_OUTPOINTTXHASH" "i -- hash" Push Both
            "the id of the transaction that input `i` spends from";
        0xc9 => OutpointIndex "OP_OUTPOINTINDEX" "i -- n" Push Both
            "the index of the output that input `i` spends";
        0xca => InputBytecode "OP_INPUTBYTECODE" "i -- code" Push Both
            "the unlocking bytecode of input `i`";
        0xcb => InputSequenceNumber "OP_INPUTSEQUENCENUMBER" "i -- n" Push Both
            "the sequence number of input `i`";
        0xcc => OutputValue "OP_OUTPUTVALUE" "i -- n" Push Both
            "the value of output `i`";
        0xcd => OutputBytecode "OP_OUTPUTBYTECODE" "i -- code" Push Both
            "the lock of output `i`, without its tokens";
        0xce => UtxoTokenCategory "OP_UTXOTOKENCATEGORY" "i -- category" Push Both
            "the token category that input `i` spends, with 01 or 02 after it if mutable or minting; empty if none";
        0xcf => UtxoTokenCommitment "OP_UTXOTOKENCOMMITMENT" "i -- data" Push Both
            "the commitment of the token that input `i` spends";
        0xd0 => UtxoTokenAmount "OP_UTXOTOKENAMOUNT" "i -- n" Push Both
            "the amount of fungible tokens that input `i` spends";
        0xd1 => OutputTokenCategory "OP_OUTPUTTOKENCATEGORY" "i -- category" Push Both
            "the token category of output `i`, with 01 or 02 after it if mutable or minting; empty if none";
        0xd2 => OutputTokenCommitment "OP_OUTPUTTOKENCOMMITMENT" "i -- data" Push Both
            "the commitment of the token on output `i`";
        0xd3 => OutputTokenAmount "OP_OUTPUTTOKENAMOUNT" "i -- n" Push Both
            "the amount of fungible tokens on output `i`";
    }
    Reserved {
        0xb0 => Nop1 "OP_NOP1" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb3 => Nop4 "OP_NOP4" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb4 => Nop5 "OP_NOP5" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb5 => Nop6 "OP_NOP6" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb6 => Nop7 "OP_NOP7" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb7 => Nop8 "OP_NOP8" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb8 => Nop9 "OP_NOP9" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
        0xb9 => Nop10 "OP_NOP10" "--" Base Nop
            "does nothing; relay refuses it, so that a later rule may give it a meaning";
    }
}

/// Other names that assembly accepts for an opcode.
pub const ALIASES: &[(&str, Opcode)] = &[
    ("OP_FALSE", Opcode::N0),
    ("OP_PUSHDATA1", Opcode::PushData1),
    ("OP_PUSHDATA2", Opcode::PushData2),
    ("OP_PUSHDATA4", Opcode::PushData4),
    ("OP_TRUE", Opcode::N1),
    ("OP_NOP2", Opcode::CheckLockTimeVerify),
    ("OP_CLTV", Opcode::CheckLockTimeVerify),
    ("OP_NOP3", Opcode::CheckSequenceVerify),
    ("OP_CSV", Opcode::CheckSequenceVerify),
];

impl Opcode {
    /// The opcode of a byte, if the byte has a name.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        // The index is a byte and the table has 256 entries.
        #[allow(clippy::indexing_slicing)]
        BY_BYTE[byte as usize]
    }

    /// Its byte.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self as u8
    }

    /// Its name in assembly.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The opcode with that name or alias.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let own = TABLE.iter().find(|row| row.name == name).map(|row| row.opcode);
        own.or_else(|| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, opcode)| *opcode))
    }

    /// Whether it can be executed under `rules`.
    #[must_use]
    pub const fn works_under(self, rules: RuleSet) -> bool {
        match self.row().availability {
            Availability::Both | Availability::Nop => true,
            Availability::Bitmodel => matches!(rules, RuleSet::Bitmodel),
            Availability::Reserved => false,
        }
    }
}

/// Counts the items on both sides of an effect such as `a b -- c`.
const fn arity_of(effect: &str) -> Option<(usize, usize)> {
    let mut rest = effect.as_bytes();
    let (mut takes, mut leaves) = (0, 0);
    let (mut after, mut inside) = (false, false);
    while let [byte, tail @ ..] = rest {
        match (*byte, tail) {
            (b'?', _) | (b'.', [b'.', ..]) => return None,
            (b'-', [b'-', past @ ..]) => {
                (after, inside, rest) = (true, false, past);
                continue;
            }
            (b' ', _) => inside = false,
            _ if !inside => {
                inside = true;
                if after {
                    leaves += 1;
                } else {
                    takes += 1;
                }
            }
            _ => {}
        }
        rest = tail;
    }
    if after { Some((takes, leaves)) } else { None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn bytes_and_names_are_unique_and_lead_back_to_their_row() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in TABLE {
            assert_eq!(Opcode::from_byte(row.opcode.to_byte()), Some(row.opcode));
            assert_eq!(Opcode::from_name(row.name), Some(row.opcode));
            assert_eq!(row.opcode.row(), *row);
        }
    }

    #[test]
    fn the_bytes_without_a_name_are_the_short_pushes_and_the_free_ones() {
        let free: Vec<u8> = (0..=255).filter(|byte| Opcode::from_byte(*byte).is_none()).collect();
        let expected: Vec<u8> = (0x01..=0x4b).chain(0xd6..=0xff).collect();
        assert_eq!(free, expected);
    }

    #[test]
    fn every_effect_has_both_sides_and_every_doc_is_a_phrase() {
        for row in TABLE {
            assert!(row.stack.contains("--"), "{}", row.name);
            assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{}", row.name);
            let varies = row.stack.contains("..") || row.stack.contains('?');
            let (before, after) = row.stack.split_once("--").unwrap();
            let counts = (before.split_whitespace().count(), after.split_whitespace().count());
            assert_eq!(row.opcode.arity(), (!varies).then_some(counts), "{}", row.name);
        }
        assert_eq!(Opcode::Rot2.arity(), Some((6, 6)));
        assert_eq!(Opcode::Drop.arity(), Some((1, 0)));
        assert_eq!(Opcode::TxVersion.arity(), Some((0, 1)));
        assert_eq!(Opcode::CheckMultiSig.arity(), None);
        assert_eq!(Opcode::IfDup.arity(), None);
    }

    #[test]
    fn the_unlocked_originals_work_only_under_our_rules() {
        for opcode in [Opcode::Ver, Opcode::Substr, Opcode::Left, Opcode::Right, Opcode::Mul2, Opcode::Div2] {
            assert!(opcode.works_under(RuleSet::Bitmodel) && !opcode.works_under(RuleSet::Bch2026));
        }
        assert!(!Opcode::Reserved.works_under(RuleSet::Bitmodel));
    }
}
