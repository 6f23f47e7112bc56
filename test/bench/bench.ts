/** `bun run bench`: what Corral adds to a request. `bun run bench --ledger [--rows N]`: what a million of them cost. */
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { ledger: { type: "boolean", default: false }, rows: { type: "string", default: "1000000" } },
});

if (values.ledger) await (await import("./ledger")).benchLedger(Number(values.rows));
else await import("./gateway");
