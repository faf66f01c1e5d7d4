// The extension: a thin client of `bmc lsp`, `bmc dap`, `bmc test` and `bmc size`.

import * as vscode from "vscode";
import { Server } from "./client";
import { registerCommands } from "./commands";
import { Costs } from "./cost";
import { registerDebugger } from "./debug";
import { Tests } from "./tests";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  // Windows would look for `bmc` first in the folder that is open, which others may have filled.
  process.env.NoDefaultCurrentDirectoryInExePath = "1";
  const own = (server = new Server());
  const tests = new Tests(own);
  const costs = new Costs(own);
  context.subscriptions.push(
    own,
    tests,
    costs,
    registerCommands(own, tests, costs),
    registerDebugger(own),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("bmc.path")) void own.start();
    }),
  );
  await vscode.commands.executeCommand("setContext", "bmc.active", true);
  await own.start();
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
