import { serveEmbedded } from "../database/embedded/child";
import { PASSING } from "../database/embedded/words";

/**
 * `corral database <folder> <socketPath> [passing]`: the embedded database's process. Started by the server, not by people.
 * @param folder of its files
 * @param socketPath of the unix socket that it listens on
 * @param kind whether its database is a copy that nobody needs after this
 */
export async function database(folder: string, socketPath: string, kind?: string): Promise<void> {
  await serveEmbedded(folder, socketPath, kind === PASSING);
}
