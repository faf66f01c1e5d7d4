// Builds the May-2026 vectors of libauth's public test suite and writes one JSON object a line.
// Arguments: the package's folder, the file to write.
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, target] = process.argv.slice(2);
const suite = path.resolve(folder, 'build/lib/vmb-tests');
const load = (file) => import(pathToFileURL(file).href);
const { vmbTestGroupToVmbTests } = await load(path.join(suite, 'bch-vmb-test-utils.js'));

const out = createWriteStream(target);
const files = (await readdir(path.join(suite, 'sources'))).filter((name) => name.endsWith('.js')).sort();
let count = 0;
for (const file of files) {
  const family = file.slice(0, -'.js'.length);
  const groups = (await load(path.join(suite, 'sources', file))).default;
  for (const [id, about, , , tx, utxos, sets, input = 0] of groups.flatMap(vmbTestGroupToVmbTests).flat()) {
    const set = sets.find((name) => name.startsWith('2026_'));
    if (set === undefined) continue;
    out.write(JSON.stringify({ id, family, expect: set.slice('2026_'.length), about, tx, utxos, input }) + '\n');
    count += 1;
  }
  console.error(`${family}: ${count}`);
}
out.end();
