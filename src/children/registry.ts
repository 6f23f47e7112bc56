/**
 * The children of this server on record, so that what a killed server left behind is ended at the next start.
 * Never adopted: its output goes into a pipe that nobody reads any more.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { bootId, groupMembers, processFacts, signalProcess } from "./processes";

const recordSchema = Type.Object({
  group: Type.Integer({ minimum: 2 }),
  startTime: Type.Number(),
  bootId: Type.Union([Type.String(), Type.Null()]),
});
const fileSchema = Type.Record(Type.String(), recordSchema);

export class ChildRegistry {
  readonly #path: string | null;
  readonly #log: Log;
  readonly #records = new Map<string, (typeof recordSchema)["static"]>();

  /** @param path the record's file; null keeps none (the library without a data folder) */
  constructor(path: string | null, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Notes a child that leads a group of its own. */
  add(name: string, pid: number): void {
    this.#records.set(name, { group: pid, startTime: processFacts(pid)?.startTime ?? 0, bootId: bootId() });
    this.#write();
  }

  remove(name: string): void {
    if (this.#records.delete(name)) this.#write();
  }

  /** Ends what an earlier server left behind. Waits at most `graceMs` for it to end by itself. */
  async endLeftBehind(graceMs = 3000): Promise<void> {
    for (const [name, record] of Object.entries(this.#read())) {
      if (record.bootId === null || record.bootId !== bootId()) continue;
      if (!isOurs(record)) continue;
      this.#log.warn({ child: name, group: record.group }, "ending what an earlier server left behind");
      signalProcess(record.group, "SIGTERM");
      const until = Date.now() + graceMs;
      // What it started itself (Ollama's runners) it ends, or it is ended with the group.
      while (isAlive(record.group) && Date.now() < until) await Bun.sleep(20);
      signalProcess(-record.group, "SIGKILL");
      while (groupMembers(record.group).length > 0 && Date.now() < until + 2000) await Bun.sleep(10);
    }
    this.#write();
  }

  #read(): (typeof fileSchema)["static"] {
    if (this.#path === null) return {};
    try {
      const found: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      return Value.Check(fileSchema, found) ? found : {};
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
        this.#log.warn(
          { path: this.#path, error: messageOf(error) },
          "the record of child processes can't be read",
        );
      }
      return {};
    }
  }

  #write(): void {
    if (this.#path === null) return;
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#records)), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      // A full disk must not stop supervision; the price is said.
      this.#log.warn(
        { path: this.#path, error: messageOf(error) },
        "the record of child processes can't be written: after a kill -9 they would be left behind",
      );
    }
  }
}

function isAlive(pid: number): boolean {
  const facts = processFacts(pid);
  return facts !== null && !facts.zombie;
}

/** The leader is the one on record; or it has ended, and what is left of its session began no earlier than it did. */
function isOurs(record: (typeof recordSchema)["static"]): boolean {
  const leader = processFacts(record.group);
  if (leader && !leader.zombie) return leader.startTime === record.startTime;
  const members = groupMembers(record.group);
  return (
    members.length > 0 &&
    members.every((one) => one.session === record.group && one.startTime >= record.startTime)
  );
}
