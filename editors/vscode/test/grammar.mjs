// The TextMate grammar beside the compiler's lexer: on every source, each token has a colour of its kind.
//
// Argument: a file with the sources and their tokens, as `cargo xtask editors --check` writes it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const wasm = await readFile(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const grammars = {
  "source.bmc": "syntaxes/bmc.tmLanguage.json",
  "markdown.bmc.codeblock": "syntaxes/markdown.json",
};
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => {
    // Markdown itself is the editor's; its fences are what this extension adds.
    if (scope === "text.html.markdown") return { scopeName: scope, patterns: [], repository: {} };
    const file = grammars[scope];
    return file ? textmate.parseRawGrammar(await readFile(new URL(`../${file}`, import.meta.url), "utf8"), file) : null;
  },
  getInjections: (scope) => (scope === "text.html.markdown" ? ["markdown.bmc.codeblock"] : undefined),
});

/** The innermost scope of each character; a line break has none. */
function scopes(grammar, text) {
  const found = [];
  let stack = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, stack);
    if (result.stoppedEarly) throw new Error("a line takes too long");
    stack = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      for (let at = startIndex; at < Math.min(endIndex, line.length); at++) found.push(scopes);
    }
    found.push([]);
  }
  return found;
}

function has(stack, start) {
  return stack.some((scope) => scope.startsWith(start));
}

const isComment = (stack) => has(stack, "comment");
const isText = (stack) => has(stack, "string") || has(stack, "comment");
const isKeyword = (stack) => {
  const last = stack.at(-1) ?? "";
  return /^(storage|keyword\.control|keyword\.operator\.word|constant\.language|variable\.language)/.test(last);
};
const isName = (stack) => /^(variable|entity|support|keyword\.other\.unit)/.test(stack.at(-1) ?? "");

/** What a token's characters must be. */
const kinds = {
  comment: (stack) => isComment(stack) && !has(stack, "comment.line.documentation"),
  doc: (stack) => has(stack, "comment.line.documentation"),
  string: (stack) => has(stack, "string.quoted") && !isComment(stack),
  number: (stack) => has(stack, "constant.numeric") && !isText(stack),
  keyword: (stack) => isKeyword(stack) && !isText(stack),
  // Behind a dot and as a key, every word is a name.
  field: (stack) => (isKeyword(stack) || isName(stack)) && !isText(stack),
  word: (stack) => (isKeyword(stack) || isName(stack)) && !isText(stack),
  name: (stack) => isName(stack) && !isKeyword(stack) && !isText(stack),
  sign: (stack) => !isText(stack) && !has(stack, "constant.numeric") && !isKeyword(stack),
};

const grammar = await registry.loadGrammar("source.bmc");
const sources = JSON.parse(await readFile(process.argv[2], "utf8"));
const wrong = [];
let tokens = 0;
let contextual = 0;
for (const { path, text, tokens: expected } of sources) {
  const found = scopes(grammar, text);
  for (const [kind, start, end] of expected) {
    tokens += 1;
    const holds = kinds[kind];
    if (kind === "word" && isKeyword(found[start])) contextual += 1;
    for (let at = start; at < end; at++) {
      if (text[at] === "\n" || text[at] === "\r" || holds(found[at])) continue;
      const line = text.slice(0, at).split("\n").length;
      wrong.push(`${path}:${line}: \`${text.slice(start, end)}\` is a ${kind} and has ${JSON.stringify(found[at])}`);
      break;
    }
  }
}

const markdown = await registry.loadGrammar("text.html.markdown");
const page = scopes(markdown, "text\n\n```bmc\ncontract A {\n}\n```\n\ncontract B\n");
const inside = page["text\n\n```bmc\n".length];
const outside = page["text\n\n```bmc\ncontract A {\n}\n```\n\n".length];
if (!isKeyword(inside) || !has(inside, "meta.embedded.block.bmc")) wrong.push(`a fence has ${JSON.stringify(inside)}`);
if (isKeyword(outside)) wrong.push(`what follows a fence has ${JSON.stringify(outside)}`);
if (contextual < 500) wrong.push(`only ${contextual} words of one place have a colour`);

for (const line of wrong.slice(0, 40)) console.error(line);
console.log(`${sources.length} sources, ${tokens} tokens, ${wrong.length} with another colour`);
process.exitCode = wrong.length === 0 ? 0 : 1;
