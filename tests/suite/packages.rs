//! Packages on disk: manifests, dependencies, the lock, targets, and values built in from the command line.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::bmc::{bmc, root};

/// A package `app` that uses `shares`, which uses `base`.
fn packages() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("base/bmc.toml", "[package]\nname = \"base\"\nversion = \"1.0.0\"\n");
    write("base/numbers.bmc", "const SCALE: Int = 1_000;\n");
    write(
        "shares/bmc.toml",
        "[package]\nname = \"shares\"\nversion = \"0.2.0\"\n[dependencies]\nbase = { path = \"../base\" }\n",
    );
    write(
        "shares/share.bmc",
        "use base::numbers::SCALE;\n\nfn part(whole: Coin, weight: Int) -> Coin { whole * weight / SCALE }\n",
    );
    write("app/bmc.toml", &file("app/bmc.toml"));
    write("app/tithe.bmc", &file("app/tithe.bmc"));
    folder
}

/// A file of the page that explains packages.
fn file(name: &str) -> String {
    let folder = root().join("docs/book/src");
    let page = fs::read_to_string(folder.join("packages.md")).unwrap();
    let mut blocks = tests::blocks(&page, &folder).into_iter();
    blocks.find(|block| block.words == [name]).expect("the page shows it").text
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_package_is_compiled_with_what_its_dependencies_depend_on() {
    let folder = packages();
    let app = folder.path().join("app");
    assert_eq!(bmc(&app, &["check"]).ok(), "checked Tithe\n");
    // From outside it is the same package.
    assert_eq!(bmc(folder.path(), &["check", "app"]).ok(), "checked Tithe\n");
    assert_eq!(bmc(folder.path(), &["check", "app/tithe.bmc"]).ok(), "checked Tithe\n");
    let lock = fs::read_to_string(app.join("bmc.lock")).unwrap();
    for line in ["version = 1", "[package.base]", "[package.shares]", "version = \"0.2.0\"", "\"share.bmc\" = "] {
        assert!(lock.contains(line), "{lock}");
    }
    // What a dependency depends on is not the package's own to use.
    edit(&app.join("tithe.bmc"), "use shares::share::part;", "use shares::share::part;\nuse base::numbers::SCALE;");
    assert!(bmc(&app, &["check"]).fails_with(1).contains("E0120"));
}

#[test]
fn a_dependency_that_has_changed_is_refused_until_it_is_accepted() {
    let folder = packages();
    let app = folder.path().join("app");
    bmc(&app, &["check"]).ok();
    let numbers = folder.path().join("base/numbers.bmc");
    edit(&numbers, "1_000", "1_001");
    let refused = bmc(&app, &["build"]).fails_with(1);
    assert!(refused.contains("`numbers.bmc` of `base` has changed since `bmc.lock` pinned it"), "{refused}");
    assert!(refused.contains("`bmc update` accepts it"), "{refused}");
    assert!(!app.join("artifacts").exists());
    assert_eq!(bmc(&app, &["update"]).ok(), "  `numbers.bmc` of `base` has changed\npinned\n");
    assert_eq!(bmc(&app, &["update"]).ok(), "nothing has changed\n");
    bmc(&app, &["build"]).ok();

    fs::write(folder.path().join("base/more.bmc"), "").unwrap();
    assert!(bmc(&app, &["check"]).fails_with(1).contains("`more.bmc` of `base` has changed"));
    fs::remove_file(folder.path().join("base/more.bmc")).unwrap();
    edit(&folder.path().join("shares/bmc.toml"), "0.2.0", "0.2.1");
    assert!(bmc(&app, &["check"]).fails_with(1).contains("`shares` has version 0.2.1 now"));
    edit(&folder.path().join("shares/bmc.toml"), "0.2.1", "0.3.0");
    let refused = bmc(&app, &["update"]).fails_with(1);
    assert!(refused.contains("asks for `shares` ^0.2, and `../shares` has version 0.3.0"), "{refused}");
    edit(&folder.path().join("shares/bmc.toml"), "0.3.0", "0.2.0");

    // A dependency that is not used any more leaves the lock, one that is new enters it.
    edit(&folder.path().join("shares/bmc.toml"), "base = { path = \"../base\" }", "");
    edit(&folder.path().join("shares/share.bmc"), "use base::numbers::SCALE;", "const SCALE: Int = 1_000;");
    bmc(&app, &["update"]).ok();
    assert!(!fs::read_to_string(app.join("bmc.lock")).unwrap().contains("base"));
    edit(&app.join("bmc.toml"), "[dependencies]", "[dependencies]\nbase = { path = \"../base\" }");
    bmc(&app, &["check"]).ok();
    assert!(fs::read_to_string(app.join("bmc.lock")).unwrap().contains("[package.base]"));
}

#[test]
fn bad_manifests_and_locks_are_told_with_their_place() {
    for (manifest, wanted) in [
        ("", "`app/bmc.toml:1`: missing field `package`"),
        ("[package]\nname = \"app\"\n", "missing field `version`"),
        ("[package]\nname = \"app\"\nversion = \"one\"\n", "`app/bmc.toml:3`"),
        ("[package]\nname = \"app\"\nversion = \"1.0.0\"\ncolour = 1\n", "`app/bmc.toml:4`: unknown field `colour`"),
        ("[package]\nname = \"../x\"\nversion = \"1.0.0\"\n", "`../x` is no name of a package"),
        ("[package]\nname = \"app\"\nversion = \"1.0.0\"\ncompiler = \">=99\"\n", "is written for bmc >=99"),
        ("[package]\nname = \"app\"\nversion = \"1.0.0\"\n[build]\ntarget = \"evm\"\n", "`app/bmc.toml:5`"),
        (
            "[package]\nname = \"app\"\nversion = \"1.0.0\"\n[dependencies]\nx = { path = \"../none\" }\n",
            "the dependency `x` has no `none/bmc.toml`",
        ),
        (
            "[package]\nname = \"app\"\nversion = \"1.0.0\"\n[dependencies]\nstd = { path = \"../base\" }\n",
            "`std` is the standard library",
        ),
        (
            "[package]\nname = \"base\"\nversion = \"1.0.0\"\n[dependencies]\nb = { path = \"../base\" }\n",
            "are both called `base`",
        ),
        ("\u{0}", "`app/bmc.toml:1`"),
    ] {
        let folder = packages();
        fs::write(folder.path().join("app/bmc.toml"), manifest).unwrap();
        let said = bmc(folder.path(), &["check", "app"]).fails_with(1);
        assert!(said.contains(wanted), "{manifest}\n{said}");
        assert!(said.contains("help:"), "{said}");
    }
    for lock in ["nonsense", "version = 2\n", "version = 1\n[package.base]\nversion = 3\n", "\u{fffd}"] {
        let folder = packages();
        fs::write(folder.path().join("app/bmc.lock"), lock).unwrap();
        let said = bmc(folder.path(), &["check", "app"]).fails_with(1);
        assert!(said.contains("`app/bmc.lock`") && said.contains("bmc update"), "{said}");
    }
    let folder = packages();
    fs::write(folder.path().join("app/bmc.toml"), vec![b'#'; 5_000_000]).unwrap();
    assert!(bmc(folder.path(), &["check", "app"]).fails_with(1).contains("has 5000000 bytes"));
    assert!(bmc(folder.path(), &["update"]).fails_with(2).contains("there is no `bmc.toml`"));
    assert!(bmc(folder.path(), &["check", "base", "shares"]).fails_with(2).contains("one package at a time"));
}

#[cfg(unix)]
#[test]
fn an_import_cannot_leave_its_package_through_a_link() {
    let folder = packages();
    fs::write(folder.path().join("secret.bmc"), "const SCALE: Int = 7;\n").unwrap();
    fs::remove_file(folder.path().join("base/numbers.bmc")).unwrap();
    fs::write(folder.path().join("base/other.bmc"), "").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.bmc"), folder.path().join("base/numbers.bmc")).unwrap();
    let said = bmc(folder.path(), &["check", "app"]).fails_with(1);
    assert!(said.contains("leads out of its package through a link"), "{said}");
}

#[test]
fn the_manifest_names_the_target_and_the_option_overrides_it() {
    let folder = packages();
    let app = folder.path().join("app");
    let rules = |args: &[&str]| {
        let text = bmc(&app, &[&["build", "--emit", "artifact"], args].concat()).ok();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["rules"].as_str().unwrap().to_owned()
    };
    assert_eq!(rules(&[]), "bitmodel");
    assert_eq!(rules(&["--target", "bch2026"]), "bch2026");
    edit(&app.join("bmc.toml"), "target = \"bitmodel\"", "target = \"bch2026\"");
    assert_eq!(rules(&[]), "bch2026");
    assert_eq!(rules(&["--target", "bitmodel"]), "bitmodel");
    assert!(bmc(&app, &["build", "--target", "evm"]).fails_with(2).contains("write `bitmodel` or `bch2026`"));
}

#[test]
fn constants_stand_behind_a_hash_unless_the_manifest_or_an_option_says_otherwise() {
    let folder = packages();
    let app = folder.path().join("app");
    let text = "contract Note() {\n    spend go() {\n        allow(uncapped_fee);\n        \
        require tx.outputs[0].lock == lock(0x6a4c + bytes(50, 1) + \"a text that is longer than a hash of the same text\"), \
        \"another text\";\n    }\n}\n";
    fs::write(app.join("note.bmc"), text).unwrap();
    let hashes = |args: &[&str]| {
        let text = bmc(&app, &[&["build", "note.bmc", "--emit", "artifact"], args].concat()).ok();
        let artifact: spec::Artifact = serde_json::from_str(&text).unwrap();
        let [site] = &artifact.requires[..] else { panic!("one check") };
        assert_eq!(artifact.asm.contains("OP_SHA256"), !site.expects.is_empty(), "{text}");
        if !site.expects.is_empty() {
            assert!(artifact.asm.contains(&hex::encode(spec::hash::sha256(&site.expects))), "{text}");
        }
        !site.expects.is_empty()
    };
    assert!(hashes(&[]));
    assert!(!hashes(&["--no-hash-lowering"]));
    edit(&app.join("bmc.toml"), "hash-lowering = true", "hash-lowering = false");
    assert!(!hashes(&[]));
}

#[test]
fn the_manifest_names_the_level_and_the_option_overrides_it() {
    let folder = packages();
    let app = folder.path().join("app");
    let level = |args: &[&str]| {
        let text = bmc(&app, &[&["build", "--emit", "artifact"], args].concat()).ok();
        let artifact: spec::Artifact = serde_json::from_str(&text).unwrap();
        (artifact.level.name(), artifact.asm.len())
    };
    let (usual, better) = level(&[]);
    let (direct, longer) = level(&["--level", "O0"]);
    assert_eq!((usual, direct), ("O1", "O0"));
    assert!(better < longer, "{better} {longer}");
    edit(&app.join("bmc.toml"), "level = \"O1\"", "level = \"O0\"");
    assert_eq!(level(&[]), ("O0", longer));
    assert_eq!(level(&["--level", "O1"]), ("O1", better));
    let told = |level: &str| bmc(&app, &["build", "--verbose", "--level", level]).stderr;
    assert!(
        told("O1").contains("1 of 1 contracts proved to do what their direct code does, paths: 1"),
        "{}",
        told("O1")
    );
    assert!(told("O0").contains("0 of 1 contracts"), "{}", told("O0"));
    assert!(bmc(&app, &["build", "--level", "O9"]).fails_with(2).contains("write `O0`, `O1`, `Os` or `Oz`"));
    assert_eq!(level(&["--level", "Oz", "--time-box", "1"]).0, "Oz");
    assert!(bmc(&app, &["build", "--optimise", "speed"]).fails_with(2).contains("write `size`, `fee` or `cost`"));
    let cheap = bmc(&app, &["build", "--emit", "artifact", "--optimise", "cost"]).ok();
    assert_eq!(serde_json::from_str::<spec::Artifact>(&cheap).unwrap().objective.name(), "cost");
}

#[test]
fn values_are_built_in_some_or_all() {
    let folder = packages();
    let app = folder.path().join("app");
    let asm = |args: &[&str]| bmc(&app, &[&["build", "--emit", "asm"], args].concat()).ok();
    let template = asm(&[]);
    assert!(template.contains("<to>") && template.contains("<weight>"), "{template}");
    let some = asm(&["--seal", "--param", "weight=500"]);
    assert!(some.contains("<to>") && !some.contains("<weight>"), "{some}");
    let all = asm(&["--seal", "--param", "weight=500", "--param", "to=@alice"]);
    assert!(!all.contains('<'), "{all}");
    // Filled but not sealed, the script multiplies what sealing has multiplied already.
    let filled = asm(&["--param", "weight=500", "--param", "to=@alice"]);
    assert!(filled.len() >= all.len(), "{filled}\n{all}");

    assert!(bmc(&app, &["build", "--seal", "--param", "wait=1"]).fails_with(2).contains("`Tithe` takes no `wait`"));
    let text = bmc(&app, &["build", "--seal", "--param", "weight=500", "--json"]).ok();
    let file = serde_json::from_str::<serde_json::Value>(&text).unwrap()[0]["file"].as_str().unwrap().to_owned();
    let artifact: spec::Artifact = serde_json::from_str(&fs::read_to_string(app.join(file)).unwrap()).unwrap();
    assert_eq!(artifact.sealed.len(), 1);
    assert_eq!(artifact.open_params().map(|(_, slot)| slot.name.as_str()).collect::<Vec<_>>(), ["to"]);
}
