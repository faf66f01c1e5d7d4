// The commands of lenses and of the palette.

import * as vscode from "vscode";
import { binary, packageOf, run, told } from "./binary";
import type { Server } from "./client";
import type { Costs } from "./cost";
import { debugTest } from "./debug";
import { placeAtCursor, placeOf, type Place } from "./place";
import type { Tests } from "./tests";

const TESTS = ["test", "property"];
// The others become contracts of other names.
const CONTRACTS = ["contract", "reward", "model"];
const EXPANDED = "bmc-expanded";

export function registerCommands(server: Server, tests: Tests, costs: Costs): vscode.Disposable {
  const expanded = new Expanded(server);
  const command = (name: string, action: (...args: unknown[]) => unknown) => vscode.commands.registerCommand(name, told(action));
  const at = async (args: unknown[], kinds: string[]) => placeOf(args) ?? (await placeAtCursor(server, kinds));
  return vscode.Disposable.from(
    expanded,
    vscode.workspace.registerTextDocumentContentProvider(EXPANDED, expanded),
    command("bmc.restart", () => server.start()),
    command("bmc.showLog", () => server.log.show()),
    command("bmc.runTest", async (...args) => {
      const place = await at(args, TESTS);
      if (place) await tests.runAt(place);
    }),
    command("bmc.debug", async (...args) => {
      const place = await at(args, TESTS);
      if (place?.name) await debugTest(place.file, place.name);
    }),
    command("bmc.deploy", async (...args) => {
      const place = await at(args, CONTRACTS);
      if (place) await deploy(place);
    }),
    command("bmc.expand", async (...args) => {
      const place = placeOf(args) ?? activeFile();
      if (place) await expanded.show(place);
    }),
    command("bmc.showCost", async (...args) => {
      const place = placeOf(args) ?? activeFile();
      await costs.show(place?.file, place?.name, place?.spend);
    }),
    command("bmc.refreshCost", () => costs.show(activeFile()?.file)),
  );
}

function activeFile(): Place | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.languageId === "bmc" && document.uri.scheme === "file" ? { file: document.uri } : undefined;
}

/** Writes the command into a terminal and leaves it to the author to fill in the values and send it. */
async function deploy(place: Place): Promise<void> {
  const cwd = await packageOf(place.file);
  const terminal = vscode.window.createTerminal({ name: `bmc deploy ${place.name ?? ""}`, cwd });
  const words = [binary(), "deploy", place.file.fsPath, ...(place.name ? ["--contract", place.name] : [])];
  terminal.show();
  terminal.sendText(`${typed(words, vscode.env.shell)} `, false);
}

/** Words as one types them into a shell. */
function typed(words: string[], shell: string): string {
  const name = shell.replace(/^.*[\\/]/, "").replace(/\.exe$/i, "").toLowerCase();
  const unless = (plain: RegExp, quote: (word: string) => string) =>
    words.map((word) => (plain.test(word) ? word : quote(word))).join(" ");
  switch (name) {
    case "powershell":
    case "pwsh":
      // A text in quotes is run only behind `&`.
      return `& ${unless(/^[\w.:\\/-]+$/, (word) => `'${word.replaceAll("'", "''")}'`)}`;
    case "cmd":
      return unless(/^[\w.:\\/-]+$/, (word) => `"${word.replaceAll('"', '""')}"`);
    default:
      return unless(/^[\w@%+=:,./-]+$/, (word) => `'${word.replaceAll("'", "'\\''")}'`);
  }
}

/** Documents that show what declarations turn into. */
class Expanded implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly asked = new Map<string, Place>();
  private readonly saved = vscode.workspace.onDidSaveTextDocument((document) => {
    for (const [uri, place] of this.asked) {
      if (place.file.toString() === document.uri.toString()) this.changed.fire(vscode.Uri.parse(uri));
    }
  });

  constructor(private readonly server: Server) {}

  async show(place: Place): Promise<void> {
    const stem = place.file.path.replace(/\.bmc$/, "");
    const uri = place.file.with({ scheme: EXPANDED, path: `${stem} (expanded).bmc`, query: place.name ?? "" });
    this.asked.set(uri.toString(), place);
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, "bmc");
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const place = this.asked.get(uri.toString()) ?? { file: uri.with({ scheme: "file", path: uri.path.replace(/ \(expanded\)\.bmc$/, ".bmc"), query: "" }) };
    const about = { uri: this.server.uri(place.file), name: place.name };
    const text = await this.server.execute<unknown>("bmc.expand", [about]);
    if (typeof text === "string") return text;
    const { stdout, stderr } = await run(["expand", place.file.fsPath, "--json"], await packageOf(place.file));
    try {
      return (JSON.parse(stdout) as { source: string }).source;
    } catch {
      return `// ${stderr.trim().replaceAll("\n", "\n// ")}\n`;
    }
  }

  dispose(): void {
    this.saved.dispose();
    this.changed.dispose();
  }
}
