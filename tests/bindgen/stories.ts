// What the generated clients do on a devnet. Arguments: the node's URL, and user:password.

import { Accounts, ClientError, Node, Refused, TextToImage } from './text_to_image.js';
import * as kinds from './kinds.js';
import * as vaults from './vault.js';

declare const process: { argv: string[] };

function same<T>(one: T, other: T, what: string): void {
  const text = (value: T): string => JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  if (text(one) !== text(other)) throw new Error(`${what}: ${text(one)} is not ${text(other)}`);
}

/** What a promise fails with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it does not fail');
}

function said(error: unknown): string | undefined {
  if (error instanceof Refused || error instanceof vaults.Refused || error instanceof kinds.Refused) return error.author?.message;
  throw error;
}

const [, , url = '', credentials = ''] = process.argv;

async function reward(): Promise<void> {
  const accounts = new Accounts();
  const node = new Node(url, credentials);
  const alice = accounts.key(0);
  const lock = (index: number): Uint8Array => accounts.key(50 + index).lock;
  const reward = new TextToImage({
    databases: lock(0),
    compute: lock(1),
    modelsDiffusion: lock(2),
    modelsTransformer: lock(3),
    modelsAutoencoder: lock(4),
    researchers: lock(5),
    infrastructure: lock(6),
  });
  await reward.publish(node, alice, 100_000_000n);

  // A unit more than the contract allows is no settlement.
  same((await failure(reward.settle(node, 1_001n))) instanceof ClientError, true, 'a fee above the greatest');
  // Whoever builds another transaction is told which check it breaks.
  const shares = reward.divide(99_999_000n);
  const [first] = await reward.coins(node);
  if (first === undefined) throw new Error('it holds a coin');
  const cheat = reward.spend.settle({ fee: 1_000n }).coin(first).pay(alice.lock, first.output.valueSatoshis - 1_000n);
  same(said(await failure(cheat.send(node))), 'the transaction has exactly 7 outputs, one for each source of `TextToImage`', 'six outputs too few');

  const [settled] = await reward.settle(node, 1_000n);
  if (settled === undefined) throw new Error('it settles');
  same(settled.shares.map((share) => share.value), shares.map((share) => share.value), 'everybody gets a share');
  same(settled.shares.map((share) => share.value), [29_999_700n, 24_999_750n, 9_999_900n, 5_999_940n, 3_999_960n, 14_999_850n, 9_999_900n], 'to the unit');
  const [paid] = await node.coins(lock(5));
  same(paid?.output.valueSatoshis, 14_999_850n, 'researchers take what rounding leaves');

  // Two coins together cost more than the contract allows, so they are settled one by one.
  await reward.pay(node, alice, 60_000_000n);
  await reward.pay(node, alice, 40_000_000n);
  const both = await failure(reward.settle(node));
  same(both instanceof ClientError && both.message.includes('at most 1000'), true, 'both at once');
  for (const coin of await reward.coins(node)) await reward.settleCoins(node, [coin]);
  same((await reward.coins(node)).length, 0, 'nothing is left');
}

async function vault(): Promise<void> {
  const { Accounts, Node, Vault } = vaults;
  const accounts = new Accounts();
  const node = new Node(url, credentials);
  const [hot, cold, friend] = [accounts.key(0), accounts.key(1), accounts.key(60)];
  const goal = await sha256(friend.lock);

  const vault = new Vault({ hot: hot.publicKey, cold: cold.publicKey, delay: 3n });
  await vault.create(node, hot, 1_000_000n, { leaving: false, to: goal });
  const [coin] = await vault.coins(node);
  if (coin === undefined) throw new Error('it holds a coin');
  same(coin.state.leaving, false, 'nothing is announced');

  // The cold key cannot announce, and the node says so in the author's words.
  const next = vault.next(coin, 1_000_000n, { leaving: true, to: goal });
  const wrong = vault.spend.announce({ to: goal, sig: cold }).output(next).payer(hot);
  const refusal = await failure(wrong.send(node));
  same(said(refusal), 'the hot key must sign', 'another key');
  same(refusal instanceof vaults.Refused && refusal.author?.line, 15, 'the line of the source');

  await vault.spend.announce({ to: goal, sig: hot }).output(next).payer(hot).send(node);
  const [announced] = await vault.coins(node);
  same(announced?.state.leaving, true, 'it is announced');

  // Taken back by the other algorithm, and announced again.
  const back = vault.next(coin, 1_000_000n, { leaving: false, to: goal });
  await vault.spend.revoke({ sig: { key: cold, algorithm: 'ecdsa' } }).output(back).payer(cold).send(node);
  await vault.spend.announce({ to: goal, sig: hot }).output(next).payer(hot).send(node);

  await node.call('generatetoaddress', 3, '6a');
  const early = vault.spend.leave().pay(friend.lock, 1_000_000n).payer(hot).sequence(2);
  same(said(await failure(early.send(node))), 'the delay is not over', 'an age of two blocks');
  await vault.spend.leave().pay(friend.lock, 1_000_000n).payer(hot).send(node);
  const [left] = await node.coins(friend.lock);
  same(left?.output.valueSatoshis, 1_000_000n, 'the money has left');
  same((await vault.coins(node)).length, 0, 'the vault is no more');
}

async function everyKind(): Promise<Uint8Array> {
  const { Accounts, Joint, Kinds, Node, Sale, Word } = kinds;
  const accounts = new Accounts();
  const node = new Node(url, credentials);
  const [alice, bob, carol, friend] = [accounts.key(0), accounts.key(1), accounts.key(2), accounts.key(61)];
  const payees = [
    { to: accounts.key(50).publicHash, amount: 30_000n },
    { to: accounts.key(51).publicHash, amount: 40_000n },
  ];
  const mine = new Kinds({
    key: alice.publicKey,
    order: { kind: 'Raise', data: [7n] },
    pair: [300n, true],
    grid: [1n, -3n, 2n],
    type: 7n,
    since: 1_800_000_000n,
    age: 1_024n,
    word: new TextEncoder().encode('word'),
    mark: Uint8Array.of(1, 2, 3, 4),
    payees,
  });
  await mine.register(node);
  await mine.pay(node, alice, 100_000n);
  const act = (order: kinds.Order): kinds.Spend<null> =>
    mine.spend.act({ orderNow: order, sigs: [alice, { key: alice, algorithm: 'ecdsa' }] }).pay(friend.lock, 95_000n);
  same(said(await failure(act({ kind: 'Split', first: 7n, kind2: 0n }).send(node))), 'another order', 'another order');
  await act({ kind: 'Raise', data: [7n] }).send(node);
  await mine.pay(node, alice, 71_000n);
  const [first, second] = [accounts.key(50).lock, accounts.key(51).lock];
  await mine.spend.pay({ sig: alice, fee: 1_000n }).pay(first, 30_000n).pay(second, 40_000n).send(node);

  const joint = new Joint({ a: alice.publicKey, b: bob.publicKey, c: carol.publicKey });
  await joint.pay(node, alice, 50_000n);
  await joint.spend.take({ sigs: [carol, alice] }).pay(friend.lock, 45_000n).send(node);

  const word = new Word({ digest: await sha256(new Uint8Array(32).fill(9)) });
  same(word.address(), undefined, 'its coins hold the script');
  await word.register(node);
  await word.pay(node, alice, 50_000n);
  const wrong = word.spend.say({ word: new Uint8Array(32).fill(8) }).pay(friend.lock, 45_000n);
  same(said(await failure(wrong.send(node))), 'another word', 'another word');
  await word.spend.say({ word: new Uint8Array(32).fill(9) }).pay(friend.lock, 45_000n).send(node);

  const sale = new Sale({ seller: alice.publicKey, least: 1_000n });
  const open: kinds.SaleState = { phase: { kind: 'Open' }, count: 0n, grid: [5n, -5n] };
  await sale.create(node, alice, 10_000n, open);
  const [coin] = await sale.coins(node);
  if (coin === undefined) throw new Error('it holds a coin');
  same(coin.state, open, 'what it begins with');
  const who = new Uint8Array(20).fill(7);
  const bid: kinds.SaleState = { ...open, phase: { kind: 'Bid', data: [2_000n, who] }, count: 1n };
  await sale.spend.bid({ amount: 2_000n, who }).output(sale.next(coin, 10_000n, bid)).payer(bob).send(node);
  const [after] = await sale.coins(node);
  same(after?.state, bid, 'what it says now');
  return mine.lock;
}

async function sha256(data: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(data)));
}

await reward();
await vault();
const lock = [...(await everyKind())].map((byte) => byte.toString(16).padStart(2, '0')).join('');
console.log(`three clients: paid, refused, settled, announced, left, and of every kind ${lock}`);
