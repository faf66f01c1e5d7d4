//! `bmc new`: every template passes what it tells its users to run.

use std::fs;

use crate::bmc::bmc;

#[test]
fn every_template_passes_its_own_checks() {
    let folder = tempfile::tempdir().unwrap();
    let list = bmc(folder.path(), &["new", "--list", "--json"]).ok();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["reward", "imi", "imo", "contract"]);
    for template in names {
        let name = format!("my-{template}");
        let said = bmc(folder.path(), &["new", &name, "--template", template]).ok();
        assert!(said.contains("next: cd"), "{said}");
        let package = folder.path().join(&name);
        for file in ["bmc.toml", "tests.bmc", "README.md", ".gitignore"] {
            assert!(package.join(file).exists(), "{template} lacks {file}");
        }
        assert!(fs::read_to_string(package.join("bmc.toml")).unwrap().contains(&format!("name = \"{name}\"")));
        let tests = fs::read_to_string(package.join("tests.bmc")).unwrap();
        assert!(tests.contains("\nproperty ") && tests.contains("\ntest "), "{template}");
        bmc(&package, &["check"]).ok();
        let ran = bmc(&package, &["test"]).ok();
        assert!(ran.contains("tests passed"), "{template}: {ran}");
        assert_eq!(bmc(&package, &["fmt", "--check"]).ok(), "", "{template}");
        assert_eq!(bmc(&package, &["lint", "--deny", "warnings"]).ok(), "nothing to say\n", "{template}");
        let page = fs::read_to_string(package.join("README.md")).unwrap();
        for command in page.lines().filter_map(|line| line.strip_prefix("bmc expand ")) {
            let file = command.split(' ').next().unwrap();
            assert!(bmc(&package, &["expand", file]).ok().contains("plan "), "{template}");
        }
    }
}

#[test]
fn a_package_is_made_once_and_by_a_name() {
    let folder = tempfile::tempdir().unwrap();
    bmc(folder.path(), &["new", "safe", "--template", "contract"]).ok();
    assert!(bmc(folder.path(), &["new", "safe"]).fails_with(1).contains("`safe` exists already"));
    assert!(bmc(folder.path(), &["new", "1safe"]).fails_with(2).contains("is no name of a package"));
    assert!(bmc(folder.path(), &["new", "box", "--template", "bank"]).fails_with(2).contains("contract"));
    bmc(folder.path(), &["new"]).fails_with(2);
    assert!(bmc(folder.path(), &["new", "--list"]).ok().contains("contract   A contract with two paths"));
}
