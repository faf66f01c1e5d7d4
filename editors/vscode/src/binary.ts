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

/** Runs `bmc` to its end, or ends it when asked to. Fails if it cannot be started. */
export function run(args: string[], cwd: string, stop?: vscode.CancellationToken): Promise<Ran> {
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
    child.on("error", (error) => {
      asked?.dispose();
      reject(error);
    });
    child.on("close", (code) => {
      asked?.dispose();
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

/** Says that there is no `bmc`, and what to do about it. */
export async function tellMissing(reason: string): Promise<void> {
  const settings = "Open Settings";
  const again = "Try Again";
  const chosen = await vscode.window.showErrorMessage(
    `Bitmodel: \`${binary()}\` does not start: ${reason}. ` +
      "Install it with `cargo install --locked --path cli` from its sources, or say in `bmc.path` where it is.",
    settings,
    again,
  );
  if (chosen === settings) await vscode.commands.executeCommand("workbench.action.openSettings", "bmc.path");
  if (chosen === again) await vscode.commands.executeCommand("bmc.restart");
}
