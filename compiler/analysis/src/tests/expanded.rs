//! What `expand` prints means what it was printed from.

use super::sound;
use crate::{expand, hir};

/// The program as text, without the places.
fn without_places(program: &hir::Program) -> String {
    let mut text = format!("{program:?}");
    while let Some(start) = text.find("loc: Loc {") {
        let mut depth = 0;
        let end = text[start..].find(|c| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            c == '}' && depth == 0
        });
        text.replace_range(start..=start + end.unwrap(), "");
    }
    text
}

fn check(text: &str) {
    let mut program = sound(text).program;
    let printed = expand(&program);
    let again = sound(&printed).program;
    for contract in &mut program.contracts {
        contract.reward = None;
    }
    assert_eq!(without_places(&program), without_places(&again), "{printed}");
    assert_eq!(printed, expand(&again));
}

const REWARD: &str = "
/// Five sources.
///
/// Of one task.
reward TextToImage {
    databases: 30%, compute: 25%,
    models: 20% { diffusion: 1/2, transformer: 3/10, autoencoder: 1/5 },
    researchers: 15%, infrastructure: rest,
    dust: researchers, minimum: 15_400 sats, fee: up to 1_000 sats,
}";

#[test]
fn a_reward_expands_to_its_contract() {
    check(REWARD);
}

#[test]
fn a_division_in_a_contract_expands_to_checks() {
    check(&format!(
        "{REWARD} contract Pot(owner: PubKey) {{ spend go(sig: Sig, cost: Coin) {{ require owner.signed(sig); split self.value - cost by TextToImage; }} }}"
    ));
}

#[test]
fn every_expression_expands_to_itself() {
    check(
        r#"
/// Adds.
fn add(a: Int, b: Int) -> Int { let c = a + b; c * 2 }
fn positive(a: Int) { require a > 0, "a \"quoted\" \\ text\n\u{7}"; }
contract All(key: PubKey, other: PubKey, hash: Hash160, script: Hash256, when: Time, gap: Duration, from: Height) {
    fn mine(sig: Sig) -> Bool { key.signed(sig) }
    spend numbers(x: Int, y: Int, pot: Coin) {
        require (x + y) * (x - (y - 1)) / -x mod 7 == -(x + 1) && x - y - 1 < x - (y - 1);
        require (x < y) == (y > x) || !(x <= y && x != y) && x << 2 == x;
        require add(x, -5) >= add(min(x, y), max(abs(y), 3)) && within(x, 0, 10);
        positive(x);
        require pot == 2 coin + 5 sats - 0 && pot / 3 >= 0 && pot / (1 coin) == x && int(pot) == x;
    }
    spend raw(a: Bytes, b: Bytes<4>) {
        require (a + b)[1..3] == a[..2] && a[2..].length > 0 && (a[0..a.length - 1] + 0x00)[1..] != 0x;
        require (b & 0x0f0f0f0f | ~b ^ b) == b << 3 && b >> 1 == bytes(int(b) + 1, 4);
        require reverse(sha256(hash160(a) + ripemd160(sha1(hash256(b))))) == "text of 32 bytes that is a hash.";
    }
    spend coins(lock_bytes: Bytes, i: Int) {
        require tx.inputs[i].index + tx.inputs[self.index].index == tx.version && tx.inputs[i].sequence > 0;
        require self.lock == lock(lock_bytes) && tx.outputs[i + 1].lock == p2pkh(hash) && self.code != self.unlock;
        require p2sh32(script) != tx.inputs[0].lock && tx.inputs.length == tx.outputs.length && tx.inputs[0].txid == script;
        require self.token.amount >= 5 && tx.outputs[0].token.category == self.token.commitment;
    }
    spend signed(sigs: Sigs<1>, sig: Sig, data: DataSig, m: Bytes) {
        require 1 of [key, other] signed(sigs) || mine(sig);
        require key.signed(m, data) && (if m.length > 3 { other } else { key }).signed(sig);
    }
    spend times(h: Height, n: Blocks) {
        require tx.height >= from + 5 blocks && tx.height >= height 900_000 && tx.height >= h;
        require self.age >= n;
    }
    spend clocks(d: Duration) {
        require tx.time >= when + 2 days && tx.time >= time "2026-12-01T00:00Z" && self.age >= 3 weeks && self.age >= gap;
        require self.age >= d;
    }
    spend branches(x: Int) {
        let mut y = x;
        if x > 3 { y = y + 1; require y > 5; } else if x > 2 { require y > 9; } else { let z = y; require z == 1; }
        let w = if y == 1 { 2 } else if y == 2 { let k = y + 1; k } else { y };
        require w == y;
    }
}"#,
    );
}

#[test]
fn shadowed_variables_get_names_of_their_own() {
    let text = "contract C(a: Int) { spend s(b: Int) { let x = a; let x = x + b; let a = x; require a > x; } }";
    let printed = expand(&sound(text).program);
    assert!(printed.contains("let x_2: Int = x + b;"), "{printed}");
    assert!(printed.contains("let a_2: Int = x_2;"), "{printed}");
    assert_eq!(printed, expand(&sound(&printed).program));
}
