//! Double spends that were seen: rivals of waiting transactions.

use std::sync::Arc;

use spec::{OutPoint, Transaction, Txid};

use crate::mempool::judge::{Known, Rivals};
use crate::mempool::{Mempool, Notice};
use crate::state::Chain;
use crate::store::Store;

/// Two transactions that spend the same. The first stays; whoever is paid by it learns that he may yet not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleSpend {
    /// The output that both spend.
    pub outpoint: OutPoint,
    /// The transaction that came first, and waits.
    pub first: Txid,
    /// The rival.
    pub rival: Arc<Transaction>,
    /// The rival's id.
    pub rival_txid: Txid,
    /// When the rival came, in seconds since 1970.
    pub time: u32,
}

impl Mempool {
    /// Remembers a refused rival, where its scripts show that the owner of the coins made it: nobody else can cast doubt on a payment.
    ///
    /// One rival for each waiting transaction is enough, so a flood of them costs no more than a look.
    pub(super) fn watch_rival<S: Store>(&mut self, tx: Arc<Transaction>, chain: &Chain<S>, now: u32, known: Known<'_>) {
        let shared = tx.inputs.iter().find_map(|input| self.spenders.get(&input.prevout).map(|first| (input, *first)));
        let Some((outpoint, first)) = shared.map(|(input, first)| (input.prevout, first)) else { return };
        if self.double_spends.contains_key(&first) {
            return;
        }
        let Ok(entry) = self.judge(Arc::clone(&tx), chain, now, known, Rivals::Judged) else { return };
        let report = DoubleSpend { outpoint, first, rival: tx, rival_txid: entry.txid, time: now };
        self.double_spends.insert(first, report.clone());
        self.tell(Notice::DoubleSpend(report));
    }
}
