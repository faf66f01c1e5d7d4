//! What the user has set in the editor, under `bmc`. Whatever is malformed there counts as not set.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ide::HintKind;
use serde_json::Value;
use tower_lsp::Client;
use tower_lsp::lsp_types::ConfigurationItem;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `bmc.inlayHints.types`: the types of variables.
    pub(crate) type_hints: bool,
    /// `bmc.inlayHints.parameters`: the names of parameters.
    pub(crate) parameter_hints: bool,
    /// `bmc.inlayHints.shares`: what the sources of a reward get of the whole.
    pub(crate) share_hints: bool,
    /// `bmc.inlayHints.cost`: what contracts, paths and each `require` take.
    pub(crate) cost_hints: bool,
    /// `bmc.answerSeconds`: the longest that one answer may take.
    pub(crate) answer: Duration,
}

/// Answers that take longer help nobody, but for those about a very large workspace.
const ANSWER_SECONDS: u64 = 60;
/// The longest that can be set.
const ANSWER_SECONDS_MAX: u64 = 3_600;

impl Default for Config {
    fn default() -> Self {
        Self {
            type_hints: true,
            parameter_hints: true,
            share_hints: true,
            cost_hints: false,
            answer: Duration::from_secs(ANSWER_SECONDS),
        }
    }
}

impl Config {
    /// What a client has sent: the section `bmc`, or an object that holds it. Of `null` there is nothing: so clients
    /// answer for a section that they do not have, and what was set before goes on to count.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let value = value.get("bmc").unwrap_or(value);
        (!value.is_null()).then(|| Self::of_section(value))
    }

    fn of_section(value: &Value) -> Self {
        let default = Self::default();
        let on = |path: &str, default: bool| value.pointer(path).and_then(Value::as_bool).unwrap_or(default);
        let seconds = value.pointer("/answerSeconds").and_then(Value::as_u64);
        let all = on("/inlayHints/enable", true);
        Self {
            type_hints: all && on("/inlayHints/types", default.type_hints),
            parameter_hints: all && on("/inlayHints/parameters", default.parameter_hints),
            share_hints: all && on("/inlayHints/shares", default.share_hints),
            cost_hints: all && on("/inlayHints/cost", default.cost_hints),
            answer: seconds.map_or(default.answer, |seconds| Duration::from_secs(seconds.clamp(1, ANSWER_SECONDS_MAX))),
        }
    }

    /// Whether hints of a kind are to be shown.
    pub(crate) const fn shows(&self, kind: HintKind) -> bool {
        match kind {
            HintKind::Type => self.type_hints,
            HintKind::Parameter => self.parameter_hints,
            HintKind::Share => self.share_hints,
            HintKind::Cost => self.cost_hints,
        }
    }
}

/// The settings as they are now.
#[derive(Debug, Default)]
pub(crate) struct Current(RwLock<Config>);

impl Current {
    pub(crate) fn get(&self) -> Config {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes new settings; whether they differ from those before.
    pub(crate) fn set(&self, config: Config) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = *current != config;
        *current = config;
        differs
    }
}

/// What the client says is set now; nothing if it does not answer, or has nothing to say.
pub(crate) async fn pulled(client: &Client) -> Option<Config> {
    let item = ConfigurationItem { scope_uri: None, section: Some("bmc".to_owned()) };
    let values = client.configuration(vec![item]).await.ok()?;
    values.first().and_then(Config::of)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use serde_json::json;

    use super::*;

    /// A file of the repository.
    fn read(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
    }

    /// The settings that VS Code is told of, with their defaults; but for those that the extension reads itself.
    fn declared() -> BTreeMap<String, Value> {
        let manifest: Value = serde_json::from_str(&read("editors/vscode/package.json")).unwrap();
        let all = manifest["contributes"]["configuration"]["properties"].as_object().unwrap().clone();
        let own = |name: &String| ["bmc.path", "bmc.trace.server"].contains(&name.as_str());
        all.into_iter().filter(|(name, _)| !own(name)).map(|(name, about)| (name, about["default"].clone())).collect()
    }

    /// `a.b.c: value` as `{ "a": { "b": { "c": value } } }`.
    fn nested(name: &str, value: Value) -> Value {
        name.rsplit('.').fold(value, |value, word| json!({ word: value }))
    }

    /// Another value of the same kind.
    fn other(value: &Value) -> Value {
        value.as_bool().map_or_else(|| json!(value.as_u64().unwrap() + 1), |on| json!(!on))
    }

    #[test]
    fn what_editors_are_told_of_settings_is_what_counts() {
        let default = Config::default();
        let declared = declared();
        let page = read("docs/editors.md");
        let setting = |row: &str| {
            let (name, rest) = row.strip_prefix("| `")?.split_once("` | `")?;
            let value = serde_json::from_str(rest.split_once('`')?.0).ok()?;
            name.starts_with("bmc.").then(|| (name.to_owned(), value))
        };
        let listed: BTreeMap<String, Value> = page.lines().filter_map(setting).collect();
        assert_eq!(listed, declared, "docs/editors.md and editors/vscode/package.json");
        let mut all = json!({ "inlayHints": {} });
        for (name, value) in &declared {
            assert_eq!(Config::of(&nested(name, value.clone())), Some(default.clone()), "{name}");
            assert_ne!(Config::of(&nested(name, other(value))), Some(default.clone()), "{name} is no setting");
            if name != "bmc.inlayHints.enable" {
                let path = format!("/{}", name.strip_prefix("bmc.").unwrap().replace('.', "/"));
                let (folder, word) = path.rsplit_once('/').unwrap();
                all.pointer_mut(folder).unwrap()[word] = other(value);
            }
        }
        // No setting counts that nobody is told of.
        let Config { type_hints, parameter_hints, share_hints, cost_hints, answer } = Config::of(&all).unwrap();
        assert_eq!((type_hints, parameter_hints, share_hints, cost_hints), (false, false, false, true));
        assert_ne!(answer, default.answer);
    }

    #[test]
    fn what_is_set_counts_and_what_is_malformed_does_not() {
        let default = Config::default();
        let of = |value: Value| Config::of(&value).expect("something is said");
        for value in [json!({}), json!(5), json!({ "bmc": [] }), json!({ "inlayHints": { "types": "no" } })] {
            assert_eq!(of(value.clone()), default, "{value}");
        }
        for value in [json!(null), json!({ "bmc": null })] {
            assert_eq!(Config::of(&value), None, "{value}");
        }
        let one = of(json!({ "inlayHints": { "types": false } }));
        assert_eq!(one, Config { type_hints: false, ..default.clone() });
        let none = of(json!({ "bmc": { "inlayHints": { "enable": false } } }));
        assert!(![none.type_hints, none.parameter_hints, none.share_hints].contains(&true));
        let costs = of(json!({ "inlayHints": { "cost": true } }));
        assert_eq!(costs, Config { cost_hints: true, ..default.clone() });
        for (seconds, wanted) in [(json!(5), 5), (json!(0), 1), (json!(u64::MAX), ANSWER_SECONDS_MAX), (json!(-1), 60)]
        {
            let config = of(json!({ "answerSeconds": seconds }));
            assert_eq!(config.answer.as_secs(), wanted, "{seconds}");
        }
    }
}
