'use strict';

// Unchanged bcash, a full node, against ours over the network of nodes: it syncs from one of ours, transactions and blocks go both
// ways, and another of ours syncs from it. Its parameters for a test chain get our genesis and rewards; its code stays as it is.
// It knows no rules after 2019, so everything here is pay-to-public-key-hash, signed by it.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const Network = require('bcash/lib/protocol/network');

const [ours, fresh, pair] = process.argv.slice(2);

async function call(url, method, ...params) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: JSON.stringify({ method, params, id: 1 }),
  });
  const { result, error } = await reply.json();
  assert.equal(error, null, `${method}: ${JSON.stringify(error)}`);
  return result;
}

async function until(what, isSo) {
  for (let tries = 0; tries < 600; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${what} does not happen`);
}

const wire = (hex) => Buffer.from(hex, 'hex').reverse();

async function freePort() {
  const server = require('node:net').createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function adopt(network) {
  const hash = await call(ours, 'getblockhash', 0);
  const header = await call(ours, 'getblockheader', hash);
  network.genesisBlock = await call(ours, 'getblock', hash, 0);
  network.genesis = {
    version: header.version,
    hash: wire(hash),
    prevBlock: Buffer.alloc(32),
    merkleRoot: wire(header.merkleroot),
    time: header.time,
    bits: parseInt(header.bits, 16),
    nonce: header.nonce,
    height: 0,
  };
  network.halvingInterval = 210000;
}

async function main() {
  const network = Network.get('regtest');
  await adopt(network);
  const { Address, FullNode, KeyRing, MTX, Coin } = require('bcash');
  const key = KeyRing.fromPrivate(Buffer.alloc(32, 7), true, network);
  const address = key.getAddress().toString(network);

  // A coinbase is old enough for us after 10 blocks and for it after 100.
  const home = await call(ours, 'getnewaddress');
  await call(ours, 'generatetoaddress', 3, home);
  await call(ours, 'generatetoaddress', 3, address);
  await call(ours, 'generatetoaddress', 600, '76a914000000000000000000000000000000000000000088ac');
  const { localaddresses } = await call(ours, 'getnetworkinfo');
  const port = await freePort();
  const node = new FullNode({
    network: 'regtest',
    memory: true,
    config: false,
    argv: false,
    env: false,
    logLevel: 'error',
    listen: true,
    host: '127.0.0.1',
    port,
    publicHost: '127.0.0.1',
    publicPort: port,
    workers: false,
    only: [`127.0.0.1:${localaddresses[0].port}`],
    coinbaseAddress: [address],
  });
  node.on('error', (error) => console.error(String(error)));
  node.http.open = async () => {};
  node.http.close = async () => {};
  await node.open();
  await node.connect();
  node.startSync();
  const tip = () => Buffer.from(node.chain.tip.hash).reverse().toString('hex');
  await until('it syncs from us', async () => tip() === (await call(ours, 'getbestblockhash')));
  assert.equal(node.chain.height, 606);

  const spend = async (height) => {
    const { txs } = await node.chain.getBlock(height);
    const mtx = new MTX();
    mtx.addCoin(Coin.fromTX(txs[0], 0, height));
    mtx.addOutput(Address.fromString(home, network), 4_999_990_000);
    mtx.sign(key);
    return mtx.toTX();
  };

  // A transaction of ours reaches it, one of its own reaches us.
  const paid = await call(ours, 'sendrawtransaction', (await spend(4)).toRaw().toString('hex'));
  await until('it hears of our transaction', () => node.mempool.hasEntry(wire(paid)));
  const tx = await spend(5);
  await node.sendTX(tx);
  await until('we hear of its transaction', async () => (await call(ours, 'getrawmempool')).includes(tx.txid()));

  // It mines both, and we follow; then we mine, and it follows.
  const block = await node.miner.mineBlock();
  assert.deepEqual(block.txs.slice(1).map((mined) => mined.txid()).sort(), [paid, tx.txid()].sort());
  assert.ok(await node.chain.add(block));
  await until('we follow it', async () => tip() === (await call(ours, 'getbestblockhash')));
  assert.equal(await call(ours, 'getblockcount'), 607);
  assert.equal((await call(ours, 'getrawtransaction', tx.txid(), 1)).confirmations, 1);
  await call(ours, 'generatetoaddress', 5, home);
  await until('it follows us', async () => tip() === (await call(ours, 'getbestblockhash')));

  // Another of ours gets the whole chain from it alone.
  await call(fresh, 'addnode', `127.0.0.1:${port}`, 'add');
  await until('another follows it', async () => tip() === (await call(fresh, 'getbestblockhash')));
  const coins = async (url) => (await call(url, 'gettxoutsetinfo')).hash_serialized_3;
  assert.equal(await coins(fresh), await coins(ours));
  const { version } = require('bcash/package.json');
  console.log(`${version}: ${node.chain.height} blocks and two transactions, both ways`);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
