//! The results as JUnit XML, one suite for each file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tester::{Outcome, Verdict};

pub(super) fn report(outcomes: &[Outcome]) -> String {
    let mut suites: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        suites.entry(&outcome.file).or_default().push(outcome);
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (file, cases) in suites {
        let failures = cases.iter().filter(|case| !case.passed()).count();
        let (file, count) = (escaped(file), cases.len());
        let _ = writeln!(text, "  <testsuite name=\"{file}\" tests=\"{count}\" failures=\"{failures}\">");
        for case in cases {
            let (name, line) = (escaped(&case.name), case.line);
            let _ = write!(text, "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"");
            match &case.verdict {
                Verdict::Passed => text.push_str("/>\n"),
                Verdict::Failed { fault, .. } => {
                    let (message, notes) = (escaped(&fault.message), escaped(&fault.notes.join("\n")));
                    let _ =
                        writeln!(text, ">\n      <failure message=\"{message}\">{notes}</failure>\n    </testcase>");
                }
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

/// Text that XML takes, within quotes and outside.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn signs_of_xml_and_control_characters_are_replaced() {
        assert_eq!(escaped("a < b && \"c\"\u{1}\n"), "a &lt; b &amp;&amp; &quot;c&quot;\u{fffd}\n");
    }
}
