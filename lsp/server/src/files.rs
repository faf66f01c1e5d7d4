//! Files that editors create, rename and delete.

use std::sync::Arc;

use ide::{Answer, FileEdit, Snapshot};
use tower_lsp::lsp_types as lsp;

use crate::backend::Shared;
use crate::documents::path_of;

/// The old and the new path of what gets another name.
pub(crate) fn moves(shared: &Shared, files: &[lsp::FileRename]) -> Vec<(Arc<str>, Arc<str>)> {
    let path = |uri: &str| lsp::Url::parse(uri).ok().map(|url| path_of(&url, &*shared.ground));
    files.iter().filter_map(|file| Some((path(&file.old_uri)?, path(&file.new_uri)?))).collect()
}

/// The edits of all packages that keep imports right.
pub(crate) fn renamed(
    shared: &Shared,
    snapshots: &[Snapshot],
    moves: &[(Arc<str>, Arc<str>)],
) -> Answer<Option<lsp::WorkspaceEdit>> {
    let convert = shared.convert();
    let mut seen: Vec<FileEdit> = Vec::new();
    let mut documents = Vec::new();
    for snapshot in snapshots {
        let mut edits = snapshot.renamed_files(moves)?;
        // Several packages may know one source.
        edits.retain(|edit| !seen.contains(edit));
        documents.extend(convert.document_edits(snapshot, &edits));
        seen.extend(edits);
    }
    let changes = Some(lsp::DocumentChanges::Edits(documents));
    Ok((!seen.is_empty()).then(|| lsp::WorkspaceEdit { document_changes: changes, ..Default::default() }))
}

/// Sources, and folders, which may hold some.
pub(crate) fn operations() -> lsp::WorkspaceFileOperationsServerCapabilities {
    let filter = |glob: &str, matches: lsp::FileOperationPatternKind| lsp::FileOperationFilter {
        scheme: Some("file".to_owned()),
        pattern: lsp::FileOperationPattern { glob: glob.to_owned(), matches: Some(matches), options: None },
    };
    let filters = vec![
        filter("**/*.bmc", lsp::FileOperationPatternKind::File),
        filter("**", lsp::FileOperationPatternKind::Folder),
    ];
    let options = Some(lsp::FileOperationRegistrationOptions { filters });
    lsp::WorkspaceFileOperationsServerCapabilities {
        did_create: options.clone(),
        will_rename: options.clone(),
        did_rename: options.clone(),
        did_delete: options,
        ..Default::default()
    }
}
