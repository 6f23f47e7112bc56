/** A Corral on one of the two databases, and what can be done to them at any moment and taken back. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type RunningCorral, startCorral } from "../../support/corral";
import { embeddedTemplate } from "../../support/embedded-template";
import { leftOf } from "../../support/left";
import { mountMemory, unmount } from "../../support/mounts";
import { type PostgresServer, postgresServer } from "../../support/postgres";
import { startProxy } from "../../support/proxy";
import { scratchFolder } from "../../support/scratch";

export interface Fault {
  readonly name: string;
  /** Whether requests in flight break, and what can't be written then is lost with no count of it. */
  readonly killsServer?: true;
  readonly fillsDisk?: true;
  hurt(): Promise<void> | void;
  heal(): Promise<void> | void;
}

export interface Stage {
  readonly kind: "embedded" | "server";
  readonly folder: string;
  /** The server of the moment; a killed one until the next has started. */
  readonly corral: RunningCorral;
  readonly faults: readonly Fault[];
  /** Of the PostgreSQL server, around the proxy; null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Ends the server, cleanly. */
  stopServer(): Promise<void>;
  /** Removes everything; the server may run or not. */
  remove(): Promise<void>;
}

/** After so many deaths in a row the embedded database is given up for half a minute, as it should be. */
const MOST_DEATHS = 3;
const DISK = "size=16m";

/** @param mayMount whether a file system can be mounted: else there is no full disk */
export async function openStage(kind: Stage["kind"], mayMount: boolean): Promise<Stage> {
  const folder = scratchFolder("corral-rig-");
  const spool = join(folder, "spool");
  mkdirSync(spool, { mode: 0o700 });
  if (mayMount) await mountMemory(spool, `${DISK},mode=0700`);
  const away: (() => unknown)[] = [];
  const remove = async () => {
    for (const end of away.toReversed()) await end();
    // The engine and the database of a server that was killed.
    for (const pid of leftOf(folder)) process.kill(pid, "SIGKILL");
    if (mayMount) await unmount(spool);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const database = kind === "embedded" ? await embedded(folder) : await external(away);
    const start = async () => {
      const started = await startCorral({
        folder,
        environment: { LOG_LEVEL: "warn" },
        // Its database may be away.
        until: "listening",
        ...(database.url ? { databaseUrl: database.url } : {}),
      });
      await eventually(
        async () => (await fetch(`${started.url}/readyz`)).ok,
        (ok) => ok,
        20_000,
      );
      return started;
    };
    let corral = await start();
    away.push(async () => {
      corral.process.kill("SIGKILL");
      await corral.ended();
    });
    const kill: Fault = {
      name: "the server is killed",
      killsServer: true,
      async hurt() {
        corral.process.kill("SIGKILL");
        await corral.ended();
      },
      async heal() {
        corral = await start();
        database.onServerStart();
      },
    };
    return {
      kind,
      folder,
      get corral() {
        return corral;
      },
      faults: [kill, ...database.faults, ...(mayMount ? [fullDisk(spool)] : [])],
      databaseUrl: database.direct,
      async stopServer() {
        await corral.stop();
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface StageDatabase {
  /** As Corral is told; null for the embedded one. */
  readonly url: string | null;
  readonly direct: string | null;
  readonly faults: readonly Fault[];
  onServerStart(): void;
}

async function embedded(folder: string): Promise<StageDatabase> {
  cpSync(await embeddedTemplate(), join(folder, "database"), { recursive: true });
  let deaths = 0;
  let stopped: number | null = null;
  const signal = (pid: number | null, name: NodeJS.Signals) => {
    try {
      if (pid !== null) process.kill(pid, name);
    } catch {
      // It is gone, by another fault of the round.
    }
  };
  const faults: Fault[] = [
    {
      name: "the embedded database is killed",
      hurt() {
        if (++deaths <= MOST_DEATHS) signal(embeddedPid(folder), "SIGKILL");
      },
      heal() {
        // Corral starts it again itself.
      },
    },
    {
      name: "the embedded database is stopped for a while",
      hurt() {
        stopped = embeddedPid(folder);
        signal(stopped, "SIGSTOP");
      },
      heal() {
        signal(stopped, "SIGCONT");
      },
    },
  ];
  return {
    url: null,
    direct: null,
    faults,
    onServerStart() {
      deaths = 0;
    },
  };
}

async function external(away: (() => unknown)[]): Promise<StageDatabase> {
  const server = await postgresServer();
  if (server === null) throw new Error("no PostgreSQL here");
  away.push(() => {
    server.resume();
    return server.stop();
  });
  const direct = await server.createDatabase();
  const proxy = await startProxy(Number(new URL(server.url).port));
  away.push(proxy.stop);
  const url = new URL(direct);
  url.port = String(proxy.port);
  const cut: Fault = { name: "the connection to PostgreSQL is cut", hurt: proxy.cut, heal: proxy.mend };
  return { url: url.href, direct, faults: [...serverFaults(server), cut], onServerStart: () => undefined };
}

function serverFaults(server: PostgresServer): Fault[] {
  return [
    { name: "PostgreSQL is killed", hurt: () => server.kill9(), heal: () => server.restart() },
    {
      name: "PostgreSQL is stopped for a while",
      hurt: () => server.pause(),
      heal: () => server.resume(),
    },
  ];
}

/** Fills what is left of the spool's disk with a file of somebody else's. */
function fullDisk(spool: string): Fault {
  const filler = join(spool, "filler");
  return {
    name: "the disk is full",
    fillsDisk: true,
    hurt() {
      const { bavail, bsize } = statfsSync(spool);
      try {
        // Somebody else may have taken a part of it since.
        writeFileSync(filler, Buffer.alloc(bavail * bsize), { flag: "a" });
      } catch {
        // What fits is in.
      }
    },
    heal() {
      rmSync(filler, { force: true });
    },
  };
}

/** As Corral has it on record; null while there is none. */
function embeddedPid(folder: string): number | null {
  const path = join(folder, "children.json");
  if (!existsSync(path)) return null;
  const group = /"embedded database":\{"group":(\d+)/.exec(readFileSync(path, "utf8"))?.[1];
  return group === undefined ? null : Number(group);
}
