//! Rewards in stories: publishing whom they pay.

use spec::{RuleSet, Transaction};
use wallet::{Deployed, FeeRate, Purse, publish};

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

    /// Every transaction of the story that is on the chain, in order.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> + Clone {
        self.record.iter().filter(|one| one.accepted).map(|one| &one.tx)
    }
}
