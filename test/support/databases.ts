/** Both databases for tests: the same sentences must hold on the embedded one and on a server. */
import { afterAll, describe, setDefaultTimeout } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ChildRegistry } from "../../src/children/registry";
import { type Database, type DatabaseOptions, openDatabase, type Where } from "../../src/database/database";
import { silentLog } from "../../src/log";
import { embeddedTemplate } from "./embedded-template";
import { hasPostgres, type PostgresServer, postgresServer, runServer, type SharedServer } from "./postgres";
import { builtProgram } from "./program";
import { scratchFolder } from "./scratch";

/** Where a database is, and how to be rid of it. */
export interface Place {
  readonly where: Where;
  remove(): void;
}

export interface OpenedDatabase {
  readonly database: Database;
  readonly where: Where;
  /** Stops it; a place that was made for it is removed. */
  close(): Promise<void>;
}

/** Options of the database; `where` opens it at a place that is there already. */
type OpenOptions = Partial<DatabaseOptions>;
/** Opens a database, at a fresh place unless told, and waits until it is up. */
export type Open = (options?: OpenOptions) => Promise<OpenedDatabase>;

/**
 * Runs the suite on both: without PostgreSQL its half is skipped, and that is said; in CI it fails instead.
 * `open` is for use inside tests.
 */
export function eachDatabase(name: string, suite: (open: Open, kind: Where["kind"]) => void): void {
  describe(`${name} (embedded)`, () => {
    patient();
    suite((options) => openAt(embeddedPlace, options), "embedded");
  });
  describeServer(`${name} (server)`, (server) => {
    suite((options) => openAt(() => serverPlace(server), options), "server");
  });
}

/** Waits until it is up (again). */
export async function untilUp(database: Database, withinMs = 40_000): Promise<void> {
  const until = Date.now() + withinMs;
  while (database.state !== "up") {
    if (Date.now() > until) throw new Error(`not up within ${withinMs} ms: ${database.why}`);
    await Bun.sleep(5);
  }
}

/** A suite with a PostgreSQL server: the one that all tests of the run share, else one of its own. */
export function describeServer(name: string, suite: (server: () => Promise<SharedServer>) => void): void {
  const shared = runServer();
  if (shared === null) describeOwnServer(name, suite);
  else
    describe(name, () => {
      patient();
      suite(async () => shared);
    });
}

/** A suite with a PostgreSQL server of its own, to be stopped and killed; started by the first who asks for it. */
export function describeOwnServer(
  name: string,
  suite: (server: () => Promise<PostgresServer>) => void,
): void {
  if (!hasPostgres()) {
    console.warn(`SKIPPED, for there is no PostgreSQL server here: ${name}`);
    describe.skip(name, () => suite(() => Promise.reject(new Error("no PostgreSQL here"))));
    return;
  }
  describe(name, () => {
    patient();
    let started: Promise<PostgresServer | null> | null = null;
    afterAll(async () => (await started)?.stop());
    suite(async () => {
      started ??= postgresServer();
      const server = await started;
      if (server === null) throw new Error("no PostgreSQL here");
      return server;
    });
  });
}

/** Starting databases takes longer than bun's 5 seconds; 1.4.4 does not read bunfig's `test.timeout`. */
function patient(): void {
  setDefaultTimeout(60_000);
}

/** A fresh embedded database: a copy of one that is made once for all tests, since making it takes seconds. */
export async function embeddedPlace(): Promise<Place> {
  const home = scratchFolder("corral-test-");
  const folder = join(home, "database");
  cpSync(await embeddedTemplate(), folder, { recursive: true });
  return {
    where: {
      kind: "embedded",
      folder,
      command: embeddedCommand(),
      registry: new ChildRegistry(join(home, "children.json"), silentLog),
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** How tests run the embedded database's process. */
export function embeddedCommand(): string[] {
  return [builtProgram(), "database"];
}

async function serverPlace(server: () => Promise<SharedServer>): Promise<Place> {
  return { where: { kind: "server", url: await (await server()).createDatabase() }, remove: () => undefined };
}

async function openAt(makePlace: () => Promise<Place>, options: OpenOptions = {}): Promise<OpenedDatabase> {
  const place = options.where ? { where: options.where, remove: () => undefined } : await makePlace();
  const database = openDatabase({ log: silentLog, ...options, where: place.where });
  const close = async () => {
    await database.stop();
    place.remove();
  };
  database.start();
  try {
    await database.firstAttempt;
  } catch (error) {
    await close();
    throw error;
  }
  return { database, where: place.where, close };
}
