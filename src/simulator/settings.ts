/**
 * What the simulator reads from its environment, once.
 *
 *     OLLAMA_HOST                    where to listen, as Ollama reads it; default 127.0.0.1:11434
 *     OLLAMA_KEEP_ALIVE              how long a model stays loaded; default 5m
 *     OLLAMA_NUM_PARALLEL            requests of one model that are answered at once; as many as come when unset
 *     OLLAMA_ORIGINS                 further browser origins that are let in, comma separated, with *
 *     CORRAL_SIMULATOR_MODELS        installed models, comma separated
 *     CORRAL_SIMULATOR_SEED          default 1
 *     CORRAL_SIMULATOR_START         hang | exit | slow<ms> | deaf | flood
 *     CORRAL_SIMULATOR_CRASH_AFTER   kills itself so many ms after its start
 *     CORRAL_SIMULATOR_PARENT        the process that it ends with, however that ends
 *     CORRAL_SIMULATOR_RUNNER        1: a child process for each loaded model, which outlives the simulator
 */
import { keepAliveMs } from "./go-time";

/** How the process as such misbehaves when it starts. */
type Start = { kind: "normal" | "hang" | "exit" | "deaf" | "flood" } | { kind: "slow"; ms: number };

export type Settings = Readonly<{
  hostname: string;
  port: number;
  keepAliveMs: number;
  parallel: number;
  origins: readonly string[];
  models: readonly string[];
  seed: number;
  start: Start;
  crashAfterMs: number | undefined;
  parent: number | undefined;
  runner: boolean;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings.
 * @throws Error when a CORRAL_SIMULATOR variable makes no sense; Ollama's own are read as leniently as it does.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const { hostname, port } = readHost(environment.OLLAMA_HOST ?? "");
  const crashAfter = environment.CORRAL_SIMULATOR_CRASH_AFTER;
  return Object.freeze({
    hostname,
    port,
    keepAliveMs: readKeepAlive(environment.OLLAMA_KEEP_ALIVE),
    parallel: Number(environment.OLLAMA_NUM_PARALLEL) || Number.POSITIVE_INFINITY,
    origins: list(environment.OLLAMA_ORIGINS ?? ""),
    models: list(
      environment.CORRAL_SIMULATOR_MODELS ?? "llama3.2:latest,mistral:latest,nomic-embed-text:latest",
    ),
    seed: readNumber("CORRAL_SIMULATOR_SEED", environment.CORRAL_SIMULATOR_SEED ?? "1"),
    start: readStart(environment.CORRAL_SIMULATOR_START ?? ""),
    crashAfterMs: crashAfter ? readNumber("CORRAL_SIMULATOR_CRASH_AFTER", crashAfter) : undefined,
    parent: environment.CORRAL_SIMULATOR_PARENT
      ? readNumber("CORRAL_SIMULATOR_PARENT", environment.CORRAL_SIMULATOR_PARENT)
      : undefined,
    runner: environment.CORRAL_SIMULATOR_RUNNER === "1",
  });
}

/** Ollama's OLLAMA_HOST: scheme, host and port are each optional. */
function readHost(value: string): { hostname: string; port: number } {
  const text = value.trim().replace(/^["']|["']$/g, "");
  const [, scheme, authority = ""] = /^(?:(https?):\/\/)?([^/]*)/i.exec(text) ?? [];
  const fallback = scheme?.toLowerCase() === "http" ? 80 : scheme?.toLowerCase() === "https" ? 443 : 11434;
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(authority) ?? [];
  const port = digits === undefined ? fallback : Number(digits);
  return { hostname: bracketed || plain || "127.0.0.1", port: port > 65535 ? fallback : port };
}

function readKeepAlive(value: string | undefined): number {
  if (!value) return 300_000;
  return keepAliveMs(/^-?\d+$/.test(value) ? Number(value) : value) ?? 300_000;
}

function readStart(value: string): Start {
  const [, ms] = /^slow(\d+)$/.exec(value) ?? [];
  if (ms !== undefined) return { kind: "slow", ms: Number(ms) };
  if (value === "") return { kind: "normal" };
  if (value === "hang" || value === "exit" || value === "deaf" || value === "flood") return { kind: value };
  throw new Error(`CORRAL_SIMULATOR_START: cannot read "${value}"`);
}

function readNumber(name: string, value: string): number {
  if (!/^-?\d+$/.test(value)) throw new Error(`${name}: cannot read "${value}"`);
  return Number(value);
}

function list(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
