import { serveEmbedded } from "../database/embedded/child";

/**
 * `corral database <folder> <socketPath>`: the embedded database's process. Started by the server, not by people.
 * @param folder of its files
 * @param socketPath of the unix socket that it listens on
 */
export async function database(folder: string, socketPath: string): Promise<void> {
  await serveEmbedded(folder, socketPath);
}
