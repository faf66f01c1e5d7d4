//! What stands around the commands: completions, manual pages, and `bmc doctor`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bmc::{bmc, root};

#[test]
fn a_shell_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, word) in [
        ("bash", "complete -F _bmc"),
        ("zsh", "#compdef bmc"),
        ("fish", "complete -c bmc"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[bmc]"),
    ] {
        let text = bmc(folder.path(), &["completions", shell]).ok();
        assert!(text.contains(word), "{shell}");
        fs::write(folder.path().join(shell), text).unwrap();
    }
    bmc(folder.path(), &["completions", "cmd"]).fails_with(2);
    let said = |words: &str, count: usize| {
        let script = format!(
            "source ./bash && complete -p bmc > /dev/null && COMP_WORDS=({words}) COMP_CWORD={count} && _bmc bmc \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\" && echo \"${{COMPREPLY[@]}}\""
        );
        Command::new("bash").args(["--norc", "-c", &script]).current_dir(folder.path()).output()
    };
    let Ok(output) = said("bmc li", 1) else {
        println!("SKIPPED: there is no bash on this machine, so the completions were not tried in it");
        return;
    };
    let reply = |output: std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(reply(output), "lint");
    assert_eq!(reply(said("bmc lint --unsafe", 2).unwrap()), "--unsafe-fixes");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let said = bmc(folder.path(), &["man", "--out", "pages", "--json"]).ok();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let pages: Vec<&str> = said["pages"].as_array().unwrap().iter().map(|page| page.as_str().unwrap()).collect();
    for page in ["bmc.1", "bmc-lint.1", "bmc-wallet-send.1", "bmc-node-config-print.1"] {
        assert!(pages.contains(&page), "{page} is not among {pages:?}");
    }
    for page in pages {
        let text = fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains(".SH NAME"), "{page}");
        assert!(page == "bmc.1" || text.contains("Examples:"), "{page}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(bmc(folder.path(), &["man", "--out", "file/x"]).fails_with(1).contains("help:"));
}

/// What the doctor says of a machine without a node.
fn doctor(folder: &Path, args: &[&str]) -> (Option<i32>, serde_json::Value) {
    let data = folder.join("data");
    let mut all = vec!["doctor", "--json", "--rpc", "127.0.0.1:1", "--datadir", data.to_str().unwrap()];
    all.extend(args);
    let ran = bmc(folder, &all);
    (ran.code, serde_json::from_str(&ran.stdout).unwrap())
}

fn health<'d>(data: &'d serde_json::Value, name: &str) -> &'d str {
    let checks = data["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["health"].as_str().unwrap()
}

#[test]
fn the_doctor_tells_what_is_there_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (code, data) = doctor(folder.path(), &[]);
    assert_eq!(code, Some(0), "{data}");
    for name in ["version", "package", "cores", "memory", "clock", "oracle", "register", "data"] {
        assert_ne!(health(&data, name), "wrong", "{data}");
    }
    assert_eq!((health(&data, "node"), health(&data, "cookie")), ("warning", "warning"));
    for check in data["checks"].as_array().unwrap() {
        assert_eq!(check["health"] == "ok", check["next"].is_null(), "{check}");
    }
    fs::write(folder.path().join("bmc.toml"), "[package]\nname = 5\n").unwrap();
    let (code, data) = doctor(folder.path(), &[]);
    assert_eq!((code, health(&data, "package")), (Some(1), "wrong"), "{data}");
    fs::write(folder.path().join("bmc.toml"), "[package]\nname = \"ward\"\nversion = \"0.1.0\"\n").unwrap();
    fs::write(folder.path().join("data"), "").unwrap();
    let (code, data) = doctor(folder.path(), &[]);
    assert_eq!((code, health(&data, "package"), health(&data, "data")), (Some(1), "ok", "wrong"), "{data}");
}

#[cfg(unix)]
#[test]
fn the_doctor_sees_a_cookie_that_everybody_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join("cookie");
    fs::write(&cookie, "__cookie__:x").unwrap();
    for (mode, wanted) in [(0o644, "warning"), (0o600, "ok")] {
        fs::set_permissions(&cookie, fs::Permissions::from_mode(mode)).unwrap();
        let (_, data) = doctor(folder.path(), &["--cookie", cookie.to_str().unwrap()]);
        assert_eq!(health(&data, "cookie"), wanted, "{data}");
    }
}

#[test]
fn the_table_of_commands_names_them_all() {
    let help = bmc(root(), &["--help"]).ok();
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.trim().split(' ').next().unwrap();
        let named = page.contains(&format!("`bmc {name}")) || page.contains(&format!("`{name}`"));
        assert!(named || name == "help", "README.md does not name `bmc {name}`");
    }
}
