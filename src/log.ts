/**
 * The log: one line a request, one a change of state. JSON for machines, pretty for people. It goes to stderr,
 * and no prompt, reply or secret is ever given to it.
 */
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error" | "fatal">;

/**
 * @param level least level that is written
 * @param format `auto` is pretty in a terminal and json elsewhere
 */
export function createLog(level: string, format: "auto" | "json" | "pretty"): Log {
  const wantsPretty = format === "pretty" || (format === "auto" && process.stderr.isTTY === true);
  // A stream instead of pino's `transport`: that one starts a Worker, which fails in the binary (traps.md).
  const destination = wantsPretty
    ? pretty({
        destination: 2,
        sync: true,
        ignore: "pid,hostname",
        translateTime: "SYS:HH:MM:ss.l",
        singleLine: true,
      })
    : byTurns();
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // "warn" is what people search for, not pino's 40.
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** Writes what is said in one turn of the loop at its end, in one piece: under load that is many requests' lines. */
function byTurns() {
  const destination = pino.destination({ dest: 2, sync: true });
  let said = "";
  const write = () => {
    const lines = said;
    said = "";
    if (lines !== "") destination.write(lines);
  };
  process.on("exit", write);
  return {
    write(line: string) {
      if (said === "") queueMicrotask(write);
      said += line;
    },
  };
}

/** A log that says nothing: for the library, and for tests. */
export const silentLog: Log = pino({ level: "silent" });
