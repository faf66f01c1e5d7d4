//! The tree of brackets to a document.

use syntax::{TokenKind, Word};

use crate::doc::Doc;
use crate::element::{self, Element, Elements, Ends};
use crate::print::Printer;
use crate::space;
use crate::tree::{Bracket, Group, Node, What};

/// Where a piece stands, as far as that changes its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a declaration made of keys and values: values stand in one column.
    Declaration,
    /// Anywhere else.
    Plain,
}

/// Words of the declarations that are made of keys and values.
const DECLARATIONS: &[&str] = &["imi", "imo", "model"];

/// What a test expects of a transaction: a sentence that may stand on one line.
const SENTENCES: &[&str] = &["fails", "passes"];

/// The text of a file. An item is printed and forgotten before the next is laid out.
pub(crate) fn file(nodes: &[Node<'_>], mut printer: Printer) -> String {
    let elements = element::cut(nodes, Ends::Statements);
    let mut before: Option<&Element<'_>> = None;
    for element in &elements.all {
        let apart = before.is_some_and(|before| !(is_short(before) && is_short(element)));
        // Nothing in words, but all except the first begin on a line of their own.
        let mut docs: Vec<Doc<'_>> = before.map(|_| Doc::Seq(Vec::new())).into_iter().collect();
        push_element(&mut docs, element, statement(element), apart);
        printer.print(&docs.into());
        before = Some(element);
    }
    printer.finish()
}

/// Imports and constants may stand without empty lines between them, comments alone too.
fn is_short(element: &Element<'_>) -> bool {
    element.nodes.first().is_none_or(|first| first.is_word(Word::Use) || first.is_word(Word::Const))
}

/// Appends an element with its comments. `docs` may be empty: then it is the first.
fn push_element<'a>(docs: &mut Vec<Doc<'a>>, element: &Element<'a>, doc: Doc<'a>, apart: bool) {
    let mut apart = apart;
    let mut line = |docs: &mut Vec<Doc<'a>>, blank: bool| {
        if !docs.is_empty() {
            docs.push(if std::mem::take(&mut apart) || blank { Doc::Blank } else { Doc::Hard });
        }
    };
    for above in &element.above {
        line(docs, above.blank);
        docs.push(Doc::Text(above.text));
    }
    if !element.nodes.is_empty() {
        // Documentation belongs to what it stands above.
        let documented = element.above.last().is_some_and(|above| above.text.starts_with("///"));
        line(docs, element.blank && !documented);
        docs.push(doc);
    }
    docs.extend(element.behind.map(Doc::Trailing));
}

/// A statement or an item with what ends it.
fn statement<'a>(element: &Element<'a>) -> Doc<'a> {
    let mut docs = vec![phrase(&element.nodes, Place::Plain)];
    docs.extend(element.separator.map(|_| Doc::Text(";")));
    // The end of a statement counts when its width is measured.
    Doc::Seq(docs)
}

/// An expression, or words with expressions among them.
fn phrase<'a>(nodes: &[Node<'a>], place: Place) -> Doc<'a> {
    if nodes.first().is_some_and(|first| first.is_word(Word::Use)) {
        return import(nodes);
    }
    if element::has_block(nodes) {
        return blocked(nodes);
    }
    let assigns = |node: &Node<'a>| {
        matches!(
            node.token(),
            Some(
                TokenKind::Assign
                    | TokenKind::PlusAssign
                    | TokenKind::MinusAssign
                    | TokenKind::StarAssign
                    | TokenKind::SlashAssign
                    | TokenKind::FatArrow
            )
        )
    };
    let assigns_at = |at: &usize| nodes.get(*at).is_some_and(assigns) && !space::ends_inclusive(nodes, *at);
    if let Some(at) = (0..nodes.len()).find(assigns_at) {
        let (left, right) = nodes.split_at(at);
        let (sign, right) = right.split_at(1);
        let sign = atoms(sign, Place::Plain);
        return vec![phrase(left, place), Doc::space(), sign, Doc::space(), phrase(right, place)].into();
    }
    if let Some(at) = nodes.iter().position(|node| node.is(TokenKind::Comma)) {
        let (left, right) = nodes.split_at(at);
        let right = phrase(right.get(1..).unwrap_or_default(), place);
        let right = Doc::Seq(vec![Doc::Line, right]).nest();
        return Doc::Seq(vec![phrase(left, place), Doc::Text(","), right]).group(false);
    }
    operators(nodes, place)
}

/// Operands with operators between them; lines break before the weakest.
fn operators<'a>(nodes: &[Node<'a>], place: Place) -> Doc<'a> {
    let weakness = |at: usize| {
        let binary = space::is_binary(nodes, at);
        nodes.get(at).filter(|_| binary).and_then(Node::token).and_then(space::weakness)
    };
    let Some(weakest) = (0..nodes.len()).filter_map(weakness).min() else { return atoms(nodes, place) };
    let places: Vec<usize> = (0..nodes.len()).filter(|at| weakness(*at) == Some(weakest)).collect();
    let mut first = Doc::Seq(vec![]);
    let mut others = vec![];
    let mut start = 0;
    for end in places.into_iter().chain([nodes.len()]) {
        let piece = nodes.get(start..end).unwrap_or_default();
        if start == 0 {
            first = operators(piece, place);
        } else if let Some((sign, operand)) = piece.split_first() {
            let sign = atoms(std::slice::from_ref(sign), place);
            others.extend([Doc::Line, sign, Doc::space(), operators(operand, place)]);
        }
        start = end;
    }
    Doc::Seq(vec![first, Doc::Seq(others).nest()]).group(false)
}

/// What begins with a word like `if` or `contract` and ends with a block. The blocks of a chain of `else` are broken together.
fn blocked<'a>(nodes: &[Node<'a>]) -> Doc<'a> {
    let mut docs = vec![];
    let mut broken = false;
    let mut rest = nodes;
    loop {
        let Some(at) = (0..rest.len()).find(|at| is_body(rest, *at)) else {
            docs.push(operators(rest, Place::Plain));
            break;
        };
        let (head, body) = rest.split_at(at);
        let Some((group, behind)) =
            body.split_first().and_then(|(body, behind)| Some((body.group(Bracket::Brace)?, behind)))
        else {
            break;
        };
        docs.extend((!head.is_empty()).then(|| Doc::Seq(vec![header(head), Doc::space()])));
        let several = head.first().and_then(Node::name).is_some_and(|name| SENTENCES.contains(&name));
        let (block, forced) = open_braces(group, kind_of_body(head, group), place_of(head), several);
        docs.push(block);
        broken |= forced || breaks_always(head);
        match behind.first() {
            None => break,
            Some(word) if word.is_word(Word::Else) => {
                docs.push(Doc::Text(" else "));
                rest = behind.get(1..).unwrap_or_default();
            }
            Some(_) => {
                // The operator or point behind is spaced as if the block were an operand.
                docs.extend(space::between(body, 1).then(Doc::space));
                docs.push(operators(behind, Place::Plain));
                break;
            }
        }
    }
    Doc::Seq(docs).group(broken)
}

/// Whether the braces at `at` are a block, and no pattern or value in front of one.
fn is_body(nodes: &[Node<'_>], at: usize) -> bool {
    nodes.get(at).is_some_and(|node| node.group(Bracket::Brace).is_some())
        && !nodes.get(at + 1).is_some_and(element::goes_on_in_head)
}

fn header<'a>(head: &[Node<'a>]) -> Doc<'a> {
    match head.split_first() {
        Some((word, rest)) if [Word::If, Word::While, Word::Match].iter().any(|is| word.is_word(*is)) => {
            let word = atoms(std::slice::from_ref(word), Place::Plain);
            vec![word, Doc::space(), phrase(rest, Place::Plain)].into()
        }
        _ => atoms(head, Place::Plain),
    }
}

/// What the braces behind these words hold.
fn kind_of_body(head: &[Node<'_>], group: &Group<'_>) -> Ends {
    let word = head.first().and_then(Node::token);
    match word {
        Some(TokenKind::Keyword(Word::Match)) => Ends::Arms,
        Some(TokenKind::Keyword(Word::Struct | Word::Enum | Word::Reward)) => Ends::Commas,
        Some(TokenKind::Keyword(_)) | None => Ends::Statements,
        _ if place_of(head) == Place::Declaration || head.first().and_then(Node::name) == Some("state") => Ends::Commas,
        _ => ends_of(&group.nodes),
    }
}

fn place_of(head: &[Node<'_>]) -> Place {
    let Some(first) = head.first() else { return Place::Plain };
    let declares = first.is_word(Word::Reward) || first.name().is_some_and(|name| DECLARATIONS.contains(&name));
    if declares { Place::Declaration } else { Place::Plain }
}

/// Items whose braces are never on one line, unless they are empty.
fn breaks_always(head: &[Node<'_>]) -> bool {
    let contract = head.first().is_some_and(|first| first.is_word(Word::Contract));
    contract || place_of(head) == Place::Declaration || head.first().and_then(Node::name) == Some("plan")
}

/// What braces hold that no word explains.
fn ends_of(nodes: &[Node<'_>]) -> Ends {
    let has = |kind: TokenKind| nodes.iter().any(|node| node.is(kind));
    if has(TokenKind::Semi) {
        Ends::Statements
    } else if has(TokenKind::FatArrow) {
        Ends::Arms
    } else if has(TokenKind::Comma) || has(TokenKind::Colon) {
        Ends::Commas
    } else {
        Ends::Statements
    }
}

/// Tokens and brackets one after the other.
fn atoms<'a>(nodes: &[Node<'a>], place: Place) -> Doc<'a> {
    let mut docs = vec![];
    // Behind `asm (..)` the next braces hold bytecode.
    let mut bytecode = false;
    for (at, node) in nodes.iter().enumerate() {
        let after_comment = at.checked_sub(1).and_then(|before| nodes.get(before)).is_some_and(ends_line);
        if after_comment {
            docs.push(Doc::Hard);
        } else if space::between(nodes, at) && !ends_line(node) {
            docs.push(Doc::space());
        }
        bytecode |= space::begins_code(nodes, at);
        match &node.what {
            What::Token(_, text) | What::BlockComment(text) => docs.push(Doc::Text(text)),
            What::LineComment(text) => docs.push(Doc::Trailing(text)),
            What::Group(group) if bytecode && group.bracket == Bracket::Brace => {
                docs.push(code(group));
                bytecode = false;
            }
            What::Group(group) => docs.push(bracket(nodes, at, group, place)),
        }
    }
    if nodes.last().is_some_and(ends_line) {
        docs.push(Doc::Hard);
    }
    docs.into()
}

fn ends_line(node: &Node<'_>) -> bool {
    matches!(node.what, What::LineComment(_))
}

fn bracket<'a>(nodes: &[Node<'a>], at: usize, group: &Group<'a>, place: Place) -> Doc<'a> {
    match group.bracket {
        Bracket::Angle => {
            let mut docs = vec![Doc::Text("<"), angles(&group.nodes), Doc::Text(">")];
            // `> >` is not `>>`, where the source closes them apart.
            if nodes.get(at + 1).is_some_and(|next| next.is(TokenKind::Gt)) {
                docs.push(Doc::space());
            }
            docs.into()
        }
        Bracket::Brace => braces(group, ends_of(&group.nodes), place),
        Bracket::Paren | Bracket::Square => {
            let before = at.checked_sub(1).and_then(|before| nodes.get(before));
            let called = before.is_some_and(space::is_operand);
            list(group, called, place)
        }
    }
}

/// Types between `<` and `>`: on one line always.
fn angles<'a>(nodes: &[Node<'a>]) -> Doc<'a> {
    let elements = element::cut(nodes, Ends::Commas);
    let mut docs = vec![];
    for (number, element) in elements.all.iter().enumerate() {
        docs.extend((number > 0).then_some(Doc::Text(", ")));
        docs.push(atoms(&element.nodes, Place::Plain));
    }
    docs.into()
}

/// Arguments, parameters, elements.
fn list<'a>(group: &Group<'a>, called: bool, place: Place) -> Doc<'a> {
    let (open, close) = group.bracket.texts();
    let elements = element::cut(&group.nodes, Ends::Commas);
    if elements.all.is_empty() && elements.opening.is_none() {
        return vec![Doc::Text(open), Doc::Text(close)].into();
    }
    if let Some(fill) = literals(group, &elements) {
        return fill;
    }
    // `(a,)` is no `(a)`.
    let one = matches!(elements.all.as_slice(), [only] if only.separator.is_some());
    let tuple = one && !called && group.bracket == Bracket::Paren;
    let last_comma = if tuple {
        Doc::Text(",")
    } else if elements.all.len() > 1 {
        Doc::TrailingComma
    } else {
        Doc::Seq(vec![])
    };
    if let ([only], false) = (elements.all.as_slice(), elements.has_comments())
        && only.nodes.len() == 1
        && only.nodes.iter().any(|node| matches!(node.what, What::Group(_)))
    {
        return vec![Doc::Text(open), atoms(&only.nodes, place), last_comma, Doc::Text(close)].into();
    }
    let broken = elements.has_comments();
    let inner = separated(&elements, Doc::Line, last_comma, place);
    let mut docs = vec![Doc::Text(open)];
    docs.extend(elements.opening.map(Doc::Trailing));
    docs.push(Doc::Seq(vec![Doc::SoftLine, inner]).nest());
    docs.extend([Doc::SoftLine, Doc::Text(close)]);
    Doc::Seq(docs).group(broken)
}

/// A long array of numbers or bytes fills its lines.
fn literals<'a>(group: &Group<'a>, elements: &Elements<'a>) -> Option<Doc<'a>> {
    let mut texts = vec![];
    for element in &elements.all {
        match element.nodes.as_slice() {
            [Node { what: What::Token(TokenKind::Int | TokenKind::Bytes, text), .. }] => {
                texts.extend([Doc::Text(text), Doc::Text(",")]);
            }
            _ => return None,
        }
    }
    if group.bracket != Bracket::Square || elements.has_comments() || elements.all.len() < 8 {
        return None;
    }
    let inner = vec![Doc::SoftLine, Doc::Fill(texts)];
    let docs = vec![Doc::Text("["), Doc::Seq(inner).nest(), Doc::SoftLine, Doc::Text("]")];
    Some(Doc::Seq(docs).group(false))
}

/// Elements with commas between them, and `line` behind each.
fn separated<'a>(elements: &Elements<'a>, line: Doc<'a>, last_comma: Doc<'a>, place: Place) -> Doc<'a> {
    let mut docs = vec![];
    let says = |element: &Element<'a>| element.nodes.iter().any(|node| !node.is_comment());
    let full = elements.all.iter().rposition(says);
    for (number, element) in elements.all.iter().enumerate() {
        if number > 0 {
            let blank = element.above.first().map_or(element.blank, |above| above.blank);
            docs.push(if blank { Doc::Blank } else { line.clone() });
        }
        for (at, above) in element.above.iter().enumerate() {
            docs.extend((at > 0).then_some(if above.blank { Doc::Blank } else { Doc::Hard }));
            docs.push(Doc::Text(above.text));
        }
        if !element.nodes.is_empty() {
            docs.extend((!element.above.is_empty()).then_some(Doc::Hard));
            docs.push(entry(&element.nodes, place));
            docs.extend((Some(number) != full && says(element)).then_some(Doc::Text(",")));
            docs.extend((Some(number) == full).then(|| last_comma.clone()));
        }
        docs.extend(element.behind.map(Doc::Remark));
    }
    docs.into()
}

/// `key: value`, or whatever else stands between commas.
fn entry<'a>(nodes: &[Node<'a>], place: Place) -> Doc<'a> {
    match nodes.iter().position(|node| node.is(TokenKind::Colon)) {
        Some(at) => {
            let (key, value) = nodes.split_at(at + 1);
            let column = if place == Place::Declaration { Doc::Column } else { Doc::Seq(vec![]) };
            vec![atoms(key, place), Doc::space(), column, phrase(value, place)].into()
        }
        None => phrase(nodes, place),
    }
}

/// Braces: fields, arms or statements.
fn braces<'a>(group: &Group<'a>, ends: Ends, place: Place) -> Doc<'a> {
    let (doc, broken) = open_braces(group, ends, place, false);
    doc.group(broken)
}

/// Braces that are broken together with what stands around them, and whether they must be. On one line they hold one
/// statement, or several if the author may write so.
fn open_braces<'a>(group: &Group<'a>, ends: Ends, place: Place, several: bool) -> (Doc<'a>, bool) {
    let elements = element::cut(&group.nodes, ends);
    if elements.all.is_empty() && elements.opening.is_none() {
        return (Doc::Text("{}"), false);
    }
    let begins_line = group.nodes.first().is_some_and(|first| first.breaks > 0);
    let too_many = ends == Ends::Statements && elements.all.len() > 1 && !several;
    let inner = match ends {
        Ends::Statements => {
            let mut docs = vec![];
            for element in &elements.all {
                push_element(&mut docs, element, statement(element), false);
            }
            if several && !elements.has_comments() {
                docs.iter_mut().filter(|doc| **doc == Doc::Hard).for_each(|doc| *doc = Doc::Line);
            }
            docs.into()
        }
        Ends::Arms => arms(&elements),
        Ends::Commas => separated(&elements, Doc::Line, Doc::TrailingComma, place),
    };
    let mut docs = vec![Doc::Text("{")];
    docs.extend(elements.opening.map(Doc::Trailing));
    docs.push(Doc::Seq(vec![Doc::Line, inner]).nest());
    docs.extend([Doc::Line, Doc::Text("}")]);
    (docs.into(), begins_line || too_many || elements.has_comments())
}

/// The arms of a `match`, with the commas that they have, and one behind the last.
fn arms<'a>(elements: &Elements<'a>) -> Doc<'a> {
    let mut docs = vec![];
    for (number, element) in elements.all.iter().enumerate() {
        let mut arm = vec![];
        let only_block = element.separator.is_none() && element.nodes.last().is_some_and(ends_with_block);
        push_element(&mut arm, element, phrase(&element.nodes, Place::Plain), false);
        let behind = element.behind.map(|_| arm.pop()).unwrap_or_default();
        if number > 0 {
            let blank = element.above.first().map_or(element.blank, |above| above.blank);
            docs.push(if blank { Doc::Blank } else { Doc::Line });
        }
        docs.append(&mut arm);
        let last = number + 1 == elements.all.len();
        docs.push(match () {
            () if element.nodes.is_empty() || only_block => Doc::Seq(vec![]),
            () if last => Doc::TrailingComma,
            () => Doc::Text(","),
        });
        docs.extend(behind);
    }
    docs.into()
}

fn ends_with_block(node: &Node<'_>) -> bool {
    node.group(Bracket::Brace).is_some()
}

/// Bytecode by hand: as it was written, with single spaces.
fn code<'a>(group: &Group<'a>) -> Doc<'a> {
    let mut docs = vec![];
    for (at, node) in group.nodes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| group.nodes.get(before));
        docs.push(match before {
            None => Doc::Line,
            Some(before) if node.breaks > 0 || ends_line(before) => Doc::Hard,
            Some(_) if node.apart => Doc::space(),
            Some(_) => Doc::Seq(vec![]),
        });
        match &node.what {
            What::Token(_, text) | What::BlockComment(text) => docs.push(Doc::Text(text)),
            What::LineComment(text) if node.breaks > 0 || before.is_none() => docs.push(Doc::Text(text)),
            What::LineComment(text) => docs.push(Doc::Trailing(text)),
            What::Group(inner) => {
                let (open, close) = inner.bracket.texts();
                docs.extend([Doc::Text(open), atoms(&inner.nodes, Place::Plain), Doc::Text(close)]);
            }
        }
    }
    if docs.is_empty() {
        return Doc::Text("{}");
    }
    let broken = group.nodes.iter().any(|node| node.breaks > 0 || ends_line(node)) || group.breaks > 0;
    Doc::Seq(vec![Doc::Text("{"), Doc::Seq(docs).nest(), Doc::Line, Doc::Text("}")]).group(broken)
}

/// `use a::b::{c, d as e};`: no spaces but around `as` and behind commas.
fn import<'a>(nodes: &[Node<'a>]) -> Doc<'a> {
    let mut docs = vec![];
    for (at, node) in nodes.iter().enumerate() {
        let word = at == 0 || node.name() == Some("as");
        let after_as = at.checked_sub(1).and_then(|before| nodes.get(before)).and_then(Node::name) == Some("as");
        docs.extend((at == 1 || (at > 0 && (word || after_as))).then(Doc::space));
        match &node.what {
            What::Token(_, text) | What::BlockComment(text) => docs.push(Doc::Text(text)),
            What::LineComment(text) => docs.extend([Doc::Trailing(text), Doc::Hard]),
            What::Group(group) => {
                let elements = element::cut(&group.nodes, Ends::Commas);
                let last_comma = if elements.all.is_empty() { Doc::Seq(vec![]) } else { Doc::TrailingComma };
                let inner = separated(&elements, Doc::Line, last_comma, Place::Plain);
                let mut list = vec![Doc::Text("{")];
                list.extend(elements.opening.map(Doc::Trailing));
                list.push(Doc::Seq(vec![Doc::SoftLine, inner]).nest());
                list.extend([Doc::SoftLine, Doc::Text("}")]);
                docs.push(Doc::Seq(list).group(elements.has_comments()));
            }
        }
    }
    docs.into()
}
