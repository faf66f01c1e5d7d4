//! The explorer in a browser, over a reward that is deployed, paid and settled. Where no Chromium is found it is skipped, and
//! says so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::Devnet;
use tempfile::TempDir;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A page is asked for so often before its test fails, and given so long each time.
const TRIES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

struct Browser {
    program: &'static str,
    scratch: TempDir,
}

impl Browser {
    fn find() -> Option<Self> {
        let runs = |program: &&&str| {
            let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let program = BROWSERS.iter().find(runs)?;
        Some(Self { program, scratch: TempDir::new().unwrap() })
    }

    /// Runs the browser on a page and gives what it printed within its time.
    fn run(&self, url: &str, args: &[&str]) -> Option<String> {
        let profile = TempDir::new_in(self.scratch.path()).unwrap();
        let out = profile.path().join("out");
        let mut command = Command::new(self.program);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.args(["--window-size=1280,1000", "--virtual-time-budget=10000"]).args(args).arg(url);
        let mut child =
            command.stdout(fs::File::create(&out).unwrap()).stderr(Stdio::null()).spawn().expect("it has run before");
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > PATIENCE {
                child.kill().unwrap();
                child.wait().unwrap();
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(String::from_utf8_lossy(&fs::read(&out).unwrap()).into_owned())
    }

    /// What a page has become once it is drawn; all of `words` are in it.
    fn page(&self, url: &str, words: &[&str]) -> String {
        let mut seen = String::new();
        for _ in 0..TRIES {
            seen = self.run(url, &["--dump-dom"]).unwrap_or_default();
            if words.iter().all(|word| seen.contains(word)) {
                return seen;
            }
        }
        panic!("{url}: {words:?} are not all in {seen}");
    }

    /// The size of a picture of a page, which is kept beside the tests.
    fn picture(&self, url: &str, name: &str, args: &[&str]) -> u64 {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explorer");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        let _ = fs::remove_file(&path);
        let screenshot = format!("--screenshot={}", path.display());
        let args: Vec<&str> = args.iter().copied().chain([screenshot.as_str()]).collect();
        (0..TRIES)
            .find_map(|_| {
                self.run(url, &args)?;
                fs::metadata(&path).ok()
            })
            .map_or(0, |picture| picture.len())
    }
}

#[test]
fn a_settled_reward_can_be_looked_at() {
    let Some(browser) = Browser::find() else {
        eprintln!("SKIPPED: no Chromium was found, so nobody has looked at the explorer");
        return;
    };
    let devnet = Devnet::start();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/text-to-image-reward");
    for file in ["text_to_image.bmc", "bmc.toml"] {
        devnet.write(file, &fs::read_to_string(example.join(file)).unwrap());
    }
    let people = [
        "databases=@bob",
        "compute=@carol",
        "models_diffusion=@dave",
        "models_transformer=@erin",
        "models_autoencoder=@frank",
        "researchers=@grace",
        "infrastructure=@heidi",
    ];
    let deploy = ["deploy", "text_to_image.bmc", "--name", "images"];
    let deploy: Vec<&str> = deploy.into_iter().chain(people.iter().flat_map(|who| ["--param", who])).collect();
    devnet.json(&deploy);
    devnet.json(&["pay", "images", "1 coin", "--from", "@alice"]);
    let settled = devnet.json(&["settle", "images"]);
    let txid = settled[0]["txid"].as_str().unwrap();

    let key = fs::read_to_string(&devnet.cookie).unwrap();
    let at = |page: &str| format!("{}/explorer#{}{page}", devnet.rpc, key.trim());
    browser.page(&at("/"), &["data-ready=\"/\"", "Latest", "known contracts</dt><dd>1</dd>"]);
    browser.page(&at("/contracts"), &["TextToImage", "bchreg:"]);
    let page = browser
        .page(&at(&format!("/tx/{txid}/trace")), &["Outputs", "TextToImage", "0.29999805", "OP_WITHIN", "spends"]);
    // One band for the pot, one for each of seven recipients, one for the fee.
    assert_eq!(page.matches("<path class=\"in\"").count(), 1);
    assert_eq!(page.matches("<path class=\"out\"").count(), 7);
    assert_eq!(page.matches("<path class=\"fee\"").count(), 1);
    let block = page.split("#/block/").nth(1).unwrap().get(..64).unwrap();
    browser.page(&at(&format!("/block/{block}")), &[txid.get(..10).unwrap(), "merkle root"]);
    browser.page(&at("/block/00"), &["There is no such page."]);
    browser.page(&at(&format!("/tx/{}", "0".repeat(64))), &["role=\"alert\""]);
    // Who has no key is asked for it and sees nothing else.
    let asked = browser.page(&format!("{}/explorer", devnet.rpc), &["Who may look?"]);
    assert!(!asked.contains("Latest"));

    let dark = ["--blink-settings=preferredColorScheme=0"];
    let sizes = [
        browser.picture(&at(&format!("/tx/{txid}")), "light", &[]),
        browser.picture(&at(&format!("/tx/{txid}")), "dark", &dark),
    ];
    assert!(sizes.iter().all(|bytes| *bytes > 20_000), "{sizes:?} bytes of pictures");
}
