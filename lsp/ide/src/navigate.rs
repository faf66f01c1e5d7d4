//! From names to what they mean and back: definitions, types, references, highlights, new names.

use std::ops::Range;
use std::sync::Arc;

use analysis::hir::Type;
use driver::ItemView;
use syntax::{FileId, Span, Word};

use crate::host::{Answer, Snapshot};
use crate::names::{Cursor, Def, DefKind, Depth, FileNames, Files, Import, Name, Target, names_of};
use crate::text::{FileEdit, TextEdit};

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The source.
    pub path: Arc<str>,
    /// The bytes.
    pub range: RangeOf,
}

/// The bytes of a place, which can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RangeOf {
    /// The first.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl RangeOf {
    /// As a range.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A mention of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where.
    pub location: Location,
    /// It is declared there.
    pub declares: bool,
    /// It is written to there.
    pub writes: bool,
}

impl Snapshot {
    /// Where what stands at a place is declared.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn definition(&self, path: &str, offset: usize) -> Answer<Vec<Location>> {
        self.ask_of(path, |files, file| {
            let Some(cursor) = Cursor::at(files, file, offset, Depth::Fields) else { return Vec::new() };
            let Some(name) = cursor.name() else { return Vec::new() };
            let also = name.short.iter().filter_map(|def| location(files, def));
            target_location(files, &name.target).into_iter().chain(also).collect()
        })
    }

    /// Where the type of what stands at a place is declared.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn type_definition(&self, path: &str, offset: usize) -> Answer<Vec<Location>> {
        self.ask_of(path, |files, file| {
            let Some(cursor) = Cursor::at(files, file, offset, Depth::Fields) else { return Vec::new() };
            let Some(name) = cursor.name() else { return Vec::new() };
            let ty = type_at(files, file, &cursor, name);
            let found = ty.as_ref().and_then(type_name).and_then(|of| files.type_named(file, of));
            let def = found.and_then(|(file, item)| files.declared(file, item.ast.name()?.as_str()));
            def.and_then(|def| location(files, &def)).into_iter().collect()
        })
    }

    /// Everything that means what stands at a place, in this package and what it can see.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn references(&self, path: &str, offset: usize) -> Answer<Vec<Mention>> {
        self.ask_of(path, |files, file| {
            def_at(files, file, offset).map(|def| mentions(files, &def, None)).unwrap_or_default()
        })
    }

    /// The same in one source.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn highlights(&self, path: &str, offset: usize) -> Answer<Vec<Mention>> {
        self.ask_of(path, |files, file| {
            def_at(files, file, offset).map(|def| mentions(files, &def, Some(file))).unwrap_or_default()
        })
    }

    /// The name at a place that can get another name: its bytes.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn renamable(&self, path: &str, offset: usize) -> Answer<Option<Range<usize>>> {
        self.ask_of(path, |files, file| {
            let cursor = Cursor::at(files, file, offset, Depth::Fields)?;
            let name = cursor.name()?;
            let Target::Def(def) = &name.target else { return None };
            may_rename(files, def).then(|| {
                let start = cursor.item.start as usize;
                start + name.span.start as usize..start + name.span.end as usize
            })
        })
    }

    /// The edits that give what stands at a place another name, or why it cannot have it.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn rename(&self, path: &str, offset: usize, to: &str) -> Answer<Result<Vec<FileEdit>, String>> {
        let Some(file) = self.file(path) else { return Ok(Err("there is no such source".to_owned())) };
        self.ask(|files| {
            let def = def_at(files, file, offset).ok_or("nothing here has a name")?;
            refuse_name(files, &def, to)?;
            Ok(rename(files, &def, to))
        })
    }
}

/// The name of a type that a source declares.
fn type_name(ty: &Type) -> Option<&str> {
    match ty {
        Type::Struct(of) | Type::List(of) => Some(&of.name),
        Type::Enum(of) => Some(&of.name),
        Type::Array(of, _) | Type::Table(of, _) => type_name(of),
        _ => None,
    }
}

/// The type of a name: of the variable, or of the chain of fields that ends with it.
pub(crate) fn type_at(files: &Files<'_>, file: FileId, cursor: &Cursor<'_>, name: &Name) -> Option<Type> {
    let types = files.session.types_in(file, cursor.item.key);
    let exact = types.iter().find(|(span, _)| *span == name.span);
    let chain = || types.iter().filter(|(span, _)| span.end == name.span.end).min_by_key(|(span, _)| span.len());
    exact.or_else(chain).map(|(_, ty)| ty.clone())
}

/// Where something is declared.
pub(crate) fn location(files: &Files<'_>, def: &Def) -> Option<Location> {
    let start = files.view(def)?.start as usize;
    place(files, def.file, start, def.span)
}

fn place(files: &Files<'_>, file: FileId, base: usize, span: Span) -> Option<Location> {
    let range = RangeOf { start: base + span.start as usize, end: base + span.end as usize };
    Some(Location { path: Arc::clone(files.session.path(file)?), range })
}

fn target_location(files: &Files<'_>, target: &Target) -> Option<Location> {
    match target {
        Target::Def(def) => location(files, def),
        Target::Module(file) => place(files, *file, 0, Span::default()),
        Target::Builtin | Target::Type | Target::Fact(_) | Target::Unknown => None,
    }
}

/// What the name at a place means.
pub(crate) fn def_at(files: &Files<'_>, file: FileId, offset: usize) -> Option<Def> {
    match &Cursor::at(files, file, offset, Depth::Fields)?.name()?.target {
        Target::Def(def) => Some(def.clone()),
        _ => None,
    }
}

/// The name of what is defined, as it is written where it is declared.
pub(crate) fn name_of<'s>(files: &Files<'s>, def: &Def) -> Option<&'s str> {
    files.view(def)?.text.get(def.span.range())
}

/// Everything that means `def`, in one file or in all.
pub(crate) fn mentions(files: &Files<'_>, def: &Def, only: Option<FileId>) -> Vec<Mention> {
    let mut found = Vec::new();
    visit(files, def, only, &mut |file, start, name| {
        if let Some(location) = place(files, file, start, name.span) {
            found.push(Mention { location, declares: name.declares, writes: name.writes });
        }
    });
    found
}

/// Shows each name that means `def`, with its file and the start of its item.
fn visit(files: &Files<'_>, def: &Def, only: Option<FileId>, see: &mut dyn FnMut(FileId, usize, &Name)) {
    let Some(word) = name_of(files, def) else { return };
    let is_local = matches!(def.kind, DefKind::Local | DefKind::TypeParameter);
    let depth = match def.kind {
        DefKind::Field | DefKind::State => Depth::Fields,
        _ => Depth::Names,
    };
    for (file, _) in files.session.sources().filter(|(file, _)| only.is_none_or(|only| only == *file)) {
        let own = files.of(file);
        let named = items_naming(&own, def, word);
        for item in named.filter(|item| !is_local || (file == def.file && *item.key == def.item)) {
            for name in names_of(files, file, *item, depth).names {
                let means = name.target == Target::Def(def.clone()) || name.short.as_ref() == Some(def);
                if means {
                    see(file, item.start as usize, &name);
                }
            }
        }
    }
}

/// The items of a file that may name `def`: those with its name, or with one under which the file imports it.
pub(crate) fn items_naming<'o, 's>(
    own: &'o FileNames<'s>,
    def: &Def,
    word: &'o str,
) -> impl Iterator<Item = &'o ItemView<'s>> {
    let means = |import: &Import| matches!(import, Import::Item(file, name) if *file == def.file && **name == *word);
    let others = own.imports.iter().filter(|(_, import)| means(import)).map(|(local, _)| *local);
    let words: Vec<&str> = others.chain([word]).collect();
    own.items.iter().filter(move |item| words.iter().any(|word| item.text.contains(word)))
}

fn may_rename(files: &Files<'_>, def: &Def) -> bool {
    files.session.is_own(def.file) && def.kind != DefKind::Entry
}

/// Says why something cannot be called so.
fn refuse_name(files: &Files<'_>, def: &Def, to: &str) -> Result<(), String> {
    let first = to.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !to.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("`{to}` is no name: names are letters, digits and `_`"));
    }
    if Word::from_text(to).is_some_and(Word::is_keyword) {
        return Err(format!("`{to}` is a word of the language"));
    }
    if !may_rename(files, def) {
        return Err("this is not declared in this package".to_owned());
    }
    let taken = match def.kind {
        DefKind::Item(kind) if files.view(def).is_some_and(|item| item.key.kind == kind) => {
            files.named(&files.of(def.file), def.file, to).is_some()
        }
        DefKind::Local | DefKind::Argument | DefKind::Parameter => {
            // Wherever it is mentioned, the new name must not be that of something nearer.
            let names = files.view(def).map(|item| names_of(files, def.file, item, Depth::Names));
            names.is_some_and(|names| {
                let mentions = names.names.iter().filter(|name| name.target == Target::Def(def.clone()));
                let seen = mentions.flat_map(|name| names.visible(name.span.end));
                seen.into_iter().any(|(known, _)| &**known == to)
            })
        }
        _ => false,
    };
    if taken { Err(format!("`{to}` means something else here")) } else { Ok(()) }
}

fn rename(files: &Files<'_>, def: &Def, to: &str) -> Vec<FileEdit> {
    let Some(old) = name_of(files, def) else { return Vec::new() };
    let mut edits = Vec::new();
    visit(files, def, None, &mut |file, start, name| {
        let range = start + name.span.start as usize..start + name.span.end as usize;
        let Some((path, text)) = files.session.path(file).zip(files.session.text(file)) else { return };
        let written = text.get(range.clone()).unwrap_or_default();
        // What is imported under another name keeps that name.
        if written != old {
            return;
        }
        let new = match &name.short {
            Some(field) if field == def => format!("{to}: {written}"),
            Some(_) => format!("{written}: {to}"),
            None => to.to_owned(),
        };
        edits.push(FileEdit { path: Arc::clone(path), edit: TextEdit { range, text: new } });
    });
    edits
}
