/** One round: load, faults at moments of the seed's, all healed, and everything counted. */

import { join } from "node:path";
import { ChildRegistry } from "../../../src/children/registry";
import { openDatabase } from "../../../src/database/database";
import { silentLog } from "../../../src/log";
import { type Random, random } from "../../../src/simulator/random";
import { eventually, getJson } from "../../support/corral";
import { embeddedCommand } from "../../support/databases";
import { addUp, compare, compareTables, readRows, readStanding, shedOf } from "./check";
import { type Load, startLoad } from "./load";
import type { Fault, Stage } from "./stage";

export interface Round {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly requests: number;
  readonly whole: number;
  readonly shed: number;
  /** What differs, a sentence each. */
  readonly wrong: readonly string[];
}

/** Of load before the first fault, and after the last. */
const WELL_MS = 150;
const LONGEST_WAIT_MS = 250;
const SETTLED_WITHIN_MS = 60_000;

/** @throws where the stage can't be healed: then it is of no use any more */
export async function playRound(stage: Stage, seed: number): Promise<Round> {
  const dice = random(seed);
  const faults = chooseFaults(stage.faults, dice);
  const name = `round-${seed}-${stage.kind}`;
  const since = Date.now();
  const before = await readStanding(stage.corral);
  const wrong: string[] = [];
  const watch = watchStanding(stage, wrong);
  const load = startLoad(() => stage.corral.url, name, dice);
  const seen = await hurt(faults, load, dice);
  const after = await eventually(
    async () => readStanding(stage.corral).catch(() => null),
    (now) => now !== null && now.in_flight === 0 && now.spooled === 0 && addUp(now) === null,
    SETTLED_WITHIN_MS,
  );
  await watch();
  if (after === null) throw new Error("it does not answer");
  const shed = shedOf(after) - shedOf(before);
  const wasKilled = faults.some(({ killsServer }) => killsServer);
  wrong.push(...compare(seen, await readRows(stage.corral, name, since), { wasKilled, shed }));
  const current = (await getJson(`${stage.corral.url}/api/stats/current`)) as { total_requests: number };
  if (current.total_requests !== after.stored)
    wrong.push(`${after.stored} are stored, and the statistics say ${JSON.stringify(current)}`);
  if (after.set_aside > before.set_aside) wrong.push(`${after.set_aside - before.set_aside} were set aside`);
  return {
    seed,
    faults: faults.map((fault) => fault.name),
    requests: seen.length,
    whole: seen.filter(({ whole }) => whole).length,
    shed,
    wrong,
  };
}

/** Ends the server and looks into its tables. @returns what differs, a sentence each */
export async function checkTables(stage: Stage): Promise<string[]> {
  const { stored } = await readStanding(stage.corral);
  await stage.stopServer();
  const database = openDatabase({
    where: stage.databaseUrl
      ? { kind: "server", url: stage.databaseUrl }
      : {
          kind: "embedded",
          folder: join(stage.folder, "database"),
          command: embeddedCommand(),
          registry: new ChildRegistry(join(stage.folder, "children.json"), silentLog),
        },
    log: silentLog,
  });
  database.start();
  try {
    await database.firstAttempt;
    return await database.query((sql) => compareTables(sql, stored), 60_000);
  } finally {
    await database.stop();
  }
}

/** One, or two of different kinds; what a full disk has not taken is not to be killed, too: nobody could count it. */
function chooseFaults(faults: readonly Fault[], dice: Random): Fault[] {
  const chosen = [faults[dice.between(0, faults.length - 1)], faults[dice.between(0, faults.length - 1)]];
  const [one, other] = chosen;
  if (one === undefined || other === undefined || one === other) return one ? [one] : [];
  if ([one, other].some(({ killsServer }) => killsServer) && [one, other].some(({ fillsDisk }) => fillsDisk))
    return [one];
  return [one, other];
}

/** @returns what the clients saw */
async function hurt(faults: readonly Fault[], load: Load, dice: Random) {
  const times = faults.map((fault) => ({
    fault,
    at: dice.between(0, LONGEST_WAIT_MS),
    for: dice.between(0, LONGEST_WAIT_MS),
  }));
  await Bun.sleep(WELL_MS);
  // All are healed, even where one can't be.
  const healed = await Promise.allSettled(
    times.map(async ({ fault, at, for: ms }) => {
      await Bun.sleep(at);
      await fault.hurt();
      await Bun.sleep(ms);
      await fault.heal();
    }),
  );
  await Bun.sleep(WELL_MS);
  const seen = await load.stop();
  for (const one of healed) if (one.status === "rejected") throw one.reason;
  return seen;
}

/** Asks all the while whether it adds up. @returns ends that */
function watchStanding(stage: Stage, wrong: string[]): () => Promise<void> {
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      // A killed server says nothing.
      const standing = await readStanding(stage.corral).catch(() => null);
      const trouble = standing && addUp(standing);
      if (trouble) wrong.push(trouble);
      await Bun.sleep(15);
    }
  })();
  return async () => {
    stopped = true;
    await watching;
  };
}
