// The language server behind the library that VS Code's own client is made of: what an editor asks in its first minute.
//
// Arguments: the program `bmc`, and a folder with the package `htlc`, which this may change.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import protocol from "vscode-languageserver-protocol/node.js";

const {
  CompletionRequest,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  ExitNotification,
  FoldingRangeRequest,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  PublishDiagnosticsNotification,
  ReferencesRequest,
  RenameRequest,
  SemanticTokensRequest,
  ShutdownRequest,
  SignatureHelpRequest,
  StreamMessageReader,
  StreamMessageWriter,
  createProtocolConnection,
} = protocol;

const [, , program, folder] = process.argv;
const server = spawn(program, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => server.on("exit", resolve));
const connection = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
connection.onRequest((method) => (method.startsWith("client/") || method.startsWith("window/") ? null : undefined));
const waiting = [];
const published = [];
connection.onNotification(PublishDiagnosticsNotification.type, (told) => {
  published.push(told);
  for (const look of waiting) look();
});
connection.listen();

/** The next pushed diagnostics of a version for which `fits` holds. */
function pushed(uri, version, fits) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no such diagnostics: ${JSON.stringify(published)}`)), 20_000);
    const look = () => {
      const found = published.find((told) => told.uri === uri && told.version === version && fits(told.diagnostics));
      if (!found) return;
      clearTimeout(timer);
      resolve(found.diagnostics);
    };
    waiting.push(look);
    look();
  });
}

const uriOf = (name) => pathToFileURL(join(folder, name)).href;
const capabilities = {
  workspace: { workspaceFolders: true, workspaceEdit: { documentChanges: true } },
  textDocument: {
    completion: { completionItem: { snippetSupport: true } },
    hover: { contentFormat: ["markdown"] },
    rename: { prepareSupport: true },
    documentSymbol: { hierarchicalDocumentSymbolSupport: true },
  },
};
const { capabilities: can, serverInfo } = await connection.sendRequest(InitializeRequest.type, {
  processId: process.pid,
  rootUri: pathToFileURL(folder).href,
  workspaceFolders: [{ name: "htlc", uri: pathToFileURL(folder).href }],
  capabilities,
});
assert.ok(can.hoverProvider && can.semanticTokensProvider && can.diagnosticProvider, JSON.stringify(can));
await connection.sendNotification(InitializedNotification.type, {});

const uri = uriOf("htlc.bmc");
const text = readFileSync(join(folder, "htlc.bmc"), "utf8");
let version = 1;
await connection.sendNotification(DidOpenTextDocumentNotification.type, {
  textDocument: { uri, languageId: "bmc", version, text },
});
assert.deepEqual(await pushed(uri, 1, () => true), []);

/** Where the nth `word` stands in the text; columns count units of UTF-16, as strings here do. */
function position(of, word, nth = 0, within = 0) {
  let at = -1;
  for (let seen = 0; seen <= nth; seen++) at = of.indexOf(word, at + 1);
  assert.ok(at >= 0, word);
  const before = of.slice(0, at + within).split("\n");
  return { line: before.length - 1, character: before.at(-1).length };
}

const textDocument = { uri };
const ask = (type, word, nth = 0, within = 1, more = {}) =>
  connection.sendRequest(type, { textDocument, position: position(text, word, nth, within), ...more });

const hover = await ask(HoverRequest.type, "digest", 1);
assert.match(hover.contents.value, /Hash256/);
const definition = [await ask(DefinitionRequest.type, "expiry", 1)].flat();
assert.equal((definition[0].range ?? definition[0].targetSelectionRange).start.line, position(text, "expiry").line);
const references = await ask(ReferencesRequest.type, "sender", 1, 1, { context: { includeDeclaration: true } });
assert.ok(references.length >= 2, JSON.stringify(references));
const completion = await ask(CompletionRequest.type, "tx.height", 0, 3);
const labels = (completion.items ?? completion).map(({ label }) => label);
assert.ok(labels.includes("height") && labels.includes("outputs"), JSON.stringify(labels));
const signature = await ask(SignatureHelpRequest.type, "recipient.signed(", 0, "recipient.signed(".length);
assert.ok(signature.signatures.length > 0);
assert.ok(await ask(PrepareRenameRequest.type, "secret: Bytes"));
const renamed = await ask(RenameRequest.type, "secret: Bytes", 0, 1, { newName: "preimage" });
const edits = renamed.documentChanges?.flatMap((change) => change.edits) ?? Object.values(renamed.changes).flat();
assert.ok(edits.length >= 2 && edits.every(({ newText }) => newText === "preimage"), JSON.stringify(edits));
const symbols = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
assert.deepEqual(symbols.map(({ name }) => name), ["Htlc"]);
assert.ok(symbols[0].children.some(({ name }) => name === "claim"));
const folds = await connection.sendRequest(FoldingRangeRequest.type, { textDocument });
assert.ok(folds.length >= 3);
const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
assert.ok(Array.isArray(await connection.sendRequest(InlayHintRequest.type, { textDocument, range })));
const tokens = await connection.sendRequest(SemanticTokensRequest.type, { textDocument });
assert.ok(tokens.data.length > 0 && tokens.data.length % 5 === 0);
assert.deepEqual((await connection.sendRequest(DocumentFormattingRequest.type, { textDocument, options: { tabSize: 4, insertSpaces: true } })) ?? [], []);

// A name that is wrong, and right again.
const place = position(text, "digest", 1);
const change = (from, to, newText) => {
  version += 1;
  return connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version },
    contentChanges: [{ range: { start: from, end: to }, text: newText }],
  });
};
const end = { ...place, character: place.character + "digest".length };
await change(place, end, "digets");
const wrong = await pushed(uri, version, (found) => found.length > 0);
assert.ok(wrong[0].code && wrong[0].range.start.line === place.line, JSON.stringify(wrong));
const pulled = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
assert.equal(pulled.kind, "full");
assert.deepEqual(pulled.items.map(({ code }) => code), wrong.map(({ code }) => code));
await change(place, end, "digest");
assert.deepEqual(await pushed(uri, version, (found) => found.length === 0), []);

await connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument });
await connection.sendRequest(ShutdownRequest.type);
await connection.sendNotification(ExitNotification.type);
assert.equal(await ended, 0);
console.log(`${serverInfo?.name ?? "the server"} ${serverInfo?.version ?? ""}: ${tokens.data.length / 5} tokens, ${labels.length} completions`);
process.exit(0);
