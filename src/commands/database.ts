import { serveEmbedded } from "../database/embedded/child";

/**
 * `corral database <folder> <socketPath>`: the embedded database's process. Started by the server, not by people.
 * @param args the folder of its files, and the path of the unix socket that it listens on
 */
export async function database(args: string[]): Promise<void> {
  const [folder, socketPath] = args;
  if (folder === undefined || socketPath === undefined) {
    throw new Error("corral database takes a folder and a socket path: it is started by the server");
  }
  await serveEmbedded(folder, socketPath);
}
