// The view of costs: what the contracts of a file take, by path and line; a click goes to the line. The server knows it, as
// it shows it on lenses; `bmc size` measures what the server does not.

import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { packageOf, reason, run } from "./binary";
import type { Server } from "./client";

/** What `bmc size --json` says of one contract. */
interface Sizes {
  contract: string;
  script: number;
  paths: { path: string; input: number; open: boolean; cost: number | null; limit: number }[];
  lines: { file: string; line: number; text: string; bytes: number; paths: string[]; cost: number | null }[];
}

/** What the server says of a file; `complete` once it knows all of it. */
interface Known {
  contracts: Sizes[];
  complete: boolean;
}

/** So often the server is asked until it knows everything, and so long nobody asks in between. */
const TRIES_MAX = 12;
const PAUSE_MS = 250;

class Row extends vscode.TreeItem {
  constructor(
    label: string,
    description: string,
    icon: string,
    readonly children: Row[] = [],
  ) {
    super(label, children.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None);
    this.description = description;
    this.iconPath = new vscode.ThemeIcon(icon);
  }
}

const grouped = (number: number) => number.toLocaleString("en").replaceAll(",", "_");

export class Costs implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view = vscode.window.createTreeView("bmc.cost", { treeDataProvider: this, showCollapseAll: true });
  private readonly rest: vscode.Disposable[];
  private rows: Row[] = [];
  /** Whose rows they are. */
  private shown: vscode.Uri | undefined;
  private running: vscode.CancellationTokenSource | undefined;

  constructor(private readonly server: Server) {
    const follow = (document?: vscode.TextDocument) => {
      if (document?.languageId === "bmc" && document.uri.scheme === "file") void this.measure(document.uri, false);
    };
    this.rest = [
      vscode.window.onDidChangeActiveTextEditor((editor) => follow(editor?.document)),
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (document.languageId === "bmc" && this.shown) void this.measure(this.shown, true);
      }),
      this.view.onDidChangeVisibility(() => follow(vscode.window.activeTextEditor?.document)),
    ];
  }

  /** Shows the costs of a file. */
  async show(file: vscode.Uri | undefined, name?: string, spend?: string): Promise<void> {
    await vscode.commands.executeCommand("bmc.cost.focus");
    if (file) await this.measure(file, true);
    const contract = this.rows.find(({ label }) => label === name);
    const row = contract?.children.find(({ label }) => label === spend) ?? contract;
    if (row) await this.view.reveal(row, { select: true, expand: true });
  }

  /** Shows what the contracts of a file take, unless it is the one that is shown. */
  async measure(file: vscode.Uri, again: boolean): Promise<void> {
    if (!this.view.visible || (file.toString() === this.shown?.toString() && !again)) return;
    this.running?.cancel();
    const running = new vscode.CancellationTokenSource();
    this.running = running;
    await vscode.window.withProgress({ location: { viewId: "bmc.cost" } }, async () => {
      const rows = await this.measured(file, running.token).catch((error) => [trouble(reason(error))]);
      // What has no contract, such as a file of tests, leaves what stands there.
      if (running.token.isCancellationRequested || (rows.length === 0 && !again)) return;
      this.shown = file;
      this.view.description = path.basename(file.fsPath);
      this.rows = rows.length === 0 ? [trouble("")] : rows;
      this.changed.fire();
    });
  }

  private async measured(file: vscode.Uri, stop: vscode.CancellationToken): Promise<Row[]> {
    const folder = await packageOf(file);
    let sizes = await this.known(file, stop);
    if (!sizes) {
      const { stdout, stderr } = await run(["size", "--json", file.fsPath], folder, { stop });
      if (stdout.trim() === "") return [trouble(stderr)];
      sizes = JSON.parse(stdout) as Sizes[];
    }
    return sizes.map((one) => contract(folder, one));
  }

  /** What the server has measured of a file; nothing if it does not run, or does not come to know everything. */
  private async known(file: vscode.Uri, stop: vscode.CancellationToken): Promise<Sizes[] | undefined> {
    for (let tries = 0; tries < TRIES_MAX && !stop.isCancellationRequested; tries++) {
      const about = { uri: this.server.uri(file) };
      const asked = this.server.execute<Known | null>("bmc.cost", [about]);
      // Edits that stop the answer also start a new measurement.
      const known = await asked.catch((): Known => ({ contracts: [], complete: false }));
      if (!known) return undefined;
      if (known.complete) return known.contracts;
      await sleep(PAUSE_MS);
    }
    return undefined;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return row;
  }

  getChildren(row?: Row): Row[] {
    return row ? row.children : this.rows;
  }

  getParent(row: Row): Row | undefined {
    return this.rows.find(({ children }) => children.includes(row));
  }

  dispose(): void {
    this.running?.cancel();
    this.rest.forEach((one) => one.dispose());
    this.view.dispose();
    this.changed.dispose();
  }
}

function trouble(text: string): Row {
  const [first, ...rest] = text.trim().split("\n");
  const row = new Row(first || "no contract here", "", "warning");
  row.tooltip = rest.join("\n");
  return row;
}

function contract(folder: string, sizes: Sizes): Row {
  const paths = sizes.paths.map(({ path, input, open, cost, limit }) => {
    const share = cost === null ? "without bound" : `${grouped(cost)} of ${grouped(limit)} (${Math.round((cost * 100) / limit)} %)`;
    const row = new Row(path, `${input}${open ? "+" : ""} bytes · cost ${share}`, cost !== null && cost > limit ? "error" : "key");
    row.tooltip = "The bytes of the unlocking bytecode, and the most that its run costs of what such an input may cost.";
    return row;
  });
  const lines = sizes.lines
    .filter(({ bytes }) => bytes > 0)
    .map(({ file, line, text, bytes, cost }) => {
      const share = Math.round((bytes * 100) / Math.max(1, sizes.script));
      const row = new Row(`${bytes} bytes`, text, "symbol-ruler");
      row.tooltip = `${file}:${line}\n${share} % of the script${cost === null ? "" : `, cost ${grouped(cost)}`}`;
      // The lines of the standard library are in no file.
      if (!file.startsWith("std::")) {
        row.command = {
          command: "vscode.open",
          title: "Go to the line",
          arguments: [
            vscode.Uri.file(path.resolve(folder, file)),
            { selection: new vscode.Range(line - 1, 0, line - 1, 0) } satisfies vscode.TextDocumentShowOptions,
          ],
        };
      }
      return row;
    });
  const most = new Row("lines", `${lines.length}`, "list-ordered", lines);
  most.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
  return new Row(sizes.contract, `${sizes.script} bytes`, "file-binary", [...paths, most]);
}
