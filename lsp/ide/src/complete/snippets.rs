//! Pieces of source to fill in.

use syntax::{FileId, ItemKind, Word};

use super::{Completion, CompletionKind, plain};
use crate::hover::opcode;
use crate::names::{Depth, Files, Target, item_at, names_of};
use crate::words::{BUILTINS, TYPES};

fn snippet(label: &str, detail: &str, insert: &str, rank: u8) -> Completion {
    Completion { insert: insert.to_owned(), snippet: true, ..plain(label, CompletionKind::Snippet, detail, rank) }
}

/// The items that can stand at the top of a file.
pub(super) fn items() -> Vec<Completion> {
    [
        ("contract", "contract ${1:Name}(${2:owner: PubKey}) {\n    spend ${3:take}(${4:sig: Sig}) {\n        require ${5:owner.signed(sig)};$0\n    }\n}"),
        ("reward", "reward ${1:Name} {\n    ${2:builder}: ${3:60%},\n    ${4:backers}: rest,\n    minimum: ${5:20_000 sats},\n    fee: up to ${6:1_000 sats},\n}$0"),
        ("model", "model ${1:Name} {\n    weights: file \"${2:model.safetensors}\",\n    reward: ${3:Reward},\n    license: \"${4:openrail}\",\n}$0"),
        ("imi", "imi ${1:Name} {\n    builder: ${2:builder_key},\n    goal: ${3:2_500 coin},\n    deadline: height ${4:925_000},\n    pledge: at least ${5:0.1 coin},\n}$0"),
        ("fn", "fn ${1:name}(${2:n: Int}) -> ${3:Int} {\n    ${0:n}\n}"),
        ("const", "const ${1:NAME}: ${2:Int} = ${3:0};$0"),
        ("struct", "struct ${1:Name} {\n    ${2:field}: ${3:Int},\n}$0"),
        ("enum", "enum ${1:Name} {\n    ${2:First},\n    ${3:Second},\n}$0"),
        ("plan", "plan ${1:name}(${2}) {\n    $0\n}"),
        ("test", "test ${1:name} {\n    $0\n}"),
        ("property", "property ${1:name}(${2:n: Int in 0 ..= 10}) {\n    assert ${0:true};\n}"),
        ("use", "use ${1:std::math};$0"),
    ]
    .into_iter()
    .map(|(word, text)| snippet(word, Word::from_text(word).map_or("", Word::doc), text, 0))
    .collect()
}

/// The statements that can begin at a place.
pub(super) fn statements(kind: ItemKind) -> Vec<Completion> {
    let list: &[(&str, &str)] = match kind {
        ItemKind::Plan => &[
            ("input", "input ${1:name}: ${2:Contract.path()};$0"),
            ("output", "output ${1:lock} { value: ${2:1 coin} };$0"),
            ("let", "let ${1:name} = ${0};"),
            ("require", "require ${1:condition}, \"${2:why not}\";$0"),
        ],
        ItemKind::Test | ItemKind::Property => &[
            ("let", "let ${1:coin} = chain.fund(${2:Contract()}, ${3:1 coin});$0"),
            ("passes", "passes { $0 }"),
            ("fails", "fails \"${1:message}\" { $0 }"),
            ("assert", "assert ${1:condition};$0"),
        ],
        _ => &[
            ("let", "let ${1:name} = ${0};"),
            ("require", "require ${1:condition}, \"${2:why not}\";$0"),
            ("if", "if ${1:condition} {\n    $0\n}"),
            ("for", "for ${1:i} in 0..${2:n} {\n    $0\n}"),
            ("while", "while ${1:condition} max ${2:10} {\n    $0\n}"),
            ("match", "match ${1:value} {\n    ${2:pattern} => $0,\n}"),
            ("return", "return ${0};"),
            ("split", "split ${1:self.value} by ${2:Reward};$0"),
            ("spend", "spend ${1:name}(${2:sig: Sig}) {\n    $0\n}"),
            ("state", "state {\n    ${1:count}: ${2:Int<4>},\n}$0"),
            ("continue", "continue { ${1:field}: ${2:value} };$0"),
            ("end", "end;"),
        ],
    };
    let doc = |word: &str| Word::from_text(word).map_or("", Word::doc);
    list.iter().map(|(word, text)| snippet(word, doc(word), text, 2)).collect()
}

/// The settings of a declaration.
pub(super) fn settings(kind: ItemKind) -> Vec<Completion> {
    let list: &[(&str, &str)] = match kind {
        ItemKind::Reward => &[
            ("dust", "dust: ${1:source},"),
            ("minimum", "minimum: ${1:20_000 sats},"),
            ("fee", "fee: up to ${1:1_000 sats},"),
            ("adjust", "adjust: by ${1:curator} after ${2:144 blocks},"),
        ],
        ItemKind::Model => &[
            ("weights", "weights: file \"${1:model.safetensors}\","),
            ("builds_on", "builds_on: { ${1:Other}: ${2:5%} },"),
            ("reward", "reward: ${1:Reward},"),
            ("license", "license: \"${1:openrail}\","),
            ("minimum", "minimum: ${1:20_000 sats},"),
            ("fee", "fee: up to ${1:1_000 sats},"),
        ],
        ItemKind::Imi => &[
            ("builder", "builder: ${1:builder_key},"),
            ("goal", "goal: ${1:2_500 coin},"),
            ("deadline", "deadline: height ${1:925_000},"),
            ("pledge", "pledge: at least ${1:0.1 coin},"),
            ("deliver", "deliver: { weights: Hash256, by: height ${1:960_000} },"),
            ("accept", "accept: ${1:2} of [${2:judge_a, judge_b, judge_c}],"),
            ("release", "release: { at goal: ${1:30%}, at accept: ${2:70%} },"),
            ("refund", "refund: { no_goal: ${1:100%}, not_accepted: ${2:70%} },"),
        ],
        _ => &[
            ("criteria", "criteria: ${1:2} of [${2:judge_a, judge_b}] over \"${3:benchmark}\","),
            ("supply", "supply: ${1:21_000_000},"),
            ("allocate", "allocate: {\n    ${1:builder}: ${2:100%},\n},"),
            ("revenue", "revenue: ${1:10%} of ${2:Royalty} to holders,"),
        ],
    };
    list.iter().map(|(word, text)| snippet(word, "setting", text, 0)).collect()
}

/// The documentation of what a completion names.
pub(super) fn docs(files: &Files<'_>, file: FileId, offset: usize, label: &str) -> Option<String> {
    let visible = item_at(files, file, offset).and_then(|(item, inside)| {
        let names = names_of(files, file, item, Depth::Names);
        names.visible(inside).into_iter().find(|(name, _)| &***name == label).map(|(_, def)| def.clone())
    });
    let of_file = || match files.named(&files.of(file), file, label) {
        Some(Target::Def(def)) => Some(def),
        _ => None,
    };
    let elsewhere = || files.session.sources().find_map(|(other, _)| files.declared(other, label));
    let word = Word::from_text(label).map(|word| word.doc().to_owned());
    let builtin = BUILTINS.iter().find(|known| known.name == label).map(|known| known.doc.to_owned());
    let ty = TYPES.iter().find(|(name, _)| *name == label).map(|(_, doc)| (*doc).to_owned());
    let row = spec::opcode::TABLE.iter().find(|row| row.name == label).map(opcode);
    if let Some(fact) = super::fact_at(files, file, offset, label) {
        return Some(fact.doc.to_owned());
    }
    let declared =
        visible.or_else(of_file).or_else(elsewhere).and_then(|def| crate::hover::of_def(files, &def, || None));
    declared.or(builtin).or(ty).or(row).or(word)
}
