// What a command is about: the arguments of a lens, or else where the cursor is.

import * as path from "node:path";
import * as vscode from "vscode";
import type { Server } from "./client";

/** A declaration of a file. */
export interface Place {
  file: vscode.Uri;
  name?: string;
  /** One path of the contract. */
  spend?: string;
}

export interface Declared {
  name: string;
  /** `test`, `property`, `contract`, `reward` and so on. */
  kind: string;
  range: vscode.Range;
}

/** The place that the arguments of a command name, whether as an object or one by one. */
export function placeOf(args: unknown[]): Place | undefined {
  const texts: string[] = [];
  let found: Record<string, unknown> = {};
  for (const arg of args) {
    if (typeof arg === "string") texts.push(arg);
    else if (arg instanceof vscode.Uri) texts.push(arg.toString());
    else if (arg !== null && typeof arg === "object") found = { ...found, ...arg };
  }
  const text = (key: string) => (typeof found[key] === "string" ? found[key] : undefined);
  const file = text("uri") ?? text("path") ?? texts[0];
  if (file === undefined) return undefined;
  const uri = /^[a-z][a-z0-9+.-]+:/i.test(file) ? vscode.Uri.parse(file) : vscode.Uri.file(file);
  return { file: uri, name: text("name") ?? texts[1], spend: text("spend") };
}

interface ServerSymbol {
  name: string;
  detail?: string;
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
}

/** What a file declares at its top, in order. Fails if the server does not run. */
export async function declared(server: Server, file: vscode.Uri): Promise<Declared[]> {
  const textDocument = { uri: server.uri(file) };
  const symbols = await server.ask<ServerSymbol[] | null>("textDocument/documentSymbol", { textDocument });
  return (symbols ?? []).map(({ name, detail, range: { start, end } }) => ({
    name,
    kind: detail ?? "",
    range: new vscode.Range(start.line, start.character, end.line, end.character),
  }));
}

/** The name by which `bmc` knows a test when it is started in a folder: the path of the file from there, and the name. */
export function testName(file: vscode.Uri, name: string, folder: string): string {
  const inside = path.relative(folder, file.fsPath).replaceAll(path.sep, "/");
  return `${inside.replace(/\.bmc$/, "")}::${name}`;
}

/** Where the cursor is: the file and the declaration of one of the kinds there. */
export async function placeAtCursor(server: Server, kinds: string[]): Promise<Place | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "bmc") return undefined;
  const file = editor.document.uri;
  const all = (await declared(server, file)).filter(({ kind }) => kinds.includes(kind));
  const here = all.find(({ range }) => range.contains(editor.selection.active));
  if (here) return { file, name: here.name };
  if (all.length < 2) return all[0] ? { file, name: all[0].name } : { file };
  const chosen = await vscode.window.showQuickPick(
    all.map(({ name, kind }) => ({ label: name, description: kind })),
    { placeHolder: "Which one?" },
  );
  return chosen && { file, name: chosen.label };
}
