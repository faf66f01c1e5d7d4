// The unchanged test client of VS Code's debug adapters against ours: breakpoints, steps in both directions, values, a failure.
//
// Arguments: the binary, and a folder with `half.bmc`.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import support from '@vscode/debugadapter-testsupport';

const [binary, folder] = process.argv.slice(2);
const client = new support.DebugClient(binary, 'dap', 'bmc', { cwd: folder });
client.defaultTimeout = 60_000;
const path = join(folder, 'half.bmc');
const thread = { threadId: 1 };
await client.start();

await client.hitBreakpoint({ cwd: folder, test: 'opens' }, { path, line: 5 });
const { stackFrames } = (await client.stackTraceRequest(thread)).body;
const { scopes } = (await client.scopesRequest({ frameId: stackFrames[0].id })).body;
const { variables } = (await client.variablesRequest({ variablesReference: scopes[0].variablesReference })).body;
assert.equal(variables.find(({ name }) => name === 'half')?.value, '0x15 = 21');
assert.equal((await client.evaluateRequest({ expression: 'half * 2' })).body.result, '42');

// An answer comes before the event that follows from it, and the client may wait for both at once.
await Promise.all([client.nextRequest(thread), client.assertStoppedLocation('step', { path, line: 6 })]);
await Promise.all([client.stepBackRequest(thread), client.assertStoppedLocation('step', { path, line: 5 })]);
await Promise.all([client.stepBackRequest(thread), client.assertStoppedLocation('step', { path, line: 4 })]);
await Promise.all([client.continueRequest(thread), client.assertStoppedLocation('breakpoint', { path, line: 5 })]);
await Promise.all([client.continueRequest(thread), client.waitForEvent('terminated')]);

// Begun anew with a test whose transaction is refused: breakpoints stay, and the author is heard.
await Promise.all([
  client.restartRequest({ arguments: { cwd: folder, test: 'stays_shut' } }),
  client.assertStoppedLocation('breakpoint', { path, line: 5 }),
]);
const [, stopped] = await Promise.all([client.continueRequest(thread), client.waitForEvent('stopped')]);
assert.equal(stopped.body.reason, 'exception');
assert.match(stopped.body.text, /too small/);
await assert.rejects(client.launchRequest({ test: 'opens' }), /something was launched already/);
await client.stop();
