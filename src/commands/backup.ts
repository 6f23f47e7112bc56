/** `corral backup FILE`: everything that is kept, in a file. */
import { statSync } from "node:fs";
import type { Run } from "../database/database";
import { isMade } from "../database/embedded/pglite";
import { type TableCount, writeBackup } from "../database/transfer/backup";
import { failure } from "../errors";
import { keptTables } from "../ledger/tables";
import type { Settings } from "../settings";
import { saySize } from "../size";
import { sayVersion } from "../version";
import { writeBackupFile } from "./backup-file";
import { reach } from "./reach";

/** Backs up to a file, which is replaced. @throws Failure */
export async function backup(settings: Settings, path: string): Promise<void> {
  const tables = await reach(
    settings,
    "corral backup",
    async (server) => {
      const { body } = await server.ask("/api/data/backup");
      if (body === null) throw failure.backup("the server sent nothing");
      return writeBackupFile(path, body.pipeThrough(new TextDecoderStream()));
    },
    (database) => {
      const write = (run: Run) => writeBackupFile(path, writeBackup(run, keptTables, sayVersion()));
      // Nobody else uses the embedded one: no copy is needed.
      return database.kind === "server" ? database.view(write) : database.hold(write);
    },
    // Else a new one would be made, and nothing backed up.
    (folder) => {
      if (settings.values.databaseUrl === "" && !isMade(folder.database))
        throw failure.backup(`there is no database in ${folder.root}: set CORRAL_DATA_DIR, or DATABASE_URL`);
    },
  );
  sayTables(tables);
  console.log(
    `Backed up to ${path} (${saySize(statSync(path).size)}). It holds every prompt and reply: keep it as you keep them.`,
  );
}

/** A line a table. */
export function sayTables(tables: readonly TableCount[]): void {
  for (const { table, rows, checksum } of tables)
    console.log(`  ${table.padEnd(12)} ${String(rows).padStart(12)} rows  checksum ${checksum}`);
}
