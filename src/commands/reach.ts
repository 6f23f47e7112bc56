/** How a command gets at the database: through the server that runs on the data folder, or else by opening it itself. */
import { existsSync, readFileSync } from "node:fs";
import { ChildRegistry } from "../children/registry";
import { type Database, openDatabase, type Where } from "../database/database";
import { asFailure, Failure, failure } from "../errors";
import { adminKeyFile, type DataFolder, lockHolder, openFolder } from "../folder";
import { createLog } from "../log";
import { selfCommand } from "../self";
import type { Settings } from "../settings";

/** A server that runs on the data folder. */
export interface Reached {
  /** Asks it, with the admin key where there is one. @throws Failure with its words, or that it does not answer */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

/**
 * Uses the database that these settings name.
 * @param purpose said to whoever wants the folder meanwhile, such as "corral backup"
 * @param throughServer where one runs on the data folder, whatever database it has
 * @param byItself with the database opened for this alone
 * @param check before it is opened, whether it should be
 */
export async function reach<T>(
  { values }: Settings,
  purpose: string,
  throughServer: (server: Reached) => Promise<T>,
  byItself: (database: Database) => Promise<T>,
  check: (folder: DataFolder) => void = () => undefined,
): Promise<T> {
  let folder: DataFolder;
  try {
    folder = openFolder(values.dataDir, purpose);
  } catch (error) {
    const address = /https?:\/\/\S+$/.exec(lockHolder(values.dataDir))?.[0];
    if (!(error instanceof Failure && error.code === "folder_in_use") || address === undefined) throw error;
    return throughServer(serverAt(address, adminKeyOf(values)));
  }
  try {
    check(folder);
    const where: Where = values.databaseUrl
      ? { kind: "server", url: values.databaseUrl }
      : embeddedOf(folder, values.logFormat);
    return await withDatabase(where, values.logFormat, byItself);
  } finally {
    folder.release();
  }
}

/** The embedded database of a folder. */
export function embeddedOf(folder: DataFolder, logFormat: Settings["values"]["logFormat"]): Where {
  // Not the server's record: what an earlier server left behind is on it. A command's database ends with it.
  const registry = new ChildRegistry(null, commandLog(logFormat));
  return { kind: "embedded", folder: folder.database, command: selfCommand("database"), registry };
}

/**
 * Opens a database, migrated, for as long as the work takes.
 * @throws Failure for one that can't be had now: nobody waits for it
 */
export async function withDatabase<T>(
  where: Where,
  logFormat: Settings["values"]["logFormat"],
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = openDatabase({ where, log: commandLog(logFormat) });
  const away = Promise.withResolvers<never>();
  database.onChange(() => {
    if (database.state === "away") away.reject(failure.database(database.why ?? "it does not answer"));
  });
  away.promise.catch(() => undefined);
  try {
    database.start();
    await Promise.race([database.firstAttempt, away.promise]);
    return await work(database);
  } catch (error) {
    throw asFailure(error).code === "internal" ? error : asFailure(error);
  } finally {
    await database.stop();
  }
}

/** Only what goes wrong: the command says the rest. */
function commandLog(format: Settings["values"]["logFormat"]) {
  return createLog("warn", format);
}

function adminKeyOf({ adminKey, dataDir }: Settings["values"]): string {
  const file = adminKeyFile(dataDir);
  return adminKey || (existsSync(file) ? readFileSync(file, "utf8").trim() : "");
}

function serverAt(address: string, adminKey: string): Reached {
  return {
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (adminKey !== "") headers.set("authorization", `Bearer ${adminKey}`);
      const response = await fetch(address + path, { ...init, headers, timeout: false });
      if (response.ok) return response;
      const body: unknown = await response.json().catch(() => null);
      const said = typeof body === "object" && body !== null && "error" in body ? String(body.error) : null;
      throw new Failure(
        "refused",
        response.status,
        "The server refuses",
        said ?? `the server at ${address} answers ${response.status}`,
      );
    },
  };
}
