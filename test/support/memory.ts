/** A process' memory, for tests that hold it to a bound. */
import { readFileSync } from "node:fs";

/** Megabytes of memory that a process has resident. Linux only. */
export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
