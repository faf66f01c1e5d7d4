//! Schnorr signatures of different keys in batches, against one after the other in the same run, on one thread:
//! `cargo bench -p benches --bench schnorr`.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

use benches::public_key;
use spec::hash::sha256;
use vm::batch::{SchnorrCheck, verify_all};

const SIZES: [usize; 8] = [8, 16, 64, 256, 1_024, 2_048, 4_096, 12_000];
const ROUNDS: usize = 5;
/// Each size is measured over so many signatures at least.
const SIGNATURES_MIN: usize = 512;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let most = SIZES.into_iter().max().unwrap_or_default();
    let checks: Vec<SchnorrCheck> = (0..most as u64).map(check).collect();
    let alone = checks.get(..SIGNATURES_MIN).unwrap_or_default();
    let single = nanos(alone, |checks| checks.iter().all(|check| black_box(check).holds()));
    writeln!(out, "{:<24} {:>14} {:>10}", "signatures", "ns for each", "ratio")?;
    writeln!(out, "{:<24} {single:>14} {:>10}", "one after the other", "1.00")?;
    for size in SIZES {
        let some = checks.get(..size.max(SIGNATURES_MIN)).unwrap_or_default();
        let each = nanos(some, |checks| checks.chunks_exact(size).all(|batch| verify_all(black_box(batch))));
        let hundredths = single * 100 / each.max(1);
        let ratio = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        writeln!(out, "{:<24} {each:>14} {ratio:>10}", format!("batches of {size}"))?;
    }
    Ok(())
}

fn check(seed: u64) -> SchnorrCheck {
    let (secret, digest) = (sha256(&seed.to_le_bytes()), sha256(&seed.to_be_bytes()));
    let signature = vm::schnorr::sign(&secret, &digest).expect("a hash is a private key");
    SchnorrCheck::new(&signature, &digest, &public_key(&secret)).expect("the key has one of the two forms")
}

/// The best time of several, for each signature.
fn nanos(checks: &[SchnorrCheck], holds: impl Fn(&[SchnorrCheck]) -> bool) -> u128 {
    let time = |()| {
        let start = Instant::now();
        assert!(holds(checks), "each is valid");
        start.elapsed().as_nanos() / checks.len().max(1) as u128
    };
    std::iter::repeat_n((), ROUNDS).map(time).min().unwrap_or_default()
}
