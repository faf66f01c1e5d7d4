// Unchanged cashscript against a node: compiles two contracts, funds them, and spends them.
//
// Arguments: the node's URL, and user:password.

import { readFileSync } from 'node:fs';
import assert from 'node:assert';
import { compileString } from 'cashc';
import { BitcoinRpcNetworkProvider, Contract, SignatureTemplate, TransactionBuilder } from 'cashscript';
import { hash160, secp256k1 } from '@bitauth/libauth';

const [url, pair] = process.argv.slice(2);
const [rpcUser, ...rest] = pair.split(':');
const provider = new BitcoinRpcNetworkProvider('regtest', url, { rpcUser, rpcPassword: rest.join(':') });

async function rpc(method, ...params) {
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ id: 1, method, params }) });
  const { result, error } = await answer.json();
  assert.equal(error, null, `${method}: ${JSON.stringify(error)}`);
  return result;
}

async function fund(contract, coins) {
  await rpc('sendtoaddress', contract.address, coins);
  await rpc('generatetoaddress', 1, await rpc('getnewaddress'));
  const [utxo] = await contract.getUtxos();
  assert.equal(utxo.satoshis, BigInt(coins * 1e8));
  return utxo;
}

async function mined(txid) {
  await rpc('generatetoaddress', 1, await rpc('getnewaddress'));
  assert.equal((await rpc('getrawtransaction', txid, 1)).confirmations, 1);
}

const secret = new Uint8Array(32).fill(7);
const key = secp256k1.derivePublicKeyCompressed(secret);
const home = await rpc('getnewaddress');

// Whoever has the key takes all.
const owned = compileString(`
contract Owned(bytes20 owner) {
  function take(pubkey key, sig signature) {
    require(hash160(key) == owner);
    require(checkSig(signature, key));
  }
}`);
const first = new Contract(owned, [hash160(key)], { provider });
const one = await fund(first, 2);
const taken = await new TransactionBuilder({ provider })
  .addInput(one, first.unlock.take(key, new SignatureTemplate(secret)))
  .addOutput({ to: home, amount: one.satoshis - 1000n })
  .send();
await mined(taken.txid);

// Whoever knows the word pays half on, to the same contract; another word is refused.
const halving = compileString(`
contract Halving(bytes32 digest) {
  function halve(bytes word) {
    require(sha256(word) == digest);
    require(tx.outputs[0].lockingBytecode == tx.inputs[this.activeInputIndex].lockingBytecode);
    require(tx.outputs[0].value == tx.inputs[this.activeInputIndex].value / 2);
  }
}`);
const word = new TextEncoder().encode('open');
const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', word));
const second = new Contract(halving, [digest], { provider });
const two = await fund(second, 4);
const halve = (text) =>
  new TransactionBuilder({ provider })
    .addInput(two, second.unlock.halve(text))
    .addOutput({ to: second.address, amount: two.satoshis / 2n })
    .addOutput({ to: home, amount: two.satoshis / 2n - 1000n });
const wrong = halve(new TextEncoder().encode('shut')).build();
await assert.rejects(provider.sendRawTransaction(wrong), /mandatory-script-verify-flag-failed/);
const halved = await halve(word).send();
await mined(halved.txid);
assert.equal((await second.getUtxos())[0].satoshis, two.satoshis / 2n);
assert.equal(await provider.getRawTransaction(halved.txid), halved.hex);
assert.equal(await provider.getBlockHeight(), await rpc('getblockcount'));
console.log(`${JSON.parse(readFileSync('node_modules/cashscript/package.json')).version}: two contracts paid and spent`);
