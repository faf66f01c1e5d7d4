// Reads one JSON object a line from standard input, `{ "id", "tx", "utxos" }` in hexadecimal (the
// format of the conformance vectors), and prints `id accepted` or `id refused: reason` for each.
// With `"inputs": [0, 2]` only the scripts of these inputs are run, and nothing else is looked at.
import { createInterface } from "node:readline";
import {
  createVirtualMachineBch2026,
  decodeTransaction,
  hexToBin,
  readTransactionOutputs,
} from "@bitauth/libauth";

const standard = process.argv[2] !== "consensus";
const vm = createVirtualMachineBch2026(standard);

function verdict({ tx, utxos, inputs }) {
  const transaction = decodeTransaction(hexToBin(tx));
  if (typeof transaction === "string") return transaction;
  const outputs = readTransactionOutputs({ bin: hexToBin(utxos), index: 0 });
  if (typeof outputs === "string") return outputs;
  const sourceOutputs = outputs.result;
  if (inputs === undefined) return vm.verify({ sourceOutputs, transaction });
  for (const inputIndex of inputs) {
    const result = vm.stateSuccess(vm.evaluate({ inputIndex, sourceOutputs, transaction }));
    if (result !== true) return result;
  }
  return true;
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const entry = JSON.parse(line);
  const result = verdict(entry);
  console.log(result === true ? `${entry.id} accepted` : `${entry.id} refused: ${result}`);
}
