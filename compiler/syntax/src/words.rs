//! The one table of words with a meaning: the lexer, the parser, messages and editors read it.

/// How far a word is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordClass {
    /// A keyword wherever it stands, except after a dot and as the key of an entry.
    Keyword,
    /// Opens a declaration; an ordinary name elsewhere.
    Opener,
    /// Has a meaning in one place of the grammar; an ordinary name elsewhere.
    Contextual,
}

macro_rules! words {
    ($($class:ident { $($word:literal $variant:ident $doc:literal;)* })*) => {
        /// A word with a meaning in the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Word {
            $($(#[doc = $doc] $variant,)*)*
        }

        impl Word {
            /// Every word, keywords first.
            pub const ALL: &'static [Word] = &[$($(Word::$variant),*),*];

            /// The word as written.
            pub fn text(self) -> &'static str {
                match self { $($(Word::$variant => $word,)*)* }
            }

            /// What it is for, in a few words for completion and hovers.
            pub fn doc(self) -> &'static str {
                match self { $($(Word::$variant => $doc,)*)* }
            }

            /// How far it is reserved.
            pub fn class(self) -> WordClass {
                match self { $($(Word::$variant)|* => WordClass::$class,)* }
            }

            /// The word with that text.
            pub fn from_text(text: &str) -> Option<Word> {
                match text { $($($word => Some(Word::$variant),)*)* _ => None }
            }
        }
    };
}

words! {
    Keyword {
        "contract" Contract "declares a contract: parameters and the ways to spend its coins";
        "spend" Spend "declares one way to spend a coin of a contract";
        "reward" Reward "declares who shares a reward, with exact weights";
        "struct" Struct "declares a structure";
        "enum" Enum "declares a choice of forms";
        "fn" Fn "declares a function";
        "const" Const "declares a constant";
        "use" Use "brings a name from another module";
        "let" Let "names a value";
        "mut" Mut "makes a `let` assignable";
        "require" Require "fails the script unless a condition holds";
        "split" Split "divides a coin by a reward";
        "return" Return "leaves a function with a value";
        "if" If "chooses by a condition";
        "else" Else "what happens when the condition of `if` does not hold";
        "for" For "repeats for each value of a range, an array or a list";
        "in" In "stands between the variable and the range of `for`";
        "while" While "repeats as long as a condition holds";
        "match" Match "chooses by the form of a value";
        "true" True "the truth value true";
        "false" False "the truth value false";
        "self" SelfWord "the coin being spent";
        "tx" Tx "the transaction that spends the coin";
        "mod" Mod "the remainder of a division";
    }
    Opener {
        "model" Model "declares a model of the network and what it builds on";
        "imi" Imi "declares an initial model investing";
        "imo" Imo "declares an initial model offering";
        "plan" Plan "declares a transaction template";
        "state" State "declares what a contract carries from coin to coin";
        "allow" Allow "silences lints by name";
        "budget" Budget "says how large and costly a contract or path may be";
        "test" Test "declares a test";
        "property" Property "declares a property that tests search counterexamples for";
    }
    Contextual {
        "by" By "names the reward of a `split`, or the authority of a change";
        "to" To "follows `up`";
        "of" Of "stands between a number and the keys of a threshold";
        "signed" Signed "stands before the signatures of a threshold";
        "up" Up "`up to`: an upper bound";
        "at" At "`at least`: a lower bound";
        "least" Least "follows `at`";
        "list" List "a reward whose recipients are a list";
        "after" After "stands before a notice period";
        "height" Height "stands before a block height";
        "time" Time "stands before a point in time";
        "as" As "gives an imported name another one";
        "max" Max "stands before the most rounds of a loop";
        "where" Where "stands before what holds for every record of a list";
        "continue" Continue "demands that the state goes on in a next coin";
        "end" End "demands that nothing keeps the state";
        "with" With "stands before what differs from before";
        "value" Value "the value of the next coin";
        "tokens" Tokens "the token amount of the next coin";
        "asm" Asm "bytecode by hand, with its stack effect";
        "input" Input "adds an input to a plan";
        "output" Output "adds an output to a plan";
        "locktime" Locktime "sets the lock time of a plan";
        "age" Age "sets the age that an input of a plan has";
        "change" Change "says who gets what is over in a plan";
        "none" None "follows `change`";
        "any" Any "one coin of several, whichever";
        "burn" Burn "lets a plan destroy the tokens of an input";
        "publish" Publish "puts bytes on the chain for everybody to read";
        "each" Each "one input for every coin, or one output for every record";
        "data" Data "`output data`: an output that carries bytes";
        "key" Key "a coin of the wallet";
        "genesis" Genesis "a coin of the wallet that can begin a token";
        "assert" Assert "demands something of a test";
        "classify" Classify "counts the cases of a property for which something holds";
        "passes" Passes "a transaction that a test expects to be valid";
        "fails" Fails "a transaction that a test expects to be refused";
    }
}

impl Word {
    /// Whether the lexer makes a keyword of it.
    pub fn is_keyword(self) -> bool {
        self.class() == WordClass::Keyword
    }
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn every_word_is_found_by_its_text_and_has_a_doc() {
        for word in Word::ALL {
            assert_eq!(Word::from_text(word.text()), Some(*word));
            assert!(!word.doc().is_empty() && !word.doc().ends_with('.'));
        }
    }
}
