//! The published schema of artifacts: what the compiler writes fits it, and what the reader refuses does not.

use std::collections::BTreeSet;
use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use driver::Options;
use serde_json::{Value, json};
use spec::artifact::{FORMAT_VERSION, FORMAT_VERSION_MIN, Objective, SCHEMA};
use spec::plan::Op;
use spec::{Artifact, RuleSet};
use tests::compile_with;

use crate::bmc::{bmc, root};
use crate::levels::corpus;
use crate::programs::name_of;

fn text() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("docs/book/src/artifact.schema.json")).unwrap()).unwrap()
}

/// A validator that somebody else wrote, with the published schema.
struct Schema {
    all: Schemas,
    artifact: SchemaIndex,
}

impl Schema {
    fn published() -> Self {
        let (mut all, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(SCHEMA, text()).unwrap();
        let artifact = compiler.compile(SCHEMA, &mut all).unwrap();
        Self { all, artifact }
    }

    fn why_not(&self, artifact: &Value) -> Option<String> {
        self.all.validate(artifact, self.artifact).err().map(|error| format!("{error:#}"))
    }

    fn takes(&self, artifact: &Value) -> bool {
        self.all.validate(artifact, self.artifact).is_ok()
    }
}

/// What the compiler makes of all sources, in both forms of locks and for both machines.
fn artifacts() -> Vec<Artifact> {
    let builds = [(RuleSet::Bitmodel, Objective::Size), (RuleSet::Bch2026, Objective::Fee)];
    let one = |(path, (rules, objective)): (&std::path::PathBuf, (RuleSet, Objective))| {
        let options = Options { rules, objective, ..Options::default() };
        compile_with(name_of(path), &fs::read_to_string(path).unwrap(), &options).artifacts
    };
    corpus().iter().flat_map(|path| builds.map(|build| (path, build))).flat_map(one).collect()
}

#[test]
fn the_schema_names_the_version_and_explains_every_field() {
    let schema = text();
    assert_eq!(schema["$id"], json!(SCHEMA));
    assert!(SCHEMA.ends_with(&format!(":{FORMAT_VERSION}")));
    let format = &schema["properties"]["format"];
    assert_eq!((&format["minimum"], &format["maximum"]), (&json!(FORMAT_VERSION_MIN), &json!(FORMAT_VERSION)));
    let expressions = schema["$defs"]["expr"]["oneOf"].as_array().unwrap().last().unwrap()["properties"].clone();
    for op in Op::ALL {
        let arity = &expressions[op.name()];
        let takes = |count: usize| {
            let least = arity["minItems"].as_u64().unwrap() as usize;
            let most = arity["maxItems"].as_u64().map_or(usize::MAX, |most| most as usize);
            (least..=most).contains(&count)
        };
        assert!((0..9).all(|count| takes(count) == op.takes(count)), "{}", op.name());
    }
    let mut fields = 0;
    explained(&schema, &mut fields);
    assert!(fields > 150, "{fields} fields");
}

/// Each property has a description, of its own or of the definition that it refers to.
fn explained(of: &Value, fields: &mut usize) {
    if let Some(properties) = of.get("properties").and_then(Value::as_object) {
        for (name, field) in properties {
            *fields += 1;
            assert!(field.get("description").is_some() || field.get("$ref").is_some(), "`{name}` is not explained");
        }
    }
    match of {
        Value::Object(parts) => parts.values().for_each(|part| explained(part, fields)),
        Value::Array(parts) => parts.iter().for_each(|part| explained(part, fields)),
        _ => {}
    }
}

#[test]
fn what_the_compiler_writes_fits_the_schema() {
    let schema = Schema::published();
    let artifacts = artifacts();
    for artifact in &artifacts {
        let json = serde_json::to_value(artifact).unwrap();
        if let Some(why) = schema.why_not(&json) {
            panic!("{}: {why}", artifact.contract);
        }
    }
    assert!(artifacts.len() > 200, "{} artifacts", artifacts.len());
}

/// The places of all values in a document, as pointers.
fn places(of: &Value, at: &str, found: &mut Vec<String>) {
    match of {
        Value::Object(parts) => parts.iter().for_each(|(name, part)| {
            let place = format!("{at}/{name}");
            found.push(place.clone());
            places(part, &place, found);
        }),
        Value::Array(parts) => parts.iter().enumerate().for_each(|(index, part)| {
            let place = format!("{at}/{index}");
            found.push(place.clone());
            places(part, &place, found);
        }),
        _ => {}
    }
}

/// The last names on the way to a place: what tells kinds of places apart.
fn kind(place: &str) -> String {
    let names: Vec<&str> =
        place.split('/').map(|name| if name.parse::<usize>().is_ok() { "*" } else { name }).collect();
    names[names.len().saturating_sub(5)..].join("/")
}

/// The document without what is at a place; `None` if that is no field.
fn without(document: &Value, place: &str) -> Option<Value> {
    let mut document = document.clone();
    let (parent, name) = place.rsplit_once('/')?;
    document.pointer_mut(parent)?.as_object_mut()?.remove(name)?;
    Some(document)
}

/// A field is required by the schema exactly where the reader misses it, and whatever the reader refuses has no place in
/// the schema either.
#[test]
fn the_schema_asks_for_what_the_reader_asks_for() {
    let schema = Schema::published();
    let reads = |json: &Value| serde_json::from_value::<Artifact>(json.clone()).is_ok();
    let (mut seen, mut required, mut refused) = (BTreeSet::new(), 0, 0);
    for artifact in artifacts() {
        let document = serde_json::to_value(&artifact).unwrap();
        let mut all = Vec::new();
        places(&document, "", &mut all);
        for place in all.iter().filter(|place| seen.insert(kind(place))) {
            if let Some(shorter) = without(&document, place) {
                assert_eq!(schema.takes(&shorter), reads(&shorter), "{} without {place}", artifact.contract);
                required += usize::from(!reads(&shorter));
            }
            for wrong in [json!(true), json!(-1), json!("?"), json!({}), json!([[{}]]), json!({ "?": 1 })] {
                let mut changed = document.clone();
                *changed.pointer_mut(place).unwrap() = wrong.clone();
                if !reads(&changed) {
                    assert!(!schema.takes(&changed), "{}: {wrong} at {place}", artifact.contract);
                    refused += 1;
                }
            }
        }
    }
    assert!(required > 100 && refused > 1_000, "{required} required fields, {refused} wrong values");
}

#[test]
fn misspelt_fields_and_other_versions_are_found() {
    let schema = Schema::published();
    let document = serde_json::to_value(Artifact::default()).unwrap();
    assert!(schema.takes(&document));
    for (field, wrong) in [("formt", json!(5)), ("format", json!(6)), ("format", json!(2)), ("level", json!("O9"))] {
        let mut changed = document.clone();
        changed[field] = wrong;
        assert!(!schema.takes(&changed), "{changed}");
    }
}

#[test]
fn a_built_artifact_names_its_schema_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let source = root().join("examples/htlc/htlc.bmc");
    let page = fs::read_to_string(root().join("docs/book/src/artifact.md")).unwrap();
    fs::copy(source, folder.path().join("htlc.bmc")).unwrap();
    let console = crate::readme::blocks(&page, "console");
    let printed: Vec<String> =
        console[0].lines().map(|line| bmc(folder.path(), &line.split(' ').skip(1).collect::<Vec<_>>()).ok()).collect();
    let written = fs::read_to_string(folder.path().join("artifacts/Htlc.json")).unwrap();
    assert_eq!(printed[1], written);
    let json: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(json["$schema"], json!(SCHEMA));
    assert!(Schema::published().takes(&json));
    assert_eq!(serde_json::from_str::<Artifact>(&written).unwrap().contract, "Htlc");
}
