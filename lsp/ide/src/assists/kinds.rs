//! The one table of what can be done to a source: quick fixes, those that diagnostics carry included, and refactorings.

use driver::{Code, Effect};
use syntax::Fix;

/// What an action is for, as menus sort them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// It mends a diagnostic.
    QuickFix,
    /// It gives a part of the source a name of its own.
    Extract,
    /// It puts in the place of a name what the name stands for.
    Inline,
    /// It says the same in another way.
    Rewrite,
    /// It puts imports in order.
    Organize,
    /// It mends all that is sure, at once.
    FixAll,
}

/// Declares the table; every row becomes a variant of [`ActionKind`] with its family, name and description.
macro_rules! kinds {
    ($($kind:ident $family:ident $name:literal $doc:literal;)*) => {
        /// One kind of action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ActionKind {
            $(#[doc = $doc] $kind,)*
        }

        impl ActionKind {
            /// Every kind, in table order.
            pub const ALL: &'static [ActionKind] = &[$(ActionKind::$kind),*];

            /// Its family.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(ActionKind::$kind => Family::$family,)* }
            }

            /// Its name, by which editors ask for its edits.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(ActionKind::$kind => $name,)* }
            }

            /// What it does.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(ActionKind::$kind => $doc,)* }
            }
        }
    };
}

kinds! {
    CorrectName QuickFix "correct_name" "writes the name, word or unit that was probably meant";
    CorrectSign QuickFix "correct_sign" "writes the sign that was meant, such as `,` for `;`";
    AddSign QuickFix "add_sign" "adds a missing `;`, `,` or bracket";
    AddUnit QuickFix "add_unit" "adds the unit of a number";
    MakeComment QuickFix "make_comment" "makes documentation that documents nothing a comment";
    Underscore QuickFix "underscore" "starts the name of what goes unused with `_`";
    RemoveDead QuickFix "remove_dead" "removes what stands behind a `return`";
    Demand QuickFix "demand" "demands a condition by `require`";
    RemoveArm QuickFix "remove_arm" "removes an arm that no value reaches";
    RemoveImport QuickFix "remove_import" "removes an import that nothing uses";
    RemoveAllow QuickFix "remove_allow" "removes an `allow` that silences nothing";
    AddSetting QuickFix "add_setting" "adds a missing setting: the `minimum` that the proof asks for, the `fee`";
    OtherFix QuickFix "other_fix" "does what the help of a message says";
    ImportName QuickFix "import_name" "imports a name from another module of the package, a dependency or the library";
    DeclareConstant QuickFix "declare_constant" "declares a constant of an unknown name";
    DeclareVariable QuickFix "declare_variable" "declares a variable of an unknown name";
    DeclareParameter QuickFix "declare_parameter" "makes an unknown name a parameter of the path, function or contract";
    DeclareFunction QuickFix "declare_function" "declares an unknown function with the parameters of the call";
    MakeMutable QuickFix "make_mutable" "writes `mut` where an assigned variable is declared";
    ChangeType QuickFix "change_type" "writes the type of the value in place of the one that is declared";
    HashKey QuickFix "hash_key" "takes the hash of a key where the hash is needed";
    AddArguments QuickFix "add_arguments" "gives a call the values that it lacks, or takes away what is too much";
    AddArms QuickFix "add_arms" "adds an arm for each variant that a `match` leaves out";
    AddWildcard QuickFix "add_wildcard" "adds the arm `_` to a `match`";
    AddFields QuickFix "add_fields" "adds the fields that a struct or pattern lacks";
    AddRestPattern QuickFix "add_rest_pattern" "ends a pattern with `..`";
    NameValue QuickFix "name_value" "names a value that nothing uses";
    RemoveVariable QuickFix "remove_variable" "removes a variable that nothing reads";
    RemoveParameter QuickFix "remove_parameter" "removes a parameter that nothing reads, and its value from every call";
    AddMax QuickFix "add_max" "bounds the rounds of a loop by `max`";
    LetRest QuickFix "let_rest" "lets a source of a reward be `rest`";
    NormaliseWeights QuickFix "normalise_weights" "scales the weights of a reward so that they add up to exactly one";
    AdjustWeight QuickFix "adjust_weight" "gives one source what the weights lack, or takes it away";
    BoundLength QuickFix "bound_length" "checks the length of an argument before it is joined, hashed or stored";
    OneInput QuickFix "one_input" "demands that the contract is input 0, so that no output serves two coins";
    OwnOutput QuickFix "own_output" "reads the output with the number of the input";
    MultiplyFirst QuickFix "multiply_first" "multiplies before it divides";
    LowerBound QuickFix "lower_bound" "bounds a time from below";
    ContinueState QuickFix "continue_state" "carries the state of a contract on";
    EndState QuickFix "end_state" "ends the state of a contract";
    AllowLint QuickFix "allow_lint" "allows by name what a lint warns of";
    ExtractVariable Extract "extract_variable" "gives an expression a name by `let`";
    ExtractConstant Extract "extract_constant" "makes a literal a constant of the file";
    ExtractFunction Extract "extract_function" "makes an expression a function";
    MoveToFile Extract "move_to_file" "moves an item to a file of its own, with the imports on both sides";
    InlineVariable Inline "inline_variable" "writes the value of a variable wherever it is read";
    InlineConstant Inline "inline_constant" "writes the value of a constant in its place";
    UseConstant Rewrite "use_constant" "writes the constant that has the value of a literal";
    InvertIf Rewrite "invert_if" "swaps the branches of an `if` and negates its condition";
    FlipComparison Rewrite "flip_comparison" "swaps the sides of a comparison";
    PushNot Rewrite "push_not" "takes a `!` into the condition behind it";
    MergeIfs Rewrite "merge_ifs" "joins an `if` and the one inside of it by `&&`";
    SplitIf Rewrite "split_if" "splits an `if` with `&&` into two";
    SplitRequire Rewrite "split_require" "splits a `require` with `&&` into two";
    MergeRequires Rewrite "merge_requires" "joins two neighbouring `require` with one message by `&&`";
    AddMessage Rewrite "add_message" "adds a message to a `require`";
    UseWithin Rewrite "use_within" "writes two bounds as `within`";
    IfToMatch Rewrite "if_to_match" "writes a chain of `if`, or an `if let`, as a `match`";
    MatchToIf Rewrite "match_to_if" "writes a `match` over values as a chain of `if`, or as an `if let`";
    AddType Rewrite "add_type" "writes the type of a variable";
    ShortField Rewrite "short_field" "writes a field and the variable of the same name once";
    ShortAssign Rewrite "short_assign" "writes `x = x + 1` as `x += 1`";
    Percent Rewrite "percent" "writes a share as a percentage";
    Fraction Rewrite "fraction" "writes a share as a fraction";
    ConvertUnit Rewrite "convert_unit" "writes an amount or a duration in another unit";
    GroupDigits Rewrite "group_digits" "groups the digits of a number by `_`";
    BytesOfText Rewrite "bytes_of_text" "writes a string as bytes, or bytes as a string";
    MergeImports Rewrite "merge_imports" "joins the imports of one module";
    SplitImport Rewrite "split_import" "gives each name of an import a `use` of its own";
    ExpandDeclaration Rewrite "expand_declaration" "writes a declaration out as the plain items that it stands for";
    AddDocs Rewrite "add_docs" "begins the documentation of an item";
    AddTest Rewrite "add_test" "begins a test of a path";
    OrganizeImports Organize "organize_imports" "sorts and joins the imports and removes those that nothing uses";
    FixAll FixAll "fix_all" "mends everything that is sure";
}

/// The kind of a fix that a diagnostic carries.
pub(crate) fn carried(code: Code, fix: &Fix) -> ActionKind {
    let begins = |word: &str| fix.title.starts_with(word);
    match (code, fix.effect) {
        (Code::E0018, _) => ActionKind::MakeComment,
        (Code::E0123, _) => ActionKind::RemoveImport,
        (Code::E0203, _) => ActionKind::AddUnit,
        (Code::E0211, _) => ActionKind::Demand,
        (Code::E0217, _) => ActionKind::RemoveArm,
        (Code::E0222, _) => ActionKind::RemoveDead,
        (Code::E0426, _) => ActionKind::RemoveAllow,
        (_, Effect::Mends) if begins("add ") => ActionKind::AddSign,
        (_, Effect::Mends) if begins("write ") => ActionKind::CorrectSign,
        (_, Effect::Keeps) if begins("call it ") => ActionKind::Underscore,
        (_, Effect::Changes) if begins("add ") => ActionKind::AddSetting,
        (_, Effect::Changes) if begins("write ") => ActionKind::CorrectName,
        _ => ActionKind::OtherFix,
    }
}
