//! Who asks: how the client counts, and what it is told that can be done.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::message::{Wrong, wrong};

/// The name of the only filter of exceptions.
pub(crate) const REFUSALS: &str = "refusal";

/// What a client says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Hello {
    lines_start_at_1: bool,
    columns_start_at_1: bool,
    supports_variable_type: bool,
    path_format: Option<String>,
}

impl Default for Hello {
    fn default() -> Self {
        Self { lines_start_at_1: true, columns_start_at_1: true, supports_variable_type: false, path_format: None }
    }
}

/// How a client counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    first_line: usize,
    first_column: usize,
    /// Whether it wants to know of what type values are.
    pub(crate) types: bool,
}

impl Client {
    pub(crate) fn new(hello: &Hello) -> Result<Self, Wrong> {
        if let Some(other) = hello.path_format.as_deref().filter(|format| *format != "path") {
            return Err(wrong(format!(
                "paths cannot be of the format `{other}`: leave `pathFormat` out, or say `path`"
            )));
        }
        let first_line = usize::from(hello.lines_start_at_1);
        let first_column = usize::from(hello.columns_start_at_1);
        Ok(Self { first_line, first_column, types: hello.supports_variable_type })
    }

    /// A line, from 1, as the client counts it.
    pub(crate) const fn line(self, line: usize) -> usize {
        line.saturating_sub(1).saturating_add(self.first_line)
    }

    /// A column, from 0, as the client counts it.
    pub(crate) const fn column(self, column: usize) -> usize {
        column.saturating_add(self.first_column)
    }

    /// A line that the client names, from 1; 0 is before the first.
    pub(crate) fn own_line(self, line: i64) -> usize {
        let line = usize::try_from(line).map_or(0, |line| line.saturating_add(1));
        line.saturating_sub(self.first_line)
    }
}

/// What can be done.
pub(crate) fn capabilities() -> Value {
    json!({
        "supportsConfigurationDoneRequest": true,
        "supportsConditionalBreakpoints": true,
        "supportsEvaluateForHovers": true,
        "supportsStepBack": true,
        "supportsRestartRequest": true,
        "supportsValueFormattingOptions": true,
        "supportsExceptionInfoRequest": true,
        "supportsDelayedStackTraceLoading": true,
        "supportsLoadedSourcesRequest": true,
        "supportsTerminateRequest": true,
        "supportsCancelRequest": true,
        "supportsBreakpointLocationsRequest": true,
        "supportsDisassembleRequest": true,
        "supportsSteppingGranularity": true,
        "supportsInstructionBreakpoints": true,
        "exceptionBreakpointFilters": [{
            "filter": REFUSALS,
            "label": "Failed checks",
            "description": "Stops where a `require` fails, or where the machine refuses",
            "default": true,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_the_client_counts() {
        for (from_one, own, theirs) in [(true, 1, 1), (true, 7, 7), (false, 1, 0), (false, 7, 6)] {
            let hello = Hello { lines_start_at_1: from_one, columns_start_at_1: from_one, ..Hello::default() };
            let client = Client::new(&hello).unwrap();
            assert_eq!((client.line(own), client.own_line(theirs)), (usize::try_from(theirs).unwrap(), own));
            assert_eq!(client.own_line(-3), 0);
            assert!(client.own_line(i64::MAX) > 1 << 40);
        }
        let uri = Hello { path_format: Some("uri".to_owned()), ..Hello::default() };
        assert!(Client::new(&uri).is_err());
    }
}
