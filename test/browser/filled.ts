/** A Corral with a part of the demo's week, for tests of views that show what was. */
import { dirname } from "node:path";
import { openDatabase } from "../../src/database/database";
import { fillDemo } from "../../src/demo/fill";
import { makeHistory } from "../../src/demo/history";
import { silentLog } from "../../src/log";
import { type RunningCorral, startCorral } from "../support/corral";
import { embeddedPlace } from "../support/databases";

/** @returns the server, whose `stop` also removes its data folder, and how many requests it has */
export async function startFilledCorral(
  environment: Record<string, string> = {},
): Promise<RunningCorral & { readonly requests: number }> {
  const place = await embeddedPlace();
  const history = makeHistory(1, new Date()).filter((_, at) => at % 8 === 0);
  const database = openDatabase({ where: place.where, log: silentLog });
  database.start();
  try {
    await fillDemo({ database, server: crypto.randomUUID(), keepContents: true }, history);
  } finally {
    await database.stop();
  }
  if (place.where.kind !== "embedded") throw new Error("an embedded place is embedded");
  const corral = await startCorral({ folder: dirname(place.where.folder), environment });
  const stop = async () => {
    const code = await corral.stop();
    place.remove();
    return code;
  };
  return { ...corral, stop, requests: history.length };
}
