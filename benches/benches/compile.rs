//! How long compiling takes, in time of the processor: `cargo bench -p benches --bench compile`.
//!
//! A split of twice as many ways, or a source of twice the length, should take twice as long: the last column says how
//! much longer a part takes than one of the smallest of its kind, in hundredths.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use driver::{MemoryWorld, Options, Packages, Session, compile};

/// As in `bmc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The least of so many runs counts, as far as they take no longer than this together.
const RUNS: usize = 200;
const TOGETHER: Duration = Duration::from_millis(500);
/// The example of the demo.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/text-to-image-reward");
const DEMO_TEXT: &str = include_str!("../../examples/text-to-image-reward/text_to_image.bmc");
/// So many times the whole process runs.
const STARTS: usize = 20;

/// A kind of work, with sizes in whatever it is made of. Sources whose names end otherwise have nothing in common.
struct Work {
    name: &'static str,
    sizes: &'static [usize],
    source: fn(usize, &str) -> String,
}

const WORK: [Work; 5] = [
    Work { name: "the demo", sizes: &[1], source: |_, name| DEMO_TEXT.replace("TextToImage", name) },
    Work { name: "p2pkh, contracts", sizes: &[1], source: |_, name| p2pkh(name) },
    Work { name: "a reward, ways", sizes: &[80, 200], source: split },
    Work { name: "a contract, outputs", sizes: &[80, 200, 500, 1_000, 2_000], source: outputs },
    Work { name: "small contracts, kB", sizes: &[125, 250, 500, 1_000], source: many },
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<24} {:>6} {:>13} {:>12} {:>14} {:>11}  {:>8}",
        "work", "size", "from nothing", "once more", "for each part", "hundredths", "made"
    )?;
    // `cargo bench` gives an option of its own.
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for Work { name, sizes, source } in WORK.iter().filter(|work| work.name.contains(&wanted)) {
        let mut first = None;
        for size in *sizes {
            let Times { first: whole, again, made } = measure(|name| source(*size, name));
            let part = again.as_nanos() / *size as u128;
            let ratio = part * 100 / (*first.get_or_insert(part)).max(1);
            let part = micros(part);
            writeln!(
                out,
                "{name:<24} {size:>6} {:>13} {:>12} {part:>14} {ratio:>11}  {made}",
                micros(whole.as_nanos()),
                micros(again.as_nanos())
            )?;
        }
    }
    whole_process(&mut out)
}

fn micros(nanos: u128) -> String {
    format!("{}.{:03}", nanos / 1_000, nanos % 1_000)
}

fn p2pkh(name: &str) -> String {
    format!(
        r#"contract P2pkh{name}(pkh: Hash160) {{
    spend unlock(key: PubKey, sig: Sig) {{
        require hash160(key) == pkh, "another key";
        require key.signed(sig), "the owner must sign";
    }}
}}
"#
    )
}

fn split(ways: usize, name: &str) -> String {
    let mut text = format!("reward Split{name} {{\n");
    for at in 1..ways {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    s{at}: 1/{ways},");
    }
    text + "    last: rest,\n    dust: last,\n    minimum: 10 coin,\n    fee: up to 100_000 sats,\n}\n"
}

/// The longer ones are refused for their length, once they are compiled.
fn outputs(count: usize, name: &str) -> String {
    let mut text = format!(
        "contract Outputs{name}(to: Lock) {{\n    spend go() {{\n        require tx.inputs.length == 1, \"alone\";\n"
    );
    for at in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "        require tx.outputs[{at}].value == self.value / {}, \"a part\";", at + 2);
    }
    text + "        require tx.outputs[0].lock == to, \"the first is paid\";\n    }\n}\n"
}

fn many(kilobytes: usize, name: &str) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < kilobytes * 1_000 {
        text += &p2pkh(&format!("{number}{name}"));
        number += 1;
    }
    text
}

/// The least times of the processor.
struct Times {
    /// With nothing known, not even of the library.
    first: Duration,
    /// In a session that has compiled another source before.
    again: Duration,
    /// How many scripts came of it, or what was said first.
    made: String,
}

fn measure(source: impl Fn(&str) -> String) -> Times {
    let file = "bench.bmc".to_owned();
    let [text, other]: [Arc<str>; 2] = ["A", "B"].map(|name| source(name).into());
    let world = MemoryWorld::new([("bench.bmc", &*text)]);
    let options = Options::default();
    let compiled = compile(&world, std::slice::from_ref(&file), &options);
    let first = least(|_| drop(compile(&world, std::slice::from_ref(&file), &options)));
    let mut session = Session::open(&world, Packages::default(), std::slice::from_ref(&file));
    drop(session.compile(&options));
    let again = least(|run| {
        session.set(&file, if run % 2 == 0 { other.clone() } else { text.clone() });
        session.load(&world);
        drop(session.compile(&options));
    });
    let said = compiled.diagnostics.first().filter(|_| compiled.has_errors()).map(|first| first.code.to_string());
    Times { first, again, made: said.unwrap_or_else(|| format!("{} scripts", compiled.artifacts.len())) }
}

/// The least time of several runs.
fn least(mut run: impl FnMut(usize)) -> Duration {
    let (mut least, mut together) = (Duration::MAX, Duration::ZERO);
    for number in 0..RUNS {
        let start = ProcessTime::now();
        run(number);
        let time = start.elapsed();
        least = least.min(time);
        together += time;
        if together > TOGETHER {
            break;
        }
    }
    least
}

/// `bmc build` of the example that `bmc demo` plays, from start to end by the clock, if the command was built beside this
/// program.
fn whole_process(out: &mut impl Write) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let command = program.ancestors().nth(2).map(|folder| folder.join("bmc")).filter(|command| command.exists());
    let Some(command) = command else {
        return writeln!(out, "bmc build: build the command first, `cargo build --release`");
    };
    let mut least = Duration::MAX;
    for _ in 0..STARTS {
        let start = Instant::now();
        let mut build = Command::new(&command);
        build.args(["build", DEMO, "--emit", "hex"]).stdout(Stdio::null()).stderr(Stdio::null());
        if !build.status()?.success() {
            return writeln!(out, "bmc build {DEMO}: failed");
        }
        least = least.min(start.elapsed());
    }
    writeln!(out, "bmc build of the demo, by the clock: {} ms", micros(least.as_micros()))
}
