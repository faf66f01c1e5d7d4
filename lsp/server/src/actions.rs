//! Code actions as the protocol has them.

use ide::{Action, FileEdit, Snapshot};
use tower_lsp::lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, NumberOrString,
};

use crate::convert::Convert;

/// Whether the client wants actions of a kind.
pub(crate) fn wants(params: &CodeActionParams, kind: &CodeActionKind) -> bool {
    let only = params.context.only.as_deref();
    only.is_none_or(|only| {
        only.iter().any(|wanted| {
            kind.as_str().strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    })
}

/// A quick fix or a refactoring.
pub(crate) fn action(
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
    CodeAction {
        title: action.title.clone(),
        kind: Some(kind_of(action)),
        diagnostics: mended.filter(|mended| !mended.is_empty()),
        edit: Some(convert.workspace_edit(snapshot, &action.edits)),
        is_preferred: action.preferred.then_some(true),
        ..Default::default()
    }
    .into()
}

fn kind_of(action: &Action) -> CodeActionKind {
    match action.family {
        "extract" => CodeActionKind::REFACTOR_EXTRACT,
        "inline" => CodeActionKind::REFACTOR_INLINE,
        "rewrite" => CodeActionKind::REFACTOR_REWRITE,
        _ => CodeActionKind::QUICKFIX,
    }
}

/// Everything that can be mended without changing what the source means.
pub(crate) fn all(convert: &Convert<'_>, snapshot: &Snapshot, edits: &[FileEdit]) -> CodeActionOrCommand {
    CodeAction {
        title: "mend everything that is sure".to_owned(),
        kind: Some(CodeActionKind::SOURCE_FIX_ALL),
        edit: Some(convert.workspace_edit(snapshot, edits)),
        ..Default::default()
    }
    .into()
}
