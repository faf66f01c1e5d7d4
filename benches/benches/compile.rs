//! How long compiling takes, in time of the processor: `cargo bench -p benches --bench compile`.
//!
//! A split of twice as many ways, or a source of twice the length, should take twice as long: the last column says how
//! much longer a part takes than one of the smallest of its kind, in hundredths.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use driver::{Compiled, MemoryWorld, Options, compile};

/// As in `bmc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The least of so many runs counts, as far as they take no longer than this together.
const RUNS: usize = 200;
const TOGETHER: Duration = Duration::from_millis(500);
/// So many times the whole process runs.
const STARTS: usize = 5;

const P2PKH: &str = r#"contract P2pkh(pkh: Hash160) {
    spend unlock(key: PubKey, sig: Sig) {
        require hash160(key) == pkh, "another key";
        require key.signed(sig), "the owner must sign";
    }
}
"#;

/// A kind of work, with sizes in whatever it is made of.
struct Work {
    name: &'static str,
    sizes: &'static [usize],
    source: fn(usize) -> String,
}

const WORK: [Work; 4] = [
    Work { name: "p2pkh, contracts", sizes: &[1], source: |_| P2PKH.to_owned() },
    Work { name: "a reward, ways", sizes: &[80, 200], source: split },
    Work { name: "a contract, outputs", sizes: &[80, 200, 500, 1_000, 2_000], source: outputs },
    Work { name: "small contracts, kB", sizes: &[125, 250, 500, 1_000], source: many },
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<24} {:>8} {:>14} {:>16} {:>12}  {:>8}",
        "work", "size", "microseconds", "for each part", "hundredths", "made"
    )?;
    // `cargo bench` gives an option of its own.
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for Work { name, sizes, source } in WORK.iter().filter(|work| work.name.contains(&wanted)) {
        let mut first = None;
        for size in *sizes {
            let (time, made) = measure(&source(*size));
            let part = time.as_nanos() / *size as u128;
            let ratio = part * 100 / (*first.get_or_insert(part)).max(1);
            let micros = format!("{}.{:03}", part / 1_000, part % 1_000);
            writeln!(out, "{name:<24} {size:>8} {:>14} {micros:>16} {ratio:>12}  {made}", time.as_micros())?;
        }
    }
    whole_process(&mut out)
}

fn split(ways: usize) -> String {
    let mut text = "reward Split {\n".to_owned();
    for at in 1..ways {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    s{at}: 1/{ways},");
    }
    text + "    last: rest,\n    dust: last,\n    minimum: 10 coin,\n    fee: up to 100_000 sats,\n}\n"
}

/// The longer ones are refused for their length, once they are compiled.
fn outputs(count: usize) -> String {
    let mut text =
        "contract Outputs(to: Lock) {\n    spend go() {\n        require tx.inputs.length == 1, \"alone\";\n"
            .to_owned();
    for at in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "        require tx.outputs[{at}].value == self.value / {}, \"a part\";", at + 2);
    }
    text + "        require tx.outputs[0].lock == to, \"the first is paid\";\n    }\n}\n"
}

fn many(kilobytes: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < kilobytes * 1_000 {
        text += &P2PKH.replace("contract P2pkh", &format!("contract Owned{number}"));
        number += 1;
    }
    text
}

/// The time of the processor, and how many scripts came of it or what was said first.
fn measure(text: &str) -> (Duration, String) {
    let world = MemoryWorld::new([("bench.bmc", text)]);
    let run = || -> (Duration, Compiled) {
        let start = ProcessTime::now();
        let compiled = compile(&world, &["bench.bmc".to_owned()], &Options::default());
        (start.elapsed(), compiled)
    };
    let (mut least, compiled) = run();
    let mut together = least;
    for _ in 1..RUNS {
        if together > TOGETHER {
            break;
        }
        let (time, _) = run();
        least = least.min(time);
        together += time;
    }
    let said = compiled.diagnostics.first().filter(|_| compiled.has_errors()).map(|first| first.code.to_string());
    (least, said.unwrap_or_else(|| format!("{} scripts", compiled.artifacts.len())))
}

/// `bmc demo` from start to end, by the clock, if the command was built beside this program.
fn whole_process(out: &mut impl Write) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let command = program.ancestors().nth(2).map(|folder| folder.join("bmc")).filter(|command| command.exists());
    let Some(command) = command else {
        return writeln!(out, "bmc demo: build the command first, `cargo build --release`");
    };
    let mut least = Duration::MAX;
    for _ in 0..STARTS {
        let start = Instant::now();
        let status = Command::new(&command).arg("demo").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            return writeln!(out, "bmc demo: failed");
        }
        least = least.min(start.elapsed());
    }
    writeln!(out, "bmc demo, by the clock: {} ms", least.as_millis())
}
