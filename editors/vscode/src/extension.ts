// The extension: a thin client of `bmc lsp`, `bmc dap`, `bmc test` and `bmc size`.

import * as vscode from "vscode";
import { Server } from "./client";
import { registerCommands } from "./commands";
import { Costs } from "./cost";
import { registerDebugger } from "./debug";
import { Tests } from "./tests";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const server = new Server();
  const tests = new Tests(server);
  const costs = new Costs();
  context.subscriptions.push(
    server,
    tests,
    costs,
    registerCommands(server, tests, costs),
    registerDebugger(server),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (["bmc.path", "bmc.hints"].some((key) => change.affectsConfiguration(key))) void server.start();
    }),
  );
  await vscode.commands.executeCommand("setContext", "bmc.active", true);
  await server.start();
}
