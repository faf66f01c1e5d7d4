//! The page of docs/ about lints: their names, how grave they are, and which of them mend themselves.

use std::fmt::Write as _;
use std::path::Path;

use driver::{Code, Severity, lints};
use tests::Example;

use super::{NOTICE, Page};

const HEAD: &str = "# Lints\n\nA lint is a message with a name. `bmc check`, `bmc build` and `bmc test` show it, `bmc lint` counts it and \
mends what it can:\n\n<!-- What the commands look at.\n```bmc lock.bmc\ncontract Lock(owner: PubKey) {\n    \
spend take(sig: Sig) { require owner.signed(sig); }\n}\n```\n-->\n\n```console\nbmc lint\nbmc lint --fix --dry-run\nbmc lint --fix\nbmc lint --deny warnings\nbmc lint --list\n```\n\n\
How grave a warning is taken stands in bmc.toml: `allow` leaves it out, `warn` shows it, `deny` makes it an error, and \
`warnings` means all that are not named.\n\n```toml\n[lint]\nwarnings = \"deny\"\nno_fee = \"allow\"\n```\n\n\
What guards money is an error, and no manifest makes it less. Its author silences it where it is meant, by \
`allow(name);` in the path or the contract.\n\n\
A fix that *keeps* scripts leaves each as it is, to the byte; one that *mends* says what can only have been left out. \
`bmc lint --fix` makes both, compiles again, and takes back what did not do what it says. What *changes* scripts, or is a \
guess, is made by `--unsafe-fixes`, and offered by editors. \
`--json` gives every fix as bytes to replace.\n";

/// The page.
pub fn page(root: &Path) -> Result<Page, String> {
    let mut text = format!("{NOTICE}{HEAD}\n| lint | message | level | silenced by | fixes |\n|---|---|---|---|---|\n");
    for lint in lints() {
        let level = if lint.severity == Severity::Error { "deny, always" } else { "warn" };
        let silenced = if lint.in_source { "`allow` in the source" } else { "bmc.toml" };
        let code = lint.code;
        let _ = writeln!(
            text,
            "| `{}` | [{code}](errors/{code}.md) {} | {level} | {silenced} | {} |",
            lint.name,
            code.title(),
            fixes(root, code)?
        );
    }
    text.push_str("\n## Errors that mend themselves\n\n| message | fixes |\n|---|---|\n");
    for code in Code::ALL.iter().filter(|code| driver::lint_of(**code).is_none()) {
        let fixes = fixes(root, *code)?;
        if !fixes.is_empty() {
            let _ = writeln!(text, "| [{code}](errors/{code}.md) {} | {fixes} |", code.title());
        }
    }
    Ok(Page { path: "docs/book/src/lints.md".to_owned(), text })
}

/// What the example of a code is offered.
fn fixes(root: &Path, code: Code) -> Result<String, String> {
    let compiled = Example::of(root, code)?.compile();
    let own = compiled.diagnostics.iter().filter(|found| found.code == code);
    let mut all: Vec<String> = own
        .flat_map(|found| compiled.remedies(found))
        .map(|remedy| format!("{} (*{}*)", remedy.title, remedy.effect.name()))
        .collect();
    all.sort();
    all.dedup();
    Ok(all.join(", "))
}
