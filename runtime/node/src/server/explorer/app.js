// The explorer: reads the node by its RPC and listens to its events. Everything that the node says goes into the page as text.
"use strict";

const main = document.getElementById("main");
const live = document.getElementById("live");
const SATS = 100_000_000n;
const ROWS = 25;

// The key: user and password, which stay in this tab. A link from the node carries them behind the hash, before the page.
const linked = /^([^/]+:[^/]+)(\/.*)?$/.exec(decodeURIComponent(location.hash.slice(1)));
if (linked) {
  sessionStorage.setItem("key", linked[1]);
  history.replaceState(null, "", `#${linked[2] ?? "/"}`);
}

class NeedsKey extends Error {}

const headers = () => {
  const key = sessionStorage.getItem("key");
  if (!key) throw new NeedsKey();
  const bytes = new TextEncoder().encode(key);
  return { authorization: "Basic " + btoa(String.fromCharCode(...bytes)) };
};

// Amounts stay exact: what the node writes with eight decimals is read as text.
const exact = (text) => JSON.parse(text.replace(/("(?:value|amount|fee|total_fee)":)(-?\d+\.\d{8})/g, '$1"$2"'));

async function rpc(method, ...params) {
  const body = JSON.stringify({ id: 1, method, params });
  const response = await fetch("/", { method: "POST", headers: headers(), body, cache: "no-store" });
  if (response.status === 401) {
    sessionStorage.removeItem("key");
    throw new NeedsKey();
  }
  const answer = exact(await response.text());
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

// Elements: el("a", { href }, "text", child).
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const short = (text, ends = 10) => (text.length > 2 * ends + 1 ? `${text.slice(0, ends)}…${text.slice(-ends)}` : text);
const sats = (coins) => {
  const [whole, part] = coins.split(".");
  const n = BigInt(whole.replace("-", "")) * SATS + BigInt(part);
  return coins.startsWith("-") ? -n : n;
};
const coins = (n) => {
  const digits = (n < 0n ? -n : n).toString().padStart(9, "0");
  const whole = digits.slice(0, -8).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${n < 0n ? "−" : ""}${whole}.${digits.slice(-8)}`;
};
const when = (seconds) => {
  const date = new Date(seconds * 1000);
  return el("time", { datetime: date.toISOString() }, date.toISOString().replace("T", " ").slice(0, 19));
};
const blockLink = (hash, text) => el("a", { href: `#/block/${hash}`, class: "mono" }, text ?? short(hash));
const txLink = (txid, text) => el("a", { href: `#/tx/${txid}`, class: "mono" }, text ?? short(txid));
const tokenLink = (category, text) => el("a", { href: `#/token/${category}`, class: "mono" }, text ?? short(category, 6));
const addressLink = (address, text) => el("a", { href: `#/address/${address}`, class: "mono" }, text ?? short(address, 14));

const facts = (pairs) =>
  el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== undefined).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
const cards = (pairs) =>
  el("div", { class: "cards" }, pairs.map(([name, value]) => el("dl", { class: "card" }, el("dt", {}, name), el("dd", {}, value))));
function table(columns, rows, empty) {
  if (rows.length === 0) return el("p", { class: "soft" }, empty);
  const head = columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  const body = rows.map((cells) => el("tr", {}, cells.map((cell, at) => el("td", { class: columns[at][1] }, cell))));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

// Contracts that were made known to the node, by their lock.
let contracts = new Map();
async function learnContracts() {
  contracts = new Map((await rpc("bitmodel_listartifacts")).map((entry) => [entry.lock, entry]));
}

// What an output is called: the contract, the address, or the kind of its lock.
function ownerOf(output) {
  const script = output.scriptPubKey;
  const contract = contracts.get(script.hex);
  if (contract) return { label: contract.contract, href: `#/address/${contract.address}`, contract };
  if (script.address) return { label: short(script.address.replace(/^[^:]*:/, ""), 8), href: `#/address/${script.address}` };
  if (output.pruned) return { label: `${output.size} bytes of dropped data` };
  return { label: script.type === "nulldata" ? "data" : script.type };
}

function ownerCell(output) {
  const { label, href, contract } = ownerOf(output);
  const name = contract ? el("span", { class: "tag" }, label) : label;
  const token = output.tokenData ? el("div", { class: "soft" }, "token ", tokenParts(output.tokenData)) : undefined;
  return [href ? el("a", { href, class: "mono" }, name) : el("span", { class: "mono" }, name), token];
}

// What tokens there are on an output, with a link to all of their category.
function tokenParts({ category, amount, nft }) {
  const held = nft ? [`, ${nft.capability === "none" ? "immutable" : nft.capability} NFT`, nft.commitment ? ` ${short(nft.commitment, 16)}` : " without a commitment"] : [];
  return [tokenLink(category), amount === "0" && nft ? "" : `: ${grouped(amount)}`, ...held];
}

// A whole number in groups of three digits.
const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");

// Pages.

async function home() {
  const [info, waiting] = await Promise.all([rpc("getblockchaininfo"), rpc("getmempoolinfo")]);
  const heights = [];
  for (let height = info.blocks; height >= 0 && heights.length < ROWS; height -= 1) heights.push(height);
  const hashes = await Promise.all(heights.map((height) => rpc("getblockhash", height)));
  const blocks = await Promise.all(hashes.map((hash) => rpc("getblock", hash, 1)));
  return [
    el("h1", {}, "Blocks"),
    cards([["height", String(info.blocks)], ["chain", info.chain], ["waiting transactions", String(waiting.size)], ["known contracts", String(contracts.size)]]),
    el("h2", {}, "Latest"),
    table(
      [["height", "number"], ["block"], ["time (UTC)"], ["transactions", "number"], ["bytes", "number"]],
      blocks.map((block) => [blockLink(block.hash, String(block.height)), blockLink(block.hash), when(block.time), String(block.nTx), String(block.size)]),
      "There is no block yet.",
    ),
  ];
}

async function blockPage(hash) {
  const block = await rpc("getblock", hash, 2);
  const spentBy = (tx) => tx.vout.reduce((sum, output) => sum + sats(output.value), 0n);
  return [
    el("h1", {}, `Block ${block.height}`),
    facts([
      ["hash", el("code", {}, block.hash)],
      ["time (UTC)", when(block.time)],
      ["confirmations", block.confirmations < 0 ? el("span", { class: "tag bad" }, "not in the active chain") : String(block.confirmations)],
      ["bytes", String(block.size)],
      ["merkle root", el("code", {}, block.merkleroot)],
      ["data", block.pruned ? el("span", { class: "tag bad" }, "old data was dropped") : undefined],
      ["before", block.previousblockhash ? blockLink(block.previousblockhash) : undefined],
      ["after", block.nextblockhash ? blockLink(block.nextblockhash) : undefined],
    ]),
    el("h2", {}, `${block.nTx} transaction${block.nTx === 1 ? "" : "s"}`),
    table(
      [["transaction"], ["inputs", "number"], ["outputs", "number"], ["pays", "number"], ["bytes", "number"], ["contracts"]],
      block.tx.map((tx) => [
        txLink(tx.txid),
        tx.vin[0].coinbase === undefined ? String(tx.vin.length) : "coinbase",
        String(tx.vout.length),
        coins(spentBy(tx)),
        String(tx.size),
        el("span", {}, [...new Set(tx.vout.map((output) => contracts.get(output.scriptPubKey.hex)?.contract).filter(Boolean))].map((name) => el("span", { class: "tag" }, name))),
      ]),
      "",
    ),
  ];
}

// Inputs and outputs of a transaction as bands, each as wide as what it carries.
function flow(inputs, outputs, fee) {
  const total = Number(inputs.reduce((sum, [value]) => sum + value, 0n)) || 1;
  const [width, left, right, gap, scale] = [1000, 250, 750, 8, 220];
  const thick = (value) => Math.max(2, (Number(value) / total) * scale);
  const rows = Math.max(inputs.length, outputs.length + 1);
  const height = Math.max(120, rows * 26 + scale + 40);
  const picture = svg("svg", { class: "flow", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${inputs.length} inputs, ${outputs.length} outputs, fee ${coins(fee)}` });
  const all = [...outputs, ...(fee > 0n ? [[fee, { label: "fee" }]] : [])];
  const side = (items, x, edge, kind) => {
    const step = (height - 40 - items.reduce((sum, [value]) => sum + thick(value), 0)) / Math.max(1, items.length);
    let y = 20 + step / 2;
    let middle = (height - scale) / 2;
    for (const [value, { label, href }] of items) {
      const h = thick(value);
      const bend = (x + edge) / 2;
      const name = label === "fee" ? "fee" : kind;
      picture.append(svg("path", { class: name, d: `M${x},${y} C${bend},${y} ${bend},${middle} ${edge},${middle} V${middle + h} C${bend},${middle + h} ${bend},${y + h} ${x},${y + h} Z` }));
      const anchor = kind === "in" ? "end" : "start";
      const at = kind === "in" ? x - gap : x + gap;
      const text = svg("text", { x: at, y: y + h / 2 - 1, "text-anchor": anchor }, label);
      const amount = svg("text", { class: "value", x: at, y: y + h / 2 + 13, "text-anchor": anchor }, coins(value));
      const group = href ? svg("a", { href }) : svg("g");
      group.append(text, amount);
      picture.append(group);
      y += h + step;
      middle += h;
    }
  };
  side(inputs, left, 500, "in");
  side(all, right, 500, "out");
  return picture;
}

// A value of a contract: numbers, bytes and addresses as text, what is composed of several indented.
const valueText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));
const valueTable = (values) => table([["name"], ["type"], ["value"]], values.map(({ name, type, value }) => [name, el("code", {}, type), el("code", { class: "value" }, valueText(value))]), "None.");

// What an input says to its contract.
function spendParts({ input, contract, address, path, args, params }) {
  return [
    el("h3", {}, `Input ${input}: `, el("span", { class: "tag" }, address ? el("a", { href: `#/address/${address}` }, contract) : contract), path ? [" by ", el("code", { class: "path" }, path)] : el("span", { class: "soft" }, " by a path that cannot be told")),
    args.length ? [el("h4", {}, "Arguments"), valueTable(args)] : el("p", { class: "soft" }, "The path takes no arguments."),
    params.length ? [el("h4", {}, "Parameters of the contract"), valueTable(params)] : undefined,
  ];
}

// Whether a transaction gave a token category its name.
async function namedAfter(txid) {
  try {
    return await rpc("bitmodel_gettoken", txid, 0, 0);
  } catch (error) {
    if (error instanceof NeedsKey) throw error;
    return undefined;
  }
}

async function txPage(txid, traced) {
  const tx = await rpc("getrawtransaction", txid, 2);
  const coinbase = tx.vin[0].coinbase !== undefined;
  const [spends, named] = await Promise.all([coinbase ? [] : rpc("bitmodel_getspends", txid).catch(() => []), tx.blockhash ? namedAfter(txid) : undefined]);
  const paid = tx.vout.reduce((sum, output) => sum + sats(output.value), 0n);
  const taken = tx.vin.reduce((sum, input) => sum + (input.prevout ? sats(input.prevout.value) : 0n), 0n);
  const known = !coinbase && tx.vin.every((input) => input.prevout);
  const inputs = coinbase ? [[paid, { label: "new coins" }]] : tx.vin.map((input) => [sats(input.prevout?.value ?? "0.00000000"), input.prevout ? ownerOf(input.prevout) : { label: "unknown" }]);
  const outputs = tx.vout.map((output) => [sats(output.value), ownerOf(output)]);
  const fee = known ? taken - paid : 0n;
  const parts = [
    el("h1", {}, "Transaction"),
    facts([
      ["id", el("code", {}, tx.txid)],
      ["block", tx.blockhash ? blockLink(tx.blockhash) : el("span", { class: "tag bad" }, "waiting")],
      ["confirmations", tx.confirmations === undefined ? undefined : String(tx.confirmations)],
      ["bytes", String(tx.size)],
      ["pays", coins(paid)],
      ["fee", known ? `${coins(fee)} (${(Number(fee) / tx.size).toFixed(2)} sats a byte)` : undefined],
      ["locked until", tx.locktime ? String(tx.locktime) : undefined],
      ["names the token", named ? tokenLink(txid, txid) : undefined],
    ]),
    el("h2", {}, "Flow"),
    flow(inputs, outputs, fee),
    el("h2", {}, "Inputs"),
    table(
      [["#", "number"], ["spends"], ["of"], ["value", "number"]],
      tx.vin.map((input, at) => [String(at), coinbase ? "new coins" : el("span", {}, txLink(input.txid), `:${input.vout}`), coinbase ? "" : el("span", {}, input.prevout ? ownerCell(input.prevout) : "unknown"), input.prevout ? coins(sats(input.prevout.value)) : ""]),
      "",
    ),
    el("h2", {}, "Outputs"),
    table(
      [["#", "number"], ["to"], ["lock"], ["value", "number"]],
      tx.vout.map((output) => [String(output.n), el("span", {}, ownerCell(output)), el("code", {}, short(output.scriptPubKey.asm, 40)), coins(sats(output.value))]),
      "",
    ),
  ];
  if (spends.length) parts.push(el("h2", {}, "Contracts"), ...spends.flatMap(spendParts).flat(3));
  if (!coinbase) {
    const place = el("div", {});
    parts.push(el("h2", {}, "Trace"), place);
    if (traced) await trace(txid, place);
    else place.append(el("a", { href: `#/tx/${txid}/trace` }, "Run its scripts step by step"));
  }
  return parts;
}

async function trace(txid, place) {
  try {
    const run = await rpc("tracetransaction", txid);
    place.replaceChildren(...run.inputs.flatMap((input) => stepper(input)), run.truncated ? el("p", { class: "soft" }, "The trace is longer than what is shown.") : "");
  } catch (error) {
    place.replaceChildren(el("p", { class: "error" }, error.message));
  }
}

// The steps of one input: a list to walk through by mouse or arrow keys, and the stacks before the chosen one.
function stepper(input) {
  const stacks = el("div", { "aria-live": "polite" });
  const items = input.steps.map((step, at) =>
    el("li", { role: "option", id: `step-${input.input}-${at}`, class: step.executing ? undefined : "skipped", onclick: () => choose(at) }, el("span", {}, `${"  ".repeat(step.depth)}${step.opcode}`), el("span", { class: "soft" }, String(step.cost))),
  );
  const listing = el("ol", { role: "listbox", tabindex: "0", "aria-label": `Steps of input ${input.input}`, onkeydown: (event) => move(event) }, items);
  let chosen = 0;
  const pile = (name, stack) => [
    el("h3", { class: "soft" }, name),
    stack.length ? el("ul", { class: "stack" }, [...stack].reverse().map((item) => el("li", {}, item === "" ? "(empty)" : short(item, 60)))) : el("p", { class: "soft" }, "empty"),
  ];
  function choose(at) {
    const step = input.steps[at];
    if (!step) return;
    items[chosen].removeAttribute("aria-selected");
    chosen = at;
    items[at].setAttribute("aria-selected", "true");
    listing.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
    stacks.replaceChildren(el("p", {}, `${step.phase}, byte ${step.at}: `, el("code", {}, step.opcode), `, cost so far ${step.cost}`), ...pile("stack, top first", step.stack), ...(step.alt.length ? pile("alt stack, top first", step.alt) : []));
  }
  function move(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -input.steps.length, End: input.steps.length }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    choose(Math.min(input.steps.length - 1, Math.max(0, chosen + by)));
  }
  const verdict = input.ok ? el("span", { class: "tag" }, "spends") : el("span", { class: "tag bad" }, input.require ?? input.error?.message ?? "fails");
  if (input.steps.length) choose(0);
  return [
    el("p", {}, `Input ${input.input} `, verdict, el("span", { class: "soft" }, ` cost ${input.cost} of ${input.budget}, ${input.sigchecks} signature checks, ${input.steps.length} steps`)),
    el("div", { class: "stepper" }, listing, stacks),
  ];
}

async function addressPage(address) {
  const known = await rpc("validateaddress", address);
  if (!known.isvalid) throw new Error("This is no address of this chain.");
  const unspent = await rpc("listunspent", 0, 9_999_999, [address]);
  const contract = contracts.get(known.scriptPubKey);
  const held = unspent.reduce((sum, coin) => sum + sats(coin.amount), 0n);
  const parts = [
    el("h1", {}, contract ? contract.contract : "Address"),
    facts([["address", el("code", {}, address)], ["lock", el("code", {}, known.scriptPubKey)], ["holds", coins(held)]]),
    el("h2", {}, "Unspent outputs"),
    table(
      [["output"], ["confirmations", "number"], ["token"], ["value", "number"]],
      unspent.map((coin) => [el("span", {}, txLink(coin.txid), `:${coin.vout}`), String(coin.confirmations), coin.tokenData ? el("span", {}, tokenParts(coin.tokenData)) : "", coins(sats(coin.amount))]),
      "It holds nothing now.",
    ),
  ];
  if (contract) {
    const { artifact, args } = await rpc("bitmodel_getartifact", known.scriptPubKey);
    if (args) parts.push(el("h2", {}, "Values"), facts(Object.entries(args).map(([name, value]) => [name, el("code", {}, typeof value === "string" ? value : JSON.stringify(value))])));
    if (artifact.source) parts.push(el("h2", {}, "Source"), el("pre", { class: "scroll mono" }, typeof artifact.source === "string" ? artifact.source : JSON.stringify(artifact.source, null, 2)));
  }
  return parts;
}

const TOKEN_ROWS = 50;
async function tokenPage(category, from = "0") {
  const skip = Number(from);
  const token = await rpc("bitmodel_gettoken", category, skip, TOKEN_ROWS);
  const least = token.complete ? "" : "at least ";
  const pages = [];
  if (skip > 0) pages.push(el("a", { href: `#/token/${category}/${Math.max(0, skip - TOKEN_ROWS)}` }, "← before"));
  if (skip + token.unspents.length < token.txouts) pages.push(el("a", { href: `#/token/${category}/${skip + TOKEN_ROWS}` }, "more →"));
  const { genesis } = token;
  return [
    el("h1", {}, "Token"),
    cards([["fungible tokens", least + grouped(token.amount)], ["NFTs", least + token.nfts], ["outputs that hold it", least + token.txouts]]),
    facts([
      ["category", el("code", {}, token.category)],
      ["made by", genesis ? txLink(genesis.txid, genesis.txid) : el("span", { class: "soft" }, "a transaction that was not found near the one that the category is named after")],
      ["made in block", genesis ? blockLink(genesis.blockhash, String(genesis.height)) : undefined],
      ["time (UTC)", genesis ? when(genesis.time) : undefined],
      ["named after", txLink(token.category, token.category)],
    ]),
    el("h2", {}, "Outputs that hold it"),
    table(
      [["output"], ["of"], ["fungible", "number"], ["capability"], ["commitment"], ["block", "number"]],
      token.unspents.map((coin) => [
        el("span", {}, txLink(coin.txid), `:${coin.vout}`),
        el("span", {}, ownerCell({ ...coin, tokenData: undefined })),
        coin.tokenData.amount === "0" ? "" : grouped(coin.tokenData.amount),
        coin.tokenData.nft ? el("span", { class: "tag" }, coin.tokenData.nft.capability === "none" ? "immutable" : coin.tokenData.nft.capability) : "",
        coin.tokenData.nft ? el("code", {}, coin.tokenData.nft.commitment || "(empty)") : "",
        String(coin.height),
      ]),
      skip > 0 ? "There are no more." : "No output holds it now: all was burnt.",
    ),
    pages.length ? el("nav", { class: "pages", "aria-label": "Pages of outputs" }, pages) : "",
  ];
}

async function mempoolPage() {
  const waiting = Object.entries(await rpc("getrawmempool", true));
  const byRate = ([, a], [, b]) => Number(sats(b.fee)) / b.vsize - Number(sats(a.fee)) / a.vsize;
  waiting.sort(byRate);
  return [
    el("h1", {}, "Waiting transactions"),
    table(
      [["transaction"], ["fee", "number"], ["bytes", "number"], ["since (UTC)"], [""]],
      waiting.slice(0, 500).map(([txid, entry]) => [txLink(txid), coins(sats(entry.fee)), String(entry.vsize), when(entry.time), entry.doublespend ? el("span", { class: "tag bad" }, "double spend") : ""]),
      "None waits.",
    ),
  ];
}

async function contractsPage() {
  return [
    el("h1", {}, "Contracts"),
    table(
      [["contract"], ["address"]],
      [...contracts.values()].map((entry) => [el("span", { class: "tag" }, entry.contract), entry.address ? addressLink(entry.address, entry.address) : el("code", {}, short(entry.lock, 20))]),
      "No contract was made known to this node. `bmc deploy` does that.",
    ),
  ];
}

function keyPage() {
  const input = el("input", { id: "key", type: "password", autocomplete: "off", "aria-label": "User and password" });
  const form = el(
    "form",
    {
      class: "key",
      onsubmit: (event) => {
        event.preventDefault();
        sessionStorage.setItem("key", input.value.trim());
        show().then(listen);
      },
    },
    el("h1", {}, "Who may look?"),
    el("p", {}, "The node shows itself to whoever may call it. Open the link that it printed at its start, or give user and password here as ", el("code", {}, "user:password"), ": what its cookie file holds."),
    input,
    el("p", {}, el("button", {}, "Look")),
  );
  return [form];
}

// Whether the node knows something of this name: what a call answers, or nothing if it is refused.
async function known(method, ...params) {
  try {
    return (await rpc(method, ...params)) ?? true;
  } catch (error) {
    if (error instanceof NeedsKey) throw error;
    return undefined;
  }
}

async function find(query) {
  if (/^\d+$/.test(query) && query.length < 64) {
    const tip = await rpc("getblockcount");
    if (BigInt(query) > BigInt(tip)) throw new Error(`There is no block ${query} yet: the highest is ${tip}.`);
    return `#/block/${await rpc("getblockhash", Number(query))}`;
  }
  if (/^[0-9a-f]{64}$/i.test(query)) {
    const id = query.toLowerCase();
    if (await known("getblockheader", id)) return `#/block/${id}`;
    if (await known("getrawtransaction", id, 1)) return `#/tx/${id}`;
    if (await known("bitmodel_gettoken", id, 0, 0)) return `#/token/${id}`;
    throw new Error("This node knows no block, no transaction and no token of this id.");
  }
  if ((await rpc("validateaddress", query)).isvalid) return `#/address/${query}`;
  throw new Error(`“${short(query, 20)}” is nothing that can be looked for. Give a block's height or hash, a transaction's id, a token's category or an address.`);
}

const ROUTES = [
  [/^\/block\/([0-9a-f]{64})$/, blockPage],
  [/^\/tx\/([0-9a-f]{64})(\/trace)?$/, txPage],
  [/^\/address\/(.+)$/, addressPage],
  [/^\/token\/([0-9a-f]{64})(?:\/(\d{1,9}))?$/, tokenPage],
  [/^\/mempool$/, mempoolPage],
  [/^\/contracts$/, contractsPage],
  [/^\/?$/, home],
];

// Pages that show what has just come are drawn again when something does.
const isLive = () => /^#?\/?(mempool)?$/.test(location.hash);

let turn = 0;
async function show() {
  const mine = (turn += 1);
  const path = decodeURIComponent(location.hash.slice(1));
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === (location.hash || "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  let parts;
  try {
    headers();
    await learnContracts();
    const [pattern, page] = ROUTES.find(([pattern]) => pattern.test(path)) ?? [];
    if (!page) throw new Error("There is no such page.");
    parts = await page(...pattern.exec(path).slice(1));
  } catch (error) {
    parts = error instanceof NeedsKey ? keyPage() : [el("p", { class: "error", role: "alert" }, error.message)];
  }
  // Whoever has gone on meanwhile sees the later page.
  if (mine !== turn) return;
  main.replaceChildren(...parts);
  main.dataset.ready = path || "/";
}

async function listen() {
  try {
    const response = await fetch("/events", { headers: headers(), cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    live.dataset.state = "on";
    live.textContent = "live";
    const reader = response.body.getReader();
    let due = false;
    for (;;) {
      const { done } = await reader.read();
      if (done) break;
      if (due || !isLive()) continue;
      due = true;
      setTimeout(() => {
        due = false;
        if (isLive()) show();
      }, 300);
    }
  } catch (error) {
    if (error instanceof NeedsKey) return;
  }
  live.dataset.state = "off";
  live.textContent = "offline";
  setTimeout(listen, 3_000);
}

const box = document.getElementById("query");
// Which search was begun last, and how often somebody has come to write one.
let asked = 0;
let entered = 0;
box.addEventListener("focus", () => (entered += 1));
document.getElementById("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  const query = box.value.trim();
  if (!query) return;
  const mine = (asked += 1);
  const writer = entered;
  try {
    const found = await find(query);
    if (mine !== asked) return;
    // Whoever writes the next search already goes on writing.
    if (writer === entered) box.blur();
    // Whoever looks for what is shown sees it again.
    if (location.hash === found) arrive();
    else location.hash = found;
  } catch (error) {
    if (mine !== asked) return;
    // Whatever else is being fetched is not what was asked for last.
    turn += 1;
    main.dataset.ready = "refused";
    main.replaceChildren(...(error instanceof NeedsKey ? keyPage() : [el("p", { class: "error", role: "alert" }, error.message)]));
  }
});
// Its target is no page of the explorer's own.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !isWriting()) {
    event.preventDefault();
    box.focus();
  }
});
// The keyboard goes on where the new page begins, unless somebody writes already.
const isWriting = () => /^(input|textarea)$/i.test(document.activeElement.tagName);
const arrive = () => show().then(() => isWriting() || main.focus());
window.addEventListener("hashchange", arrive);
show().then(listen);
