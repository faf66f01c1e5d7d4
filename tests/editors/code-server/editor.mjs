// VS Code in a browser with the packed extension: an example is opened, broken, hovered over, mended and tested.
//
// Arguments: the program `bmc`, the package, a folder with the example `htlc`, which this may change, and the browser.
// Pictures of what there was to see stand beside this file.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const [, , program, packed, folder, browserName] = process.argv;
const data = join(process.cwd(), "data");
rmSync(data, { recursive: true, force: true });
rmSync(join(folder, ".vscode"), { recursive: true, force: true });
for (const scope of ["User", "Machine"]) mkdirSync(join(data, scope), { recursive: true });
// Where programs lie is a setting of the machine that they run on.
writeFileSync(join(data, "Machine/settings.json"), JSON.stringify({ "bmc.path": program }));
writeFileSync(
  join(data, "User/settings.json"),
  JSON.stringify({
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "chat.disableAIFeatures": true,
    "extensions.autoCheckUpdates": false,
    "update.mode": "none",
    "editor.hover.delay": 100,
    "files.autoSave": "off",
    "window.restoreWindows": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
  }),
);
const bin = join(process.cwd(), "node_modules/code-server/out/node/entry.js");
const common = ["--user-data-dir", data, "--extensions-dir", join(data, "extensions")];
execFileSync(process.execPath, [bin, ...common, "--install-extension", packed], { stdio: ["ignore", "ignore", "inherit"] });

/** A port that nobody listens at. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const port = await freePort();
const server = spawn(
  process.execPath,
  [bin, ...common, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"],
  { stdio: "ignore" },
);
let browser;
let page;
try {
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const there = await fetch(`${base}/healthz`).then((answer) => answer.ok, () => false);
    if (there) break;
    assert.ok(tries < 150, "code-server does not start");
    await sleep(200);
  }
  const which = execFileSync("which", [browserName], { encoding: "utf8" }).trim();
  browser = await chromium.launch({
    executablePath: which,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(60_000);
  await page.goto(`${base}/?folder=${encodeURIComponent(folder)}`);
  await drive(page);
} catch (error) {
  await page?.screenshot({ path: "failed.png" }).catch(() => {});
  throw error;
} finally {
  await browser?.close();
  server.kill();
}

async function command(page, name) {
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input[type=text]:visible");
  await input.fill(`>${name}`);
  await page.locator(`.quick-input-list .monaco-list-row:has-text(${JSON.stringify(name)})`).first().click();
}

async function drive(page) {
  await page.locator(".monaco-workbench").waitFor();
  await page.locator('.explorer-folders-view [role=treeitem][aria-label^="htlc.bmc"]').dblclick();
  const editor = page.locator(".editor-instance .monaco-editor").first();
  await editor.locator(".view-line", { hasText: "contract Htlc" }).waitFor();

  // Colours: keywords, names and strings differ.
  const colour = (text) =>
    editor.locator(".view-line span > span", { hasText: text }).first().evaluate((span) => getComputedStyle(span).color);
  let colours = new Set();
  for (let tries = 0; colours.size < 3; tries++) {
    assert.ok(tries < 50, `only the colours ${[...colours]}`);
    await sleep(200);
    colours = new Set([await colour("require"), await colour("this is not"), await colour("///")]);
  }

  // The server runs: what it says of a name comes up beside it.
  const hovered = editor.locator(".view-line span > span", { hasText: /^digest$/ }).last();
  const hover = page.locator(".monaco-hover-content:visible", { hasText: "Hash256" });
  for (let tries = 0; !(await hover.isVisible()); tries++) {
    assert.ok(tries < 30, "no hover comes");
    await page.mouse.move(5, 5);
    await hovered.hover();
    await sleep(700);
  }
  await page.screenshot({ path: "hover.png" });
  await page.mouse.move(5, 5);

  // Lenses above the contract, where the server has them; what it takes is measured a moment later.
  const measured = editor.locator(".codelens-decoration", { hasText: "bytes" }).first();
  await measured.waitFor({ timeout: 10_000 }).catch(() => {});
  const lenses = await editor.locator(".codelens-decoration").allInnerTexts();
  await page.screenshot({ path: "lenses.png" });

  // A mistake: the line is marked, and the view of problems has it.
  await command(page, "Go to Line/Column...");
  await page.keyboard.type("14:1");
  await page.keyboard.press("Enter");
  await page.keyboard.type("    require digets == digest;");
  await editor.locator(".squiggly-error").first().waitFor();
  await command(page, "Problems: Focus on Problems View");
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "digets" }).first();
  await problem.waitFor();
  await page.screenshot({ path: "problems.png" });
  await editor.locator(".view-line", { hasText: "digets" }).click();
  await command(page, "File: Revert File");
  await editor.locator(".squiggly-error").first().waitFor({ state: "detached" });

  // The tests: all that the package declares, and how they end.
  await command(page, "Testing: Focus on Test Explorer View");
  await page.locator(".test-explorer .monaco-list-row", { hasText: "tests.bmc" }).waitFor();
  await command(page, "Test: Run All Tests");
  await page.locator(".test-explorer .monaco-list-row .codicon-testing-passed-icon").first().waitFor();
  await page.screenshot({ path: "tests.png" });

  // The costs of the contract.
  await command(page, "Bitmodel: Show Costs");
  await page.locator(".monaco-list-row", { hasText: "claim" }).filter({ hasText: "cost" }).first().waitFor();
  await page.screenshot({ path: "costs.png" });

  // A setting counts as soon as it is set: the bytes of each check.
  const hint = editor.locator(".view-line", { hasText: /secret";\s*\d+\sbytes/ }).first();
  assert.equal(await hint.count(), 0);
  mkdirSync(join(folder, ".vscode"));
  writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify({ "bmc.inlayHints.cost": true }));
  await hint.waitFor();
  await page.screenshot({ path: "hints.png" });
  rmSync(join(folder, ".vscode"), { recursive: true });
  await hint.waitFor({ state: "detached" });

  const debugs = spawnSync(program, ["dap", "--help"]).status === 0;
  if (debugs) await debugged(page);
  console.log(`the extension runs${debugs ? "" : ", but there is no debugger"}; lenses: ${lenses.length === 0 ? "none" : lenses.join(" | ")}`);
}

/** Steps through a test, forwards and backwards. */
async function debugged(page) {
  const file = page.locator('.explorer-folders-view [role=treeitem][aria-label^="tests.bmc"]');
  await file.dblclick();
  const line = page.locator(".editor-instance .view-line", { hasText: "whoever_shows_the_secret_is_paid" });
  await line.click();
  await command(page, "Bitmodel: Debug the Test at the Cursor");
  const toolbar = page.locator(".debug-toolbar");
  await toolbar.waitFor();
  await page.keyboard.press("Control+Shift+d");
  const frame = page.locator(".debug-call-stack .monaco-list-row .stack-frame").first();
  await frame.waitFor();
  const place = () => page.locator(".debug-call-stack .monaco-list-row .stack-frame .line-number").first().innerText();
  const entry = await place();
  const until = async (holds, what) => {
    for (let tries = 0; !holds(await place()); tries++) {
      assert.ok(tries < 50, `${what}: ${await place()}`);
      await sleep(200);
    }
  };
  await command(page, "Debug: Step Over");
  await until((now) => now !== entry, "a step forwards");
  await page.screenshot({ path: "debug.png" });
  await toolbar.locator(".codicon-debug-step-back").click();
  await until((now) => now === entry, "a step backwards");
  await command(page, "Debug: Stop");
  await toolbar.waitFor({ state: "hidden" });
}
