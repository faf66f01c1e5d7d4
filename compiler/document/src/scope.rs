//! Which names mean what in a module, and where that is documented.

use std::collections::BTreeMap;

use syntax::ast::{Doc, Use};

use crate::entry::{self, Entry};
use crate::input::{Module, Program};
use crate::markup::slug;

/// A module with its items and the names that its text can use.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) module: Module,
    pub(crate) docs: Vec<Doc>,
    pub(crate) entries: Vec<Entry>,
    /// The path of its page, without the ending.
    pub(crate) page: String,
    names: BTreeMap<String, Target>,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The module with this number.
    Module(usize),
    /// The item with this number of the module with that number.
    Item(usize, usize),
}

impl Chapter {
    /// The path of its page.
    pub(crate) fn path(&self) -> String {
        format!("{}.html", self.page)
    }

    /// The path of the page that shows its source.
    pub(crate) fn source_path(&self) -> String {
        format!("{}.source.html", self.page)
    }

    /// How a page at its depth writes the top of all pages.
    pub(crate) fn root(&self) -> String {
        "../".repeat(self.page.matches('/').count())
    }

    /// Its name as a `use` in another package writes it.
    pub(crate) fn full_name(&self) -> String {
        format!("{}::{}", self.module.package, self.module.name)
    }
}

/// The modules of a program with the names that each can use.
pub(crate) fn chapters(program: &Program) -> Vec<Chapter> {
    let mut pages: BTreeMap<String, usize> = BTreeMap::new();
    let mut uses: Vec<Vec<Use>> = Vec::new();
    let mut chapters: Vec<Chapter> = Vec::new();
    for module in &program.modules {
        let (entries, of, docs) = entry::entries(module);
        // Names that differ in what no address can hold, or in case alone, get numbers.
        let page = format!("{}/{}", slug(&module.package.replace('/', "_")), slug(&module.name));
        let count = pages.entry(page.to_ascii_lowercase()).or_default();
        *count += 1;
        let page = if *count == 1 { page } else { format!("{page}~{count}") };
        chapters.push(Chapter { module: module.clone(), docs, entries, page, names: BTreeMap::new() });
        uses.push(of);
    }
    for chapter in &mut chapters {
        chapter.entries.iter_mut().for_each(|entry| entry.artifact = artifact_of(program, &chapter.module, entry));
    }
    let names: Vec<_> = uses.iter().enumerate().map(|(own, uses)| names_of(&chapters, own, uses)).collect();
    chapters.iter_mut().zip(names).for_each(|(chapter, names)| chapter.names = names);
    chapters
}

fn artifact_of(program: &Program, module: &Module, entry: &Entry) -> Option<usize> {
    use syntax::ItemKind as Kind;
    let compiled = matches!(entry.kind, Kind::Contract | Kind::Reward | Kind::Model);
    let is_it = |artifact: &spec::Artifact| {
        artifact.contract == *entry.name && artifact.sources.first().is_some_and(|source| source.path == module.path)
    };
    program.artifacts.iter().position(is_it).filter(|_| compiled)
}

fn names_of(chapters: &[Chapter], own: usize, uses: &[Use]) -> BTreeMap<String, Target> {
    let mut names = BTreeMap::new();
    let Some(chapter) = chapters.get(own) else { return names };
    for (at, entry) in chapter.entries.iter().enumerate() {
        // A reward and the contract that it becomes have one name: who writes it means the reward.
        names.entry(entry.name.to_string()).or_insert(Target::Item(own, at));
    }
    for item in uses {
        imported(chapters, chapter, item, &mut names);
    }
    names
}

/// Adds what a `use` brings.
fn imported(chapters: &[Chapter], chapter: &Chapter, item: &Use, names: &mut BTreeMap<String, Target>) {
    let path: Vec<&str> = item.path.iter().map(|name| name.as_str()).collect();
    let (module, rest) = if item.relative {
        let Some((name, rest)) = path.split_first() else { return };
        (beside(chapter, item, name), rest)
    } else {
        let [package, name, rest @ ..] = path.as_slice() else { return };
        (((*package).to_owned(), (*name).to_owned()), rest)
    };
    let Some(found) =
        chapters.iter().position(|other| other.module.package == module.0 && other.module.name == module.1)
    else {
        return;
    };
    let alias = item.alias.as_ref().map(|alias| alias.as_str());
    match (&item.group, rest) {
        (Some(group), []) => {
            for name in group {
                let alias = name.alias.as_ref().unwrap_or(&name.name);
                bring(chapters, found, name.name.as_str(), alias.as_str(), names);
            }
        }
        (None, []) => {
            let name = alias.or(path.last().copied()).unwrap_or_default();
            names.entry(name.to_owned()).or_insert(Target::Module(found));
        }
        (_, [name, ..]) => bring(chapters, found, name, alias.unwrap_or(name), names),
    }
}

fn bring(chapters: &[Chapter], module: usize, name: &str, alias: &str, names: &mut BTreeMap<String, Target>) {
    if let Some(at) = item_named(chapters, module, name) {
        names.entry(alias.to_owned()).or_insert(Target::Item(module, at));
    }
}

fn item_named(chapters: &[Chapter], module: usize, name: &str) -> Option<usize> {
    chapters.get(module)?.entries.iter().position(|entry| *entry.name == *name)
}

/// The package and name of the module that a relative `use` names.
fn beside(chapter: &Chapter, item: &Use, name: &str) -> (String, String) {
    let mut folders: Vec<&str> = chapter.module.name.split('/').collect();
    folders.pop();
    for step in &item.folders {
        match step.as_str() {
            ".." => drop(folders.pop()),
            step => folders.push(step),
        }
    }
    folders.push(name);
    (chapter.module.package.clone(), folders.join("/"))
}

/// Where a path of names leads that is written in a module.
pub(crate) fn resolve(chapters: &[Chapter], own: usize, path: &[&str]) -> Option<String> {
    let chapter = chapters.get(own)?;
    let (first, rest) = path.split_first()?;
    let known = chapter.names.get(*first).copied();
    let same_package = || module_named(chapters, &chapter.module.package, first).map(Target::Module);
    match known.or_else(same_package) {
        Some(Target::Module(module)) => match rest.split_first() {
            None => Some(chapters.get(module)?.path()),
            Some((name, rest)) => address(chapters, module, item_named(chapters, module, name)?, rest),
        },
        Some(Target::Item(module, item)) => address(chapters, module, item, rest),
        None => {
            let (name, rest) = rest.split_first()?;
            let module = module_named(chapters, first, name)?;
            match rest.split_first() {
                None => Some(chapters.get(module)?.path()),
                Some((name, rest)) => address(chapters, module, item_named(chapters, module, name)?, rest),
            }
        }
    }
}

fn module_named(chapters: &[Chapter], package: &str, name: &str) -> Option<usize> {
    chapters.iter().position(|chapter| chapter.module.package == package && chapter.module.name == name)
}

fn address(chapters: &[Chapter], module: usize, item: usize, member: &[&str]) -> Option<String> {
    let chapter = chapters.get(module)?;
    let entry = chapter.entries.get(item)?;
    let anchor = match member {
        [] => entry.anchor.clone(),
        [name] => {
            entry.members().iter().find(|(member, _)| member == name)?;
            // The entries of a declaration stand in its own text.
            if entry.settings().is_empty() { format!("{}.{name}", entry.anchor) } else { entry.anchor.clone() }
        }
        _ => return None,
    };
    Some(format!("{}#{anchor}", chapter.path()))
}

/// The item that a single name means in a module.
pub(crate) fn item(chapters: &[Chapter], own: usize, name: &str) -> Option<(usize, usize)> {
    match chapters.get(own)?.names.get(name)? {
        Target::Item(module, item) => Some((*module, *item)),
        Target::Module(_) => None,
    }
}
