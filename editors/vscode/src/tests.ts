// The test explorer: what tests there are, by the server; how they end, by `bmc test`.

import * as vscode from "vscode";
import { packageOf, reason, run } from "./binary";
import type { Server } from "./client";
import { debugTest } from "./debug";
import { declared, testName, type Place } from "./place";

/** One result of `bmc test --json`. */
interface Outcome {
  name: string;
  line: number;
  passed: boolean;
  bytes: number;
  cost: number;
  cases?: number;
  message?: string;
  notes?: { message?: string }[] | string[];
  counterexample?: { seed: string; values: { name: string; value: string }[] };
}

const KINDS = ["test", "property"];
/** Folders whose sources are nobody's tests. */
const LEFT_OUT = ["node_modules", "target", ".git"];

export class Tests implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController("bmc", "Bitmodel");
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly rest: vscode.Disposable[];

  constructor(private readonly server: Server) {
    this.controller.resolveHandler = async (item) => (item?.uri ? this.look(item.uri) : this.lookEverywhere());
    this.controller.refreshHandler = () => this.lookEverywhere();
    this.controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, (request, stop) => this.run(request, stop), true);
    this.controller.createRunProfile("Debug", vscode.TestRunProfileKind.Debug, (request) => this.debug(request), true);
    const watcher = vscode.workspace.createFileSystemWatcher("**/*.bmc", false, false, true);
    // When a folder goes, nothing is said of the files in it.
    const deletions = vscode.workspace.createFileSystemWatcher("**", true, true);
    this.rest = [
      watcher,
      watcher.onDidCreate((file) => this.lookSoon(file)),
      watcher.onDidChange((file) => this.lookSoon(file)),
      deletions,
      deletions.onDidDelete((gone) => this.forget(({ id }) => id === gone.toString() || id.startsWith(`${gone}/`))),
      vscode.workspace.onDidRenameFiles(() => void this.lookEverywhere()),
      vscode.workspace.onDidOpenTextDocument((document) => this.lookSoon(document.uri, document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.lookSoon(document.uri, document)),
      server.onStarted(() => void this.lookEverywhere()),
    ];
  }

  private async lookEverywhere(): Promise<void> {
    const found = await vscode.workspace.findFiles("**/*.bmc", `**/{${LEFT_OUT.join(",")}}/**`, 5_000);
    const open = vscode.workspace.textDocuments.filter(isListed).map(({ uri }) => uri);
    const files = new Map([...found, ...open].map((file) => [file.toString(), file]));
    this.forget(({ id }) => !files.has(id));
    await Promise.all([...files.values()].map((file) => this.look(file)));
  }

  private forget(isGone: (item: vscode.TestItem) => boolean): void {
    const gone: string[] = [];
    this.controller.items.forEach((item) => {
      if (isGone(item)) gone.push(item.id);
    });
    gone.forEach((id) => this.controller.items.delete(id));
  }

  /** Looks at a file once no more edits come. */
  private lookSoon(file: vscode.Uri, document?: vscode.TextDocument): void {
    if (!isListed(document ?? { uri: file, languageId: "bmc" })) return;
    const key = file.toString();
    clearTimeout(this.waiting.get(key));
    this.waiting.set(
      key,
      setTimeout(() => {
        this.waiting.delete(key);
        void this.look(file);
      }, 300),
    );
  }

  /** The items of a file become what it declares now; they stay as they are if nobody can say. */
  private async look(file: vscode.Uri): Promise<void> {
    try {
      await this.list(file);
    } catch (error) {
      // An edit came in between, and with it the next look; or the server does not run, and looks when it does.
      this.server.log.debug(`${file.fsPath}: no tests are known: ${reason(error)}`);
    }
  }

  private async list(file: vscode.Uri): Promise<void> {
    const found = (await declared(this.server, file)).filter(({ kind }) => KINDS.includes(kind));
    const key = file.toString();
    if (found.length === 0) return this.controller.items.delete(key);
    const parent = this.controller.items.get(key) ?? this.controller.createTestItem(key, vscode.workspace.asRelativePath(file), file);
    const children = found.map(({ name, kind, range }) => {
      const id = `${key}::${name}`;
      const item = parent.children.get(id) ?? this.controller.createTestItem(id, name, file);
      item.range = range;
      item.description = kind === "property" ? kind : "";
      return item;
    });
    parent.children.replace(children);
    this.controller.items.add(parent);
  }

  /** Runs one test, as its lens asks. Fails if nobody can say what tests there are. */
  async runAt(place: Place): Promise<void> {
    await this.list(place.file);
    const parent = this.controller.items.get(place.file.toString());
    const item = place.name === undefined ? parent : parent?.children.get(`${parent.id}::${place.name}`);
    if (!item) return void vscode.window.showWarningMessage(`Bitmodel: no test ${place.name ?? ""} in this file`);
    const stop = new vscode.CancellationTokenSource();
    await this.run(new vscode.TestRunRequest([item]), stop.token);
  }

  private chosen(request: vscode.TestRunRequest): vscode.TestItem[] {
    const leaves: vscode.TestItem[] = [];
    const add = (item: vscode.TestItem) => {
      if (request.exclude?.includes(item)) return;
      if (item.children.size === 0) leaves.push(item);
      else item.children.forEach(add);
    };
    if (request.include) request.include.forEach(add);
    else this.controller.items.forEach(add);
    return leaves;
  }

  private async run(request: vscode.TestRunRequest, stop: vscode.CancellationToken): Promise<void> {
    const run = this.controller.createTestRun(request);
    try {
      await vscode.workspace.saveAll(false);
      const byPackage = new Map<string, vscode.TestItem[]>();
      for (const item of this.chosen(request)) {
        const folder = await packageOf(item.uri!);
        byPackage.set(folder, [...(byPackage.get(folder) ?? []), item]);
        run.enqueued(item);
      }
      const everything = !request.include && !request.exclude?.length;
      for (const [folder, items] of byPackage) {
        await this.runPackage(run, folder, items, everything, stop);
      }
    } finally {
      run.end();
    }
  }

  private async runPackage(
    run: vscode.TestRun,
    folder: string,
    items: vscode.TestItem[],
    everything: boolean,
    stop: vscode.CancellationToken,
  ): Promise<void> {
    items.forEach((item) => run.started(item));
    const nameOf = (item: vscode.TestItem) => testName(item.uri!, item.label, folder);
    const filters = everything ? [] : items.map(nameOf);
    const print = (text: string) => run.appendOutput(`${text.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n")}\r\n`);
    print(`${folder}$ bmc test ${filters.join(" ")}`);
    let ran;
    try {
      ran = await runTests(filters, folder, stop);
    } catch (error) {
      return items.forEach((item) => run.errored(item, new vscode.TestMessage(reason(error))));
    }
    if (stop.isCancellationRequested) return items.forEach((item) => run.skipped(item));
    const outcomes = ran.outcomes;
    if (!outcomes) {
      print(ran.stderr);
      return items.forEach((item) => run.errored(item, new vscode.TestMessage(ran.stderr.trim() || "`bmc test` says nothing")));
    }
    for (const item of items) {
      const outcome = outcomes.find(({ name }) => name === nameOf(item));
      if (!outcome) {
        run.skipped(item);
        continue;
      }
      const takes = outcome.bytes > 0 ? `  ${outcome.bytes} bytes, cost ${outcome.cost}` : "";
      print(`${outcome.passed ? "ok    " : "failed"} ${outcome.name}${takes}`);
      if (outcome.passed) run.passed(item);
      else run.failed(item, failure(item, outcome));
    }
  }

  private async debug(request: vscode.TestRunRequest): Promise<void> {
    const [item] = this.chosen(request);
    if (item) await debugTest(item.uri!, item.label);
  }

  dispose(): void {
    this.waiting.forEach((timer) => clearTimeout(timer));
    this.rest.forEach((one) => one.dispose());
    this.controller.dispose();
  }
}

/** Whether a document's tests are to be in the explorer by themselves. */
function isListed({ uri, languageId }: Pick<vscode.TextDocument, "uri" | "languageId">): boolean {
  if (uri.scheme !== "file" || languageId !== "bmc") return false;
  // A single file may be open, without any folder.
  if (!vscode.workspace.workspaceFolders) return true;
  const folders = vscode.workspace.asRelativePath(uri, false).split("/");
  return vscode.workspace.getWorkspaceFolder(uri) !== undefined && !folders.some((folder) => LEFT_OUT.includes(folder));
}

async function runTests(
  filters: string[],
  folder: string,
  stop: vscode.CancellationToken,
): Promise<{ outcomes?: Outcome[]; stderr: string }> {
  const { stdout, stderr } = await run(["test", "--json", ...filters], folder, { stop });
  try {
    return { outcomes: (JSON.parse(stdout) as { tests: Outcome[] }).tests, stderr };
  } catch {
    return { stderr };
  }
}

function failure(item: vscode.TestItem, outcome: Outcome): vscode.TestMessage {
  const lines = [outcome.message ?? "failed"];
  for (const { name, value } of outcome.counterexample?.values ?? []) lines.push(`${name} = ${value}`);
  if (outcome.counterexample) lines.push(`again: bmc test ${outcome.name} --replay ${outcome.counterexample.seed}`);
  for (const note of outcome.notes ?? []) lines.push("", typeof note === "string" ? note : (note.message ?? ""));
  const message = new vscode.TestMessage(lines.join("\n"));
  const line = Math.max(0, outcome.line - 1);
  message.location = new vscode.Location(item.uri!, new vscode.Position(line, 0));
  return message;
}
