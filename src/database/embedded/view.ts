/**
 * A view of an embedded database as it was at one moment, for as long as it is looked at, beside what goes on in it: a
 * process of its own on a copy. Within one connection a long look would hold up everybody.
 */
import { rmSync } from "node:fs";
import { ChildRegistry } from "../../children/registry";
import type { Run, Work } from "../line";
import { Lines } from "../lines";
import { copyDatabase, passingCopy } from "./copies";
import { type EmbeddedOptions, EmbeddedProcess } from "./process";

const COPY_WITHIN_MS = 600_000;
const CONNECT_WITHIN_MS = 60_000;

/**
 * @param query runs work on the database itself
 * @param signal ends the wait for the copy's process
 */
export async function viewCopy<T>(
  options: Omit<EmbeddedOptions, "onChange" | "registry">,
  begin: string,
  query: <U>(work: Work<U>, deadlineMs: number) => Promise<U>,
  work: (run: Run) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const copy = passingCopy(options.folder);
  // The database's own process is on record under the name that this one has, too; this one ends with its parent.
  const registry = new ChildRegistry(null, options.log);
  let process: EmbeddedProcess | null = null;
  try {
    await query((sql) => copyDatabase(sql, options.folder, copy), COPY_WITHIN_MS);
    process = new EmbeddedProcess({
      ...options,
      folder: copy,
      isPassing: true,
      registry,
      onChange: () => undefined,
    });
    process.start();
    const socketPath = await process.ready(signal);
    const lines = new Lines({
      address: { kind: "embedded", socketPath },
      log: options.log,
      max: 1,
      onIdleLoss: () => undefined,
    });
    try {
      return await lines.hold(begin, work, CONNECT_WITHIN_MS, () => undefined);
    } finally {
      lines.close(true);
    }
  } finally {
    await process?.stop();
    for (const path of [copy, `${copy}.lock`]) rmSync(path, { recursive: true, force: true });
  }
}
