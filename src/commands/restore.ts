/** `corral restore FILE`: a backup's way back. */
import { Value } from "@sinclair/typebox/value";
import { transferModels } from "../api/data/transfer";
import { ownMigrations } from "../database/migrations";
import { restoreBackup } from "../database/transfer/restore";
import { failure } from "../errors";
import { keptTables, liveTables } from "../ledger/tables";
import type { Settings } from "../settings";
import { sayTables } from "./backup";
import { readBackupFile } from "./backup-file";
import { reach } from "./reach";

/** Restores a backup into a database that is empty. @throws Failure */
export async function restore(settings: Settings, path: string): Promise<void> {
  const tables = await reach(
    settings,
    "corral restore",
    async (server) => {
      const body = bytesOf(readBackupFile(path));
      const answer: unknown = await (await server.ask("/api/data/restore", { method: "POST", body })).json();
      if (!Value.Check(transferModels.Restored, answer))
        throw failure.backup("the server's answer can't be read");
      return answer.tables;
    },
    (database) =>
      database.hold((run) =>
        restoreBackup(run, readBackupFile(path), {
          names: keptTables,
          live: liveTables,
          migrations: ownMigrations(),
        }),
      ),
  );
  sayTables(tables);
  console.log("Restored, whole: what was read and counted is what the backup says.");
}

function bytesOf(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
