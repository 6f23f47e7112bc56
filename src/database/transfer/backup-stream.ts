import { Failure, messageOf } from "../../errors";
import type { Log } from "../../log";
import type { Database } from "../database";
import { failedLine, writeBackup } from "./backup";

/**
 * A backup of a database that is in use, as a stream that is read as fast as it is taken.
 * @returns once it has begun; what fails later is its last line
 * @throws Failure when it can't begin
 */
export async function backupStream(
  database: Database,
  names: readonly string[],
  program: string,
  log: Log,
): Promise<ReadableStream<Uint8Array>> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const begun = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  const write = async () => {
    try {
      await database.view(async (run) => {
        for await (const piece of writeBackup(run, names, program)) {
          begun.resolve();
          await writer.write(encoder.encode(piece));
        }
      });
    } catch (error) {
      begun.reject(error);
      log.warn({ error: messageOf(error) }, "a backup was not finished");
      const why = error instanceof Failure ? error.message : "the log of the server says why";
      await writer.write(encoder.encode(failedLine(why)));
    }
    await writer.close();
  };
  // A reader that left is no error: its stream can't be written to, nor closed.
  write().catch(() => undefined);
  await begun.promise;
  return readable;
}
