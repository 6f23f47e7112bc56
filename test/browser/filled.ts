/** Corrals that remember what never was, for tests of views that show what was. */
import { dirname } from "node:path";
import { type Database, openDatabase, type Where } from "../../src/database/database";
import { fillDemo } from "../../src/demo/fill";
import { makeHistory } from "../../src/demo/history";
import { silentLog } from "../../src/log";
import { type RunningCorral, startCorral } from "../support/corral";
import { embeddedPlace } from "../support/databases";
import { runServer } from "../support/postgres";

/** One of so many requests of the demo's week: enough for every chart, and little to write and to draw. */
const ONE_OF = 16;

/** With a part of the demo's week. @returns the server, and how many requests it has */
export async function startFilledCorral(
  environment: Record<string, string> = {},
): Promise<RunningCorral & { readonly requests: number }> {
  const history = makeHistory(1, new Date()).filter((_, at) => at % ONE_OF === 0);
  const corral = await startCorralWith(
    (database) => fillDemo({ database, server: crypto.randomUUID(), keepContents: true }, history),
    environment,
  );
  return { ...corral, requests: history.length };
}

/**
 * Starts one on a database that was filled before: of the run's own server where there is one, which takes a part of the
 * time that the embedded one takes to start twice.
 * @returns the server, whose `stop` also removes what it was started on
 */
export async function startCorralWith(
  fill: (database: Database) => Promise<unknown>,
  environment: Record<string, string> = {},
): Promise<RunningCorral> {
  const databaseUrl = await runServer()?.createDatabase();
  if (databaseUrl) {
    await fillAt({ kind: "server", url: databaseUrl }, fill);
    return startCorral({ databaseUrl, environment });
  }
  const place = await embeddedPlace();
  await fillAt(place.where, fill);
  if (place.where.kind !== "embedded") throw new Error("an embedded place is embedded");
  const corral = await startCorral({ folder: dirname(place.where.folder), environment });
  const stop = async () => {
    const code = await corral.stop();
    place.remove();
    return code;
  };
  return { ...corral, stop };
}

async function fillAt(where: Where, fill: (database: Database) => Promise<unknown>): Promise<void> {
  const database = openDatabase({ where, log: silentLog });
  database.start();
  try {
    await database.firstAttempt;
    await fill(database);
  } finally {
    await database.stop();
  }
}
