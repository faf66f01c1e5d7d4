// ---------------------------------------------------------------------------------------------------------------------
// What every client begins with: values, scripts, transactions, signatures and a node.
// ---------------------------------------------------------------------------------------------------------------------

import {
  binToHex,
  cashAddressToLockingBytecode,
  deriveHdPath,
  deriveHdPrivateNodeFromSeed,
  deriveSeedFromBip39Mnemonic,
  encodeTransaction,
  encodeTransactionOutput,
  generateSigningSerializationBch,
  hash160,
  hash256,
  hashTransaction,
  hexToBin,
  lockingBytecodeToCashAddress,
  secp256k1,
  sha256,
} from '@bitauth/libauth';
import type { Input, Output, TransactionCommon } from '@bitauth/libauth';

/** Bytes of any kind. */
export type Bytes = Uint8Array;

/** How numbers and other values lie on the stack, in holes and in commitments. */
export type Ty =
  | { kind: 'number'; size: number }
  | { kind: 'bool' }
  | { kind: 'bytes'; size?: number }
  | { kind: 'sig' }
  | { kind: 'sigs'; count: number }
  | { kind: 'tuple'; parts: Ty[] }
  | { kind: 'array' | 'table'; of: Ty; count: number }
  | { kind: 'struct' | 'list'; fields: [string, Ty][] }
  | { kind: 'option'; of: Ty }
  | { kind: 'enum'; variants: { name: string; fields: [string, Ty][]; named: boolean }[] };

/** A mistake of whoever uses the client, or something that stands in the way. */
export class ClientError extends Error {}

/** The place and the words of a check in a contract that failed. */
export interface Author {
  contract: string;
  message: string;
  file: string;
  line: number;
}

/** The node's refusal. */
export class Refused extends ClientError {
  /** The kind of refusal, as bitcoind counts them. */
  readonly code: number;
  /** What the contract's author says, if it was a check that failed. */
  readonly author: Author | undefined;

  constructor(code: number, message: string, author?: Author) {
    super(message);
    this.code = code;
    this.author = author;
  }
}

// What a client reads of an artifact.

interface Slot {
  name: string;
  type: unknown;
}

interface Span {
  file: number;
  line: number;
}

type Unlock = { arg: number } | { leaf: [number, number] } | { int: number };
type Bound = { int: number } | { param: number } | { arg: number } | 'computed';
type Part = { bytes: string } | { param: number };
type Piece = { code: string } | { param: number } | { push: Part[] };

interface SpendPath {
  name: string;
  args: Slot[];
  unlock: Unlock[];
  route?: { otherwise?: { message: string; span: Span } }[];
  time?: { locktime?: Bound[]; sequence?: Bound[] };
}

interface Source {
  name: string;
  param: number;
  weight: number;
  rank: number;
}

interface Artifact {
  contract: string;
  locking?: 'p2s' | 'p2sh32';
  sources: { path: string }[];
  params: Slot[];
  sealed?: { param: number; value: unknown }[];
  derived?: { param: number; contract: string; args: ({ param: number } | { const: unknown })[] }[];
  state?: { length: number };
  paths: SpendPath[];
  bytecode: Piece[];
  requires: { message: string; span: Span }[];
  functions?: { requires: { message: string; span: Span }[] }[];
  reward?: { denominator: number; minimum_sats: number; fee_sats_max: number; sources: Source[]; list?: unknown };
}

// Bytes and numbers.

function concat(parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function equal(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** The shortest bytes of a number, its sign in the highest bit. */
function encodeNumber(n: bigint): Bytes {
  const bytes: number[] = [];
  for (let rest = n < 0n ? -n : n; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn));
  const last = bytes.length - 1;
  if (last >= 0 && ((bytes[last] ?? 0) & 0x80) !== 0) bytes.push(0);
  if (n < 0n) bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80;
  return Uint8Array.from(bytes);
}

function sizedNumber(n: bigint, size: number): Bytes {
  const short = encodeNumber(n);
  if (short.length > size) throw new ClientError(`${n} does not fit into ${size} bytes`);
  if (short.length === size) return short;
  const bytes = new Uint8Array(size);
  bytes.set(short);
  const last = short.length - 1;
  if (n < 0n && last >= 0) {
    bytes[last] = (bytes[last] ?? 0) & 0x7f;
    bytes[size - 1] = 0x80;
  }
  return bytes;
}

function decodeNumber(bytes: Bytes): bigint {
  let n = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0;
    n = (n << 8n) | BigInt(at === bytes.length - 1 ? byte & 0x7f : byte);
  }
  return ((bytes[bytes.length - 1] ?? 0) & 0x80) !== 0 ? -n : n;
}

/** The shortest push of an item. */
function push(item: Bytes): Bytes {
  const [first] = item;
  if (first === undefined) return Uint8Array.of(0);
  if (item.length === 1 && first >= 1 && first <= 16) return Uint8Array.of(0x50 + first);
  if (item.length === 1 && first === 0x81) return Uint8Array.of(0x4f);
  const length = item.length;
  if (length <= 75) return concat([Uint8Array.of(length), item]);
  if (length <= 0xff) return concat([Uint8Array.of(0x4c, length), item]);
  if (length <= 0xffff) return concat([Uint8Array.of(0x4d, length & 0xff, length >> 8), item]);
  const bytes = [0, 8, 16, 24].map((shift) => (length >>> shift) & 0xff);
  return concat([Uint8Array.of(0x4e, ...bytes), item]);
}

// Values.

/** A value of any type. */
type Value = unknown;
/** Values by the names that the source gives them. */
type Values = Record<string, Value>;

const misfit = (name: string): ClientError => new ClientError(`\`${name}\` is given no value of its type`);

function number(name: string, value: Value): bigint {
  if (typeof value === 'bigint') return value;
  throw misfit(name);
}

function bytes(name: string, value: Value, size?: number): Bytes {
  if (value instanceof Uint8Array && (size === undefined || value.length === size)) return value;
  throw misfit(name);
}

function list(name: string, value: Value, count?: number): Value[] {
  if (Array.isArray(value) && (count === undefined || value.length === count)) return value;
  throw misfit(name);
}

function field(name: string, value: Value, key: string): Value {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) return (value as Values)[key];
  throw misfit(name);
}

/** The place of a variant, and its data. */
function variant(name: string, ty: Ty & { kind: 'enum' }, value: Value): [number, [Ty, Value][]] {
  const kind = field(name, value, 'kind');
  const place = ty.variants.findIndex((one) => one.name === kind);
  const chosen = ty.variants[place];
  if (chosen === undefined) throw misfit(name);
  if (chosen.named) return [place, chosen.fields.map(([key, of]) => [of, field(name, value, key)])];
  const data = chosen.fields.length === 0 ? [] : list(name, field(name, value, 'data'), chosen.fields.length);
  return [place, chosen.fields.map(([, of], at) => [of, data[at]])];
}

/** The types of a composite's parts, and their values. */
function partsOf(name: string, ty: Ty, value: Value): [Ty, Value][] | undefined {
  switch (ty.kind) {
    case 'tuple': {
      const parts = list(name, value, ty.parts.length);
      return ty.parts.map((of, at) => [of, parts[at]]);
    }
    case 'array':
    case 'table':
      return list(name, value, ty.count).map((part) => [ty.of, part]);
    case 'struct':
      return ty.fields.map(([key, of]) => [of, field(name, value, key)]);
    default:
      return undefined;
  }
}

/** How many items a value takes on the stack. */
function leafCount(ty: Ty): number {
  const sum = (types: Ty[]): number => types.reduce((count, of) => count + leafCount(of), 0);
  switch (ty.kind) {
    case 'sigs':
      return ty.count + 1;
    case 'tuple':
      return sum(ty.parts);
    case 'array':
      return ty.count * leafCount(ty.of);
    case 'struct':
      return sum(ty.fields.map(([, of]) => of));
    case 'option':
      return 1 + leafCount(ty.of);
    case 'enum':
      return 1 + Math.max(0, ...ty.variants.map((one) => sum(one.fields.map(([, of]) => of))));
    default:
      return 1;
  }
}

/** How many bytes a value takes where it is stored. */
function storedLength(ty: Ty): number {
  const sum = (types: Ty[]): number => types.reduce((length, of) => length + storedLength(of), 0);
  switch (ty.kind) {
    case 'number':
      return ty.size;
    case 'bool':
      return 1;
    case 'bytes':
      if (ty.size !== undefined) return ty.size;
      break;
    case 'tuple':
      return sum(ty.parts);
    case 'array':
    case 'table':
      return ty.count * storedLength(ty.of);
    case 'struct':
      return sum(ty.fields.map(([, of]) => of));
    case 'option':
      return 1 + storedLength(ty.of);
    case 'enum':
      return 1 + Math.max(0, ...ty.variants.map((one) => sum(one.fields.map(([, of]) => of))));
    default:
  }
  throw new ClientError('values of this type have no one length');
}

/** The items of a value as they lie on the stack. */
function items(name: string, ty: Ty, value: Value, sign: (by: Signature | Signer[]) => Bytes[]): Bytes[] {
  const filled = (place: number, parts: [Ty, Value][]): Bytes[] => {
    const all = [encodeNumber(BigInt(place)), ...parts.flatMap(([of, part]) => items(name, of, part, sign))];
    while (all.length < leafCount(ty)) all.push(new Uint8Array());
    return all;
  };
  switch (ty.kind) {
    case 'number': {
      const n = number(name, value);
      sizedNumber(n, Math.max(ty.size, 8));
      return [encodeNumber(n)];
    }
    case 'bool':
      if (typeof value !== 'boolean') throw misfit(name);
      return [value ? Uint8Array.of(1) : new Uint8Array()];
    case 'bytes':
      return [bytes(name, value, ty.size)];
    case 'table':
      return [stored(name, ty, value)];
    case 'sig':
      return value instanceof Uint8Array ? [value] : sign(value as Signature);
    case 'sigs':
      return sign(list(name, value, ty.count) as Signer[]);
    case 'option':
      return value === null ? filled(0, []) : filled(1, [[ty.of, value]]);
    case 'enum':
      return filled(...variant(name, ty, value));
    case 'list':
      return [listHash(name, ty, value)];
    default:
      return (partsOf(name, ty, value) ?? []).flatMap(([of, part]) => items(name, of, part, sign));
  }
}

/** The bytes of a value where it is stored. */
function stored(name: string, ty: Ty, value: Value): Bytes {
  const filled = (place: number, parts: [Ty, Value][]): Bytes => {
    const whole = new Uint8Array(storedLength(ty));
    whole.set(concat([Uint8Array.of(place), ...parts.map(([of, part]) => stored(name, of, part))]));
    return whole;
  };
  switch (ty.kind) {
    case 'number':
      return sizedNumber(number(name, value), ty.size);
    case 'bool':
      if (typeof value !== 'boolean') throw misfit(name);
      return Uint8Array.of(value ? 1 : 0);
    case 'bytes':
      return bytes(name, value, ty.size);
    case 'option':
      return value === null ? filled(0, []) : filled(1, [[ty.of, value]]);
    case 'enum':
      return filled(...variant(name, ty, value));
    case 'tuple':
    case 'array':
    case 'table':
    case 'struct':
      return concat((partsOf(name, ty, value) ?? []).map(([of, part]) => stored(name, of, part)));
    default:
      throw misfit(name);
  }
}

/** The hash that stands for the records of a list. */
function listHash(name: string, ty: Ty & { kind: 'struct' | 'list' }, value: Value): Bytes {
  const record = (one: Value): Bytes => concat(ty.fields.map(([key, of]) => stored(name, of, field(name, one, key))));
  const chain = (hash: Bytes, one: Value): Bytes => sha256.hash(concat([hash, record(one)]));
  return list(name, value).reduce<Bytes>(chain, hash256(new Uint8Array()));
}

/** The value that bytes store. */
function loaded(ty: Ty, whole: Bytes): Value {
  let at = 0;
  const next = (types: Ty[]): Value[] =>
    types.map((of) => {
      const length = storedLength(of);
      at += length;
      return loaded(of, whole.subarray(at - length, at));
    });
  switch (ty.kind) {
    case 'number':
      return decodeNumber(whole);
    case 'bool':
      return whole[0] === 1;
    case 'tuple':
      return next(ty.parts);
    case 'array':
    case 'table':
      return next(Array.from({ length: ty.count }, () => ty.of));
    case 'struct': {
      const parts = next(ty.fields.map(([, of]) => of));
      return Object.fromEntries(ty.fields.map(([key], place) => [key, parts[place]]));
    }
    case 'option':
      at = 1;
      return whole[0] === 1 ? next([ty.of])[0] : null;
    case 'enum': {
      at = 1;
      const chosen = ty.variants[whole[0] ?? 0];
      if (chosen === undefined) throw new ClientError('the state is none of the contract');
      const parts = next(chosen.fields.map(([, of]) => of));
      if (!chosen.named) return { kind: chosen.name, ...(parts.length === 0 ? {} : { data: parts }) };
      return { kind: chosen.name, ...Object.fromEntries(chosen.fields.map(([key], place) => [key, parts[place]])) };
    }
    default:
      return Uint8Array.from(whole);
  }
}

// Keys.

/** How a key signs. */
export type Algorithm = 'schnorr' | 'ecdsa';

/** A private key and its public key. */
export class Key {
  readonly publicKey: Bytes;
  readonly #secret: Bytes;

  constructor(secret: Bytes) {
    const publicKey = secp256k1.derivePublicKeyCompressed(secret);
    if (typeof publicKey === 'string') throw new ClientError(publicKey);
    this.publicKey = publicKey;
    this.#secret = secret;
  }

  /** The hash of the public key. */
  get publicHash(): Bytes {
    return hash160(this.publicKey);
  }

  /** The lock that pays to the key. */
  get lock(): Bytes {
    return concat([Uint8Array.of(0x76, 0xa9, 0x14), this.publicHash, Uint8Array.of(0x88, 0xac)]);
  }

  /** Signs the 32 bytes of a digest. */
  sign(digest: Bytes, algorithm: Algorithm = 'schnorr'): Bytes {
    const by = algorithm === 'schnorr' ? secp256k1.signMessageHashSchnorr : secp256k1.signMessageHashDER;
    const signature = by(this.#secret, digest);
    if (typeof signature === 'string') throw new ClientError(signature);
    return signature;
  }

  /** A signature over data. */
  attest(message: Bytes): Bytes {
    return this.sign(sha256.hash(message));
  }
}

/** Who signs the transaction: a key, a key and its algorithm, or a signature that was made elsewhere. */
export type Signature = Key | { key: Key; algorithm: Algorithm } | Bytes;
/** Who signs a multisig: a key, and its place among all keys where the script does not show them. */
export type Signer = Key | { key: Key; position: number };

/** Keys from a phrase, as wallets of test networks derive them. */
export class Accounts {
  readonly #seed: Bytes;

  constructor(phrase = 'test test test test test test test test test test test junk') {
    this.#seed = deriveSeedFromBip39Mnemonic(phrase);
  }

  /** The key of this number. */
  key(index: number): Key {
    const node = deriveHdPath(deriveHdPrivateNodeFromSeed(this.#seed), `m/44'/1'/0'/0/${index}`);
    return new Key(node.privateKey);
  }
}

/** The lock that an address pays to. */
export function lockOf(address: string): Bytes {
  const decoded = cashAddressToLockingBytecode(address);
  if (typeof decoded === 'string') throw new ClientError(`\`${address}\` is no address: ${decoded}`);
  return decoded.bytecode;
}

// The node.

/** A coin: an output that nothing has spent. */
export interface Utxo {
  txid: string;
  index: number;
  output: Output;
}

/** What the world answers to a request; `fetch` is one. */
export type Fetch = (
  url: string,
  request: { method: string; headers: Record<string, string>; body: string },
) => Promise<{ status: number; text: () => Promise<string> }>;

/** A node that is asked over JSON-RPC. */
export class Node {
  readonly #url: string;
  readonly #credentials: string;
  readonly #fetch: Fetch;

  /** The node at `url`, with credentials of the form `user:password`. */
  constructor(url: string, credentials: string, by: Fetch = fetch) {
    this.#url = url;
    this.#credentials = btoa(credentials);
    this.#fetch = by;
  }

  /** Calls a method. */
  async call(method: string, ...params: unknown[]): Promise<unknown> {
    const headers = { authorization: `Basic ${this.#credentials}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ id: 1, method, params });
    const answer = await this.#fetch(this.#url, { method: 'POST', headers, body });
    if (answer.status === 401) throw new ClientError('the node does not accept the credentials');
    const { result, error } = JSON.parse(await answer.text()) as {
      result: unknown;
      error?: { code: number; message: string } | null;
    };
    if (error) throw new Refused(error.code, error.message);
    return result;
  }

  /** The coins of a lock, unconfirmed ones included. */
  async coins(lock: Bytes): Promise<Utxo[]> {
    const rows = (await this.call('listunspent', 0, 9_999_999, [binToHex(lock)])) as Row[];
    return rows.map(coinOf);
  }

  /** Sends a transaction. */
  async send(transaction: TransactionCommon): Promise<string> {
    return (await this.call('sendrawtransaction', binToHex(encodeTransaction(transaction)))) as string;
  }
}

interface Row {
  txid: string;
  vout: number;
  amount: number;
  scriptPubKey: string;
  tokenData?: {
    category: string;
    amount: string;
    nft?: { capability: 'none' | 'mutable' | 'minting'; commitment: string };
  } | null;
}

function coinOf(row: Row): Utxo {
  const valueSatoshis = BigInt(row.amount.toFixed(8).replace('.', ''));
  const output: Output = { lockingBytecode: hexToBin(row.scriptPubKey), valueSatoshis };
  const token = row.tokenData;
  if (token) {
    const nft = token.nft && { capability: token.nft.capability, commitment: hexToBin(token.nft.commitment) };
    output.token = { amount: BigInt(token.amount), category: hexToBin(token.category), ...(nft ? { nft } : {}) };
  }
  return { txid: row.txid, index: row.vout, output };
}

// Transactions.

/** A signed transaction. */
export interface Built {
  transaction: TransactionCommon;
  txid: string;
  /** What is left to the miner. */
  fee: bigint;
}

const SEQUENCE_FINAL = 0xffffffff;
const SEQUENCE_LOCKTIME = 0xfffffffe;
/** Every output and every input, with the fork id. */
const SIGHASH_ALL = 0x41;
/** A remainder above this is surely not meant for the miner. */
const FEE_MAX = 100_000n;
/** The first lock time that is a time and no height. */
const FIRST_TIME = 500_000_000n;
const AGE_IN_SECONDS = 1n << 22n;
/** The most bytes of a transaction that nodes pass on. */
const STANDARD_BYTES_MAX = 100_000;
/** The bytes that unlock a key's coin. */
const KEY_UNLOCK_BYTES = 1 + 65 + 1 + 33;

interface Spent {
  coin: Utxo;
  sequence: number;
  /** The unlocking bytecode, where `sign` makes signatures. */
  unlock: (sign: (key: Key, algorithm: Algorithm) => Bytes) => Bytes;
  /** What its signatures cover instead of the unlocking bytecode. */
  code: Bytes;
}

interface Draft {
  inputs: Spent[];
  outputs: Output[];
  locktime: number;
}

function sizeOf(n: number): number {
  return n < 0xfd ? 1 : n <= 0xffff ? 3 : 5;
}

/** A signature of the greatest length there is. */
function placeholder(_: Key, algorithm: Algorithm): Bytes {
  return new Uint8Array(algorithm === 'schnorr' ? 65 : 72);
}

function outputBytes(output: Output): number {
  return encodeTransactionOutput(output).length;
}

function inputBytes(input: Spent): number {
  const unlock = input.unlock(placeholder).length;
  return 40 + sizeOf(unlock) + unlock;
}

function bytesOf(draft: Draft): number {
  const inputs = draft.inputs.reduce((sum, input) => sum + inputBytes(input), 0);
  const outputs = draft.outputs.reduce((sum, output) => sum + outputBytes(output), 0);
  return 8 + sizeOf(draft.inputs.length) + sizeOf(draft.outputs.length) + inputs + outputs;
}

/** The least value that nodes accept on an output. */
function dust(output: Output): bigint {
  return output.lockingBytecode[0] === 0x6a ? 0n : BigInt(3 * (outputBytes(output) + 148));
}

function total(outputs: Output[]): bigint {
  return outputs.reduce((sum, output) => sum + output.valueSatoshis, 0n);
}

function brought(draft: Draft): bigint {
  return total(draft.inputs.map((input) => input.coin.output));
}

function refuseDust(outputs: Output[]): void {
  for (const [index, output] of outputs.entries()) {
    const least = dust(output);
    if (output.valueSatoshis < least) {
      throw new ClientError(`output ${index} of ${output.valueSatoshis} sats is dust: its lock needs ${least}`);
    }
  }
}

/** The input that spends a coin of a key. */
function ofKey(key: Key, coin: Utxo, sequence: number): Spent {
  const unlock: Spent['unlock'] = (sign) => concat([push(sign(key, 'schnorr')), push(key.publicKey)]);
  return { coin, sequence, unlock, code: coin.output.lockingBytecode };
}

/** Adds coins of `payer` until outputs and fee are paid, the largest first, and change where it is worth an output. */
function fund(draft: Draft, sequence: number, payer: Key | undefined, coins: Utxo[], change: Bytes): Draft {
  refuseDust(draft.outputs);
  const order = (one: Utxo, other: Utxo): number =>
    one.output.valueSatoshis > other.output.valueSatoshis ? -1 : one.output.valueSatoshis < other.output.valueSatoshis ? 1 : 0;
  const rest = coins.filter((coin) => coin.output.token === undefined).sort(order);
  const inputs = [...draft.inputs];
  for (;;) {
    const bare = { ...draft, inputs };
    const spare = brought(bare) - total(draft.outputs);
    if (spare >= BigInt(bytesOf(bare))) {
      const back: Output = { lockingBytecode: change, valueSatoshis: 0n };
      const whole = { ...bare, outputs: [...draft.outputs, back] };
      back.valueSatoshis = spare - BigInt(bytesOf(whole));
      return back.valueSatoshis >= dust(back) ? whole : bare;
    }
    const coin = rest.shift();
    if (payer === undefined || coin === undefined || bytesOf(bare) + KEY_UNLOCK_BYTES + 41 > STANDARD_BYTES_MAX) {
      const need = total(draft.outputs) + BigInt(bytesOf(bare));
      throw new ClientError(`the coins at hand hold ${brought(bare)} sats, and ${need} are needed, fee included`);
    }
    inputs.push(ofKey(payer, coin, sequence));
  }
}

/** Signs a transaction whose inputs and outputs are final. */
function signed(draft: Draft): Built {
  refuseDust(draft.outputs);
  const fee = brought(draft) - total(draft.outputs);
  if (fee < 0n) throw new ClientError(`the outputs take ${-fee} sats more than the inputs bring`);
  const inputs: Input[] = draft.inputs.map(({ coin, sequence }) => ({
    outpointIndex: coin.index,
    outpointTransactionHash: hexToBin(coin.txid),
    sequenceNumber: sequence,
    unlockingBytecode: new Uint8Array(),
  }));
  const transaction: TransactionCommon = { inputs, locktime: draft.locktime, outputs: draft.outputs, version: 2 };
  const sourceOutputs = draft.inputs.map((input) => input.coin.output);
  const unlocks = draft.inputs.map((input, inputIndex) => {
    const context = { inputIndex, sourceOutputs, transaction };
    const covered = { coveredBytecode: input.code, signingSerializationType: Uint8Array.of(SIGHASH_ALL) };
    const digest = (): Bytes => hash256(generateSigningSerializationBch(context, covered));
    return input.unlock((key, algorithm) => concat([key.sign(digest(), algorithm), Uint8Array.of(SIGHASH_ALL)]));
  });
  const whole = {
    ...transaction,
    inputs: inputs.map((input, at) => ({ ...input, unlockingBytecode: unlocks[at] ?? new Uint8Array() })),
  };
  return { transaction: whole, txid: hashTransaction(encodeTransaction(whole)), fee };
}

/** The keys that a multisig in a script shows, `<key>.. <count> OP_CHECKMULTISIG`: those of the first that has all of `wanted`. */
function multisigKeys(script: Bytes, wanted: Bytes[]): Bytes[] | undefined {
  const steps: { opcode: number; data?: Bytes }[] = [];
  for (let at = 0; at < script.length; ) {
    const opcode = script[at] ?? 0;
    const width = opcode === 0x4c ? 1 : opcode === 0x4d ? 2 : opcode === 0x4e ? 4 : 0;
    const prefix = script.subarray(at + 1, at + 1 + width);
    const length = opcode <= 75 ? opcode : Number([...prefix].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
    const begin = at + 1 + width;
    at = begin + length;
    steps.push(opcode <= 78 ? { opcode, data: script.subarray(begin, at) } : { opcode });
    if (opcode !== 0xae && opcode !== 0xaf) continue;
    const count = (steps[steps.length - 2]?.opcode ?? 0) - 0x50;
    const keys = count > 0 ? steps.slice(-2 - count, -2).map((step) => step.data ?? new Uint8Array()) : [];
    if (keys.length === count && wanted.every((key) => keys.some((known) => equal(known, key)))) return keys;
  }
  return undefined;
}

/** The bit field that names the signing keys, and their signatures in the keys' order. */
function multisig(script: Bytes, signers: Signer[], sign: (key: Key, algorithm: Algorithm) => Bytes): Bytes[] {
  const all = signers.map((signer) => (signer instanceof Key ? { key: signer, position: undefined } : signer));
  const keys = multisigKeys(script, all.map(({ key }) => key.publicKey));
  const placed = all.map(({ key, position }) => {
    const at = position ?? keys?.findIndex((known) => equal(known, key.publicKey)) ?? -1;
    if (at < 0) throw new ClientError('the script does not show the keys of the multisig: say their places');
    return { key, at };
  });
  placed.sort((one, other) => one.at - other.at);
  const count = Math.max(keys?.length ?? 0, ...placed.map(({ at }) => at + 1));
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (const { at } of placed) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  if (new Set(placed.map(({ at }) => at)).size !== placed.length) throw new ClientError('a key signs twice');
  return [bits, ...placed.map(({ key }) => sign(key, 'schnorr'))];
}

// Contracts.

/** The types of what a contract takes and says. */
interface Types {
  params: Map<string, Ty>;
  paths: Map<string, Map<string, Ty>>;
  state?: Ty;
}

/** A coin of a contract, and what it says. */
export interface Coin<State> extends Utxo {
  state: State;
}

/** What a recipient gets from a settlement. */
export interface Share {
  name: string;
  lock: Bytes;
  value: bigint;
}

/** Settlements: their transactions, and who gets what. */
export interface Settled extends Built {
  shares: Share[];
}

const unsigned = (): Bytes[] => {
  throw new ClientError('a signature is made only where a coin is spent');
};

/** The holes of a contract that other contracts fill. */
function holesOf(contract: string, values: Values): { artifact: Artifact; leaves: (Bytes | undefined)[] } {
  const artifact = ARTIFACTS.find((one) => one.contract === contract);
  const types = TYPES.get(contract);
  if (artifact === undefined || types === undefined) throw new ClientError(`the client has no contract \`${contract}\``);
  const filled: (Bytes[] | undefined)[] = artifact.params.map(({ name }) => {
    const ty = types.params.get(name);
    return ty !== undefined && Object.hasOwn(values, name) ? items(name, ty, values[name], unsigned) : undefined;
  });
  for (const { param, value } of artifact.sealed ?? []) filled[param] = itemsIn(value);
  for (const { param, contract: other, args } of artifact.derived ?? []) {
    const given = args.map((arg) => ('param' in arg ? filled[arg.param] : itemsIn(arg.const)));
    filled[param] = [lockFilled(other, given)];
  }
  return { artifact, leaves: leavesOf(artifact, types, filled) };
}

function leavesOf(artifact: Artifact, types: Types, filled: (Bytes[] | undefined)[]): (Bytes | undefined)[] {
  return artifact.params.flatMap(({ name }, at) => {
    const ty = types.params.get(name);
    const count = ty === undefined ? 1 : leafCount(ty);
    return filled[at] ?? Array.from({ length: count }, () => undefined);
  });
}

/** The lock of a contract whose declared parameters have these items. */
function lockFilled(contract: string, given: (Bytes[] | undefined)[]): Bytes {
  const artifact = ARTIFACTS.find((one) => one.contract === contract);
  const types = TYPES.get(contract);
  if (artifact === undefined || types === undefined) throw new ClientError(`the client has no contract \`${contract}\``);
  const computed = new Set((artifact.derived ?? []).map(({ param }) => param));
  const declared = artifact.params.map((_, at) => at).filter((at) => !computed.has(at));
  const filled: (Bytes[] | undefined)[] = artifact.params.map(() => undefined);
  declared.forEach((at, place) => (filled[at] = given[place]));
  for (const { param, contract: other, args } of artifact.derived ?? []) {
    filled[param] = [lockFilled(other, args.map((arg) => ('param' in arg ? filled[arg.param] : itemsIn(arg.const))))];
  }
  return lockFor(artifact, scriptOf(artifact, leavesOf(artifact, types, filled)));
}

function itemsIn(value: unknown): Bytes[] {
  if (typeof value === 'string') return [hexToBin(value)];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.map((item) => hexToBin(item));
  throw new ClientError('a list cannot be built in');
}

/** The script with its holes filled. */
function scriptOf(artifact: Artifact, leaves: (Bytes | undefined)[]): Bytes {
  const leaf = (at: number): Bytes => {
    const item = leaves[at];
    if (item === undefined) throw new ClientError(`a parameter of \`${artifact.contract}\` has no value`);
    return item;
  };
  const part = (one: Part): Bytes => ('bytes' in one ? hexToBin(one.bytes) : leaf(one.param));
  return concat(
    artifact.bytecode.map((piece) => {
      if ('code' in piece) return hexToBin(piece.code);
      return push('param' in piece ? leaf(piece.param) : concat(piece.push.map(part)));
    }),
  );
}

function lockFor(artifact: Artifact, script: Bytes): Bytes {
  return artifact.locking === 'p2s' ? script : p2sh32(script);
}

function p2sh32(script: Bytes): Bytes {
  return concat([Uint8Array.of(0xaa, 0x20), hash256(script), Uint8Array.of(0x87)]);
}

/** The longest body of a data output, and the bytes of every longer one that one coin pushes. */
const DATA_BYTES_MAX = 220;
const CHUNK_BYTES = 9_500;

function dataOutput(body: Bytes): Output {
  const pushed = body.length === 1 ? concat([Uint8Array.of(1), body]) : push(body);
  return { lockingBytecode: concat([Uint8Array.of(0x6a), pushed]), valueSatoshis: 0n };
}

function compactSize(n: number): Bytes {
  const bytes = (count: number): number[] => Array.from({ length: count }, (_, at) => Math.floor(n / 2 ** (8 * at)) & 0xff);
  if (n < 0xfd) return Uint8Array.of(n);
  if (n <= 0xffff) return Uint8Array.of(0xfd, ...bytes(2));
  return n <= 0xffffffff ? Uint8Array.of(0xfe, ...bytes(4)) : Uint8Array.of(0xff, ...bytes(8));
}

function sized(data: Bytes): Bytes {
  return concat([compactSize(data.length), data]);
}

/** A contract with its parameters. */
export class Contract<State> {
  /** The lock of its coins. */
  readonly lock: Bytes;
  /** The script that guards them. */
  readonly script: Bytes;
  protected readonly artifact: Artifact;
  readonly #leaves: (Bytes | undefined)[];
  readonly #values: Values;
  readonly #types: Types;

  protected constructor(contract: string, values: Values) {
    const { artifact, leaves } = holesOf(contract, values);
    this.artifact = artifact;
    this.#leaves = leaves;
    this.#values = values;
    this.#types = TYPES.get(contract) ?? { params: new Map(), paths: new Map() };
    this.script = scriptOf(artifact, leaves);
    this.lock = lockFor(artifact, this.script);
  }

  /** Where it is paid; nothing where its coins hold the script itself, which has no address. */
  address(prefix: 'bchreg' | 'bchtest' | 'bitcoincash' = 'bchreg'): string | undefined {
    const encoded = lockingBytecodeToCashAddress({ bytecode: this.lock, prefix });
    return typeof encoded === 'string' ? undefined : encoded.address;
  }

  /** Tells the node what it is, so that the node can say which check failed. */
  async register(node: Node): Promise<void> {
    await node.call('bitmodel_registerartifact', this.artifact, binToHex(this.lock));
  }

  /** Its coins, and what they say; of a contract with state those whose token is none of it are left out. */
  async coins(node: Node): Promise<Coin<State>[]> {
    const coins = await node.coins(this.lock);
    return coins.flatMap((coin) => {
      const state = this.state(coin.output);
      return state === undefined ? [] : [{ ...coin, state }];
    });
  }

  /** What an output of the contract says. */
  state(output: Output): State | undefined {
    const layout = this.artifact.state;
    const said = this.#types.state;
    if (layout === undefined || said === undefined) return null as State;
    const commitment = output.token?.nft?.commitment;
    return commitment?.length === layout.length ? (loaded(said, commitment) as State) : undefined;
  }

  /** The output that goes on with `coin`: its token with another state. */
  next(coin: Utxo, value: bigint, state: State): Output {
    const nft = coin.output.token?.nft;
    if (coin.output.token === undefined || nft === undefined) throw new ClientError('the coin has no state');
    const token = { ...coin.output.token, nft: { ...nft, commitment: this.commitment(state) } };
    return { ...coin.output, token, valueSatoshis: value };
  }

  /** The bytes of a state. */
  commitment(state: State): Bytes {
    const said = this.#types.state;
    if (said === undefined) throw new ClientError(`\`${this.artifact.contract}\` has no state`);
    return stored('state', said, state);
  }

  /** Pays it from the coins of `payer`. */
  async pay(node: Node, payer: Key, value: bigint): Promise<Built> {
    return this.#make(node, payer, { lockingBytecode: this.lock, valueSatoshis: value });
  }

  /** Makes its first coin with `state`: a token of a new category, which may change as `capability` says. */
  async create(
    node: Node,
    payer: Key,
    value: bigint,
    state: State,
    capability: 'none' | 'mutable' | 'minting' = 'mutable',
  ): Promise<Built> {
    await this.register(node);
    const nft = { capability, commitment: this.commitment(state) };
    // Only a coin at output 0 of its transaction gives a category its name.
    const [first = await this.#atZero(node, payer)] = (await node.coins(payer.lock)).filter(
      (coin) => coin.index === 0 && coin.output.token === undefined,
    );
    const token = { amount: 0n, category: hexToBin(first.txid), nft };
    return this.#make(node, payer, { lockingBytecode: this.lock, token, valueSatoshis: value }, first);
  }

  async #atZero(node: Node, payer: Key): Promise<Utxo> {
    const output = { lockingBytecode: payer.lock, valueSatoshis: 10_000n };
    const { txid } = await this.#make(node, payer, output);
    return { txid, index: 0, output };
  }

  async #make(node: Node, payer: Key, output: Output, first?: Utxo): Promise<Built> {
    const inputs = first === undefined ? [] : [ofKey(payer, first, SEQUENCE_FINAL)];
    const coins = (await node.coins(payer.lock)).filter((coin) => coin.txid !== first?.txid || coin.index !== first.index);
    const built = signed(fund({ inputs, outputs: [output], locktime: 0 }, SEQUENCE_FINAL, payer, coins, payer.lock));
    await this.send(node, built);
    return built;
  }

  /** Sends a transaction; a refusal says which check of the contract failed. */
  async send(node: Node, built: Built): Promise<void> {
    try {
      await node.send(built.transaction);
    } catch (error) {
      throw error instanceof Refused ? new Refused(error.code, error.message, this.author(error.message)) : error;
    }
  }

  /** The check of the contract that a node's message names. */
  protected author(message: string): Author | undefined {
    const routes = this.artifact.paths.flatMap((path) => path.route ?? []).flatMap(({ otherwise }) => otherwise ?? []);
    const shared = (this.artifact.functions ?? []).flatMap((one) => one.requires);
    const named = [...this.artifact.requires, ...shared, ...routes].filter((site) => message.includes(`"${site.message}"`));
    const place = (span: Span): string => this.artifact.sources[span.file]?.path ?? '';
    const exact = named.find(({ span }) => message.includes(`${place(span)}:${span.line}:`)) ?? named[0];
    if (exact === undefined) return undefined;
    const { contract } = this.artifact;
    return { contract, message: exact.message, file: place(exact.span), line: exact.span.line };
  }

  /** A wish to spend a coin by a path. */
  protected spending(path: string, args: Values): Spend<State> {
    const found = this.artifact.paths.find((one) => one.name === path);
    if (found === undefined) throw new ClientError(`\`${this.artifact.contract}\` has no path \`${path}\``);
    const time = { locktime: found.time?.locktime ?? [], sequence: found.time?.sequence ?? [] };
    const bounds = {
      locktime: time.locktime.map((bound) => this.#bound(found, args, bound)),
      sequence: time.sequence.map((bound) => this.#bound(found, args, bound)),
    };
    return new Spend(this, bounds, (sign) => this.unlocking(found, args, sign));
  }

  #bound(path: SpendPath, args: Values, bound: Bound): bigint | undefined {
    if (bound === 'computed') return undefined;
    if ('int' in bound) return BigInt(bound.int);
    const slot = 'param' in bound ? this.artifact.params[bound.param] : path.args[bound.arg];
    const first = (this.artifact.params.slice(0, 'param' in bound ? bound.param : 0) ?? [])
      .map(({ name }) => leafCount(this.#types.params.get(name) ?? { kind: 'bool' }))
      .reduce((sum, count) => sum + count, 0);
    const item = 'param' in bound ? this.#leaves[first] : undefined;
    const given = item === undefined ? args[slot?.name ?? ''] : decodeNumber(item);
    if (typeof given !== 'bigint') return undefined;
    return slot?.type === 'Duration' ? (given + 511n) / 512n + AGE_IN_SECONDS : given;
  }

  /** The bytecode that unlocks a coin by a path. */
  protected unlocking(path: SpendPath, args: Values, sign: (key: Key, algorithm: Algorithm) => Bytes): Bytes {
    const types = this.#types.paths.get(path.name) ?? new Map<string, Ty>();
    const by = (who: Signature | Signer[]): Bytes[] => {
      if (Array.isArray(who)) return multisig(this.script, who, sign);
      if (who instanceof Uint8Array) return [who];
      return [who instanceof Key ? sign(who, 'schnorr') : sign(who.key, who.algorithm)];
    };
    const all = path.args.map(({ name }) => {
      const ty = types.get(name);
      if (ty === undefined) return this.#known(path, name);
      return items(name, ty, args[name], by);
    });
    const pushes = path.unlock.map((item) => {
      if ('int' in item) return push(encodeNumber(BigInt(item.int)));
      if ('arg' in item) return concat((all[item.arg] ?? []).map(push));
      return push(all[item.leaf[0]]?.[item.leaf[1]] ?? new Uint8Array());
    });
    return concat(this.artifact.locking === 'p2s' ? pushes : [...pushes, push(this.script)]);
  }

  /** What the contract's parameters say of an argument: the records of a list, the last first, or what its hash begins with. */
  #known(path: SpendPath, name: string): Bytes[] {
    if (name.endsWith('.about')) return [new Uint8Array()];
    const ty = this.#types.params.get(name);
    const slot = path.args.find((one) => one.name === name);
    const pushed = (slot?.type as { fields?: Slot[] } | undefined)?.fields;
    const declared = (this.artifact.params.find((one) => one.name === name)?.type as { fields?: Slot[] } | undefined)?.fields;
    if (ty?.kind !== 'list' || pushed === undefined || declared === undefined) {
      throw new ClientError(`\`${name}\` of \`${path.name}\` is not known`);
    }
    const places = pushed.map((one) => declared.findIndex((other) => other.name === one.name));
    const record = (value: Value): Bytes[] =>
      places.flatMap((place) => {
        const [key, of] = ty.fields[place] ?? ['', { kind: 'bool' } as Ty];
        return items(name, of, field(name, value, key), unsigned);
      });
    return [...list(name, this.#values[name])].reverse().flatMap(record);
  }
}

/** A wish to spend a coin of a contract; nothing is spent until it is sent. */
export class Spend<State> {
  readonly #contract: Contract<State>;
  readonly #bounds: { locktime: (bigint | undefined)[]; sequence: (bigint | undefined)[] };
  readonly #unlock: Spent['unlock'];
  readonly #outputs: Output[] = [];
  #coin: Utxo | undefined;
  #payer: Key | undefined;
  #change: Bytes | undefined;
  #locktime: number | undefined;
  #sequence: number | undefined;

  constructor(
    contract: Contract<State>,
    bounds: { locktime: (bigint | undefined)[]; sequence: (bigint | undefined)[] },
    unlock: Spent['unlock'],
  ) {
    this.#contract = contract;
    this.#bounds = bounds;
    this.#unlock = unlock;
  }

  /** Spends this coin; without it the contract's only one. */
  coin(coin: Utxo): this {
    this.#coin = coin;
    return this;
  }

  /** Makes an output of money, after those before. */
  pay(lock: Bytes, value: bigint): this {
    return this.output({ lockingBytecode: lock, valueSatoshis: value });
  }

  /** Makes an output, after those before. */
  output(output: Output): this {
    this.#outputs.push(output);
    return this;
  }

  /** Lets this key's coins pay what the contract's coin does not; without `change` it gets the change too. */
  payer(key: Key): this {
    this.#payer = key;
    return this;
  }

  /** Pays this lock what outputs and fee leave. */
  change(lock: Bytes): this {
    this.#change = lock;
    return this;
  }

  /** Sets the transaction's lock time; without it, it is the least that the path accepts. */
  locktime(locktime: number): this {
    this.#locktime = locktime;
    return this;
  }

  /** Sets the sequence of the contract's input; without it, it is that of the least age that the path accepts. */
  sequence(sequence: number): this {
    this.#sequence = sequence;
    return this;
  }

  /** Finds the coin and what pays the fee, and signs; sends nothing. */
  async build(node: Node): Promise<Built> {
    const coin = this.#coin ?? (await this.#onlyCoin(node));
    const locktime = this.#locktime ?? latest('lock time', this.#bounds.locktime, (n) => n >= FIRST_TIME) ?? 0;
    const isLocked = locktime > 0 || this.#bounds.locktime.length > 0;
    const free = isLocked ? SEQUENCE_LOCKTIME : SEQUENCE_FINAL;
    const age = latest('sequence', this.#sequence === undefined ? this.#bounds.sequence : [], (n) => (n & AGE_IN_SECONDS) !== 0n);
    const sequence = this.#sequence ?? age ?? free;
    const spent: Spent = { coin, sequence, unlock: this.#unlock, code: this.#contract.script };
    const draft = { inputs: [spent], outputs: this.#outputs, locktime };
    const change = this.#change ?? this.#payer?.lock;
    if (change !== undefined) {
      const coins = this.#payer === undefined ? [] : await node.coins(this.#payer.lock);
      return signed(fund(draft, Math.max(sequence, SEQUENCE_LOCKTIME), this.#payer, coins, change));
    }
    const built = signed(draft);
    if (built.fee > FEE_MAX) {
      throw new ClientError(`${built.fee} sats would be left to the miner: say who pays the fee, or who takes the change`);
    }
    return built;
  }

  /** Builds it and sends it; a refusal says which check of the contract failed. */
  async send(node: Node): Promise<Built> {
    const built = await this.build(node);
    await this.#contract.send(node, built);
    return built;
  }

  async #onlyCoin(node: Node): Promise<Utxo> {
    const coins = await node.coins(this.#contract.lock);
    const [only] = coins;
    if (only === undefined) throw new ClientError('no coin is to be spent: pay it first, or wait for the block that has it');
    if (coins.length > 1) throw new ClientError(`there are ${coins.length} coins: say which one to spend`);
    return only;
  }
}

/** The greatest of bounds on one clock. */
function latest(what: string, bounds: (bigint | undefined)[], clock: (n: bigint) => boolean): number | undefined {
  const known = bounds.flatMap((bound) => bound ?? []);
  if (known.length < bounds.length) throw new ClientError(`the path computes its ${what}: say it`);
  const [first] = known;
  if (first === undefined) return undefined;
  const last = known.reduce((most, n) => (n > most ? n : most));
  if (known.some((n) => clock(n) !== clock(last))) throw new ClientError(`the path reads two clocks: say its ${what}`);
  return Number(last < 0n ? 0n : last > 0xffffffffn ? 0xffffffffn : last);
}

/** A contract that divides what it holds. */
export class Reward extends Contract<null> {
  readonly #locks: Values;

  protected constructor(contract: string, values: Values) {
    super(contract, values);
    this.#locks = values;
  }

  /** Everybody's share of an amount, in output order; the shares sum to it. */
  divide(amount: bigint): Share[] {
    const table = this.#table();
    const whole = BigInt(table.denominator);
    const shares: Share[] = table.sources.map(({ name, param }) => {
      const lock = this.#locks[this.artifact.params[param]?.name ?? ''];
      return { name, lock: bytes(name, lock), value: 0n };
    });
    const order = table.sources.map((source, at) => ({ ...source, at })).sort((one, other) => one.rank - other.rank);
    let reached = 0n;
    let paid = 0n;
    for (const { weight, at } of order) {
      reached += BigInt(weight);
      const upto = (amount * reached + whole / 2n) / whole;
      const share = shares[at];
      if (share !== undefined) share.value = upto - paid;
      paid = upto;
    }
    return shares;
  }

  /**
   * Publishes whom the reward pays, for everybody to read, in the transaction that first pays it `value`, if that is not
   * nothing.
   */
  async publish(node: Node, payer: Key, value = 0n): Promise<Built[]> {
    await this.register(node);
    const outputs = value === 0n ? [] : [{ lockingBytecode: this.lock, valueSatoshis: value }];
    const body = this.#published();
    if (body.length <= DATA_BYTES_MAX) return [await this.#send(node, payer, [], [...outputs, dataOutput(body)])];
    // A longer body is pushed by coins that only it unlocks.
    const chunks: { bytes: Bytes; script: Bytes }[] = [];
    for (let at = 0; at < body.length; at += CHUNK_BYTES) {
      const piece = body.subarray(at, at + CHUNK_BYTES);
      chunks.push({ bytes: piece, script: concat([Uint8Array.of(0xa8), push(sha256.hash(piece)), Uint8Array.of(0x87)]) });
    }
    const carriers = chunks.map(({ bytes: piece, script }): Output => {
      const output = { lockingBytecode: p2sh32(script), valueSatoshis: 0n };
      const unlock = push(piece).length + push(script).length;
      const cost = BigInt(40 + sizeOf(unlock) + unlock);
      return { ...output, valueSatoshis: cost > dust(output) ? cost : dust(output) };
    });
    const made = await this.#send(node, payer, [], carriers);
    const inputs = chunks.map(({ bytes: piece, script }, index): Spent => {
      const output = carriers[index] ?? dataOutput(new Uint8Array());
      const unlock = (): Bytes => concat([push(piece), push(script)]);
      return { coin: { txid: made.txid, index, output }, sequence: SEQUENCE_FINAL, unlock, code: script };
    });
    const shown = outputs.length === 0 ? [dataOutput(new Uint8Array())] : outputs;
    return [made, await this.#send(node, payer, inputs, shown)];
  }

  async #send(node: Node, payer: Key, inputs: Spent[], outputs: Output[]): Promise<Built> {
    const coins = await node.coins(payer.lock);
    const built = signed(fund({ inputs, outputs, locktime: 0 }, SEQUENCE_FINAL, payer, coins, payer.lock));
    await this.send(node, built);
    return built;
  }

  /** What is published: the name, the script, who takes what rounding leaves, and each recipient with weight, lock and name. */
  #published(): Bytes {
    const { sources } = this.#table();
    const text = (of: string): Bytes => sized(new TextEncoder().encode(of));
    const last = sources.findIndex((source) => source.rank + 1 === sources.length);
    const recipients = this.divide(0n).map(({ name, lock }, at) =>
      concat([compactSize(sources[at]?.weight ?? 0), compactSize(0), sized(lock), text(name)]),
    );
    const head = [new TextEncoder().encode('BMRW\u0001'), Uint8Array.of(0), text(this.artifact.contract), sized(this.script)];
    return concat([...head, compactSize(0), compactSize(last), compactSize(recipients.length), ...recipients]);
  }

  /** Settles everything that the reward holds, together where it can be; anybody may, and the pot pays the fee. */
  async settle(node: Node, fee?: bigint): Promise<Settled[]> {
    const settled = await this.settlements(node, fee);
    for (const one of settled) await this.send(node, one);
    return settled;
  }

  /** Settles these coins together: fewer than all, where a settlement of all would cost more than the contract allows. */
  async settleCoins(node: Node, coins: Utxo[], fee?: bigint): Promise<Settled> {
    const settled = this.#settlement(coins, fee);
    await this.send(node, settled);
    return settled;
  }

  /** What `settle` would send. */
  async settlements(node: Node, fee?: bigint): Promise<Settled[]> {
    const { minimum_sats: minimum } = this.#table();
    const coins = (await node.coins(this.lock)).filter((coin) => coin.output.token === undefined);
    coins.sort((one, other) => Number(other.output.valueSatoshis - one.output.valueSatoshis));
    if (coins.length === 0) throw new ClientError('there is nothing to settle');
    const joined = this.artifact.paths.some((path) => path.name === 'join') ? 50 : 1;
    const pots: Utxo[][] = [];
    for (let at = 0; at < coins.length; at += joined) pots.push(coins.slice(at, at + joined));
    const enough = pots.filter((pot) => total(pot.map((coin) => coin.output)) >= BigInt(minimum));
    if (enough.length === 0) throw new ClientError(`the pot holds less than the minimum of ${minimum} sats`);
    return enough.map((pot) => this.#settlement(pot, fee));
  }

  #settlement(coins: Utxo[], wanted?: bigint): Settled {
    const most = BigInt(this.#table().fee_sats_max);
    const pot = total(coins.map((coin) => coin.output));
    let fee = wanted ?? 0n;
    // Larger fees have longer pushes, so the fee is sought from below; three rounds reach it.
    for (let round = 0; wanted === undefined && round < 3; round++) {
      const size = BigInt(bytesOf(this.#draft(coins, pot, fee)));
      fee = size > fee ? size : fee;
    }
    if (fee > most) throw new ClientError(`a fee of ${fee} sats is too high: the contract allows at most ${most}`);
    return { ...signed(this.#draft(coins, pot, fee)), shares: this.divide(pot - fee) };
  }

  #draft(coins: Utxo[], pot: bigint, fee: bigint): Draft {
    const outputs = this.divide(pot - fee).map(({ lock, value }) => ({ lockingBytecode: lock, valueSatoshis: value }));
    const inputs = coins.map((coin, at): Spent => {
      const path = this.artifact.paths.find((one) => one.name === (at === 0 ? 'settle' : 'join'));
      if (path === undefined) throw new ClientError('the coins can only be settled one by one');
      const unlock: Spent['unlock'] = (sign) => this.unlocking(path, at === 0 ? { fee } : {}, sign);
      return { coin, sequence: SEQUENCE_FINAL, unlock, code: this.script };
    });
    return { inputs, outputs, locktime: 0 };
  }

  #table(): NonNullable<Artifact['reward']> {
    const table = this.artifact.reward;
    if (table === undefined || table.list !== undefined) {
      throw new ClientError('the recipients are a list: settle it with `bmc settle`');
    }
    return table;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The contracts.
// ---------------------------------------------------------------------------------------------------------------------
