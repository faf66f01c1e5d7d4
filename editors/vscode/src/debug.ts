// The debugger: `bmc dap` is the adapter; what is debugged stands in launch.json, or is the test at the cursor.

import * as vscode from "vscode";
import { binary, packageOf } from "./binary";
import type { Server } from "./client";
import { placeAtCursor, type Place } from "./place";

const SUBJECTS = ["test", "transactionHex", "txid", "script"];

export function registerDebugger(server: Server): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.debug.registerDebugAdapterDescriptorFactory("bmc", {
      createDebugAdapterDescriptor: () => new vscode.DebugAdapterExecutable(binary(), ["dap"]),
    }),
    vscode.debug.registerDebugConfigurationProvider("bmc", {
      resolveDebugConfiguration: async (folder, config) => {
        if (SUBJECTS.some((key) => config[key])) return config;
        const place = await placeAtCursor(server, ["test", "property"]);
        if (!place?.name) {
          void vscode.window.showErrorMessage(
            "Bitmodel: say what to debug: `test`, `transactionHex`, `txid` or `script` in launch.json, or open a file with tests",
          );
          return undefined;
        }
        const cwd = config.cwd ?? (await packageOf(place.file)) ?? folder?.uri.fsPath;
        return { ...config, ...(await configuration(place)), cwd };
      },
    }),
  );
}

async function configuration(place: Place): Promise<vscode.DebugConfiguration> {
  const stem = place.file.path.replace(/^.*\//, "").replace(/\.bmc$/, "");
  return {
    type: "bmc",
    request: "launch",
    name: place.name ?? "Debug",
    test: `${stem}::${place.name}`,
    cwd: await packageOf(place.file),
    stopOnEntry: true,
  };
}

/** Debugs a test, as its lens or the test explorer asks. */
export async function debugTest(place: Place): Promise<void> {
  await vscode.workspace.saveAll(false);
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(place.file), await configuration(place));
}
