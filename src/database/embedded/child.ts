/**
 * The embedded database's own process: PGlite on a folder behind a unix socket, for one connection. It ends when
 * its parent does. What it has to say goes to stdout, a line each; `process.ts` reads them.
 *
 * Checkpoints and vacuums are not issued here: pglite-socket 0.2.17 queues single protocol messages, so a statement
 * of our own falls between a client's Parse and its Bind, or into its transaction (tried: two of five transactions
 * failed). They come through the one connection, from `upkeep.ts`.
 */
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { Failure, messageOf } from "../../errors";
import { type Lock, takeLock } from "../../folder";
import { compilePglite, isMade, makePglite, openPglite } from "./pglite";
import { removeSocket } from "./socket";
import { say } from "./words";

/** How long a killed server's child may take to die and let go of the folder. */
const LOCK_WITHIN_MS = 5000;

/**
 * Serves the database of a folder until stdin ends or SIGTERM comes.
 * @param folder of the database's files; made where it is missing. `<folder>.lock` is held meanwhile
 * @param socketPath in a folder that only this user can enter; both are removed at the end
 * @param isPassing as for `openPglite`
 */
export async function serveEmbedded(folder: string, socketPath: string, isPassing = false): Promise<void> {
  const end = (code: number): never => {
    removeSocket(socketPath);
    process.exit(code);
  };
  // The parent died: nobody is there to be answered, and what was acknowledged is synced.
  process.umask(0o077);
  void untilStdinEnds().then(() => end(0));
  try {
    await lockFolder(`${folder}.lock`);
    const compiling = compilePglite();
    if (!isMade(folder)) {
      say("making");
      await makePglite(folder);
    }
    const { pglite, files } = await openPglite(folder, await compiling, isPassing);
    const server = new PGLiteSocketServer({ db: pglite, path: socketPath, maxConnections: 1 });
    process.once("SIGTERM", async () => {
      try {
        await server.stop();
        await pglite.close();
        say("closed", `${files.syncs} syncs`);
      } catch (error) {
        say("failed", messageOf(error));
      }
      end(0);
    });
    await server.start();
    say("ready");
  } catch (error) {
    say("failed", messageOf(error));
    end(1);
  }
}

async function lockFolder(path: string): Promise<Lock> {
  const until = Date.now() + LOCK_WITHIN_MS;
  for (;;) {
    try {
      return takeLock(path, `pid ${process.pid}, the embedded database`);
    } catch (error) {
      if (!(error instanceof Failure && error.code === "folder_in_use") || Date.now() > until) throw error;
    }
    await Bun.sleep(50);
  }
}

async function untilStdinEnds(): Promise<void> {
  const reader = Bun.stdin.stream().getReader();
  while (!(await reader.read()).done);
}
