//! Code lenses and the commands behind them. Those that start with `bmc.` and are not of [`COMMANDS`] are the editor's.

use ide::{Answer, Lens, LensKind, Lines, Snapshot};
use serde_json::{Value, json};
use tower_lsp::lsp_types as lsp;

use crate::convert::Convert;

/// The commands that the server carries out.
pub(crate) const COMMANDS: [&str; 3] = ["bmc.expand", "bmc.cost", "bmc.tests"];

/// What a command is about: the first of its arguments.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) uri: lsp::Url,
    pub(crate) name: Option<String>,
    pub(crate) spend: Option<String>,
}

impl Subject {
    /// Reads `{ "uri": …, "name": …, "spend": … }`, or the address alone.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let uri = value.as_str().or_else(|| value.get("uri")?.as_str())?;
        Some(Self { uri: lsp::Url::parse(uri).ok()?, name: text("name"), spend: text("spend") })
    }
}

/// The lenses of a document. What things take is put in by [`resolved`].
pub(crate) fn lenses(
    convert: &Convert<'_>,
    snapshot: &Snapshot,
    path: &str,
    lines: &Lines,
) -> Answer<Vec<lsp::CodeLens>> {
    let Some(uri) = convert.documents.url(path, convert.ground) else { return Ok(Vec::new()) };
    let about = |name: &str, spend: Option<&str>| {
        let mut about = json!({ "uri": uri, "path": path, "name": name });
        if let (Some(spend), Some(object)) = (spend, about.as_object_mut()) {
            object.insert("spend".to_owned(), spend.into());
        }
        about
    };
    let lens = |lens: &Lens| {
        let command = |title: &str, command: &str, name: &str| {
            (Some(lsp::Command::new(title.to_owned(), command.to_owned(), Some(vec![about(name, None)]))), None)
        };
        let (command, data) = match &lens.kind {
            LensKind::Cost { item, path } => (None, Some(about(item, path.as_deref()))),
            LensKind::Run { test } => command("run test", "bmc.runTest", test),
            LensKind::Debug { test } => command("debug", "bmc.debug", test),
            LensKind::Deploy { contract } => command("deploy", "bmc.deploy", contract),
            LensKind::Expand { item } => command("expand", "bmc.expand", item),
        };
        lsp::CodeLens { range: convert.range(lines, &lens.range), command, data }
    };
    Ok(snapshot.lenses(path)?.iter().map(lens).collect())
}

/// A lens with what stands on it.
pub(crate) fn resolved(lens: lsp::CodeLens, title: Option<String>) -> lsp::CodeLens {
    let arguments = lens.data.clone().map(|data| vec![data]);
    let command = title.map(|title| lsp::Command::new(title, "bmc.showCost".to_owned(), arguments));
    lsp::CodeLens { command: command.or(lens.command), ..lens }
}

/// Carries out a command about a document; nothing if there is no such command.
pub(crate) fn execute(
    command: &str,
    subject: &Subject,
    convert: &Convert<'_>,
    snapshot: &Snapshot,
    path: &str,
    lines: &Lines,
) -> Answer<Option<Value>> {
    let name = subject.name.as_deref();
    Ok(match command {
        "bmc.expand" => snapshot.expansion(path, name)?.map(Value::String),
        "bmc.cost" => {
            let (sizes, complete) = snapshot.sizes(path, name)?;
            Some(json!({ "contracts": sizes, "complete": complete }))
        }
        "bmc.tests" => {
            let tests = snapshot.tests(path)?;
            let test = |test: &ide::TestItem| {
                json!({
                    "name": test.name,
                    "kind": if test.is_property { "property" } else { "test" },
                    "range": convert.range(lines, &test.range),
                    "selectionRange": convert.range(lines, &test.name_range),
                })
            };
            Some(tests.iter().map(test).collect())
        }
        _ => None,
    })
}
