//! The one table of diagnostic codes of the whole compiler.
//!
//! Ranges: E00xx syntax, E01xx names, E02xx types, E03xx rewards, E04xx covenants, E05xx code
//! generation, E06xx manifests and files, E07xx plans, E09xx campaigns and offerings, E10xx tests. A published code keeps its number and meaning.

use std::fmt;

/// Declares the table; every row becomes a variant of [`Code`] with its title and explanation.
macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal;)*) => {
        /// The code of a diagnostic, such as `E0001`; each has a title and an explanation.
        ///
        /// ```
        /// use syntax::Code;
        /// assert_eq!(Code::E0001.to_string(), "E0001");
        /// assert_eq!(Code::from_name("E0001"), Some(Code::E0001));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, in table order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as written, such as `E0001`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// A few words that name the mistake.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// A paragraph of Markdown: what is wrong, why it matters, what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation,)* }
            }

            /// The code with that name.
            pub fn from_name(name: &str) -> Option<Code> {
                match name { $(stringify!($code) => Some(Code::$code),)* _ => None }
            }
        }
    };
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

codes! {
    E0001 "unexpected text"
        "The parser met a word or sign that cannot stand there. The message says what was expected instead; the rest of the file is still checked.";
    E0002 "characters that mean nothing"
        "Some characters belong to no word or sign of the language, such as `#` or a stray control character outside a string. Remove them, or put them into a string or a comment.";
    E0003 "string without an end"
        "A string must be closed by `\"` on the line it starts on. Write `\\n` for a line break inside a string.";
    E0004 "comment without an end"
        "A block comment opened by `/*` must be closed by `*/`. Block comments nest, so every `/*` inside needs its own `*/`.";
    E0005 "unknown escape in a string"
        "A string knows the escapes `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\xNN` with two hexadecimal digits up to 7f, and `\\u{...}` with the number of a Unicode character.";
    E0006 "malformed number or bytes"
        "Numbers are decimal digits with optional `_` between them, such as `21_000_000`. Bytes are written `0x` and an even number of hexadecimal digits, two for each byte.";
    E0007 "missing semicolon"
        "A statement ends in `;`. Only the last expression of a block may stand without one: it is the block's value.";
    E0008 "missing expression"
        "Something that has a value was expected here: a name, a number, a call, or an expression in parentheses.";
    E0009 "missing name"
        "A name was expected here: a letter or `_`, then letters, digits and `_`. Keywords such as `let` cannot be names, except after a dot and as keys of a declaration.";
    E0010 "missing type"
        "A type was expected here, such as `Int`, `Bool`, `Bytes<20>`, `PubKey` or `Coin`.";
    E0011 "bracket without its partner"
        "Every `(`, `[` and `{` needs the bracket that closes it, in the right order, and every closing bracket one that opens it.";
    E0012 "nested too deeply"
        "Brackets nest at most 200 deep and expressions at most 400, so that no source can exhaust the compiler. Give a part its own name with `let`, or move it into a function.";
    E0013 "feature of a later version"
        "The form belongs to a part of the language that this version of the compiler reads and does not compile yet. Say it with the forms that it compiles, as the message shows.";
    E0014 "unknown unit"
        "A word after a number is its unit: `coin`, `sats`, `blocks`, `seconds`, `minutes`, `hours`, `days` or `weeks`. Before a number `height` and before a string `time` give a point in time.";
    E0015 "text outside any item"
        "A file is a list of items: `use`, `const`, `struct`, `enum`, `fn`, `contract`, `reward`, `model`, `imi`, `imo`, `plan`, `test` and `property`. Other text cannot stand between them.";
    E0016 "too many errors"
        "Only the first hundred syntax errors of a file and the first hundred messages about an item are shown. Correct those first; the others are often their consequence.";
    E0017 "too many items"
        "One file holds at most 20,000 items. Split it into several files.";
    E0018 "documentation that documents nothing"
        "A `///` comment belongs to the item, member, field, variant, entry or statement of a plan that follows it, and `//!` to the file at whose top it stands. Write `//` for a comment about anything else.";

    E0101 "unknown name"
        "No constant, parameter, argument or variable of this name is in scope here. Names are case-sensitive, and a variable exists from its `let` to the end of its block.";
    E0102 "unknown type"
        "The types are `Int`, `Bool`, `Bytes`, `Bytes<N>`, `Coin`, `Tokens`, `Height`, `Time`, `Blocks`, `Duration`, `Share`, `PubKey`, `Sig`, `DataSig`, `Sigs<K>`, `Hash160`, `Hash256`, `Lock` and `Category`.";
    E0103 "unknown function"
        "Neither the language nor this file has a function or method of this name.";
    E0104 "unknown field"
        "The value has no field of this name. Inputs and outputs have `value`, `lock` and `token`; `tx` has `inputs`, `outputs`, `version` and `locktime`; bytes have `length`.";
    E0105 "name declared twice"
        "Two declarations of one place share a name, so a use of it could mean either. Rename one of them.";
    E0106 "unknown reward"
        "`split pot by Name;` divides by a `reward` of that name in the same file.";
    E0107 "assignment to something that cannot change"
        "Only variables declared by `let mut` can be assigned. Parameters, arguments and constants keep their value.";
    E0108 "wrong number of arguments"
        "A call needs exactly one value for each parameter of the function, in order.";
    E0109 "constants that define each other"
        "A constant cannot be computed from itself, directly or through other constants.";
    E0110 "function that calls itself"
        "Every call is a copy of the function's body, so a function cannot call itself, directly or through others.";
    E0111 "name that is never used"
        "A variable or parameter that nothing reads has no effect. Remove it, or start its name with `_` to keep it on purpose.";
    E0112 "type that contains itself"
        "A value of a struct or enum has a fixed number of parts, so the type cannot contain itself, directly or through other types. Keep the hash of the inner value instead.";
    E0113 "enum without variants"
        "A value of an enum is one of its variants: there must be at least one, and at most 256.";
    E0120 "unknown module"
        "A `use` names a file that does not exist, or a package that is no dependency. `./shares` is the file `shares.bmc` beside this one, `std::math` a module of the standard library, and `name::module` a file at the top of a dependency of bmc.toml.";
    E0121 "unknown item of a module"
        "The module declares no item of this name. Every item at the top of a file can be imported, but not what that file imports itself, nor members of a contract.";
    E0122 "files that import each other"
        "Imports form no circle: a file is checked after those it imports. Move what both sides need into a file of its own.";
    E0123 "import that nothing uses"
        "No other item of the file mentions the imported name. Remove it.";
    E0124 "import from outside"
        "Imports stay inside the folder of the package, the one with bmc.toml, so that a package is complete wherever it lies. Without a manifest they stay in and below the folder of the file. Make the other folder a dependency.";
    E0125 "import that names no module"
        "An import is `use package::module;`, `use package::module::Item;`, `use ./module;` or `use ./module::Item;`. The package is `std` or a dependency of bmc.toml.";
    E0130 "lock that is not known at deployment"
        "`Other(a, b).lock` in a contract is computed when the contract is deployed. What the other contract takes must be known by then: parameters of this contract, constants, or locks of further contracts. Values of arguments, of the state and of the transaction are not.";
    E0131 "locks that need each other"
        "A contract that names the lock of another contains the hash of that one's script, so two contracts cannot name each other, and none can name itself. Read the own lock by `self.lock`, or take one of the locks as a parameter or keep its hash in the state.";

    E0201 "type mismatch"
        "The place demands another type than the value has. Nothing is converted silently, except that all bytes can be used as `Bytes` and `0` fits every unit.";
    E0202 "units that do not mix"
        "An operator joins only values whose units fit: coins with coins, a height with blocks, a time with a duration. A quantity can be multiplied or divided by an `Int`, and divided by its own kind.";
    E0203 "number without a unit"
        "A bare number is an `Int`. Write its unit, such as `1_000 sats`, `2 coin`, `144 blocks`, `2 days` or `height 925_000`.";
    E0204 "operator that does not fit"
        "The operator does not exist for values of this type.";
    E0205 "number out of range"
        "The value lies outside what its type can hold: at most 21,000,000 coins, heights below 500,000,000, times from 1985 to 2106, whole base units and whole seconds.";
    E0206 "malformed time"
        "A time is written as RFC 3339 has it: `time \"2026-12-01T00:00Z\"`, seconds optional, with `Z` or an offset such as `+02:00`.";
    E0207 "missing value"
        "A value is needed here, but the block, function or declaration gives none.";
    E0208 "value that is not constant"
        "A constant is computed by the compiler, so it cannot read a transaction, a parameter or an argument, nor call a function of the file.";
    E0209 "type that cannot stand here"
        "`Share` exists only while compiling, and `Sigs<K>` only as the argument of a spend path that one `k of [..] signed(..)` reads.";
    E0210 "constant that cannot be computed"
        "The computation fails for every input: a division by zero, a slice outside its bytes, a number that leaves its range.";
    E0211 "value that nothing uses"
        "An expression alone has no effect. Write `require` before a condition, or `let` to name the value.";
    E0212 "lengths that never match"
        "Bytes of different lengths are never equal and cannot be combined bit by bit.";
    E0213 "program too large"
        "A limit of the compiler is exceeded that is far above what fits into a script. The message names the limit.";
    E0214 "element of something that has none"
        "Only `tx.inputs` and `tx.outputs` have elements, and only bytes can be sliced with `x[from..to]`.";
    E0215 "type that nothing decides"
        "The type of a value such as `None` or `[]`, or what a type parameter stands for, must follow from its place or its parts. Write the type: `let x: Option<Int> = None;`.";
    E0216 "value that no arm fits"
        "A `match` needs an arm for every value. The message shows one that is left out; add an arm for it, or `_` for all that are left.";
    E0217 "arm that is never reached"
        "The arms before it take every value that would fit it. Remove it, or move it up.";
    E0218 "pattern that cannot stand here"
        "Left of `=` and in a `for`, a pattern must fit every value, since nothing says what happens otherwise. Patterns joined by `|` bind no names, and what is compared in a pattern is a plain constant.";
    E0220 "loop without a bound"
        "A script knows beforehand how long it runs at most. Count between constants, or write the most rounds behind `max`: a constant from 1 to 65,535.";
    E0221 "misplaced return"
        "A `return` ends a function. It can stand in the branches of an `if` or `match` and in loops between constants, but not in a loop whose rounds are counted when the script runs, nor in a block that gives a value to an expression.";
    E0222 "text behind a return"
        "What stands behind a `return` is never done.";
    E0223 "instructions that do not fit"
        "The instructions of an `asm` take all their inputs and leave exactly their result, on every way through them. They cannot reach below their inputs, look at the script around them or define functions.";
    E0224 "misuse of a list"
        "Of a `list` parameter the script knows only a hash. A path goes through it at most once, by one `for` that stands in no branch, loop or function.";
    E0225 "missing field"
        "A struct, or a variant with named fields, is made by giving every field a value. A pattern names every field or ends with `..`.";

    E0301 "weights do not add up to one"
        "The weights of a reward, and of every group in it, must add up to exactly 1, so that nothing of a pot is lost and nothing is promised twice. Change one of them, or let one source be `rest`.";
    E0302 "weight that is not above zero"
        "Every source must get something: its weight must be above 0.";
    E0303 "more than one rest"
        "`rest` is what the other weights leave, so only one source of a group can have it.";
    E0304 "nothing left for the rest"
        "The other weights already add up to 1 or more, so `rest` would be 0 or negative.";
    E0305 "source declared twice"
        "Two sources share a name, or their names become the same parameter: `models.diffusion` is the parameter `models_diffusion`.";
    E0306 "unknown dust source"
        "`dust` names the source that takes what rounding leaves. It must be a source of the reward, in full: `models.diffusion`, not a group.";
    E0307 "missing minimum"
        "Without a smallest pot the compiler cannot prove that every share can be paid. Add the `minimum` that the message computes, or a larger one.";
    E0308 "share below the dust limit"
        "At the smallest pot a source would get less than an output may hold, so the settlement would not be relayed and the coin would be stuck. Raise the minimum or the weight.";
    E0309 "fee that eats the pot"
        "The largest fee must be smaller than the smallest pot. The flow of a model takes at most 100,000 sats, which is one for each byte of the largest transaction that nodes pass on: parents are paid from what the fee leaves.";
    E0310 "malformed weight"
        "A weight is a percentage, a ratio or a decimal number, such as `20%`, `3/10` or `0.2`, or the word `rest`.";
    E0311 "malformed setting"
        "The settings of a reward are `dust: source,`, `minimum: 10_000 sats,` and `fee: up to 1_000 sats,`, each at most once and not inside a group.";
    E0312 "reward too fine or too large"
        "A reward has at most 200 sources, groups nest at most 16 deep, and the common denominator of all weights is at most 2,100,000,000,000,000, the number of base units that exist.";
    E0313 "reward without sources"
        "A reward or a group needs at least one source.";
    E0314 "reward without a fee"
        "No part of the pot may go to the miner, so a settlement will hardly be relayed. Add `fee: up to 1_000 sats,`.";
    E0315 "misplaced split"
        "`split pot by Reward;` decides all outputs of the transaction, so it stands at most once in a spend path and not in a function.";
    E0316 "misplaced list of recipients"
        "`list` stands for recipients that are given when the reward is deployed. A reward has one such list, as its last source and not inside a group; the last recipient takes what rounding leaves. A `split` has no place for the list, so only the reward's own contract divides by it.";
    E0317 "destination that cannot be paid"
        "`20% to Name` pays another reward or model, whose lock is filled in when this one is deployed. There must be such a declaration, and it must not pay this one in turn, directly or through others: each lock would have to be known before the other.";
    E0320 "missing setting"
        "A declaration lacks something it cannot do without. Add it as the message shows.";
    E0321 "unknown setting"
        "The declaration knows no setting of this name. The message names the closest one, or all.";
    E0322 "malformed setting"
        "The setting is written in a form that it does not have. The message shows how it is written.";
    E0323 "setting given twice"
        "Each setting of a declaration is given at most once.";
    E0324 "setting out of its range"
        "The number is too small or too large for what it sets. The message says between which numbers it lies.";
    E0325 "keys that cannot judge"
        "`k of [a, b, c]` demands at least one key and no more than there are. Every key is named once, so that nobody signs for two, and nobody judges who is paid by the outcome.";
    E0326 "setting that ends by itself"
        "Scripts can only demand that some time has passed: a transaction that was valid once stays valid, so nothing that a declaration allows ends at a time. Let something else begin then, such as a refund, the date of a release or a lower price.";
    E0330 "malformed model"
        "A model says what it is and what it is built on by settings of its own: `weights` (the SHA-256 of its file), `builds_on`, `reward`, `license`, `data`, `minimum` and `fee`. One of them is missing, unknown, repeated or written in another form. The help shows how it is written.";
    E0331 "parent that is no model"
        "A model builds on other models: of this program, of an import, or on a record that is on the chain, named by its 32-byte id. A parent must exist before, because its record is shown when the model is registered.";
    E0332 "parent named twice"
        "A record holds each parent once, in strictly ascending order, so a second entry for the same model cannot be registered. Add the two weights.";
    E0333 "models that build on each other"
        "The id of a record is a hash of what it says, the ids of its parents included. So a model can only build on models that were registered before it, and no circle can ever be registered.";
    E0334 "malformed hash"
        "A file is named by its SHA-256: 32 bytes, written as 64 hexadecimal digits behind `0x`. Anyone who has the file can compute it again and compare.";
    E0335 "malformed data set"
        "A data set has a name, the SHA-256 of its contents, and perhaps a weight in whole millionths. Either all data sets have a weight, and the weights sum to exactly 1, or none has.";
    E0336 "malformed licence"
        "The licence of a model is a short text of 1 to 255 bytes, which its record keeps for ever. Write the usual short name, such as `apache-2.0`.";
    E0337 "model too large to register"
        "A model builds on at most 64 others: each is shown by an input of its own when the model is registered. Name those that it was made from directly; what they are built on is paid through them. The registration also pushes the sources, names, data sets and the licence: with the parents they have at most 9,000 bytes, 36 for each parent and 40 for each source.";
    E0338 "nothing left for a model"
        "The weights of the parents and of the model itself sum to exactly 1, each above 0. Here the parents take everything, so the model's own reward would get nothing.";
    E0339 "model without a known reward"
        "What the parents leave is divided by a reward of the program or of an import. There is no reward of the name that is given.";

    E0401 "path that anyone can take"
        "The path demands nothing, so whoever sees the coin first can take it. Add a `require`.";
    E0402 "path that nobody can take"
        "A condition of the path is false whatever the spender brings.";
    E0403 "argument that nothing checks"
        "No condition reads the argument, so anyone could change it on the way to the miner. Remove it, or check it.";
    E0404 "division before multiplication"
        "Division drops the fraction, and the multiplication then enlarges the loss. Multiply first: `a * b / c` instead of `a / c * b`.";
    E0405 "one signature for two keys"
        "A signature is valid for one key, so both checks can never hold together. Take one argument for each key.";
    E0406 "height mixed with time"
        "A transaction has one lock time, either a height or a time, and an input one age, either in blocks or in seconds. A path that needs both can never be taken.";
    E0407 "contract without a path"
        "A coin of a contract without `spend` could never be spent.";
    E0408 "time bounded from above"
        "Scripts can only demand that some time has passed: a transaction that was valid once stays valid. Use `>=`, and give the other party a path of its own that opens later.";
    E0409 "time lock outside a require"
        "`tx.height`, `tx.time` and `self.age` are no values: they can only be bounded from below, as a whole `require` or as a part of it joined by `&&`.";
    E0410 "lock time read without a lock"
        "`tx.locktime` counts only if the input is not final. A `require tx.height >= ..` or `tx.time >= ..` in the same path proves that.";
    E0411 "age that no lock can express"
        "A relative lock holds at most 65,535 blocks or 33,553,920 seconds (388 days).";
    E0412 "signatures read twice"
        "An argument of type `Sigs<K>` answers exactly one `k of [..] signed(..)`.";
    E0413 "output that is not accounted for"
        "A coin with a mutable or minting token gives whoever holds that token power over everything made with it. A path that reads such a token must therefore look at every output: bound `tx.outputs.length`, and check the category of each output. A path that proves that the token is only mutable, and carries it on, needs no more, as there is just one of it. Silenced by `allow(unaccounted_output)`.";
    E0414 "one output for several coins"
        "Each input checks the transaction on its own. If two coins of the contract are spent together and both look at `tx.outputs[0]`, one output satisfies both, and the value of the other coin is free to take. Demand `tx.inputs.length == 1` or `self.index == 0`, or read the output with the number of the input, `tx.outputs[self.index]`. Silenced by `allow(shared_output)`.";
    E0415 "length that nothing bounds"
        "Bytes of any length must not be stored in a commitment, where they would shift what follows, and two of them must not be joined before they are hashed or signed: bytes can move from one to the other without changing the whole. Give them a length by their type or by a condition, or hash each on its own first. Silenced by `allow(unchecked_length)`.";
    E0416 "token that is not told apart"
        "Anyone can make a token and send it to any lock. What makes a token genuine is its category; whether its commitment can be trusted is said by the category's last byte, the capability. So compare the whole category before an amount or a commitment counts. Silenced by `allow(unchecked_capability)`.";
    E0417 "destination that the spender makes up"
        "Anyone may take the path, and the lock that it pays to is an argument that no other condition reads. Whoever spends the coin names the lock, so the condition demands nothing. Pay to a parameter, to a lock made of a hash, or check the hash of the lock. Silenced by `allow(unsafe_destination)`.";
    E0418 "fee without a limit"
        "Anyone may take the path, it pays something to an output, but no condition reads what the coin is worth: all but the least amount may go to the miner. Demand that the outputs hold the coin's value less a limit. Silenced by `allow(uncapped_fee)`.";
    E0419 "signed message that serves again"
        "The path is opened by a signed message alone, and nothing in the message belongs to this coin. Whoever has seen it can show it again for another coin of the contract. Let the message name the outpoint, the state or the token of the coin. Silenced by `allow(unbound_attestation)`.";
    E0420 "condition that the spender decides"
        "An amount or a deadline is compared, but it is an argument of which nothing else is demanded. The spender chooses one that fits, so the condition demands nothing. It was probably meant as a parameter. Silenced by `allow(trust_argument)`.";
    E0421 "number out of its range"
        "A number may be negative where an amount is written down, or larger than the bytes it is written in, or zero where it divides. The message says between which numbers it lies. Bound it by a condition before. Silenced by `allow(number_range)`.";
    E0422 "output that is not relayed"
        "No node passes on a transaction with an output below the dust limit, three times what the output and a later input cost at one unit a byte, nor one with a lock of more than 201 bytes or more than 223 bytes of data. A path that demands such an output can hardly be taken. Silenced by `allow(dust_output)`.";
    E0423 "condition that holds only for a while"
        "A script learns from the lock time only that so much time has passed; whoever spends a coin may always write an older one. So `tx.locktime <= deadline` never fails for who wants it to hold, and a price that rises with the lock time is never paid in full. Let another path open later, let the price fall with time, or let it rise with what has been sold. Silenced by `allow(upper_time_bound)`.";
    E0424 "state that is neither continued nor ended"
        "The state of a contract lies in the token of its coin. A path must say what becomes of it: `continue { .. };` carries it on, `end;` proves that no output has the token. Otherwise whoever spends the coin keeps the token, writes any state into it, and comes back. Silenced by `allow(state_unchecked)`.";
    E0425 "unknown lint"
        "`allow` takes the names of lints. Each message that can be silenced tells its name on its page.";
    E0426 "lint that is allowed for nothing"
        "Nothing that this `allow` covers gets the message it silences. Remove it, so that the message comes when it is due.";
    E0427 "state that does not fit"
        "The state lies in the commitment of a token, which holds 128 bytes. Every field takes a fixed number of them: `Bool` 1, `Int<N>` N, `Int` 8, `Height`, `Blocks` and `Duration` 4, `Time` 5, `Coin` and `Tokens` 8, `Bytes<N>` N, `PubKey` 33, `Category` and `Did` 32, and structs, tuples, arrays and enums what their parts take.";
    E0428 "misplaced state"
        "`state`, `continue` and `end` belong to a contract that declares `state { .. }`; the last two say what becomes of its coin, so they stand in a spend path.";

    E0501 "script too large"
        "A script and everything it copies from functions must fit into the bytes that the rules allow: 10,000 under `bch2026`, 65,535 under `bitmodel`. Split the contract, or check less in one path.";
    E0502 "too many levels"
        "Conditionals, calls and expressions inside each other, or the paths of one contract, go deeper than the rules or the compiler allow. Split them into several `let`s, `require`s or contracts.";
    E0503 "too many values at once"
        "The stack holds every value from where it is computed to its last use, and it has room for a fixed number. Use values closer to where they are computed.";
    E0504 "work that the transaction does not pay for"
        "An input may do only as much work as the length of its unlocking bytecode pays for. This path may do more with arguments of usual length. Check less in it, or let the spender push padding.";
    E0505 "more than the budget"
        "The author has said by `budget(..)` how much this may take, and it takes more. `script` is the length of the script with values of usual length for its parameters, `input` that of the longest unlocking bytecode of a path with arguments of usual length, `cost` the most that a path can cost. `bmc size` shows line by line where the bytes come from. Shorten what takes most, or raise the budget.";
    E0506 "budget of what has no bound"
        "A budget holds for every transaction, so what it limits must have a bound. A list, `Bytes` of any length and padding are as long as the spender makes them, and loops over records run as often. Give arguments a length, `Bytes<32>`, or limit the script alone.";
    E0507 "malformed budget"
        "A budget limits `script: 130 bytes`, `input: 220 bytes` and `cost: 40_000`, each at most once. It stands in a contract, among the settings of a declaration, or before all else in a path, where it holds in place of the contract's and limits `input` and `cost`; the script belongs to all paths.";
    E0601 "missing file"
        "A file that was named does not exist. Check the path; `bmc check` without a path checks every source of the package.";
    E0602 "file that is not UTF-8"
        "Sources are UTF-8 text. The message names the first byte that belongs to no character; save the file as UTF-8.";
    E0603 "file that is too large"
        "A source has at most 16 MiB. Split it into several files.";
    E0604 "file that cannot be read"
        "The operating system refused to read the file. The message holds its own words; check the permissions.";

    E0701 "unknown contract"
        "An input of a plan is the coin of a contract, and no contract of that name is in sight. Spell it as it is declared, or import it by `use`.";
    E0702 "unknown path"
        "A contract's coin is spent by one of its paths. Name one that the contract has.";
    E0703 "wrong arguments of a path"
        "An input of a plan gives every argument of its path, by name and once: `Vault.leave(sig: owner)`. For a signature the key stands that signs; padding is left out, because the wallet makes it.";
    E0704 "malformed output"
        "An output of a plan says its lock and its `value`, and perhaps its `token`: `{ category: .., amount: .., commitment: .. }`, or what an input holds but for some fields, `coin.token with { amount: .. }`. Instead of the `commitment` stands the `state` of the contract whose lock it is; fields that are left out keep the value that the input had.";
    E0705 "statement said twice"
        "A transaction has one lock time, each input one age, and change goes back or does not. Say it once.";
    E0706 "value that no wallet knows"
        "A plan is what a wallet does before the transaction exists. It knows the plan's arguments, the coins that the plan names and the parameters of their contracts, but no `tx` and no `self`; and it gives signatures instead of checking them. Read the coins by their names.";
    E0707 "what no wallet can compute"
        "A wallet evaluates the expressions of a plan; it runs no script. It knows arithmetic, comparison, bytes and hashes, parts of values, `if`, `match` and calls of functions that name values and give one back. Loops over numbers that are known are unrolled. `while`, single bits, given instructions and checks of signatures are the contract's.";

    E0901 "releases that are not the whole"
        "The releases of a campaign add up to exactly what is raised: nobody can be paid what was not pledged, and what is never released could never be spent. `at goal` comes first, if at all.";
    E0902 "refund that is not what is left"
        "On every outcome exactly that goes back which was not released before. A different share would be a promise that the escrow cannot keep, or money that stays in it.";
    E0903 "dates out of order"
        "The deadline of the campaign comes before the date of every release, and these come in the order of the releases: until the deadline money is raised, and what is late goes back before the next date.";
    E0904 "pledge that ends by itself"
        "Scripts can only demand that some time has passed: a transaction that was valid once stays valid, so no script can refuse what comes late. From the deadline on every pledge can be taken back, and the first refund closes the campaign for good.";
    E0905 "money that can be stuck"
        "From every state of a campaign there must be a way to the money's owner that needs neither the builder nor the judges. The message shows every state with its ways. A release that judges attest therefore has a date, or a later release has one.";
    E0906 "pledge or release too small"
        "A pledge must be worth the output that brings it home and the fee of that, and a release the output that pays it, or no node passes the transaction on.";
    E0921 "parts that are not the supply"
        "The parts of an `imo` add up to exactly the supply, and each gets at least one token. Amounts are rounded so that their sum is the supply; one part may be `rest`.";
    E0922 "price that no script can enforce"
        "A script can demand that a block has been reached, and never that a later one has not: a transaction that was valid once stays valid. So a price may fall as blocks pass, since a buyer who names an older block pays more, but not rise; and no sale can end at a time. A price may rise with what has been sold.";
    E0923 "price above all money"
        "Nobody could ever buy the whole part: its tokens together cost more than there is money. Lower the price or the slope, or sell fewer tokens.";
    E0924 "cliff after the end of vesting"
        "Nothing vests before the cliff, and everything has vested at the end, so the cliff comes no later than the end.";
    E0925 "revenue that no reward pays"
        "`revenue: 10% of Royalty to holders` states what a reward does: `Royalty` must have a source `holders` with exactly this weight.";
    E0926 "part that reaches nobody"
        "Every part of the supply has one way to its owners: a campaign's receipts, blocks that pass, a price, the sources of a model, or a lock. The names of parts and judges become parameters, so each is one word and unlike the others.";
    E0927 "usage that no reward pays"
        "`usage: 5 coin of Royalty to meter` states what a reward does: `Royalty` must have a source `meter`, whose weight never changes. What it has been paid shows the launch that the model is used.";
    E0928 "adoption of what is no model"
        "`adoption: 3 children` lets the launch show that registered models build on the one that is offered. Only a model has a record that others build on, and the contract of the edges that say so stands in its file: the offering is for a model of the same file.";

    E1001 "statement that cannot stand there in a test"
        "A test makes coins by `let coin = chain.fund(..)`, mines by `chain.mine(..)`, demands by `assert`, and tries transactions by `passes { .. }` and `fails \"message\" { .. }`. What a transaction spends and makes stands between those braces: calls of paths such as `coin.refund(alice)`, and `output`, `locktime`, `age` and `burn`.";
    E1002 "call that does nothing in a test"
        "A test knows the chain, by `chain.fund(Contract(..), amount)` and `chain.mine(blocks)`, and its coins, whose paths the transactions call. Calls of functions give values: demand something of them by `assert`, or name them by `let`.";
    E1003 "values that cannot be made up"
        "A property is tried with values of its parameters' types. There are values of numbers, truth values, bytes, keys, locks and what is made of them; signatures are made by who spends. Behind `in` stands a range of numbers that is not empty.";
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_has_a_well_formed_name_a_title_and_a_paragraph() {
        for code in Code::ALL {
            let name = code.name();
            assert!(name.len() == 5 && name.starts_with('E'), "{name}");
            assert!(!code.title().ends_with('.'), "{name}: title ends in a period");
            assert!(code.explanation().ends_with('.'), "{name}: explanation is no sentence");
            assert_eq!(Code::from_name(name), Some(*code));
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.name()));
    }
}
