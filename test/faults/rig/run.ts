/** Many rounds by hand: `bun run faults --rounds 1000 [--seed 1]`. A round that fails says its seed and what differs. */
import { parseArgs } from "node:util";
import { canMount } from "../../support/mounts";
import { hasPostgres } from "../../support/postgres";
import { checkTables, playRound } from "./round";
import { openStage, type Stage } from "./stage";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
});
const rounds = Number(values.rounds);
const firstSeed = Number(values.seed);
/** A stage's tables are looked into at its end, so it must come. */
const ROUNDS_A_STAGE = 50;

const mayMount = await canMount();
if (!mayMount) console.warn("No file system can be mounted here (it takes root): no disk is filled");
const kinds: Stage["kind"][] = hasPostgres() ? ["embedded", "server"] : ["embedded"];
if (kinds.length === 1)
  console.warn("There is no PostgreSQL server here: only the embedded database is hurt");

const totals = { rounds: 0, requests: 0, whole: 0, shed: 0, failed: 0 };
const byFault = new Map<string, number>();
const startedAt = Date.now();
for (let from = 0; from < rounds; ) {
  for (const kind of kinds) {
    const count = Math.min(ROUNDS_A_STAGE, rounds - from);
    await playStage(kind, firstSeed + from, count);
    from += count;
  }
}
const seconds = Math.round((Date.now() - startedAt) / 1000);
console.log(
  `${totals.rounds} rounds in ${seconds} s: ${totals.requests} requests, ${totals.whole} whole replies, ` +
    `${totals.shed} records shed, ${totals.failed} rounds failed`,
);
for (const [name, count] of byFault) console.log(`  ${count} times: ${name}`);
process.exit(totals.failed > 0 ? 1 : 0);

async function playStage(kind: Stage["kind"], seed: number, count: number): Promise<void> {
  const stage = await openStage(kind, mayMount);
  try {
    for (let round = 0; round < count; round++) await tell(stage, seed + round);
    const wrong = await checkTables(stage);
    if (wrong.length > 0) {
      totals.failed++;
      console.error(`seeds ${seed} to ${seed + count - 1}, ${kind}: ${wrong.join("; ")}`);
    }
  } catch (error) {
    // The rest of its rounds are not played.
    totals.failed++;
    console.error(`${kind}:`, error, stage.corral.logged().slice(-3000));
  } finally {
    await stage.remove();
  }
}

async function tell(stage: Stage, seed: number): Promise<void> {
  try {
    const round = await playRound(stage, seed);
    totals.rounds++;
    totals.requests += round.requests;
    totals.whole += round.whole;
    totals.shed += round.shed;
    for (const name of round.faults) byFault.set(name, (byFault.get(name) ?? 0) + 1);
    const what = `seed ${seed}, ${stage.kind}, ${round.faults.join(" and ")}: ${round.requests} requests`;
    if (round.wrong.length === 0) console.log(what);
    else {
      totals.failed++;
      console.error(`${what}\n  ${round.wrong.slice(0, 10).join("\n  ")}`);
    }
  } catch (error) {
    console.error(`seed ${seed}, ${stage.kind}: the round did not end`);
    throw error;
  }
}
