//! The node's state: chain, mempool, artifacts, clock; and what changes several of them together.

use std::path::Path;
use std::sync::Arc;

use chain::{Accepted, BlockError, Chain, Coin, Entry, Headers, Mempool, Store, StoreError, Template, Tip, TxError};
use engine::Engine;
use spec::{Address, Block, BlockHash, BlockHeader, Height, Network, OutPoint, Sats, Transaction, Txid};

use crate::ahead::Ahead;
use crate::clock::Clock;
use crate::config::{Config, Prune, PruneData, StartError};
use crate::devnet::Devnet;
use crate::kept::{self, AnyStore, Kept};
use crate::logs::Logs;
use crate::method::outputs::Totals;
use crate::metrics::Counts;
use crate::net::Net;
use crate::news::Hub;
use crate::registry::Registry;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::shorten;
use crate::wallets::{Movement, Wallets, waiting};
use crate::warmup::Warmup;

/// `OP_RETURN`: blocks that nobody is named for pay nobody.
pub(crate) const NOBODY: [u8; 1] = [0x6a];

/// The nonces that are tried for one block, unless a call says otherwise; on the devnet two suffice on average.
pub(crate) const NONCES_MAX: u32 = 1_000_000;

/// How far below the tip, at the start, blocks beside the active chain are looked through for transactions.
const LEFT_BEHIND_BLOCKS: u32 = 100;

/// So many transactions may wait until peers are told.
const FRESH_MAX: usize = 50_000;

/// Everything that the owner thread owns.
#[derive(Debug)]
pub(crate) struct Node {
    chain: Chain<AnyStore>,
    engine: Arc<Engine>,
    mempool: Mempool,
    kept: Option<Kept>,
    registry: Registry,
    wallets: Wallets,
    logs: Logs,
    devnet: Devnet,
    hub: Hub,
    net: Option<Box<Net>>,
    ahead: Ahead,
    /// Transactions that peers were not told of.
    fresh: Vec<Txid>,
    counts: Counts,
    clock: Clock,
    prune: Prune,
    prune_data: Option<PruneData>,
    automine: bool,
    mining: Option<Vec<u8>>,
    accounts: Vec<Vec<u8>>,
    blocks_made: u64,
    stopping: bool,
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        let dropped = matches!(error, StoreError::Pruned | StoreError::DataPruned(_));
        let code = if dropped { Code::Misc } else { Code::Internal };
        Self::new(code, error.to_string())
    }
}

/// The default wallet of a devnet has the accounts that everybody knows, unless others are given, and watches those that are paid at the start.
fn open_wallets(config: &Config, folder: Option<&Path>) -> std::io::Result<Wallets> {
    let public = || (config.network == Network::Devnet).then(wallet::Accounts::devnet);
    let mut wallets = Wallets::open(folder, config.accounts.clone().or_else(public).as_ref())?;
    if let Ok(wallet) = wallets.get_mut(None) {
        config.prefund.iter().for_each(|account| wallet.watch(&account.lock, ""));
    }
    Ok(wallets)
}

impl Node {
    /// A node that goes on where the last one in its folder ended, or begins with the genesis block and the prefunded accounts' blocks.
    ///
    /// # Errors
    /// [`StartError`] if the folder or the chain in it cannot be used, or a block was refused.
    pub(crate) fn new(config: &Config, kept: Option<Kept>, warmup: &mut Warmup) -> Result<Self, StartError> {
        let params = kept::params(config);
        let mempool = Mempool::new(&params);
        let store = Kept::store(kept.as_ref(), config, warmup)?;
        let wallets = open_wallets(config, kept.as_ref().map(Kept::folder)).map_err(StartError::Wallet)?;
        let chain = Chain::open(params, store).map_err(|error| StartError::Chain(error.to_string()))?;
        let mut node = Self {
            chain: chain.with_engine(Arc::clone(&config.engine)),
            engine: Arc::clone(&config.engine),
            mempool,
            kept,
            registry: Registry::default(),
            wallets,
            logs: config.logs.clone(),
            devnet: Devnet::new(config.mine_every),
            hub: Hub::default(),
            net: None,
            ahead: Ahead::default(),
            fresh: Vec::new(),
            counts: Counts::default(),
            clock: Clock::new(config.mock_time),
            prune: if config.persistent { config.prune } else { Prune::Never },
            prune_data: config.prune_data.filter(|_| config.persistent),
            automine: config.automine,
            mining: None,
            accounts: config.prefund.iter().map(|account| account.lock.clone()).collect(),
            blocks_made: 0,
            stopping: false,
        };
        node.go_on(warmup)?;
        let is_open = node.kept.as_ref().is_some_and(Kept::is_prefunding);
        if is_open || node.tip().entry.height == Height::GENESIS {
            let mark = |node: &Self, open| node.kept.as_ref().map_or(Ok(()), |kept| kept.set_prefunding(open));
            mark(&node, true)?;
            node.prefund(config).map_err(|error| StartError::Prefund(error.message().to_owned()))?;
            mark(&node, false)?;
        }
        Ok(node)
    }

    /// Finishes what the last node in this folder did not, and judges its waiting transactions again.
    fn go_on(&mut self, warmup: &mut Warmup) -> Result<(), StartError> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let waited = kept.waiting()?;
        let failed = |error: String| StartError::Chain(error);
        let mut tell = |height, best| warmup.tell(|| format!("Connecting blocks… height {height} of {best}"));
        self.chain.resume_and_tell(&mut tell).map_err(|error| failed(error.to_string()))?;
        // Blocks of before are not made again.
        let known = self.chain.store().headers().map_err(|error| failed(error.to_string()))?.len();
        self.blocks_made = known.saturating_sub(1) as u64;
        let left = self.left_behind().map_err(|error| failed(error.to_string()))?;
        let now = self.clock.now();
        for tx in left.into_iter().chain(waited) {
            let txid = tx.txid();
            match self.mempool.accept(tx, &self.chain, now) {
                Ok(_) | Err(TxError::AlreadyInChain | TxError::AlreadyInMempool) => {}
                Err(error) => tracing::debug!(%txid, %error, "a transaction that waited was dropped"),
            }
        }
        let height = self.tip().entry.height.get();
        let Some(kept) = &mut self.kept else { return Ok(()) };
        tracing::info!(folder = %kept.folder().display(), height, waiting = self.mempool.len(), "the chain goes on");
        kept.save(&self.mempool).map_err(|source| StartError::Folder { path: kept.folder().to_owned(), source })
    }

    /// The transactions of late blocks beside the active chain, parents first: a node that was killed while it took blocks
    /// back did not come to put them among the waiting ones.
    fn left_behind(&self) -> Result<Vec<Transaction>, StoreError> {
        let lowest = self.tip().entry.height.get().saturating_sub(LEFT_BEHIND_BLOCKS);
        let mut hashes = Vec::new();
        for leaf in self.chain.branch_tips() {
            let below =
                std::iter::successors(self.chain.header(&leaf), |entry| self.chain.header(&entry.header.previous));
            let beside = below.map(|entry| (entry.height, entry.header.hash()));
            hashes.extend(beside.take_while(|(height, hash)| height.get() > lowest && !self.chain.is_active(hash)));
        }
        hashes.sort_unstable();
        hashes.dedup();
        let mut found = Vec::new();
        for (_, hash) in hashes {
            match self.chain.block(&hash) {
                Ok(block) => found.extend(block.iter().flat_map(|block| chain::ordinary_parents_first(block))),
                Err(StoreError::Pruned) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Writes down what waits, at the end.
    pub(crate) fn save(&mut self) {
        if let Some(kept) = &mut self.kept
            && let Err(error) = kept.save(&self.mempool)
        {
            tracing::error!(%error, "the waiting transactions were not saved");
        }
        if let Some(net) = &self.net {
            net.save_book();
        }
    }

    /// What runs scripts.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Logs where engines have differed since the last time.
    pub(crate) fn tell_differences(&self) {
        for difference in self.engine.take_differences() {
            tracing::error!(?difference, "the engines differ: the interpreter's verdict was taken");
        }
    }

    /// Mines for each account, then as many blocks more as make all of it spendable. What a node before has made is not made again.
    fn prefund(&mut self, config: &Config) -> Result<(), RpcError> {
        let mut locks: Vec<&[u8]> = Vec::new();
        for account in &config.prefund {
            locks.extend((0..account.blocks).map(|_| account.lock.as_slice()));
        }
        if !locks.is_empty() {
            locks.extend((0..self.chain.params().maturity_blocks).map(|_| NOBODY.as_slice()));
        }
        let made = usize::try_from(self.tip().entry.height.get()).unwrap_or(usize::MAX);
        for lock in locks.into_iter().skip(made) {
            self.mine(lock)?;
        }
        if config.coins_each > 1 {
            let locks: Vec<Vec<u8>> = config.prefund.iter().map(|account| account.lock.clone()).collect();
            self.split_coins(&locks, config.coins_each)?;
        }
        Ok(())
    }

    /// Which chain.
    pub(crate) const fn network(&self) -> Network {
        self.chain.params().network
    }

    /// The chain.
    pub(crate) const fn chain(&self) -> &Chain<AnyStore> {
        &self.chain
    }

    /// The waiting transactions.
    pub(crate) const fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// The contracts that were made known.
    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The contracts that were made known, to add one.
    pub(crate) const fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The clock.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Lets the clock stand at a time, or run again.
    pub(crate) const fn set_mock_time(&mut self, time: Option<u32>) {
        self.clock.set_mock(time);
    }

    /// The last block of the active chain.
    pub(crate) fn tip(&self) -> Tip {
        self.chain.tip()
    }

    /// The wallets.
    pub(crate) const fn wallets(&self) -> &Wallets {
        &self.wallets
    }

    /// The wallets, to change one.
    pub(crate) const fn wallets_mut(&mut self) -> &mut Wallets {
        &mut self.wallets
    }

    /// What has happened to a wallet's coins, the oldest first, what waits last.
    pub(crate) fn movements(&mut self, name: Option<&str>) -> Result<Vec<Movement>, RpcError> {
        let wallet = self.wallets.get_mut(name)?;
        let locks = wallet.locks();
        let mut history = std::mem::take(&mut wallet.history);
        let caught_up = history.catch_up(self, locks.clone());
        let movements = [history.mined(), &waiting(self, &locks)].concat();
        self.wallets.get_mut(name)?.history = history;
        caught_up?;
        Ok(movements)
    }

    /// The least fee for 1,000 bytes that a newcomer pays now.
    pub(crate) fn fee_rate_min(&self) -> Sats {
        self.mempool.fee_rate_min(self.clock.now())
    }

    /// The waiting transactions, to say what miners shall believe of them.
    pub(crate) const fn mempool_mut(&mut self) -> &mut Mempool {
        &mut self.mempool
    }

    /// The least fee for 1,000 bytes.
    pub(crate) fn relay_fee_per_kb(&self) -> Sats {
        Sats::from_wire(self.mempool.policy().fee_sats_per_kb)
    }

    /// Ends the owner's loop after the current event.
    pub(crate) const fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether the node was told to stop.
    pub(crate) const fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// An unspent output of the active chain.
    pub(crate) fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, RpcError> {
        Ok(self.chain.coin(outpoint)?)
    }

    /// An unspent output as it will be once all waiting transactions are in a block; one of them made counts as if the next block held it.
    pub(crate) fn coin_or_waiting(&self, outpoint: &OutPoint) -> Result<Option<Coin>, RpcError> {
        if self.mempool.spender(outpoint).is_some() {
            return Ok(None);
        }
        let stored = self.coin(outpoint)?;
        Ok(stored.or_else(|| self.mempool.output(outpoint, self.tip().entry.height.next())))
    }

    /// What an input spends, wherever it is found: unspent, waiting, or spent by the active chain.
    pub(crate) fn output_of(&self, outpoint: &OutPoint) -> Result<Option<Coin>, RpcError> {
        if let Some(coin) = self.coin(outpoint)? {
            return Ok(Some(coin));
        }
        if let Some(coin) = self.mempool.output(outpoint, self.tip().entry.height.next()) {
            return Ok(Some(coin));
        }
        let mined = self.chain.mined_output(outpoint)?;
        Ok(mined.map(|(output, location)| Coin { output, height: location.height, coinbase: location.position == 0 }))
    }

    /// How many blocks confirm a coin; 0 for a waiting one.
    pub(crate) fn confirmations(&self, coin: &Coin) -> i64 {
        i64::from(self.tip().entry.height.get()) - i64::from(coin.height.get()) + 1
    }

    /// Whether the next block may spend a coin.
    pub(crate) fn is_mature(&self, coin: &Coin) -> bool {
        let depth = self.tip().entry.height.next().since(coin.height);
        !coin.coinbase || depth >= self.chain.params().maturity_blocks
    }

    /// The unspent outputs with one of these locks that no waiting transaction spends; with those that waiting transactions make, if asked.
    pub(crate) fn unspent_of(&self, locks: &[Vec<u8>], with_waiting: bool) -> Result<Vec<(OutPoint, Coin)>, RpcError> {
        let locks: std::collections::BTreeSet<&Vec<u8>> = locks.iter().collect();
        let mut found = Vec::new();
        for lock in &locks {
            found.extend(self.chain.store().coins_by_lock(lock)?);
        }
        if with_waiting {
            found.extend(self.waiting_outputs().filter(|(_, coin)| locks.contains(&coin.output.lock)));
        }
        found.retain(|(outpoint, _)| self.mempool.spender(outpoint).is_none());
        Ok(found)
    }

    fn waiting_outputs(&self) -> impl Iterator<Item = (OutPoint, Coin)> {
        let height = self.tip().entry.height.next();
        self.mempool.entries().flat_map(move |entry| {
            let outputs = (0u32..).zip(&entry.tx.outputs);
            outputs.map(move |(index, output)| {
                let coin = Coin { output: output.clone(), height, coinbase: false };
                (OutPoint { txid: entry.txid, index }, coin)
            })
        })
    }

    /// Sums over all unspent outputs, and their hash if asked.
    pub(crate) fn totals(&self, hashed: bool) -> Result<Totals, RpcError> {
        let mut totals = Totals::new(hashed);
        self.chain.store().visit_coins(&mut |outpoint, coin| totals.count(outpoint, coin))?;
        Ok(totals)
    }

    /// The lock that a client means: an address, or the lock itself in hexadecimal.
    pub(crate) fn lock_from_text(&self, text: &str) -> Result<Vec<u8>, RpcError> {
        if let Ok(lock) = hex::decode(text)
            && !lock.is_empty()
        {
            return Ok(lock);
        }
        let address = Address::parse(text, self.network());
        let address = address
            .map_err(|error| RpcError::new(Code::NotFound, format!("Invalid address: {} ({error})", shorten(text))))?;
        Ok(address.lock())
    }

    /// Takes in a block, and lets the mempool follow.
    pub(crate) fn accept_block(&mut self, block: Block) -> Result<Accepted, BlockError> {
        let now = self.clock.now();
        self.accept_block_at(block, now)
    }

    /// [`Node::accept_block`] at a time.
    pub(crate) fn accept_block_at(&mut self, block: Block, now: u32) -> Result<Accepted, BlockError> {
        let (mempool, counts) = (&self.mempool, self.ahead.take(&block.header.hash()));
        let verified = |txid: &Txid| mempool.verified(txid).or_else(|| counts.get(txid).copied());
        let change = self.chain.accept_block_with(block, now, &verified)?;
        self.follow(&change, now);
        Ok(change)
    }

    fn follow(&mut self, change: &Accepted, now: u32) {
        let update = self.mempool.update(change, &self.chain, now);
        update.returned.iter().for_each(|txid| self.keep(txid));
        self.counts.connected += change.connected.len() as u64;
        self.counts.disconnected += change.disconnected.len() as u64;
        self.tell_change(change, &update);
        self.prune_to_target();
        self.prune_next_data();
        let tip = self.tip();
        tracing::info!(
            height = tip.entry.height.get(), hash = %tip.hash,
            connected = change.connected.len(), disconnected = change.disconnected.len(),
            returned = update.returned.len(), dropped = update.dropped.len(), "the chain changed"
        );
    }

    /// Which blocks are dropped.
    pub(crate) const fn prunes(&self) -> Prune {
        self.prune
    }

    /// Whether old blocks are missing, or may be.
    pub(crate) fn is_pruned(&self) -> bool {
        self.prune != Prune::Never || self.prune_data.is_some() || self.chain.lowest_kept() > Height::GENESIS
    }

    /// What other nodes can have from this one.
    pub(crate) fn services(&self) -> u64 {
        if self.is_pruned() { p2p::LIMITED_SERVICES } else { p2p::SERVICES }
    }

    /// Drops blocks up to a height, as far as they may go.
    pub(crate) fn prune_up_to(&mut self, height: Height) -> Result<(), StoreError> {
        self.chain.prune(height, 0)
    }

    /// Drops the oldest blocks where all take more than they shall.
    fn prune_to_target(&mut self) {
        let Prune::Above(bytes) = self.prune else { return };
        if self.chain.store().block_bytes() > bytes
            && let Err(error) = self.chain.prune(Height::new(u32::MAX), bytes)
        {
            tracing::error!(%error, "old blocks were not dropped");
        }
    }

    /// Which data is dropped.
    pub(crate) const fn prunes_data(&self) -> Option<PruneData> {
        self.prune_data
    }

    /// Drops data from the next blocks up to a height, as far as it may go. Says whether another call may drop more.
    pub(crate) fn prune_data_up_to(&mut self, height: Height, data: PruneData) -> Result<bool, StoreError> {
        self.chain.prune_data(height, data.depth, data.above_bytes)
    }

    /// Drops data that has become old: with each block a file at most, so that nobody has to wait long.
    fn prune_next_data(&mut self) {
        let Some(data) = self.prune_data else { return };
        if let Err(error) = self.prune_data_up_to(Height::new(u32::MAX), data) {
            tracing::error!(%error, "data in old blocks was not dropped");
        }
    }

    /// Declares a block invalid.
    pub(crate) fn invalidate(&mut self, hash: &BlockHash) -> Result<(), BlockError> {
        let change = self.chain.invalidate(hash)?;
        self.follow(&change, self.clock.now());
        Ok(())
    }

    /// Takes back such a declaration.
    pub(crate) fn reconsider(&mut self, hash: &BlockHash) -> Result<(), BlockError> {
        let change = self.chain.reconsider(hash)?;
        self.follow(&change, self.clock.now());
        Ok(())
    }

    /// Takes in a transaction; mines it at once if the node is set up so.
    pub(crate) fn accept_transaction(&mut self, tx: Transaction) -> Result<Entry, TxError> {
        let outcome = self.mempool.accept(tx, &self.chain, self.clock.now());
        self.tell_notices();
        self.settle(&outcome);
        if outcome.is_ok() && self.automine {
            self.mine_on_schedule();
        }
        outcome
    }

    /// Takes in many transactions, with the outcomes of one after the other.
    pub(crate) fn accept_transactions(&mut self, txs: Vec<Transaction>) -> Vec<Result<Entry, TxError>> {
        let outcomes = self.mempool.accept_all(txs, &self.chain, self.clock.now());
        self.tell_notices();
        outcomes.iter().for_each(|outcome| self.settle(outcome));
        outcomes
    }

    /// Counts what came of a transaction, writes it down, and tells of it.
    fn settle(&mut self, outcome: &Result<Entry, TxError>) {
        let Ok(entry) = outcome else {
            self.counts.refused += 1;
            return;
        };
        self.counts.accepted += 1;
        self.keep(&entry.txid);
        self.tell_entry(entry);
    }

    /// What is kept for a devnet.
    pub(crate) const fn devnet(&self) -> &Devnet {
        &self.devnet
    }

    /// What is kept for a devnet, to change it.
    pub(crate) const fn devnet_mut(&mut self) -> &mut Devnet {
        &mut self.devnet
    }

    /// The clock, to put it forward.
    pub(crate) const fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// Lets each transaction have its block at once, or not.
    pub(crate) const fn set_automine(&mut self, automine: bool) {
        self.automine = automine;
    }

    /// Lets other transactions wait, in place of those that do.
    pub(crate) fn replace_mempool(&mut self, mempool: Mempool) {
        self.mempool = mempool;
        self.save();
    }

    /// What the node says of itself.
    pub(crate) const fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Who listens to what happens.
    pub(crate) const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Who listens to what happens, to tell them or to let one more listen.
    pub(crate) const fn hub_mut(&mut self) -> &mut Hub {
        &mut self.hub
    }

    /// What has happened since the start.
    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What has happened since the start, to count more.
    pub(crate) const fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Whether each transaction has its block at once.
    pub(crate) const fn mines_each(&self) -> bool {
        self.automine
    }

    /// Writes down a waiting transaction before anybody hears that it was accepted.
    fn keep(&mut self, txid: &Txid) {
        if self.net.is_some() && self.fresh.len() < FRESH_MAX {
            self.fresh.push(*txid);
        }
        if let (Some(kept), Some(entry)) = (&mut self.kept, self.mempool.get(txid))
            && let Err(error) = kept.add(&entry.tx, &self.mempool)
        {
            tracing::error!(%txid, %error, "a waiting transaction is only in memory");
        }
    }

    /// Has peers from now on.
    pub(crate) fn begin_with_peers(&mut self, net: Net) {
        self.net = Some(Box::new(net));
    }

    /// Deals with what has come from peers, for a turn.
    pub(crate) fn work_for_peers(&mut self) {
        // While it works, blocks and transactions that peers brought go through the node.
        if let Some(mut net) = self.net.take() {
            net.work(self);
            self.net = Some(net);
        }
    }

    /// Lets peers' next block be looked at again.
    pub(crate) fn look_at_peers(&mut self) {
        if let Some(net) = &mut self.net {
            net.look_again();
        }
    }

    /// The block whose scripts run beside.
    pub(crate) const fn ahead(&self) -> &Ahead {
        &self.ahead
    }

    /// The block whose scripts run beside, to change it.
    pub(crate) const fn ahead_mut(&mut self) -> &mut Ahead {
        &mut self.ahead
    }

    /// Whether something waits that has come from peers.
    pub(crate) fn is_busy_with_peers(&self) -> bool {
        self.net.as_ref().is_some_and(|net| net.is_busy())
    }

    /// Asks something about peers, or of them, at the time of their clock in milliseconds.
    pub(crate) fn with_peers<T>(&mut self, ask: impl FnOnce(&mut p2p::Hub, u64) -> T) -> Result<T, RpcError> {
        let missing = || RpcError::new(Code::NoPeers, "Error: Peer-to-peer functionality missing or disabled");
        self.net.as_mut().map(|net| net.ask(ask)).ok_or_else(missing)
    }

    /// The time by the peers' clock, in milliseconds since 1970.
    pub(crate) fn peers_now(&self) -> u64 {
        self.net.as_ref().map_or(0, |net| net.now())
    }

    /// Where other nodes may call.
    pub(crate) fn peer_address(&self) -> Option<std::net::SocketAddr> {
        self.net.as_ref().and_then(|net| net.address())
    }

    /// The transactions that came since the last time.
    pub(crate) fn take_fresh(&mut self) -> Vec<Txid> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes in headers whose blocks may come later.
    pub(crate) fn accept_headers(&mut self, headers: &[BlockHeader]) -> Headers {
        self.chain.accept_headers(headers, self.clock.now())
    }

    /// Whether a transaction would be taken in.
    pub(crate) fn test_transaction(&self, tx: Transaction) -> Result<Entry, TxError> {
        self.mempool.test_accept(tx, &self.chain, self.clock.now())
    }

    /// Mines a block for the first account.
    pub(crate) fn mine_on_schedule(&mut self) {
        if let Err(error) = self.mine_for_first() {
            tracing::warn!(%error, "no block was mined");
        }
    }

    /// Mines a block for the first account, or for nobody where there is none.
    pub(crate) fn mine_for_first(&mut self) -> Result<BlockHash, RpcError> {
        let lock = self.accounts.first().cloned().unwrap_or_else(|| NOBODY.to_vec());
        self.mine(&lock)
    }

    /// Mines a block with the waiting transactions that pays `lock`.
    pub(crate) fn mine(&mut self, lock: &[u8]) -> Result<BlockHash, RpcError> {
        let block = self.template(lock).block;
        self.mine_block(block)
    }

    /// [`Node::mine`] that tries at most `tries` nonces, which it counts down; `None` if that was too few.
    pub(crate) fn mine_with(&mut self, lock: &[u8], tries: &mut u32) -> Result<Option<BlockHash>, RpcError> {
        let mut block = self.template(lock).block;
        let nonces = 0..=tries.saturating_sub(1);
        let solved = (*tries > 0).then(|| chain::search(block.header, nonces, self.chain.runner().workers, &|| true));
        let Some(solved) = solved.flatten() else { return Ok(None) };
        *tries -= solved.nonce;
        block.header = solved;
        self.take_own(block).map(Some)
    }

    /// The next block with the waiting transactions, which pays `lock`.
    fn template(&mut self, lock: &[u8]) -> Template {
        let tag = self.next_tag();
        let time = self.devnet.next_block_time.take().unwrap_or_else(|| self.clock.now());
        chain::build_template(&self.chain, &self.mempool, lock, &tag, time)
    }

    /// What the next block would hold for whoever makes it.
    pub(crate) fn open_template(&self) -> Template {
        chain::build_template(&self.chain, &self.mempool, &NOBODY, b"", self.clock.now())
    }

    /// Judges a block by everything but its proof of work.
    pub(crate) fn test_block(&self, block: &Block) -> Result<(), BlockError> {
        self.chain.test_block(block, self.clock.now())
    }

    /// Mines on all cores for this lock, or no longer.
    pub(crate) fn set_mining(&mut self, lock: Option<Vec<u8>>) {
        self.mining = lock;
    }

    /// Whom blocks pay that are mined all the time.
    pub(crate) fn mining_lock(&self) -> Option<&[u8]> {
        self.mining.as_deref()
    }

    /// The block that is mined all the time, if one is.
    pub(crate) fn next_block(&mut self) -> Option<Block> {
        let lock = self.mining.clone()?;
        Some(self.template(&lock).block)
    }

    /// Mines a block with just these transactions, which pay their fees of `fees` together to `lock`.
    pub(crate) fn mine_just(
        &mut self,
        lock: &[u8],
        mut chosen: Vec<Transaction>,
        fees: Sats,
    ) -> Result<BlockHash, RpcError> {
        let tag = self.next_tag();
        let empty = Mempool::new(self.chain.params());
        let mut block = chain::build_template(&self.chain, &empty, lock, &tag, self.clock.now()).block;
        let height = self.tip().entry.height.next();
        // Blocks order transactions by their ids as text shows them.
        chosen.sort_by_cached_key(|tx| tx.txid().to_string());
        let coinbase = chain::coinbase(self.chain.params(), height, fees, lock, &tag);
        block.transactions = std::iter::once(coinbase).chain(chosen).collect();
        block.header.merkle_root = block.merkle_root();
        self.mine_block(block)
    }

    fn mine_block(&mut self, mut block: Block) -> Result<BlockHash, RpcError> {
        let solved = chain::search(block.header, 0..=NONCES_MAX, self.chain.runner().workers, &|| true);
        block.header = solved.ok_or_else(|| RpcError::new(Code::Misc, "no nonce was found; try again"))?;
        self.take_own(block)
    }

    fn take_own(&mut self, block: Block) -> Result<BlockHash, RpcError> {
        let hash = block.header.hash();
        // Many blocks in a row run ahead of the clock, a second for each six.
        let now = self.clock.now().max(block.header.time);
        let accepted = self.accept_block_at(block, now);
        accepted.map_err(|error| RpcError::new(Code::Verify, format!("the mined block was refused: {error}")))?;
        Ok(hash)
    }

    /// Makes each coinbase, and with it each block, different from all others.
    pub(crate) fn next_tag(&mut self) -> Vec<u8> {
        self.blocks_made += 1;
        format!("bitmodel {}", self.blocks_made).into_bytes()
    }

    /// The height that a method's number means, if the active chain has it.
    pub(crate) fn active_height(&self, number: i64) -> Option<Height> {
        let height = Height::new(u32::try_from(number).ok()?);
        (height <= self.tip().entry.height).then_some(height)
    }
}
