/** Log lines like those that Go's slog writes for Ollama. */
import { goTime } from "./go-time";

export type Log = (level: "INFO" | "WARN" | "ERROR", source: string, message: string) => void;

/** Makes a log that hands each finished line, with its newline, to `write`. */
export function log(write: (line: string) => void): Log {
  return (level, source, message) =>
    write(`time=${goTime(Date.now())} level=${level} source=${source} msg=${JSON.stringify(message)}\n`);
}
