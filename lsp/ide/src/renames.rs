//! Files that get other names: the imports that name them.

use std::sync::Arc;

use analysis::{Leaf, ModulePath};
use syntax::ast::{Item, Use};
use syntax::{FileId, Span};

use crate::assists::{Brought, comments_of, uses};
use crate::host::{Answer, Snapshot};
use crate::names::Files;
use crate::text::{FileEdit, TextEdit};

impl Snapshot {
    /// The edits of the package's sources that keep their imports right when files or folders get new paths, each given
    /// with the old one first.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn renamed_files(&self, moves: &[(Arc<str>, Arc<str>)]) -> Answer<Vec<FileEdit>> {
        self.ask(|files| {
            let own: Vec<FileId> = files.session.sources().map(|(file, _)| file).collect();
            let own = own.into_iter().filter(|file| files.session.is_own(*file));
            own.flat_map(|file| edits_of(files, file, moves)).collect()
        })
    }
}

/// Where a path leads after the moves.
fn moved(path: &str, moves: &[(Arc<str>, Arc<str>)]) -> String {
    for (old, new) in moves {
        match path.strip_prefix(&**old) {
            Some("") => return new.to_string(),
            Some(rest) if rest.starts_with('/') => return format!("{new}{rest}"),
            _ => {}
        }
    }
    path.to_owned()
}

fn edits_of(files: &Files<'_>, file: FileId, moves: &[(Arc<str>, Arc<str>)]) -> Vec<FileEdit> {
    let Some(path) = files.session.path(file) else { return Vec::new() };
    let importer = moved(path, moves);
    let own = files.of(file);
    let mut edits = Vec::new();
    for item in &own.items {
        let Item::Use(used) = item.ast else { continue };
        let leaves = analysis::leaves(used);
        let renamed: Vec<(&Leaf<'_>, ModulePath)> =
            leaves.iter().map(|leaf| (leaf, new_name(files, file, &importer, leaf, moves))).collect();
        if renamed.iter().all(|(leaf, module)| leaf.module == *module) {
            continue;
        }
        if let Some((span, text)) = edit(item.text, used, &renamed) {
            let start = item.start as usize;
            let range = start + span.start as usize..start + span.end as usize;
            edits.push(FileEdit { path: Arc::clone(path), edit: TextEdit { range, text } });
        }
    }
    edits
}

/// What the file calls a module after the moves; as before, if it cannot name it then.
fn new_name(
    files: &Files<'_>,
    file: FileId,
    importer: &str,
    leaf: &Leaf<'_>,
    moves: &[(Arc<str>, Arc<str>)],
) -> ModulePath {
    let target = files.module(file, &leaf.module).and_then(|target| files.session.path(target));
    let Some(target) = target else { return leaf.module.clone() };
    let (was, is) = (files.session.path(file).is_some_and(|path| **path == *importer), moved(target, moves));
    if was && is == **target {
        return leaf.module.clone();
    }
    files.session.packages().name_for(importer, &is).unwrap_or_else(|| leaf.module.clone())
}

/// The edit of one `use`: of the path alone where all names come from one module.
fn edit(text: &str, used: &Use, renamed: &[(&Leaf<'_>, ModulePath)]) -> Option<(Span, String)> {
    let (first, module) = renamed.first()?;
    let grouped = used.group.is_some() && first.item.is_none();
    if !grouped && renamed.iter().all(|(_, other)| other == module) {
        let head = text.get(used.span.start as usize..)?.strip_prefix("use")?;
        let blanks = u32::try_from(head.len() - head.trim_start().len()).ok()?;
        let place = Span::new(used.span.start + 3 + blanks, first.place.1.end);
        // The file goes on calling the module as before.
        let alias = match (first.item, &used.alias) {
            (None, None) if module.name != first.module.name => format!(" as {}", first.module.name),
            _ => String::new(),
        };
        return Some((place, format!("{module}{alias}")));
    }
    // What is said between the names is said above them.
    let comments = comments_of(text, used);
    let lines: String = renamed.iter().map(|(leaf, module)| uses(module, &[Brought::of(leaf)])).collect();
    Some((used.span, format!("{comments}{}", lines.trim_end())))
}
