//! What the node tells of blocks and transactions, in the words of the topics.

use std::collections::BTreeSet;

use chain::{Accepted, Entry, Notice, Update};
use spec::{Address, Block, Sats, Transaction, TxOut, Txid};

use crate::json::{Json, hex, list, object, text};
use crate::method::mempool::double_spend;
use crate::news::Topic;
use crate::state::Node;
use crate::view::tx::total_out;

impl Node {
    /// Tells of a change of the active chain and of what it did to the waiting transactions.
    pub(crate) fn tell_change(&mut self, change: &Accepted, update: &Update) {
        if !change.disconnected.is_empty() && self.hub().is_heard(Topic::Reorg) {
            let hashes = |blocks: &[std::sync::Arc<Block>]| list(blocks.iter().map(|block| text(block.header.hash())));
            let data = object([
                ("disconnected", hashes(&change.disconnected)),
                ("connected", hashes(&change.connected)),
                ("returned", list(update.returned.iter().map(text))),
                ("height", Json::from(self.tip().entry.height)),
                ("tip", text(self.tip().hash)),
            ]);
            self.hub_mut().tell(Topic::Reorg, &data);
        }
        for block in &change.connected {
            self.tell_block(block);
        }
        for (txid, error) in &update.dropped {
            self.tell_dropped(txid, error.reason());
        }
        self.tell_notices();
    }

    fn tell_block(&mut self, block: &Block) {
        let hash = block.header.hash();
        if self.hub().is_heard(Topic::Block) {
            let height = self.chain().header(&hash).map(|entry| entry.height);
            let data = object([("hash", text(hash))]).with_some("height", height).merge(object([
                ("previousblockhash", text(block.header.previous)),
                ("time", Json::from(block.header.time)),
                ("nTx", Json::from(block.transactions.len())),
                ("size", Json::from(block.encode().len())),
            ]));
            self.hub_mut().tell(Topic::Block, &data);
        }
        if self.hub().is_heard(Topic::Flow) && !self.registry().is_empty() {
            for tx in &block.transactions {
                let spent = self.spent_by(tx);
                self.tell_flow(tx, tx.txid(), &spent, true);
            }
        }
    }

    /// What an ordinary transaction spends, as far as it can be found.
    fn spent_by(&self, tx: &Transaction) -> Vec<TxOut> {
        let found = tx.inputs.iter().filter(|_| !tx.is_coinbase()).map(|input| self.output_of(&input.prevout));
        found.filter_map(|coin| Some(coin.ok()??.output)).collect()
    }

    /// Tells of a transaction that waits now.
    pub(crate) fn tell_entry(&mut self, entry: &Entry) {
        if self.hub().is_heard(Topic::Tx) {
            let data = object([
                ("txid", text(entry.txid)),
                ("size", Json::from(entry.len_bytes)),
                ("fee", Json::from(entry.fee)),
                ("value", Json::from(total_out(&entry.tx))),
                ("time", Json::from(entry.time)),
            ]);
            self.hub_mut().tell(Topic::Tx, &data);
        }
        if self.hub().is_heard(Topic::Flow) && !self.registry().is_empty() {
            let spent: Vec<TxOut> = entry.spent.iter().map(|coin| coin.output.clone()).collect();
            self.tell_flow(&entry.tx, entry.txid, &spent, false);
        }
    }

    /// Tells what contracts that were made known are paid by a transaction, and pay.
    fn tell_flow(&mut self, tx: &Transaction, txid: Txid, spent: &[TxOut], mined: bool) {
        let locks: BTreeSet<&[u8]> = spent.iter().chain(&tx.outputs).map(|output| output.lock.as_slice()).collect();
        let sum = |outputs: &[TxOut], lock: &[u8]| {
            let amounts = outputs.iter().filter(|output| output.lock == lock).map(|output| output.value);
            Sats::checked_sum(amounts).unwrap_or(Sats::MAX)
        };
        let known = locks.into_iter().filter_map(|lock| Some((lock, self.registry().get(lock)?)));
        let told: Vec<Json> = known
            .map(|(lock, entry)| {
                object([("txid", text(txid)), ("contract", Json::from(entry.artifact.contract.as_str()))])
                    .with("lock", hex(lock))
                    .with_some("address", Address::of_lock(self.network(), lock).map(text))
                    .with("received", sum(&tx.outputs, lock))
                    .with("paid", sum(spent, lock))
                    .with("mined", mined)
            })
            .collect();
        for data in told {
            self.hub_mut().tell(Topic::Flow, &data);
        }
    }

    fn tell_dropped(&mut self, txid: &Txid, reason: &str) {
        if self.hub().is_heard(Topic::Dropped) {
            let data = object([("txid", text(txid)), ("reason", Json::from(reason))]);
            self.hub_mut().tell(Topic::Dropped, &data);
        }
    }

    /// Tells what has happened to waiting transactions by themselves.
    pub(crate) fn tell_notices(&mut self) {
        for notice in self.mempool_mut().take_notices() {
            match notice {
                Notice::DoubleSpend(report) => {
                    tracing::warn!(first = %report.first, rival = %report.rival_txid, "a double spend was seen");
                    self.counts_mut().double_spends += 1;
                    if self.hub().is_heard(Topic::DoubleSpend) {
                        self.hub_mut().tell(Topic::DoubleSpend, &double_spend(&report));
                    }
                }
                Notice::Evicted(txid) => self.tell_dropped(&txid, "mempool full"),
                Notice::Expired(txid) => self.tell_dropped(&txid, "expired"),
            }
        }
    }
}
