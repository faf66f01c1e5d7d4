//! Tests of the whole crate: from text to typed program.

mod expanded;
mod fixtures;
mod hostile;
mod rewards;
mod seams;
mod seen;

use std::sync::Arc;

use syntax::{Code, FileId, Parse, Severity};

use crate::hir::Lint;
use crate::program::analyse_with;
use crate::{Analysis, ModulePath, ModuleProblem, Modules, SourceItem, imports, signatures, source_items};

fn checked(text: &str) -> (Parse, Analysis) {
    let parse = syntax::parse(text);
    let items = source_items(&parse, text);
    let analysis = analyse_with(FileId::default(), &items, &modules(&items));
    (parse, analysis)
}

/// What tests can import: `./shared` exists, and `./circle` imports the file itself.
fn modules(items: &[SourceItem<'_>]) -> Modules {
    let text = "const LIMIT: Coin = 5_000 sats;\nfn half(value: Int) -> Int { value / 2 }\n\
                reward Pair { first: 50%, second: rest, minimum: 20_000 sats, fee: up to 500 sats, }\n";
    let parse = syntax::parse(text);
    let (shared, _) = signatures(FileId(1), &source_items(&parse, text), &Modules::new());
    let known = vec!["shared".into(), "circle".into()];
    let found = |module: ModulePath| {
        let leads_to = match module.to_string().as_str() {
            "./shared" => Ok(Arc::clone(shared.interface())),
            "./circle" => Err(ModuleProblem::Circle { files: vec!["circle.bmc".into(), "this.bmc".into()] }),
            path if path.contains("..") => Err(ModuleProblem::Outside),
            _ => Err(ModuleProblem::Missing { known: known.clone() }),
        };
        (module, leads_to)
    };
    imports(items).into_iter().map(found).collect()
}

/// The analysis of a source without errors; lints may speak.
fn sound(text: &str) -> Analysis {
    let (parse, analysis) = checked(text);
    assert_eq!(parse.diagnostics, [], "{text}");
    let is_error = |found: &&syntax::Diagnostic| found.severity == Severity::Error && Lint::of(found.code).is_none();
    let errors: Vec<_> = analysis.diagnostics.iter().filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    analysis
}

fn codes(analysis: &Analysis) -> Vec<Code> {
    analysis.diagnostics.iter().map(|found| found.code).collect()
}
