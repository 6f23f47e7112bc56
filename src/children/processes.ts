/** What the system says of processes and their groups. Linux only: elsewhere nothing is known, and nothing is ended. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFacts {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since the machine's boot: with the pid and the boot id it names one process for ever. */
  readonly startTime: number;
  readonly zombie: boolean;
}

/** Facts of one process, or null where it is gone or nothing can be known. */
export function processFacts(pid: number): ProcessFacts | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The second field is the name in brackets and may hold spaces and brackets of its own.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    zombie: fields[0] === "Z",
  };
}

/** The living members of a process group. */
export function groupMembers(group: number): ProcessFacts[] {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processFacts(Number(name)))
    .filter((facts) => facts !== null)
    .filter((facts) => facts.group === group && !facts.zombie);
}

/** An id that is new at each boot of the machine, or null where there is none. */
export function bootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

/** Sends a signal to a process (or, with a negative pid, to a group); one that is gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
