// Reads one JSON object a line from standard input, `{ "id", "tx", "utxos" }` in hexadecimal (the
// format of the conformance vectors), and prints `id accepted` or `id refused: reason` for each.
import { createInterface } from "node:readline";
import {
  createVirtualMachineBch2026,
  decodeTransaction,
  hexToBin,
  readTransactionOutputs,
} from "@bitauth/libauth";

const standard = process.argv[2] !== "consensus";
const vm = createVirtualMachineBch2026(standard);

function verdict({ tx, utxos }) {
  const transaction = decodeTransaction(hexToBin(tx));
  if (typeof transaction === "string") return transaction;
  const outputs = readTransactionOutputs({ bin: hexToBin(utxos), index: 0 });
  if (typeof outputs === "string") return outputs;
  return vm.verify({ sourceOutputs: outputs.result, transaction });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const entry = JSON.parse(line);
  const result = verdict(entry);
  console.log(result === true ? `${entry.id} accepted` : `${entry.id} refused: ${result}`);
}
