/** Twenty rounds of the rig, the same each time; `bun run faults --rounds 1000` plays as many others as one likes. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { canMount } from "../support/mounts";
import { hasPostgres } from "../support/postgres";
import { checkTables, playRound } from "./rig/round";
import { openStage, type Stage } from "./rig/stage";

setDefaultTimeout(120_000);

const ROUNDS_EACH = 10;
/** Rounds with every fault, alone and beside another, in which a server is started anew twice: that is what takes time. */
const FIRST_SEED = 19_374;
const kinds: Stage["kind"][] = hasPostgres() ? ["embedded", "server"] : ["embedded"];
const mayMount = await canMount();
if (!mayMount) console.warn("SKIPPED, for no file system can be mounted here: rounds with a full disk");
if (kinds.length === 1) console.warn("SKIPPED, for there is no PostgreSQL server here: rounds with one");

test("whatever is killed, cut, stopped or filled under load, each whole reply is on record once, and all adds up", async () => {
  // Side by side, since most of the time goes by in waiting for something to start.
  await Promise.all(kinds.map(play));
});

async function play(kind: Stage["kind"]): Promise<void> {
  const stage = await openStage(kind, mayMount);
  try {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS_EACH; seed++) {
      const { faults, wrong } = await playRound(stage, seed);
      expect({ seed, kind, faults, wrong }).toEqual({ seed, kind, faults, wrong: [] });
    }
    expect(await checkTables(stage)).toEqual([]);
  } finally {
    await stage.remove();
  }
}
