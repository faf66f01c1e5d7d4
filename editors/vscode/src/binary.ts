// Finds `bmc` and runs it.

import { spawn } from "node:child_process";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

/** The program as the settings name it. */
export function binary(): string {
  const named = vscode.workspace.getConfiguration("bmc").get<string>("path")?.trim() || "bmc";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  return named.replace(/^~(?=$|[\\/])/, os.homedir()).replaceAll("${workspaceFolder}", folder);
}

export interface Ran {
  /** The exit code; nothing if it was ended. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What is kept of what a program prints. */
const PRINTED_MAX = 64 << 20;

/** What ends `bmc` before it ends by itself. */
interface Limit {
  stop?: vscode.CancellationToken;
  /** The longest that it may take. */
  seconds?: number;
}

/** Runs `bmc` to its end, or ends it when asked to. Fails if it cannot be started, or takes too long. */
export function run(args: string[], cwd: string, { stop, seconds }: Limit = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary(), args, { cwd, env: { ...process.env, NO_COLOR: "1" } });
    const kept = { stdout: "", stderr: "" };
    const keep = (which: "stdout" | "stderr") => {
      child[which].setEncoding("utf8").on("data", (text: string) => {
        if (kept[which].length < PRINTED_MAX) kept[which] += text;
      });
    };
    keep("stdout");
    keep("stderr");
    const asked = stop?.onCancellationRequested(() => child.kill());
    const late = () => {
      child.kill("SIGKILL");
      // What it has started may keep its output open, so its end is not waited for.
      reject(new Error(`it says nothing for ${seconds} seconds`));
    };
    const timer = seconds === undefined ? undefined : setTimeout(late, seconds * 1000);
    const ended = () => {
      asked?.dispose();
      clearTimeout(timer);
    };
    child.on("error", (error) => {
      ended();
      reject(error);
    });
    child.on("close", (code) => {
      ended();
      resolve({ code, ...kept });
    });
    child.stdin.end();
  });
}

/** The folder of the package that holds a file: the nearest with `bmc.toml`, or else the file's own. */
export async function packageOf(file: vscode.Uri): Promise<string> {
  const own = path.dirname(file.fsPath);
  for (let folder = own; ; folder = path.dirname(folder)) {
    try {
      await vscode.workspace.fs.stat(vscode.Uri.file(path.join(folder, "bmc.toml")));
      return folder;
    } catch {
      if (path.dirname(folder) === folder) return own;
    }
  }
}

/** What went wrong, as people read it. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An action that tells the author why it failed, and then has no result. */
export function told<A extends unknown[], R>(action: (...args: A) => R | Promise<R>): (...args: A) => Promise<R | undefined> {
  return async (...args) => {
    try {
      return await action(...args);
    } catch (error) {
      void vscode.window.showErrorMessage(`Bitmodel: ${reason(error)}`);
      return undefined;
    }
  };
}

/** Says that there is no `bmc`, and what to do about it. */
export async function tellMissing(why: string): Promise<void> {
  const settings = "Open Settings";
  const again = "Try Again";
  const chosen = await vscode.window.showErrorMessage(
    `Bitmodel: \`${binary()}\` does not start: ${why}. ` +
      "Install it with `cargo install --locked --path cli` from its sources, or say in `bmc.path` where it is.",
    settings,
    again,
  );
  if (chosen === settings) await vscode.commands.executeCommand("workbench.action.openSettings", "bmc.path");
  if (chosen === again) await vscode.commands.executeCommand("bmc.restart");
}
