//! Pages in a browser, by keyboard: the explorer over a reward that is deployed, paid and settled, and a token; and what
//! `bmc doc` writes, from a disk. Where no Chromium is found they are skipped, and say so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::fs;
use std::path::Path;

use browser::Browser;
use serde_json::{Value, json};
use support::Devnet;

/// Calls a method of the node with the credentials that are in its pages' addresses.
fn rpc(devnet: &Devnet, method: &str, params: Value) -> Value {
    use base64::Engine as _;
    let key = fs::read_to_string(&devnet.cookie).unwrap();
    let basic = base64::engine::general_purpose::STANDARD.encode(key.trim());
    let request = ureq::post(&devnet.rpc).header("authorization", format!("Basic {basic}"));
    let body = json!({ "id": 1, "method": method, "params": params }).to_string();
    let answer = request.send(body).unwrap().body_mut().read_to_string().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["error"], Value::Null, "{method}");
    answer["result"].clone()
}

/// A reward of the examples, paid and settled: the id of the settlement.
fn settled_reward(devnet: &Devnet) -> String {
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
    devnet.json(&["settle", "images"])[0]["txid"].as_str().unwrap().to_owned()
}

/// A token category of 60 outputs, one of them an NFT: its id and that of the transaction that made it.
fn token(devnet: &Devnet) -> (String, String) {
    let coins = rpc(devnet, "listunspent", json!([1]));
    let coin = coins.as_array().unwrap().iter().find(|coin| coin["vout"] == 0).unwrap();
    let category = coin["txid"].as_str().unwrap().to_owned();
    let address = rpc(devnet, "getnewaddress", json!([]));
    let address = address.as_str().unwrap();
    let fungible = json!({ address: { "amount": 0.001, "tokenData": { "category": category, "amount": "1000" } } });
    let nft = json!({ "capability": "minting", "commitment": "c0ffee" });
    let nft = json!({ address: { "amount": 0.001, "tokenData": { "category": category, "amount": "5", "nft": nft } } });
    let outputs: Vec<Value> = std::iter::once(nft).chain(std::iter::repeat_n(fungible, 59)).collect();
    let inputs = json!([{ "txid": category, "vout": 0 }]);
    let raw = rpc(devnet, "createrawtransaction", json!([inputs, outputs]));
    let signed = rpc(devnet, "signrawtransactionwithwallet", json!([raw]));
    let made = rpc(devnet, "sendrawtransaction", json!([signed["hex"]]));
    (category, made.as_str().unwrap().to_owned())
}

/// Goes to the search by its key, looks for something, and waits until what is found is shown.
fn search(browser: &mut Browser, query: &str) {
    browser.value("document.activeElement.blur()");
    browser.press("/");
    browser.wait("document.activeElement.id === 'query'");
    browser.value("document.getElementById('query').select()");
    browser.write(query);
    browser.value("document.getElementById('main').dataset.ready = ''");
    browser.press("Enter");
    browser.wait("document.getElementById('main').dataset.ready !== ''");
}

/// Whoever begins to write the next search while the last one is still looked for goes on writing.
fn writes_on(browser: &mut Browser, query: &str) {
    browser.value("window.slow = window.fetch; window.fetch = (...asked) => new Promise((answer) => (window.go = () => answer(window.slow(...asked))))");
    browser.value("document.activeElement.blur()");
    browser.press("/");
    browser.wait("document.activeElement.id === 'query'");
    browser.value("document.getElementById('query').select()");
    browser.write(query);
    browser.press("Enter");
    browser.wait("typeof window.go === 'function'");
    browser.value("document.activeElement.blur()");
    browser.press("/");
    browser.wait("document.activeElement.id === 'query'");
    browser.value("document.getElementById('main').dataset.ready = ''; window.fetch = window.slow; window.go()");
    browser.wait("document.getElementById('main').dataset.ready !== ''");
    assert_eq!(browser.value("document.activeElement.id"), "query");
}

#[test]
fn a_settled_reward_and_a_token_can_be_looked_at() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("SKIPPED: no Chromium was found, so nobody has looked at the explorer");
        return;
    };
    let browser = &mut browser;
    let devnet = Devnet::start();
    let txid = settled_reward(&devnet);
    let (category, made) = token(&devnet);
    let key = fs::read_to_string(&devnet.cookie).unwrap();
    let at = |page: &str| format!("{}/explorer#{}{page}", devnet.rpc, key.trim());

    // Who has no key is asked for it and sees nothing else.
    let asked = browser.page(&format!("{}/explorer", devnet.rpc), &["Who may look?"]);
    assert!(!asked.contains("Latest"));
    browser.page(&at("/"), &["data-ready=\"/\"", "Latest", "known contracts</dt><dd>1</dd>"]);
    browser.page(&at("/contracts"), &["TextToImage", "bchreg:"]);
    browser.page(&at("/block/00"), &["There is no such page."]);
    browser.page(&at(&format!("/tx/{}", "0".repeat(64))), &["role=\"alert\""]);

    let page = browser
        .page(&at(&format!("/tx/{txid}/trace")), &["Outputs", "TextToImage", "0.29999805", "OP_WITHIN", "spends"]);
    // One band for the pot, one for each of seven recipients, one for the fee.
    assert_eq!(page.matches("<path class=\"in\"").count(), 1);
    assert_eq!(page.matches("<path class=\"out\"").count(), 7);
    assert_eq!(page.matches("<path class=\"fee\"").count(), 1);
    // The path by its name, and who is paid by the contract's parameters.
    let heading = "document.querySelector('h3')?.textContent";
    assert_eq!(browser.value(heading), "Input 0: TextToImage by settle");
    let bob = devnet.json(&["wallet", "address", "@bob"]).to_string();
    let bob = bob.split("bchreg:").nth(1).unwrap().get(..42).unwrap().to_owned();
    let rows = "[...document.querySelectorAll('td code.value')].map((value) => value.textContent).join(' ')";
    assert!(browser.value(rows).as_str().unwrap().contains(&bob), "{}", browser.value(rows));
    steps_by_arrow_keys(browser);
    let block = page.split("#/block/").nth(1).unwrap().get(..64).unwrap().to_owned();
    searches(browser, &devnet, [&txid, &block, &bob, &category, &made]);
    tokens(browser, &category, &made);
    keyboard(browser, &at("/"));
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for (name, path) in [
            ("start", "/".to_owned()),
            ("tx", format!("/tx/{txid}")),
            ("trace", format!("/tx/{txid}/trace")),
            ("token", format!("/token/{category}")),
        ] {
            browser.page(&at(&path), &[]);
            let bytes = browser.picture(&format!("{name}-{scheme}"));
            assert!(bytes > 20_000, "{name}, {scheme}: {bytes} bytes");
        }
        let paper = browser.value("getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper, if scheme == "light" { "rgb(251, 250, 247)" } else { "rgb(18, 21, 23)" });
    }
}

/// Walks through the trace on the page.
fn steps_by_arrow_keys(browser: &mut Browser) {
    let chosen = "[...document.querySelectorAll('[role=option]')].findIndex((step) => step.ariaSelected === 'true')";
    browser.value("document.querySelector('[role=listbox]').focus()");
    assert_eq!(browser.value(chosen), 0);
    let last = browser.value("document.querySelectorAll('[role=option]').length").as_i64().unwrap() - 1;
    for (key, step) in [("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", last), ("Home", 0), ("ArrowUp", 0)]
    {
        browser.press(key);
        browser.wait(&format!("{chosen} === {step}"));
    }
    // The stack beside is that of the step.
    browser.press("ArrowDown");
    browser.wait("document.querySelectorAll('.stepper .stack li').length === 1");
}

/// Looks for all that can be looked for, and for what cannot.
fn searches(browser: &mut Browser, devnet: &Devnet, [txid, block, address, category, made]: [&str; 5]) {
    let height = rpc(devnet, "getblockcount", json!([]));
    let said = |query: &str, words: &str| (query.to_owned(), words.to_owned());
    writes_on(browser, block);
    for (query, words) in [
        said(txid, "TextToImage"),
        said(block, "merkle root"),
        said(&block.to_uppercase(), "merkle root"),
        said("0", "<h1>Block 0</h1>"),
        said(&height.to_string(), &format!("<h1>Block {height}</h1>")),
        said("99999999", &format!("There is no block 99999999 yet: the highest is {height}.")),
        said(&format!("bchreg:{address}"), "Unspent outputs"),
        said(category, "names the token"),
        said(made, &format!("#/token/{category}")),
        said(&"f".repeat(64), "no block, no transaction and no token of this id"),
        said("flour & water", "“flour &amp; water” is nothing that can be looked for."),
    ] {
        search(browser, &query);
        browser.shows(&[words.as_str()]);
    }
}

/// From a transaction to its token, and to the outputs that do not fit on the first page.
fn tokens(browser: &mut Browser, category: &str, made: &str) {
    search(browser, made);
    browser.shows(&[&format!("#/token/{category}")]);
    browser.value(&format!("document.querySelector('a[href=\"#/token/{category}\"]').focus()"));
    browser.press("Enter");
    let link = format!("href=\"#/tx/{made}\"");
    browser.shows(&["<h1>Token</h1>", "59\u{202f}005", "<dd>60</dd>", "c0ffee", "minting", &link, "more →"]);
    let rows = "document.querySelectorAll('tbody tr').length";
    assert_eq!(browser.value(rows), 50);
    browser.value("document.querySelector('.pages a').focus()");
    browser.press("Enter");
    browser.shows(&["← before"]);
    assert_eq!(browser.value(rows), 10);
}

/// Who has no mouse sees where the focus is, and can leave out the header.
fn keyboard(browser: &mut Browser, start: &str) {
    browser.page(start, &["Latest"]);
    browser.press("Tab");
    assert_eq!(browser.value("document.activeElement.className"), "skip");
    assert_eq!(browser.value("document.activeElement.getBoundingClientRect().left >= 0"), true);
    browser.press("Enter");
    browser.wait("document.activeElement.id === 'main'");
    browser.shows(&["Latest"]);
    browser.press("Tab");
    browser.wait("document.activeElement.closest('main') !== null && document.activeElement.href.includes('#/block/')");
    let outline =
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth";
    assert_eq!(browser.value(outline), "solid2px");
    browser.press("Enter");
    browser.shows(&["merkle root"]);
    browser.wait("document.activeElement.id === 'main'");
}

/// The documentation of an example, which a browser opens from the disk: search by keyboard, folded items that are linked to,
/// both themes, and a narrow screen on which nothing but what scrolls by itself is too wide.
#[test]
fn documentation_is_searched_by_keyboard() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/text-to-image-reward");
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_bmc"))
        .args(["doc", "--out", out.path().to_str().unwrap()])
        .current_dir(example)
        .output();
    assert!(command.unwrap().status.success());
    let front = format!("file://{}/index.html", out.path().display());
    browser.page(&front, &["TextToImage", "<h2>Rewards</h2>"]);
    browser.press("/");
    browser.wait("document.activeElement.getAttribute('role') === 'combobox'");
    browser.write("textto");
    browser.wait("document.querySelectorAll('#found [role=option]').length > 3");
    browser.wait("document.querySelector('#found [aria-selected=true] .name').textContent === 'TextToImage'");
    browser.press("ArrowDown");
    browser.press("ArrowUp");
    browser.press("Enter");
    browser.wait("location.hash === '#reward.TextToImage' && !!document.getElementById('main')?.dataset.ready");
    // What the reward becomes is folded until somebody asks for it.
    let settle = "document.getElementById('contract.TextToImage.settle')";
    assert_eq!(browser.value(&format!("{settle}.checkVisibility()")), false);
    browser.value("document.activeElement.blur()");
    browser.press("/");
    browser.write("textto settle");
    browser.wait("document.querySelectorAll('#found [role=option]').length > 0");
    browser.wait("document.querySelector('#found [aria-selected=true] .name').textContent.includes('ettle')");
    browser.value("location.hash = 'contract.TextToImage.settle'");
    browser.wait(&format!("{settle}.checkVisibility()"));
    let ground = "getComputedStyle(document.body).backgroundColor";
    browser.prefer("light");
    let light = browser.value(ground);
    browser.picture("doc-light");
    browser.prefer("dark");
    assert_ne!(browser.value(ground), light);
    browser.picture("doc-dark");
    browser.value("document.getElementById('theme').click()");
    assert_eq!(browser.value(ground), light, "who asks for light gets it on a dark screen too");
    browser.narrow();
    browser.page(&front.replace("index", "text-to-image-reward/text_to_image"), &["Recipients of TextToImage"]);
    browser.picture("doc-narrow");
    assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true);
}
