//! The files of the explorer: whoever asks gets them, and they ask nobody but the node.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use support::{raw, start};

#[test]
fn the_page_needs_no_credentials_and_nothing_from_elsewhere() {
    let node = start();
    let files =
        [("/explorer", "text/html"), ("/explorer/style.css", "text/css"), ("/explorer/app.js", "text/javascript")];
    for (path, kind) in files {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = String::from_utf8(raw(&node, request.as_bytes(), Duration::from_secs(10))).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(head.contains("content-security-policy: default-src 'none'"), "{path}: {head}");
        assert!(!body.contains(node.cookie()), "{path} holds the credentials");
        // The one address is the name that pictures have in every browser.
        let elsewhere = body.replace("http://www.w3.org/2000/svg", "");
        assert!(!elsewhere.contains("://"), "{path} names another place");
        // What the node says goes into the page as text.
        assert!(!body.contains("innerHTML") && !body.contains("insertAdjacentHTML"), "{path}");
    }
}
