//! `bmc doc`: what the pages show, that their links lead somewhere, and that no source writes markup.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bmc::{bmc, root};

/// The files of a folder by their paths.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(folder: &Path, top: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, found);
            } else {
                let name = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// Documents what `args` name in `folder`: what the command said, and the files.
fn documented(folder: &Path, args: &[&str]) -> (Value, BTreeMap<String, String>) {
    let out = tempfile::tempdir().unwrap();
    let place = out.path().to_str().unwrap();
    let said = bmc(folder, &[&["doc", "--json", "--out", place], args].concat()).ok();
    (serde_json::from_str(&said).unwrap(), files(out.path()))
}

/// What stands between `before` and the next `"`, each time.
fn quoted<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Where a link of a page leads: a file, and a place in it.
fn target(page: &str, href: &str) -> (String, Option<String>) {
    let (path, anchor) = href.split_once('#').map_or((href, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    let mut parts: Vec<&str> = page.split('/').collect();
    if !path.is_empty() {
        parts.pop();
        for part in path.split('/') {
            if part == ".." {
                parts.pop().unwrap();
            } else {
                parts.push(part);
            }
        }
    }
    (parts.join("/"), anchor)
}

/// Every link leads to a file and a place that there is, and nothing is loaded from elsewhere.
fn check_links(files: &BTreeMap<String, String>) -> usize {
    let ids: BTreeMap<&str, BTreeSet<&str>> =
        files.iter().map(|(name, text)| (name.as_str(), quoted(text, " id=\"").into_iter().collect())).collect();
    let mut count = 0;
    let mut check = |page: &str, href: &str| {
        let (file, anchor) = target(page, href);
        assert!(files.contains_key(&file), "{page}: `{href}` leads to no file");
        let there = anchor.is_none_or(|anchor| ids[file.as_str()].contains(anchor.as_str()));
        assert!(there, "{page}: `{href}` leads to no place");
        count += 1;
    };
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let all = [quoted(text, " href=\""), quoted(text, " src=\"")].concat();
        all.into_iter().filter(|href| !href.starts_with("https://")).for_each(|href| check(name, href));
        let unique: Vec<&str> = quoted(text, " id=\"");
        assert_eq!(unique.len(), unique.iter().collect::<BTreeSet<_>>().len(), "{name} has an id twice");
    }
    let index = files["search-index.js"].lines().filter(|line| line.starts_with('['));
    for row in index {
        let row: Vec<String> = serde_json::from_str(row.trim_end_matches(',')).unwrap();
        check("index.html", &row[3]);
    }
    count
}

fn examples() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.join("bmc.toml").exists());
    all.sort();
    all
}

/// Every item of a source stands on the page of its module.
fn check_items(source: &str, page: &str) -> usize {
    let items = syntax::parse(source).islands;
    let named = items.iter().filter(|island| island.key.kind != syntax::ItemKind::Use);
    named
        .map(|island| {
            let id = format!(" id=\"{}.{}\"", island.key.kind.word(), island.key.name);
            assert!(page.contains(&id), "{} is missing", island.key);
        })
        .count()
}

#[test]
fn every_item_of_the_examples_has_its_place_and_every_link_leads_somewhere() {
    let (mut items, mut links) = (0, 0);
    for example in examples() {
        let (said, files) = documented(&example, &[]);
        links += check_links(&files);
        for module in said["modules"].as_array().unwrap() {
            let file = module["file"].as_str().unwrap();
            let Ok(text) = fs::read_to_string(example.join(file)) else { continue };
            items += check_items(&text, &files[module["page"].as_str().unwrap()]);
        }
        assert_eq!(said["broken"], Value::Array(vec![]), "{}", example.display());
    }
    assert!(items > 100 && links > 3_000, "{items} items, {links} links");
}

#[test]
fn the_standard_library_is_documented_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (said, files) = documented(folder.path(), &["--std"]);
    let links = check_links(&files);
    let items: usize =
        driver::library().map(|(path, text)| check_items(text, &files[&format!("std/{}.html", &path[5..])])).sum();
    assert!(items > 40 && links > 1_000, "{items} items, {links} links");
    assert_eq!((&said["broken"], &said["unexplained"]), (&Value::Array(vec![]), &Value::Array(vec![])));
}

#[test]
fn a_page_says_what_a_contract_takes_and_a_reward_pays() {
    let (said, files) = documented(&root().join("examples/text-to-image-reward"), &[]);
    let page = &files["text-to-image-reward/text_to_image.html"];
    // Of the smallest pot without its fee, to the unit.
    for shown in ["1/25", "4 %", "5_700 sats", "1_900 sats", "2_850 sats", "models", "and the dust", "<svg"] {
        assert!(page.contains(shown), "{shown}");
    }
    for shown in
        ["the transaction has exactly 7 outputs", "id=\"contract.TextToImage.settle\"", "id=\"plan.TextToImagePay\""]
    {
        assert!(page.contains(shown), "{shown}");
    }
    let contract =
        said["modules"][1]["items"].as_array().unwrap().iter().find(|item| item["kind"] == "contract").unwrap();
    assert_eq!(contract["becomes_of"], "TextToImage");
    let settle = contract["paths"].as_array().unwrap().iter().find(|path| path["name"] == "settle").unwrap();
    let bytes = settle["input_bytes"].as_u64().unwrap();
    let built: Value =
        serde_json::from_str(&bmc(root(), &["size", "examples/text-to-image-reward", "--json"]).ok()).unwrap();
    assert!(built.to_string().contains(&format!("\"input\":{bytes}")), "`bmc size` measures the same: {bytes} {built}");
    let imi = &documented(&root().join("examples/imi"), &[]).1["imi/tiny_coder.html"];
    for shown in ["waits for accept", "25 coin", "2 of [judge_a, judge_b", "30%", "refunds", "Tested by"] {
        assert!(imi.contains(shown), "{shown}");
    }
    let family = &documented(&root().join("examples/model-family"), &[]).1["model-family/family.html"];
    for shown in ["Whom a payment to StableDiffusion reaches", ">10%</text>", "href=\"#model.Attention\""] {
        assert!(family.contains(shown), "{shown}");
    }
    let price = &documented(&root().join("examples/imo-linear"), &[]).1["imo-linear/imo_linear.html"];
    for shown in ["5_000 tokens", "100 sats", "10_100 sats", "5_000 sold"] {
        assert!(price.contains(shown), "{shown}");
    }
}

#[test]
fn the_same_sources_always_give_the_same_files() {
    let example = root().join("examples/vault");
    let (first, second) = (documented(&example, &[]), documented(&example, &[]));
    assert!(first.1 == second.1, "two runs differ");
    let alone = documented(&example, &["--no-deps"]);
    assert!(alone.1.keys().all(|name| !name.starts_with("std/")));
}

const HOSTILE: &str = r#"//! Money. [x](javascript:alert(1)) <script>alert(1)</script> <img src="https://a.b/c.png">

/// </code></pre></section><script>alert(2)</script>
///
/// ![p](https://a.b/c.png) <javascript:alert(3)> [q](https://a.b/"onmouseover="alert(4))
/// ```
/// </code><script>alert(5)</script>
/// ```
/// | <b>a</b> | b |
/// |---|---|
/// | <iframe src=x> | [`Nothing`] |
struct S {
    /// <svg onload=alert(6)>
    x: Int,
}

const T: Bytes = "<script>alert(7)</script>";

contract C(owner: PubKey) {
    /// # <h1 id=main>
    spend s(sig: Sig) {
        // </script><script>alert(8)</script>
        require owner.signed(sig), "<script>alert(9)</script>\" onclick=\"x";
    }
}
"#;

#[test]
fn no_source_writes_markup() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bmc"), HOSTILE).unwrap();
    let (said, files) = documented(folder.path(), &[]);
    check_links(&files);
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        assert_eq!(text.matches("<script").count(), 2, "{name} has scripts of its own only");
        for tag in
            ["<img", "<iframe", "<b>", "<svg onload", "<h1 id=main", " onclick=\"", " onmouseover=\"", "=\"javascript:"]
        {
            assert!(!text.contains(tag), "{name} holds `{tag}`");
        }
        let policy = text.contains("default-src 'none'; style-src 'self' file:; script-src 'self' file:");
        assert!(policy, "{name} may load what it likes");
    }
    // The only addresses are those of links that somebody may follow, and the name that pictures have in every browser.
    let names: Vec<&str> = said["broken"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["javascript:alert(1)", "javascript:alert(3)", "Nothing"]);
    for name in ["style.css", "doc.js"] {
        let text = &files[name];
        assert!(!text.contains("://") && !text.contains("innerHTML") && !text.contains("insertAdjacentHTML"), "{name}");
    }
}

#[test]
fn links_that_lead_nowhere_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    at("a.bmc", "/// Like [`B`], [`two::C.x`] and [this](other.md).\nstruct A { x: Int }\nstruct B { y: Int }\n");
    at(
        "two.bmc",
        "/// See [`a::B`] and [`D`].\nstruct C {\n    /// Twice [`A`]: once\n    /// [`B`] and [`C.x`].\n    x: Int,\n}\n",
    );
    let ran = bmc(folder.path(), &["doc", "--check"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for place in [
        "a.bmc:1:34: the link to `other.md`",
        "two.bmc:1:22: the link to `D`",
        "two.bmc:3:15: the link to `A`",
        "two.bmc:4:9: the link to `B`",
    ] {
        assert!(ran.stderr.contains(place), "{place}:\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("leads nowhere").count(), 4, "{}", ran.stderr);
    assert!(ran.stdout.contains("a.bmc:3:1: no comment explains `struct B`"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 of 3 items are explained") && !folder.path().join("target").exists());
    at("a.bmc", "struct A { x: Int");
    bmc(folder.path(), &["doc", "--check"]).fails_with(1);
}
