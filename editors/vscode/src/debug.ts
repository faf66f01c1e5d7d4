// The debugger: `bmc dap` is the adapter; what is debugged stands in launch.json, or is the test at the cursor.

import * as path from "node:path";
import * as vscode from "vscode";
import { binary, packageOf, told } from "./binary";
import type { Server } from "./client";
import { placeAtCursor, testName } from "./place";

const SUBJECTS = ["test", "transactionHex", "txid", "script"];

export function registerDebugger(server: Server): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.debug.registerDebugAdapterDescriptorFactory("bmc", {
      createDebugAdapterDescriptor: () => new vscode.DebugAdapterExecutable(binary(), ["dap"]),
    }),
    vscode.debug.registerDebugConfigurationProvider("bmc", {
      resolveDebugConfiguration: told(async (workspace, config) => {
        if (SUBJECTS.some((key) => config[key])) return { stopOnEntry: true, ...config };
        const place = await placeAtCursor(server, ["test", "property"]);
        if (place?.name) return await configuration(place.file, place.name, config, workspace);
        void vscode.window.showErrorMessage(
          "Bitmodel: say what to debug: `test`, `transactionHex`, `txid` or `script` in launch.json, or open a file with tests",
        );
        return undefined;
      }),
    }),
  );
}

/** What debugs a test; whatever the author's configuration says counts. */
async function configuration(
  file: vscode.Uri,
  name: string,
  written: Partial<vscode.DebugConfiguration> = {},
  workspace = vscode.workspace.getWorkspaceFolder(file),
): Promise<vscode.DebugConfiguration> {
  const said = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined && value !== ""));
  const own = await packageOf(file);
  const wanted: string = said.cwd ?? said.project ?? own;
  const folder = wanted.replaceAll("${workspaceFolder}", workspace?.uri.fsPath ?? own);
  return {
    type: "bmc",
    request: "launch",
    name,
    test: testName(file, name, path.isAbsolute(folder) ? folder : own),
    // `cwd` would count before `project`.
    ...(said.project === undefined && { cwd: own }),
    stopOnEntry: true,
    ...said,
  };
}

/** Debugs a test, as its lens or the test explorer asks. */
export async function debugTest(file: vscode.Uri, name: string): Promise<void> {
  await vscode.workspace.saveAll(false);
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(file), await configuration(file, name));
}
