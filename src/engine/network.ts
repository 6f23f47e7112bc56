/** Where Ollama is: `NetworkConfig` of the contract. */
import { blot, failure } from "../errors";

export interface NetworkValues {
  host?: string;
  port?: number;
  /** Seconds. */
  timeout?: number;
  maxRetries?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Network settings of an Ollama. What is not given is read from OLLAMA_HOST, OLLAMA_PORT, OLLAMA_TIMEOUT and
 * OLLAMA_MAX_RETRIES; OLLAMA_HOST also takes Ollama's own forms (`host:port`, a URL, `[::1]:11434`), and a port
 * inside it wins over OLLAMA_PORT.
 *
 * @example
 * new NetworkConfig({ host: "127.0.0.1", port: 11500 }).baseUrl // "http://127.0.0.1:11500"
 */
export class NetworkConfig {
  /** Address to listen on or to call, without brackets. Default "0.0.0.0". */
  readonly host: string;
  /** 1 to 65535. Default 11434. */
  readonly port: number;
  /** Seconds a question may take, above 0. Default 30. */
  readonly timeout: number;
  /** How often a question is asked again, 0 or more. Default 3. */
  readonly maxRetries: number;
  readonly #scheme: "http" | "https";

  /** @throws Failure `wrong_setting` that names the variable, what it held and what it takes */
  constructor(values: NetworkValues = {}, environment: Environment = process.env) {
    const address = readAddress(values.host ?? (environment.OLLAMA_HOST || "0.0.0.0"));
    this.#scheme = address.scheme;
    this.host = address.host;
    this.port =
      values.port !== undefined
        ? whole("OLLAMA_PORT", values.port, 1, 65535)
        : (address.port ?? whole("OLLAMA_PORT", environment.OLLAMA_PORT || "11434", 1, 65535));
    this.timeout = seconds(values.timeout ?? (environment.OLLAMA_TIMEOUT || "30"));
    this.maxRetries = whole(
      "OLLAMA_MAX_RETRIES",
      values.maxRetries ?? (environment.OLLAMA_MAX_RETRIES || "3"),
      0,
      1e6,
    );
  }

  /** An address to call: a wildcard host becomes loopback, since nobody can call 0.0.0.0. */
  get baseUrl(): string {
    const called = hostOf(this.host);
    const host = called === "0.0.0.0" ? "127.0.0.1" : called === "[::]" ? "[::1]" : bracketed(this.host);
    return `${this.#scheme}://${host}:${this.port}`;
  }

  get apiUrl(): string {
    return `${this.baseUrl}/api`;
  }

  /** What Ollama is told to listen on, in the form of its OLLAMA_HOST. */
  get listenOn(): string {
    return `${bracketed(this.host)}:${this.port}`;
  }
}

function readAddress(text: string): { scheme: "http" | "https"; host: string; port: number | null } {
  const wrong = () =>
    failure.setting(
      "OLLAMA_HOST",
      blot(text),
      "a host, host:port, [ipv6]:port or URL such as http://127.0.0.1:11434",
    );
  // Quotes around it are taken off, as Ollama does.
  const given = text.trim().replace(/^["']+|["']+$/g, "");
  if (/^[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(given)) {
    if (hostOf(given) === null) throw wrong();
    return { scheme: "http", host: given, port: null };
  }
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/?#@\\[\]\s\p{Cc}]*)(?::(\d+))?(?:\/.*)?$/iu.exec(
    given,
  );
  if (!match) throw wrong();
  const scheme = match[1]?.toLowerCase();
  // As Ollama does it: a URL without a port means its scheme's port, a bare host Ollama's own.
  const implied = scheme === "https" ? 443 : scheme === "http" ? 80 : null;
  const port = match[3] === undefined ? implied : whole("OLLAMA_HOST", match[3], 1, 65535);
  const host = (match[2] ?? "").replace(/^\[|\]$/g, "") || "127.0.0.1";
  if (hostOf(host) === null) throw wrong();
  return { scheme: scheme === "https" ? "https" : "http", host, port };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** A host as a URL has it (`::0` is `[::]`, `0` is `0.0.0.0`), or null for what can be in none. */
function hostOf(host: string): string | null {
  const url = `http://${bracketed(host)}`;
  return URL.canParse(url) ? new URL(url).hostname : null;
}

function whole(variable: string, given: string | number, least: number, most: number): number {
  const value = typeof given === "number" ? given : /^\s*\d+\s*$/.test(given) ? Number(given) : Number.NaN;
  if (!Number.isInteger(value) || value < least || value > most) {
    const range = most >= 1e6 ? `a whole number from ${least} up` : `a whole number from ${least} to ${most}`;
    throw failure.setting(
      variable,
      String(given),
      variable === "OLLAMA_HOST" ? `a port from 1 to 65535 in it` : range,
    );
  }
  return value;
}

function seconds(given: string | number): number {
  const value = typeof given === "number" ? given : given.trim() === "" ? Number.NaN : Number(given);
  if (!(value > 0) || !Number.isFinite(value)) {
    throw failure.setting("OLLAMA_TIMEOUT", String(given), "a number of seconds above 0");
  }
  return value;
}
