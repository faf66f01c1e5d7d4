//! Rewards in stories: publishing whom they pay, and settling them.

use spec::{RuleSet, Transaction};
use wallet::{Deployed, FeeRate, Purse, Settled, Settlement, publish};

use super::{RULES, Story};

impl Story {
    /// The rules that the story runs by.
    #[must_use]
    pub const fn rules(&self) -> RuleSet {
        RULES
    }

    /// The contract that was deployed with this lock.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn deployed_at(&self, lock: &[u8]) -> &Deployed {
        let has_lock = |deployed: &&Deployed| {
            self.program.script(&deployed.contract, &deployed.params).is_ok_and(|(_, own)| own == lock)
        };
        self.deployments.iter().find(has_lock).expect("a contract with this lock has been deployed")
    }

    /// The compiled contract.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn artifact(&self, contract: &str) -> &spec::Artifact {
        self.program.artifact(contract).expect("the program has this contract")
    }

    /// Puts bytes on the chain.
    ///
    /// # Panics
    /// If the money does not reach.
    #[track_caller]
    pub fn publish(&mut self, who: &str, body: &[u8]) {
        let key = self.key(who);
        let plain = self.coins_at(&key.lock()).into_iter().filter(|coin| coin.output.token.is_none());
        let purse = Purse::of(key, plain.collect());
        for built in publish(&purse, body, Vec::new(), FeeRate::RELAY_MIN, RULES).unwrap() {
            self.send("a publication", &built.tx, &built.spent).unwrap();
        }
    }

    /// Settles all coins of the reward with this lock.
    ///
    /// # Panics
    /// If that is not possible.
    #[track_caller]
    pub fn settle(&mut self, lock: &[u8]) -> Settled {
        let settled = self.settlement(lock);
        self.send("a settlement", &settled.built.tx, &settled.built.spent).unwrap();
        settled
    }

    /// A settlement, changed: the node must refuse it with the message of the contract's check.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn attack_settlement(&mut self, lock: &[u8], change: impl FnOnce(&mut Transaction), message: &str) {
        let mut settled = self.settlement(lock);
        change(&mut settled.built.tx);
        self.attack_raw("a settlement", &settled.built.tx, &settled.built.spent, message);
    }

    #[track_caller]
    fn settlement(&self, lock: &[u8]) -> Settled {
        let deployed = self.deployed_at(lock);
        let wish = Settlement {
            artifact: self.artifact(&deployed.contract),
            params: &deployed.params,
            coins: self.coins_at(lock),
            fee: None,
            rate: FeeRate::RELAY_MIN,
        };
        wallet::settle(&wish).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every transaction of the story that is on the chain, in order.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> + Clone {
        self.record.iter().filter(|one| one.accepted).map(|one| &one.tx)
    }
}
