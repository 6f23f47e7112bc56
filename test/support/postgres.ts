/** PostgreSQL clusters of the tests' own, from Debian's binaries. */
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { scratchFolder } from "./scratch";

/** A server that others may use, too. */
export interface SharedServer {
  /** @returns the URL of a fresh database */
  createDatabase(): Promise<string>;
}

export interface PostgresServer extends SharedServer {
  /** Of its database `postgres`, with a password. */
  readonly url: string;
  /** Freezes every process of it: connections are accepted, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Kills it without a warning. */
  kill9(): Promise<void>;
  /** Starts it again after `kill9`, or ends and starts it. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Holds the URL of the server that all tests of a run share (suite.ts). */
export const runServerVariable = "TEST_POSTGRES_URL";

const PASSWORD = "not-to-be-seen";
const INSTALLED = "/usr/lib/postgresql";

/** In memory and without a sync, since tests kill the server and never the machine. */
const forTests = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"];

/**
 * Starts a cluster.
 * @param asPeopleDo on the disk and as safe as it comes, for measuring
 * @returns null where PostgreSQL is not installed
 * @throws where it is not installed and CI is set: there, nothing is skipped
 */
export async function postgresServer(asPeopleDo = false): Promise<PostgresServer | null> {
  const programs = findPrograms();
  if (programs === null || !hasPostgres()) return null;
  const folder = asPeopleDo ? mkdtempSync(join(tmpdir(), "corral-pg-")) : scratchFolder("corral-pg-");
  const user = postgresUser();
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, PASSWORD);
  if (user !== null) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  const asUser =
    user === null ? [] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  // Should the tests be killed, the cluster goes with them.
  const mortal = user === null ? [] : ["--pdeathsig", "KILL"];
  run([
    ...asUser,
    join(programs, "initdb"),
    ...[
      "-D",
      data,
      "-U",
      "postgres",
      "--pwfile",
      passwordFile,
      "--auth=scram-sha-256",
      "--no-sync",
      "-E",
      "UTF8",
    ],
    "--locale=C",
  ]);
  const port = freePort();
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
  let server = await start();

  async function start(): Promise<Bun.Subprocess> {
    const started = Bun.spawn(
      [
        ...asUser,
        ...mortal,
        join(programs ?? "", "postgres"),
        ...["-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"],
        ...["-c", "max_connections=200", ...(asPeopleDo ? [] : forTests)],
      ],
      { stdin: "ignore", stdout: "ignore", stderr: Bun.file(join(folder, "log")) },
    );
    const until = Date.now() + 40_000;
    while (!(await answers(url))) {
      if (started.exitCode !== null || Date.now() > until) {
        throw new Error(`PostgreSQL did not start: ${await Bun.file(join(folder, "log")).text()}`);
      }
      await Bun.sleep(50);
    }
    return started;
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    const members = family(server.pid);
    server.kill(signal);
    // One that is frozen does not notice, and it may be frozen while it ends.
    const wake = () => {
      for (const pid of members) send(pid, "SIGCONT");
    };
    wake();
    await server.exited;
    while (members.some((pid) => existsSync(`/proc/${pid}/stat`))) {
      await Bun.sleep(10);
      wake();
    }
  }
  function signalAll(signal: NodeJS.Signals): void {
    for (const pid of family(server.pid)) send(pid, signal);
  }
  return {
    url,
    createDatabase: () => createDatabase(url),
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    kill9: () => end("SIGKILL"),
    async restart() {
      if (server.exitCode === null && server.signalCode === null) await end("SIGINT");
      server = await start();
    },
    async stop() {
      if (server.exitCode === null && server.signalCode === null) await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server that all tests of this run share. @returns null where they were started without one */
export function runServer(): SharedServer | null {
  const url = process.env[runServerVariable];
  return url ? { createDatabase: () => createDatabase(url) } : null;
}

async function createDatabase(url: string): Promise<string> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql.unsafe(`create database ${name} template template0`);
  await sql.end();
  return new URL(name, url).href;
}

/**
 * Whether PostgreSQL is installed here.
 * @throws where it is not and CI is set: there, nothing is skipped
 */
export function hasPostgres(): boolean {
  if (findPrograms() !== null) return true;
  if (process.env.CI) throw new Error(`no PostgreSQL under ${INSTALLED}: in CI its tests are not skipped`);
  return false;
}

/** The newest version's programs. */
function findPrograms(): string | null {
  if (!existsSync(INSTALLED)) return null;
  const versions = readdirSync(INSTALLED)
    .filter((version) => existsSync(join(INSTALLED, version, "bin/initdb")))
    .sort((a, b) => Number(b) - Number(a));
  return versions[0] === undefined ? null : join(INSTALLED, versions[0], "bin");
}

/** PostgreSQL refuses to run as root. Null: we are not root. */
function postgresUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = [run(["id", "-u", "postgres"]), run(["id", "-g", "postgres"])];
  return { uid: Number(uid), gid: Number(gid) };
}

/** In one go: the end of an initdb that was waited for in the background was missed once, under load (Bun 1.4.4). */
function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

/** A process and its children: the postmaster's each lead a group of their own. The parent comes first. */
function family(parent: number): number[] {
  const children = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ")[1] === String(parent);
    } catch {
      return false;
    }
  });
  return [parent, ...children.map(Number)];
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined });
  try {
    // postgres.js hangs when the server closes during its start-up (traps.md).
    return await Promise.race([sql`select 1`.then(() => true), Bun.sleep(500).then(() => false)]);
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 0 });
  }
}
