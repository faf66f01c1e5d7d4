//! Code actions as the protocol has them.

use ide::{Action, Answer, Family, FileEdit, Lines, Snapshot, Wanted};
use serde::{Deserialize, Serialize};
use tower_lsp::lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, NumberOrString, Range, Url,
};

use crate::backend::Shared;
use crate::convert::{Convert, bytes};

/// The kinds that the server has.
pub(crate) fn kinds() -> Vec<CodeActionKind> {
    let families =
        [Family::QuickFix, Family::Extract, Family::Inline, Family::Rewrite, Family::Organize, Family::FixAll];
    families.map(kind_of).into()
}

const fn kind_of(family: Family) -> CodeActionKind {
    match family {
        Family::QuickFix => CodeActionKind::QUICKFIX,
        Family::Extract => CodeActionKind::REFACTOR_EXTRACT,
        Family::Inline => CodeActionKind::REFACTOR_INLINE,
        Family::Rewrite => CodeActionKind::REFACTOR_REWRITE,
        Family::Organize => CodeActionKind::SOURCE_ORGANIZE_IMPORTS,
        Family::FixAll => CodeActionKind::SOURCE_FIX_ALL,
    }
}

/// Whether the client wants actions of a family. The kind without a name is that of all.
fn wants(params: &CodeActionParams, family: Family) -> bool {
    let (only, kind) = (params.context.only.as_deref(), kind_of(family));
    let holds = |wanted: &str| {
        let rest = kind.as_str().strip_prefix(wanted);
        rest.is_some_and(|rest| wanted.is_empty() || rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(|wanted| holds(wanted.as_str())))
}

/// By which an action is found again when its edits are wanted.
#[derive(Debug, Deserialize, Serialize)]
struct Handle {
    uri: Url,
    version: Option<i32>,
    range: Range,
    kind: String,
    title: String,
}

/// What can be done at a range.
pub(crate) fn actions(
    shared: &Shared,
    snapshot: &Snapshot,
    path: &str,
    lines: &Lines,
    params: &CodeActionParams,
) -> Answer<Option<Vec<CodeActionOrCommand>>> {
    let (convert, settings) = (shared.convert(), shared.settings());
    let range = bytes(lines, convert.encoding, params.range);
    let wanted = if settings.resolves { Wanted::Titles } else { Wanted::Whole };
    let mut found: Vec<Action> = Vec::new();
    if wants(params, Family::QuickFix) {
        found.extend(snapshot.remedies(path, &range, &wanted)?);
    }
    if [Family::Extract, Family::Inline, Family::Rewrite].into_iter().any(|family| wants(params, family)) {
        found.extend(snapshot.refactorings(path, &range, &wanted)?);
    }
    found.retain(|action| wants(params, action.kind.family()));
    found
        .retain(|action| settings.creates || (action.creates.is_empty() && action.kind != ide::ActionKind::MoveToFile));
    let mut out: Vec<CodeActionOrCommand> =
        found.iter().map(|found| action(&convert, snapshot, params, found)).collect();
    // Only who asks for these by name wants to see them in every menu.
    if params.context.only.is_some() {
        if wants(params, Family::Organize) {
            let edits = snapshot.organized_imports(path)?;
            out.extend(source(&convert, snapshot, Family::Organize, "put the imports in order", &edits));
        }
        if wants(params, Family::FixAll) {
            let edits = snapshot.remedies_of_all(path)?;
            out.extend(source(&convert, snapshot, Family::FixAll, "mend everything that is sure", &edits));
        }
    }
    Ok(Some(out))
}

/// A quick fix or a refactoring.
fn action(
    convert: &Convert<'_>,
    snapshot: &Snapshot,
    params: &CodeActionParams,
    action: &Action,
) -> CodeActionOrCommand {
    let mended = action.mends.map(|code| {
        let code = Some(NumberOrString::String(code.to_string()));
        let shown = params.context.diagnostics.iter().filter(|shown| shown.code == code);
        shown.cloned().collect::<Vec<Diagnostic>>()
    });
    let whole = !action.edits.is_empty() || !action.creates.is_empty();
    let handle = || Handle {
        uri: params.text_document.uri.clone(),
        version: snapshot.version(&convert.path(&params.text_document.uri)),
        range: params.range,
        kind: action.kind.name().to_owned(),
        title: action.title.clone(),
    };
    CodeAction {
        title: action.title.clone(),
        kind: Some(kind_of(action.kind.family())),
        diagnostics: mended.filter(|mended| !mended.is_empty()),
        edit: whole.then(|| convert.workspace_edit(snapshot, &action.edits, &action.creates)),
        is_preferred: action.preferred.then_some(true),
        data: (!whole).then(|| serde_json::to_value(handle()).ok()).flatten(),
        ..Default::default()
    }
    .into()
}

/// Something that is done to a whole source, if there is anything to do.
fn source(
    convert: &Convert<'_>,
    snapshot: &Snapshot,
    family: Family,
    title: &str,
    edits: &[FileEdit],
) -> Option<CodeActionOrCommand> {
    let action = || CodeAction {
        title: title.to_owned(),
        kind: Some(kind_of(family)),
        edit: Some(convert.workspace_edit(snapshot, edits, &[])),
        ..Default::default()
    };
    (!edits.is_empty()).then(|| action().into())
}

/// An action that was listed without its edits: where it was, and what finds it again.
pub(crate) struct Listed {
    handle: Handle,
}

impl Listed {
    /// What the client sends back of an action; nothing if it carries nothing, or what is no handle.
    pub(crate) fn of(action: &CodeAction) -> Option<Self> {
        Some(Self { handle: serde_json::from_value(action.data.clone()?).ok()? })
    }

    pub(crate) const fn uri(&self) -> &Url {
        &self.handle.uri
    }

    /// The edits, unless the document has changed since.
    pub(crate) fn edit(
        &self,
        shared: &Shared,
        snapshot: &Snapshot,
        path: &str,
        lines: &Lines,
    ) -> Answer<Option<tower_lsp::lsp_types::WorkspaceEdit>> {
        if self.handle.version != snapshot.version(path) {
            return Err(driver::Stopped::Edited);
        }
        let convert = shared.convert();
        let range = bytes(lines, convert.encoding, self.handle.range);
        let wanted = Wanted::One { kind: self.handle.kind.clone(), title: self.handle.title.clone() };
        let mut found = snapshot.remedies(path, &range, &wanted)?;
        if found.is_empty() {
            found = snapshot.refactorings(path, &range, &wanted)?;
        }
        Ok(found.first().map(|found| convert.workspace_edit(snapshot, &found.edits, &found.creates)))
    }
}
