//! Stories: an example's contracts and plans on a devnet node of their own, with named people, exact balances and attacks.
//!
//! Everything goes through the doors that users have: the compiler, the wallet's plans and the node. What the node took
//! and what it refused because of a script is kept, and at the end another virtual machine is asked about all of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story fails by panicking")]

mod people;
mod rewards;
mod rpc;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use driver::{MemoryWorld, Options};
use node::{Config, NodeHandle, Prefund};
use spec::artifact::{Objective, Slot};
use spec::plan::Plan;
use spec::{Mode, OutPoint, RuleSet, Rules, SpendContext, Transaction, TxOut, Txid};
use wallet::{Accounts, Args, Built, Carried, Deployed, FeeRate, Forgery, Key, PlanWish, Program, Purse, Utxo};

use crate::Independent;

/// The rules that stories run by: those that the other machine knows too.
const RULES: RuleSet = RuleSet::Bch2026;
/// The account that gives everybody what they start with.
const FAUCET: u32 = 100;
const FAUCET_BLOCKS: u32 = 20;
/// Blocks of a story pay nobody, so that no balance changes by mining.
const NOBODY: &str = "6a";
/// Where the clocks of stories begin, in seconds since 1970.
const START: u32 = 1_800_000_000;

/// A story: a devnet, a program, people.
#[derive(Debug)]
pub struct Story {
    node: NodeHandle,
    program: Program,
    /// Plans that are written by hand, beside those of the program.
    plans: Vec<Plan>,
    accounts: Accounts,
    deployments: Vec<Deployed>,
    /// Every coin that may matter, by its place.
    coins: BTreeMap<OutPoint, TxOut>,
    registered: BTreeSet<Vec<u8>>,
    record: Vec<Recorded>,
    /// The coins that inputs of the next plan have to take.
    named: BTreeMap<String, Vec<OutPoint>>,
    fees: u64,
    funded: u64,
}

/// A transaction that the node took or refused.
#[derive(Debug)]
struct Recorded {
    id: String,
    tx: Transaction,
    spent: Vec<TxOut>,
    accepted: bool,
}

/// The program of these sources.
fn program(sources: &[(&str, &str)], objective: Objective) -> Program {
    let world = MemoryWorld::new(sources.iter().copied());
    let roots: Vec<String> = sources.iter().map(|(name, _)| (*name).to_owned()).collect();
    let compiled = driver::compile(&world, &roots, &Options { rules: RULES, objective, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    Program::new(compiled.artifacts)
}

/// Values of arguments or parameters, as the command line takes them.
type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Story {
    /// The story of a folder below `examples`; each of the people starts with one coin of the given amount.
    ///
    /// # Panics
    /// If the example does not compile.
    #[must_use]
    pub fn example(name: &str, people: Pairs<'_>) -> Self {
        Self::example_for(Objective::default(), name, people)
    }

    /// As [`Story::example`], with the scripts of an objective.
    ///
    /// # Panics
    /// If the example does not compile.
    #[must_use]
    pub fn example_for(objective: Objective, name: &str, people: Pairs<'_>) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples").join(name);
        let mut sources = Vec::new();
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "bmc") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                sources.push((name, fs::read_to_string(path).unwrap()));
            }
        }
        sources.sort();
        let sources: Vec<_> = sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Self::of(program(&sources, objective), people)
    }

    /// The story of these sources.
    ///
    /// # Panics
    /// If they do not compile without a word.
    #[must_use]
    pub fn new(sources: &[(&str, &str)], people: Pairs<'_>) -> Self {
        Self::of(program(sources, Objective::default()), people)
    }

    fn of(program: Program, people: Pairs<'_>) -> Self {
        let accounts = Accounts::devnet();
        let faucet = accounts.key(FAUCET);
        let config = Config {
            rules: RULES,
            rpc_bind: ([127, 0, 0, 1], 0).into(),
            mock_time: Some(START),
            prefund: vec![Prefund { lock: faucet.lock(), blocks: FAUCET_BLOCKS }],
            ..Config::default()
        };
        let mut story = Self {
            node: node::start(config).unwrap(),
            program,
            plans: Vec::new(),
            accounts,
            deployments: Vec::new(),
            coins: BTreeMap::new(),
            registered: BTreeSet::new(),
            record: Vec::new(),
            named: BTreeMap::new(),
            fees: 0,
            funded: 0,
        };
        story.fund(faucet, people);
        story
    }

    /// Goes on with other sources, in which every contract with coins still stands.
    ///
    /// # Panics
    /// If they do not compile without a word.
    pub fn recompile(&mut self, sources: &[(&str, &str)]) {
        self.program = program(sources, Objective::default());
    }

    /// Adds a plan as data.
    ///
    /// # Panics
    /// If the JSON is no plan.
    pub fn plan(&mut self, json: &str) {
        self.plans.push(serde_json::from_str(json).unwrap());
    }

    /// Gives a contract its parameters, and tells the node what it is. The result is the lock of its coins.
    ///
    /// # Panics
    /// If the values do not fit.
    #[track_caller]
    pub fn deploy(&mut self, contract: &str, params: Pairs<'_>) -> Vec<u8> {
        let artifact = self.program.artifact(contract).unwrap_or_else(|| panic!("there is no contract `{contract}`"));
        let mut open: Vec<Slot> = artifact.open_params().map(|(_, slot)| slot.clone()).collect();
        if !params.iter().any(|(name, _)| open.iter().any(|slot| slot.name == *name)) {
            open = wallet::open_slots(artifact);
        }
        let given = self.read(&open, params);
        let given = given.into_iter().map(|(name, arg)| match arg {
            wallet::Arg::Value(value) => (name, value),
            _ => panic!("parameter `{name}` cannot be a signature"),
        });
        let params = self.program.complete(contract, given.collect()).unwrap();
        wallet::check_params(self.program.artifact(contract).unwrap(), &params).unwrap();
        let (_, lock) = self.program.script(contract, &params).unwrap();
        self.register(&lock, contract);
        let deployed = Deployed::new(contract, params);
        if !self.deployments.contains(&deployed) {
            self.deployments.push(deployed);
        }
        lock
    }

    /// Names the coins that an input of the next plan has to take.
    pub fn name_coins(&mut self, input: &str, coins: &[OutPoint]) {
        self.named.insert(input.to_owned(), coins.to_vec());
    }

    /// Carries out a plan. `who` pays the fee and takes change, and only that key signs.
    ///
    /// # Panics
    /// If the plan cannot be carried out or the node refuses.
    #[track_caller]
    pub fn run(&mut self, who: &str, plan: &str, args: Pairs<'_>) -> Carried {
        self.run_with(who, &[], plan, args)
    }

    /// Carries out a plan with the signatures of others too.
    ///
    /// # Panics
    /// As [`Story::run`].
    #[track_caller]
    pub fn run_with(&mut self, who: &str, others: &[&str], plan: &str, args: Pairs<'_>) -> Carried {
        let carried = self.build(who, others, plan, args).unwrap_or_else(|error| panic!("{who}: {error}"));
        self.named.clear();
        self.register_all(&carried.contracts);
        for built in carried.first.iter().chain([&carried.built]) {
            let sent = self.send(plan, &built.tx, &built.spent);
            sent.unwrap_or_else(|error| panic!("{who} runs `{plan}`, and the node refuses: {error}"));
        }
        for (lock, deployed) in &carried.made {
            self.register(lock, &deployed.contract);
            if !self.deployments.contains(deployed) {
                self.deployments.push(deployed.clone());
            }
        }
        carried
    }

    /// A plan that must not be possible: the wallet or the node refuses it with words that contain `message`.
    ///
    /// # Panics
    /// If it is possible, or refused for another reason.
    #[track_caller]
    pub fn refused(&mut self, who: &str, plan: &str, args: Pairs<'_>, message: &str) {
        let error = match self.build(who, &[], plan, args) {
            Err(error) => error,
            Ok(carried) => {
                self.send_first(plan, &carried.contracts, &carried.first);
                let sent = self.send(plan, &carried.built.tx, &carried.built.spent);
                sent.expect_err("the node must refuse what the story says it refuses")
            }
        };
        self.named.clear();
        assert!(error.contains(message), "`{plan}` is refused, but not with `{message}`: {error}");
    }

    /// An attack: what the plan gives is changed and signed as it then is, by `who` and `others`, and sent to the node,
    /// which must refuse it with the message of the contract's check.
    ///
    /// # Panics
    /// If the node takes it, or refuses it for another reason.
    #[track_caller]
    pub fn attack(
        &mut self,
        (who, others): (&str, &[&str]),
        plan: &str,
        args: Pairs<'_>,
        change: impl FnOnce(&mut Forgery<'_>),
        message: &str,
    ) {
        let named = self.named.clone();
        let forged = self.with_wish(who, others, plan, args, &named, |wish| wallet::forge(&wish, change));
        let forged = forged.unwrap_or_else(|error| panic!("{who}: {error}"));
        self.named.clear();
        self.send_first(plan, &forged.contracts, &forged.first);
        self.attack_raw(plan, &forged.tx, &forged.spent, message);
    }

    /// An attack by somebody who signs nothing: the finished transaction of a plan is changed and sent to the node, which
    /// must refuse it with the message of the contract's check.
    ///
    /// # Panics
    /// If the node takes it, or refuses it for another reason.
    #[track_caller]
    pub fn attack_finished(
        &mut self,
        who: &str,
        plan: &str,
        args: Pairs<'_>,
        change: impl FnOnce(&mut Transaction),
        message: &str,
    ) {
        let carried = self.build(who, &[], plan, args).unwrap_or_else(|error| panic!("{who}: {error}"));
        self.named.clear();
        self.send_first(plan, &carried.contracts, &carried.first);
        let mut tx = carried.built.tx;
        change(&mut tx);
        self.attack_raw(plan, &tx, &carried.built.spent, message);
    }

    /// What a plan gives, changed and signed as it then is, which the node must take all the same.
    ///
    /// # Panics
    /// If the node refuses it.
    #[track_caller]
    pub fn forged(&mut self, who: &str, plan: &str, args: Pairs<'_>, change: impl FnOnce(&mut Forgery<'_>)) {
        let sent = self.tried(who, plan, args, change);
        sent.unwrap_or_else(|error| panic!("`{plan}` as changed is refused: {error}"));
    }

    /// What a plan gives, changed and signed as it then is, which the node may take or not.
    ///
    /// # Errors
    /// Why the node refuses it.
    ///
    /// # Panics
    /// If the plan cannot be carried out.
    #[track_caller]
    pub fn tried(
        &mut self,
        who: &str,
        plan: &str,
        args: Pairs<'_>,
        change: impl FnOnce(&mut Forgery<'_>),
    ) -> Result<Txid, String> {
        let named = self.named.clone();
        let forged = self.with_wish(who, &[], plan, args, &named, |wish| wallet::forge(&wish, change));
        let forged = forged.unwrap_or_else(|error| panic!("{who}: {error}"));
        self.send_first(plan, &forged.contracts, &forged.first);
        self.send(plan, &forged.tx, &forged.spent)
    }

    /// Sends a transaction that the node must refuse with words that contain `message`.
    ///
    /// # Panics
    /// If the node takes it, or refuses it for another reason.
    #[track_caller]
    pub fn attack_raw(&mut self, name: &str, tx: &Transaction, spent: &[TxOut], message: &str) {
        let error = self.send(&format!("attack on {name}"), tx, spent).expect_err("the node must refuse an attack");
        assert!(error.contains(message), "the attack on `{name}` fails, but not with `{message}`: {error}");
    }

    /// Pays an amount to a lock.
    ///
    /// # Panics
    /// If the money does not reach.
    #[track_caller]
    pub fn pay(&mut self, who: &str, lock: &[u8], amount: &str) -> OutPoint {
        let output = TxOut::plain(wallet::parse_amount(amount).unwrap(), lock.to_vec());
        let key = self.key(who);
        let purse = Purse::of(key, self.coins_at(&key.lock()));
        let built = wallet::pay(&purse, vec![output], FeeRate::RELAY_MIN, RULES).unwrap();
        self.send("a payment", &built.tx, &built.spent).unwrap();
        OutPoint { txid: built.tx.txid(), index: 0 }
    }

    /// Tells the node of a plan's contracts, and sends what has to come before its transaction.
    #[track_caller]
    fn send_first(&mut self, plan: &str, contracts: &BTreeMap<Vec<u8>, String>, first: &[Built]) {
        self.register_all(contracts);
        for built in first {
            self.send(plan, &built.tx, &built.spent).unwrap();
        }
    }

    fn build(&self, who: &str, others: &[&str], plan: &str, args: Pairs<'_>) -> Result<Carried, String> {
        let done = self.with_wish(who, others, plan, args, &self.named, |wish| wallet::carry_out(&wish));
        done.map_err(|error| error.to_string())
    }

    #[track_caller]
    fn with_wish<T>(
        &self,
        who: &str,
        others: &[&str],
        name: &str,
        args: Pairs<'_>,
        named: &BTreeMap<String, Vec<OutPoint>>,
        body: impl FnOnce(PlanWish<'_>) -> T,
    ) -> T {
        let by_hand = self.plans.iter().find(|plan| plan.name == name);
        let plan = by_hand.or_else(|| self.program.plan(name).map(|(_, plan)| plan));
        let plan = plan.unwrap_or_else(|| {
            let known: Vec<&str> = self.program.plans().map(|(_, plan)| plan.name.as_str()).collect();
            panic!("there is no plan `{name}`, only {known:?}")
        });
        let args: Args = self.read(&plan.args, args);
        let keys: Vec<Key> = [who].iter().chain(others).map(|who| self.key(who)).collect();
        let coins: Vec<Utxo> =
            self.coins.iter().map(|(outpoint, output)| Utxo { outpoint: *outpoint, output: output.clone() }).collect();
        body(PlanWish {
            program: &self.program,
            plan,
            args: &args,
            deployments: &self.deployments,
            coins: &coins,
            keys: &keys,
            payer: keys.first().copied(),
            named,
            rate: FeeRate::RELAY_MIN,
        })
    }

    /// Sends a transaction; if the node takes it, a block holds it.
    fn send(&mut self, name: &str, tx: &Transaction, spent: &[TxOut]) -> Result<Txid, String> {
        let context = SpendContext::new(tx, spent).unwrap();
        let rules = Rules::new(RULES, Mode::Relay);
        let by = |rules: &Rules| (0..tx.inputs.len()).all(|input| vm::verify_input(rules, &context, input).is_ok());
        let valid = by(&rules);
        assert_eq!(by(&Rules::new(RuleSet::Bitmodel, Mode::Relay)), valid, "both rule sets say the same of `{name}`");
        let taken = self.broadcast(tx);
        if taken.is_ok() || !valid {
            let id = format!("{} {name}", self.record.len()).replace(' ', "-");
            let (tx, spent) = (tx.clone(), spent.to_vec());
            self.record.push(Recorded { id, tx, spent, accepted: taken.is_ok() });
        }
        let txid = taken?;
        self.mine(1);
        for input in &tx.inputs {
            self.coins.remove(&input.prevout);
        }
        let made = (0u32..).zip(&tx.outputs).map(|(index, output)| (OutPoint { txid, index }, output.clone()));
        self.coins.extend(made);
        let sum = |outputs: &[TxOut]| outputs.iter().map(|output| output.value.get()).sum::<u64>();
        self.fees += sum(spent) - sum(&tx.outputs);
        Ok(txid)
    }

    /// Ends the story: no unit was made or lost, and the other machine says of every transaction what the node said.
    ///
    /// # Panics
    /// If that is not so.
    #[track_caller]
    pub fn end(self, scratch: &Path) {
        let held: u64 = self.coins.values().map(|output| output.value.get()).sum();
        assert_eq!(held + self.fees, self.funded, "what the coins hold and the fees are what everybody started with");
        let entries: Vec<_> = self.record.iter().map(|one| Independent::entry(&one.id, &one.tx, &one.spent)).collect();
        if let Some(machine) = Independent::install(scratch) {
            let verdicts = machine.verdicts(&entries);
            assert_eq!(verdicts.len(), self.record.len());
            for (verdict, one) in verdicts.iter().zip(&self.record) {
                assert_eq!(*verdict == format!("{} accepted", one.id), one.accepted, "{verdict}");
            }
        }
        self.node.stop();
        self.node.join().unwrap();
    }
}
