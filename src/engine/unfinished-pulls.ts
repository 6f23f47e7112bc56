/**
 * The pulls that are not over, on disk: what was running when the server ended, however it ended, goes on at the next
 * start. Written anew and put in place as a whole, so that a kill in the middle leaves the old list or the new one.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { messageOf } from "../errors";
import { uuidPattern } from "../ids";
import type { Log } from "../log";

const nullableText = Type.Union([Type.String(), Type.Null()]);
const whoSchema = Type.Object({
  clientAddress: nullableText,
  userAgent: nullableText,
  user: nullableText,
});
/** Who asks, as far as that is known. */
export type Who = Static<typeof whoSchema>;

const pullSchema = Type.Object({
  id: Type.String({ pattern: uuidPattern }),
  model: Type.String({ minLength: 1 }),
  insecure: Type.Boolean(),
  /** RFC 3339. */
  startedAt: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$" }),
  who: whoSchema,
});
export type UnfinishedPull = Static<typeof pullSchema>;
const fileSchema = Type.Array(pullSchema);

export class UnfinishedPulls {
  readonly #path: string;
  readonly #log: Log;
  #pulls: readonly UnfinishedPull[];

  /** @param path the list's file; it need not be there */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#pulls = this.#read();
  }

  /** Oldest first. */
  get all(): readonly UnfinishedPull[] {
    return this.#pulls;
  }

  add(pull: UnfinishedPull): void {
    this.#write([...this.#pulls.filter(({ id }) => id !== pull.id), pull]);
  }

  remove(id: string): void {
    this.#write(this.#pulls.filter((pull) => pull.id !== id));
  }

  #read(): UnfinishedPull[] {
    try {
      const found: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      if (Value.Check(fileSchema, found)) return found;
      throw new Error("it is not a list of pulls");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
        const said = { path: this.#path, error: messageOf(error) };
        this.#log.warn(said, "the list of unfinished pulls can't be read: none is resumed, pull them again");
      }
      return [];
    }
  }

  #write(pulls: readonly UnfinishedPull[]): void {
    this.#pulls = pulls;
    const next = `${this.#path}.new`;
    try {
      const file = openSync(next, "w", 0o600);
      try {
        writeSync(file, `${JSON.stringify(pulls)}\n`);
        // Else a power cut could put an empty file in the place of a good one.
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(next, this.#path);
    } catch (error) {
      // A full disk must not stop a pull that could go well; the price is said.
      const said = { path: this.#path, error: messageOf(error) };
      this.#log.warn(said, "the list of unfinished pulls can't be written: a restart would not resume them");
    }
  }
}
