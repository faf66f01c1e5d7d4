// The view of costs: what `bmc size` measures, by contract, path and line; a click goes to the line.

import * as path from "node:path";
import * as vscode from "vscode";
import { packageOf, run } from "./binary";

/** What `bmc size --json` says of one contract. */
interface Sizes {
  contract: string;
  script: number;
  paths: { path: string; input: number; open: boolean; cost: number | null; limit: number }[];
  lines: { file: string; line: number; text: string; bytes: number; paths: string[]; cost: number | null }[];
}

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
  private shown: string | undefined;
  private running: vscode.CancellationTokenSource | undefined;

  constructor() {
    const follow = (document?: vscode.TextDocument) => {
      if (document?.languageId === "bmc" && document.uri.scheme === "file") void this.measure(document.uri, false);
    };
    this.rest = [
      vscode.window.onDidChangeActiveTextEditor((editor) => follow(editor?.document)),
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (document.languageId === "bmc") void this.measure(document.uri, true);
      }),
      this.view.onDidChangeVisibility(() => follow(vscode.window.activeTextEditor?.document)),
    ];
  }

  /** Shows the costs of the package around a file. */
  async show(file: vscode.Uri | undefined, name?: string, spend?: string): Promise<void> {
    await vscode.commands.executeCommand("bmc.cost.focus");
    if (file) await this.measure(file, true);
    const contract = this.rows.find(({ label }) => label === name);
    const row = contract?.children.find(({ label }) => label === spend) ?? contract;
    if (row) await this.view.reveal(row, { select: true, expand: true });
  }

  /** Measures the package around a file, unless it is the one that is shown. */
  async measure(file: vscode.Uri, again: boolean): Promise<void> {
    if (!this.view.visible) return;
    const folder = await packageOf(file);
    // Files without a package are measured alone.
    const subject = folder === path.dirname(file.fsPath) && !(await exists(path.join(folder, "bmc.toml"))) ? file.fsPath : folder;
    if (subject === this.shown && !again) return;
    this.shown = subject;
    this.running?.cancel();
    const running = new vscode.CancellationTokenSource();
    this.running = running;
    let rows: Row[];
    try {
      const { stdout, stderr } = await run(["size", "--json", subject], folder, running.token);
      rows = stdout.trim() === "" ? [trouble(stderr)] : (JSON.parse(stdout) as Sizes[]).map((sizes) => contract(folder, sizes));
    } catch (error) {
      rows = [trouble(error instanceof Error ? error.message : String(error))];
    }
    if (running.token.isCancellationRequested) return;
    this.view.description = path.basename(subject);
    this.rows = rows;
    this.changed.fire();
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

async function exists(file: string): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(vscode.Uri.file(file));
    return true;
  } catch {
    return false;
  }
}

function trouble(text: string): Row {
  const [first = "nothing was measured", ...rest] = text.trim().split("\n");
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
      row.command = {
        command: "vscode.open",
        title: "Go to the line",
        arguments: [
          vscode.Uri.file(path.resolve(folder, file)),
          { selection: new vscode.Range(line - 1, 0, line - 1, 0) } satisfies vscode.TextDocumentShowOptions,
        ],
      };
      return row;
    });
  const most = new Row("lines", `${lines.length}`, "list-ordered", lines);
  most.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
  return new Row(sizes.contract, `${sizes.script} bytes`, "file-binary", [...paths, most]);
}
