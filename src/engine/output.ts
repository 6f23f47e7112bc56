/**
 * What Ollama prints. It may hold prompts (OLLAMA_DEBUG), so it goes to a file of its own in the data folder, readable
 * by this user alone and rotated, and to a ring of its last lines for `GET /api/engine/log`; never to our log.
 */
import { closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { messageOf } from "../errors";
import type { Log } from "../log";

const LINES_KEPT = 1000;
const LONGEST_LINE = 4000;
const ROTATE_AT_BYTES = 10_000_000;

export class EngineOutput {
  readonly #path: string | null;
  readonly #log: Log;
  #file: number | null = null;
  #size = 0;
  #complained = false;
  #lines: string[] = [];
  #rest = "";
  readonly #decoder = new TextDecoder();

  /** @param path the file; null keeps the ring alone */
  constructor(path: string | null, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Of the file and the one before it. */
  get bytes(): number {
    if (this.#path === null) return 0;
    const sizes = [this.#path, `${this.#path}.1`].map(
      (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  write(chunk: Uint8Array): void {
    this.#keep(chunk);
    if (this.#path === null) return;
    try {
      this.#file ??= this.#open(this.#path);
      this.#size += writeSync(this.#file, chunk);
      if (this.#size > ROTATE_AT_BYTES) this.#rotate(this.#path);
    } catch (error) {
      if (!this.#complained)
        this.#log.warn({ path: this.#path, error: messageOf(error) }, "Ollama's log can't be written");
      this.#complained = true;
    }
  }

  /** The last lines, oldest first. */
  tail(count: number): string[] {
    // A last line without an end is often the one that says why it died.
    return [...this.#lines, ...(this.#rest === "" ? [] : [this.#rest])].slice(-count);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #keep(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = (parts.pop() ?? "").slice(0, LONGEST_LINE);
    for (const part of parts.slice(-LINES_KEPT)) this.#lines.push(part.slice(0, LONGEST_LINE));
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines = this.#lines.slice(-LINES_KEPT);
  }

  #open(path: string): number {
    const file = openSync(path, "a", 0o600);
    this.#size = statSync(path).size;
    return file;
  }

  #rotate(path: string): void {
    this.close();
    renameSync(path, `${path}.1`);
  }
}
