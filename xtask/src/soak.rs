//! `cargo xtask soak`: three nodes that trade, mine, part, reorganize and restart for as long as one likes.
//!
//! They are processes of the shipped binary with folders of their own. The first is never restarted, so its memory shows what piles up.
//! Each minute all must come to one tip with the same coins.

mod memory;
mod node;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use scripts::Random;
use serde_json::{Value, json};

use memory::Memory;
use node::Node;

/// How long, and which random numbers.
#[derive(Args)]
pub struct Soak {
    /// How many minutes
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Chooses what happens
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many things happen in a second at most
    #[arg(long, default_value_t = 4)]
    pace: u32,
}

const NODES: usize = 3;
/// Each time that it is over, the nodes have to agree.
const ROUND: Duration = Duration::from_secs(60);
/// So long they may take.
const AGREEMENT: Duration = Duration::from_secs(60);

/// Runs until time is up; fails when the nodes do not agree, one dies, or memory grows.
pub fn run(root: &Path, soak: &Soak) -> Result<(), String> {
    let built = crate::cargo().current_dir(root).args(["build", "--quiet", "-p", "bmc"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the build failed".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // It is copied, so that it can be built anew meanwhile.
    let folder = target.join("soak");
    let failed = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(failed)?;
    let binary = folder.join("bmc");
    fs::copy(target.join("debug/bmc"), &binary).map_err(failed)?;
    let mut world = World::start(&binary, &folder, soak.seed)?;
    let end = Instant::now() + Duration::from_secs(60 * soak.minutes);
    let bar = ProgressBar::new(soak.minutes);
    bar.set_style(ProgressStyle::with_template("{elapsed} {bar:30} {pos}/{len} minutes  {msg}").expect("it is one"));
    let pause = Duration::from_secs(1) / soak.pace.max(1);
    while Instant::now() < end {
        let round = (Instant::now() + ROUND).min(end);
        while Instant::now() < round {
            world.happen()?;
            std::thread::sleep(pause);
        }
        world.agree()?;
        bar.set_message(world.report());
        bar.inc(1);
        if bar.is_hidden() {
            println!("{}", world.report());
        }
    }
    bar.finish();
    println!("{}", world.counts.text());
    world.memory.judge()
}

/// What happened.
#[derive(Default)]
struct Counts {
    payments: u64,
    refused: u64,
    blocks: u64,
    reorganizations: u64,
    partitions: u64,
    stops: u64,
    kills: u64,
    agreements: u64,
}

impl Counts {
    fn text(&self) -> String {
        format!(
            "{} payments, {} refused, {} blocks, {} reorganizations, {} partitions, {} stops, {} kills; {} times one tip with the same coins",
            self.payments,
            self.refused,
            self.blocks,
            self.reorganizations,
            self.partitions,
            self.stops,
            self.kills,
            self.agreements
        )
    }
}

struct World {
    nodes: Vec<Node>,
    random: Random,
    counts: Counts,
    memory: Memory,
    height: u64,
}

impl World {
    fn start(binary: &Path, folder: &Path, seed: u64) -> Result<Self, String> {
        let ports = node::free_ports(NODES)?;
        let start = |at: usize| Node::start(binary, &folder.join(format!("node-{at}")), at, &ports);
        let nodes = (0..NODES).map(start).collect::<Result<Vec<_>, _>>()?;
        let mut world = Self {
            nodes,
            random: Random::new(seed, 0),
            counts: Counts::default(),
            memory: Memory::default(),
            height: 0,
        };
        // Many coins, so that many payments can wait at once.
        world.mine(0, 120)?;
        world.agree()?;
        Ok(world)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random.below(end as usize) as u64
    }

    fn any(&mut self) -> usize {
        self.below(NODES as u64) as usize
    }

    fn node(&self, at: usize) -> Result<&Node, String> {
        self.nodes.get(at).ok_or_else(|| format!("there is no node {at}"))
    }

    /// Something that users or the world do to nodes.
    fn happen(&mut self) -> Result<(), String> {
        let at = self.any();
        match self.below(1_000) {
            0..700 => self.pay(at),
            700..950 => {
                let blocks = self.below(3) + 1;
                self.mine(at, blocks)
            }
            950..975 => self.reorganize(at),
            975..990 => self.part(at),
            // The first stays, to show what piles up.
            990..995 => self.restart(at.max(1), false),
            _ => self.restart(at.max(1), true),
        }
    }

    /// Some payments. All wallets have the same keys, so they meet others for the same coins.
    fn pay(&mut self, at: usize) -> Result<(), String> {
        for _ in 0..=self.below(8) {
            let sats = 1_000 + self.below(1_000_000);
            let amount: Value = serde_json::from_str(&format!("0.{sats:08}")).map_err(|error| error.to_string())?;
            let node = self.node(at)?;
            let address = node.call("getnewaddress", &json!([]))?;
            match node.ask("sendtoaddress", &json!([address, amount]))? {
                Ok(_) => self.counts.payments += 1,
                Err(_) => self.counts.refused += 1,
            }
        }
        Ok(())
    }

    fn mine(&mut self, at: usize, blocks: u64) -> Result<(), String> {
        let node = self.node(at)?;
        let address = node.call("getnewaddress", &json!([]))?;
        node.call("generatetoaddress", &json!([blocks, address]))?;
        self.counts.blocks += blocks;
        Ok(())
    }

    /// Takes some blocks back and mines a longer branch, which the others follow.
    fn reorganize(&mut self, at: usize) -> Result<(), String> {
        let depth = self.below(6) + 1;
        let node = self.node(at)?;
        let tip = node.number("getblockcount")?;
        if tip < 20 {
            return Ok(());
        }
        let hash = node.call("getblockhash", &json!([tip - depth + 1]))?;
        node.call("invalidateblock", &json!([hash]))?;
        self.mine(at, depth + 1)?;
        self.node(at)?.call("reconsiderblock", &json!([hash]))?;
        self.counts.reorganizations += 1;
        Ok(())
    }

    /// One node is alone for a while, and both sides go on.
    fn part(&mut self, at: usize) -> Result<(), String> {
        self.node(at)?.call("setnetworkactive", &json!([false]))?;
        for _ in 0..=self.below(4) {
            let other = self.any();
            self.pay(other)?;
            let blocks = self.below(3) + 1;
            self.mine(other, blocks)?;
        }
        self.node(at)?.call("setnetworkactive", &json!([true]))?;
        self.counts.partitions += 1;
        Ok(())
    }

    fn restart(&mut self, at: usize, killed: bool) -> Result<(), String> {
        let node = self.nodes.get_mut(at).ok_or_else(|| format!("there is no node {at}"))?;
        node.restart(killed)?;
        if killed {
            self.counts.kills += 1;
        } else {
            self.counts.stops += 1;
        }
        Ok(())
    }

    /// Waits until all have one tip, and compares their coins.
    fn agree(&mut self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            // Of two branches as long as each other each node keeps the one that it saw first.
            self.mine(0, 1)?;
            std::thread::sleep(Duration::from_secs(1));
            let tips = self.all("getbestblockhash")?;
            if tips.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
                break;
            }
            if start.elapsed() > AGREEMENT {
                return Err(format!("the nodes do not agree after {} s: {tips:?}", start.elapsed().as_secs()));
            }
        }
        let coins = self.all("gettxoutsetinfo")?;
        let hashes: Vec<&Value> = coins.iter().filter_map(|coins| coins.get("hash_serialized_3")).collect();
        if hashes.len() != NODES || hashes.windows(2).any(|pair| matches!(pair, [a, b] if a != b)) {
            return Err(format!("the nodes have one tip but other coins: {coins:?}"));
        }
        self.counts.agreements += 1;
        self.height = self.node(0)?.number("getblockcount")?;
        let taken = self.nodes.iter().map(Node::resident_kib).collect::<Result<Vec<_>, _>>()?;
        self.memory.note(taken);
        Ok(())
    }

    fn all(&self, method: &str) -> Result<Vec<Value>, String> {
        self.nodes.iter().map(|node| node.call(method, &json!([]))).collect()
    }

    fn report(&self) -> String {
        format!("height {}, memory {}; {}", self.height, self.memory.last(), self.counts.text())
    }
}
