//! What is shipped to editors, held against the binary that they start.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use spec::RuleSet;
use spec::artifact::{Level, Objective};

use crate::bmc::{bmc_with, root};

/// What the extension for VS Code says of debuggers.
fn debugger() -> Value {
    let text = fs::read_to_string(root().join("editors/vscode/package.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["contributes"]["debuggers"][0].clone()
}

/// What `bmc dap` answers to each of these configurations, after another.
fn launched(configurations: &[Value]) -> Vec<Value> {
    let message = |seq: usize, command: &str, arguments: &Value| {
        let body = json!({ "seq": seq, "type": "request", "command": command, "arguments": arguments }).to_string();
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let launches = configurations.iter().enumerate().map(|(at, arguments)| message(at + 2, "launch", arguments));
    let text: String = std::iter::once(message(1, "initialize", &json!({}))).chain(launches).collect();
    let folder = tempfile::tempdir().unwrap();
    let said = bmc_with(folder.path(), &["dap"], &text).stdout;
    let mut rest = said.as_bytes();
    let messages = std::iter::from_fn(|| tests::read_message(&mut rest));
    messages.filter(|message| message["type"] == "response" && message["command"] == "launch").collect()
}

#[test]
fn what_vs_code_offers_to_say_of_a_launch_is_what_the_adapter_reads() {
    let debugger = debugger();
    let words = debugger["configurationAttributes"]["launch"]["properties"].as_object().unwrap();
    // Of a word that it does not know, the adapter would not mind what it is.
    let mut configurations = Vec::new();
    for word in words.keys() {
        let mut configuration = json!({ "script": "51" });
        configuration[word] = json!({});
        configurations.push(configuration);
    }
    let answers = launched(&configurations);
    assert_eq!(answers.len(), words.len());
    for (word, answer) in words.keys().zip(&answers) {
        assert_eq!(answer["success"], false, "the adapter does not know `{word}`: {answer}");
    }
    assert_eq!(launched(&[json!({ "script": "51", "unheardOf": {} })])[0]["success"], true);
    let page = fs::read_to_string(root().join("docs/book/src/debugging.md")).unwrap();
    let table = page.split("| a configuration says |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().skip(2).map(|row| row.split('|').nth(1).unwrap());
    let told: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(told.len() > 15, "{told:?}");
    for word in told {
        assert!(words.contains_key(word), "VS Code is not told of `{word}`");
    }
    for (word, values) in [
        ("target", [RuleSet::Bitmodel, RuleSet::Bch2026].map(|rules| rules.name().to_owned()).to_vec()),
        ("level", Level::ALL.map(|level| level.to_string()).to_vec()),
        ("optimise", Objective::ALL.map(|objective| objective.to_string()).to_vec()),
    ] {
        let offered: BTreeSet<&str> = words[word]["enum"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        assert_eq!(offered, values.iter().map(String::as_str).collect(), "{word}");
    }
}

#[test]
fn every_configuration_that_is_offered_stops_where_one_can_see_it() {
    let debugger = debugger();
    let snippets = debugger["configurationSnippets"].as_array().unwrap().iter().map(|snippet| &snippet["body"]);
    let all: Vec<&Value> = debugger["initialConfigurations"].as_array().unwrap().iter().chain(snippets).collect();
    assert!(all.len() > 4, "{all:?}");
    for configuration in all {
        // A script has no lines, so that no breakpoint would stop it.
        assert_eq!(configuration["stopOnEntry"], true, "{configuration}");
    }
}
