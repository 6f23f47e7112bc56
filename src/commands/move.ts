/** `corral move DATABASE_URL`: everything of the embedded database to a PostgreSQL server. */
import { isMade } from "../database/embedded/pglite";
import { moveDatabase } from "../database/transfer/move";
import { blot, failure } from "../errors";
import { openFolder } from "../folder";
import { keptTables } from "../ledger/tables";
import type { Settings } from "../settings";
import { sayTables } from "./backup";
import { embeddedOf, withDatabase } from "./reach";

/**
 * Moves, while no server runs: what waits in the spool is stored by the next start, in the new database.
 * @param given URL of the command line; the setting's when empty
 * @throws Failure
 */
export async function move({ values }: Settings, given: string): Promise<void> {
  const url = given || values.databaseUrl;
  if (url === "")
    throw failure.start(
      "no_database",
      "to which database? Say it as `corral move postgres://user:password@host:5432/corral`, or with DATABASE_URL, which other users of this machine don't see",
    );
  const shown = blot(url);
  const folder = openFolder(values.dataDir, "corral move");
  try {
    if (!isMade(folder.database))
      throw failure.start(
        "no_database",
        `there is no embedded database in ${folder.root}: set CORRAL_DATA_DIR to where it is`,
      );
    console.log(`Moving the embedded database of ${folder.root} to ${shown}`);
    await withDatabase(embeddedOf(folder, values.logFormat), values.logFormat, (from) =>
      withDatabase({ kind: "server", url, mayBeHalfMoved: true }, values.logFormat, (to) =>
        moveDatabase({
          from,
          to,
          names: keptTables,
          source: folder.serverId,
          onTable: (moved) => sayTables([moved]),
        }),
      ),
    );
    console.log(
      `Moved, and the same on both sides. From now on start Corral with DATABASE_URL=${shown} (and your password) and the same data folder, which holds what is yet to be stored. The embedded database stays as it was in ${folder.database} until you remove it.`,
    );
  } finally {
    folder.release();
  }
}
