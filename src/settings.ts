/**
 * What the program can be told, in one schema: each setting with its description, unit and default. Read once,
 * at the edge, from the environment and from flags over it, into one frozen object of values and their sources.
 * A wrong value stops the start; nothing else in the program looks at the environment.
 */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { FOREVER_MS, readDuration, sayDuration } from "./duration";
import { blot, Failure, failure } from "./errors";
import { readSize, saySize } from "./size";
import { suggestion } from "./suggestion";

/** What a setting's schema carries beside TypeBox's own words. */
interface About {
  /** Environment variables it is read from, the first that is set wins. */
  variables: readonly [string, ...string[]];
  description: string;
  /** What it takes, in the words of an error message. */
  takes: string;
  /** How its text is read; a duration is kept in milliseconds, a size in bytes. */
  reads: "text" | "integer" | "duration" | "size";
  /**
   * It is a key, or a URL that may hold a password: a wrong one is not shown, Ollama does not get it in its environment,
   * and it is not taken as a flag, since every user of a machine can read its command lines.
   */
  secret?: "key" | "url";
}

const port = { minimum: 0, maximum: 65535 };

const settingsSchema = Type.Object({
  port: setting(Type.Integer({ ...port, default: 8000 }), {
    variables: ["CORRAL_PORT", "PORT"],
    description: "Port that Corral answers on; 0 takes a free one",
    takes: "a port from 0 to 65535",
    reads: "integer",
  }),
  host: setting(Type.String({ minLength: 1, default: "127.0.0.1" }), {
    variables: ["CORRAL_HOST"],
    description: "Address that Corral listens on",
    takes: "an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    reads: "text",
  }),
  ollamaHost: setting(Type.String({ default: "" }), {
    variables: ["OLLAMA_HOST"],
    description: "Address of the Ollama that Corral starts: host, host:port or URL (loopback when empty)",
    takes: "a host, host:port or URL",
    reads: "text",
  }),
  ollamaPort: setting(Type.Integer({ minimum: 1, maximum: 65535, default: 11434 }), {
    variables: ["OLLAMA_PORT"],
    description: "Port of that Ollama; a port inside OLLAMA_HOST wins",
    takes: "a port from 1 to 65535",
    reads: "integer",
  }),
  ollamaTimeout: setting(Type.Number({ exclusiveMinimum: 0, default: 30_000 }), {
    variables: ["OLLAMA_TIMEOUT"],
    description:
      "How long Corral's own questions to Ollama may take (never a client's request); plain numbers are seconds",
    takes: "a duration above 0, such as 30 or 30s",
    reads: "duration",
  }),
  ollamaMaxRetries: setting(Type.Integer({ minimum: 0, maximum: 1000, default: 3 }), {
    variables: ["OLLAMA_MAX_RETRIES"],
    description: "How often such a question is asked again",
    takes: "a whole number from 0 to 1000",
    reads: "integer",
  }),
  ollamaBin: setting(Type.String({ default: "" }), {
    variables: ["OLLAMA_BIN"],
    description: "The ollama program to start (found on the PATH and in its usual places when empty)",
    takes: "a path",
    reads: "text",
  }),
  ollamaUrl: setting(Type.String({ default: "" }), {
    variables: ["OLLAMA_URL"],
    description: "Use the Ollama that runs at this URL, and start none",
    takes: "a URL such as http://127.0.0.1:11434",
    reads: "text",
  }),
  adminKey: setting(Type.String({ pattern: "^([\\x21-\\x7e]{16,})?$", default: "" }), {
    variables: ["CORRAL_ADMIN_KEY"],
    description:
      "Key for what reads texts, changes or deletes (when empty: none on loopback; elsewhere one is made at the first start and kept in the data folder)",
    takes: "16 or more letters, digits and signs, without spaces",
    reads: "text",
    secret: "key",
  }),
  databaseUrl: setting(Type.String({ pattern: "^(postgres(ql)?://.+)?$", default: "" }), {
    variables: ["DATABASE_URL"],
    description: "PostgreSQL server (14 or later) to keep records in (an embedded PostgreSQL when empty)",
    takes: "a URL such as postgres://user:password@host:5432/corral",
    reads: "text",
    secret: "url",
  }),
  dataDir: setting(Type.String({ minLength: 1, default: "$XDG_DATA_HOME/corral" }), {
    variables: ["CORRAL_DATA_DIR"],
    description: "Folder for the embedded database, Ollama's log and what must outlive a restart",
    takes: "a path",
    reads: "text",
  }),
  content: setting(Type.Union([Type.Literal("full"), Type.Literal("none")], { default: "full" }), {
    variables: ["CORRAL_CONTENT"],
    description: "Whether prompts and replies are kept: full or none",
    takes: "full or none",
    reads: "text",
  }),
  spoolLimit: setting(Type.Number({ minimum: 10_000_000, default: 1e9 }), {
    variables: ["CORRAL_SPOOL_LIMIT"],
    description:
      "How much may wait in the data folder for a database that is away; near it texts are no longer kept, at it no records",
    takes: "a size of 10MB or more, such as 1GB",
    reads: "size",
  }),
  keepContent: setting(Type.Number({ minimum: 0, default: 30 * 86_400_000 }), {
    variables: ["CORRAL_KEEP_CONTENT"],
    description: "How long prompts and replies are kept",
    takes: "a duration such as 30d, or forever",
    reads: "duration",
  }),
  keepRequests: setting(Type.Number({ minimum: 0, default: 400 * 86_400_000 }), {
    variables: ["CORRAL_KEEP_REQUESTS"],
    description: "How long request rows are kept",
    takes: "a duration such as 400d, or forever",
    reads: "duration",
  }),
  keepMetrics: setting(Type.Number({ minimum: 0, default: FOREVER_MS }), {
    variables: ["CORRAL_KEEP_METRICS"],
    description: "How long metrics are kept",
    takes: "a duration such as 400d, or forever",
    reads: "duration",
  }),
  // Below that it would be used up by what can't be dropped: the log of changes, metrics, the catalog.
  diskBudget: setting(Type.Union([Type.Literal(0), Type.Number({ minimum: 1e9 })], { default: 0 }), {
    variables: ["CORRAL_DISK_BUDGET"],
    description:
      "How much database, spool and Ollama's log may take together: the oldest texts go before it is reached, then the oldest request rows; a tenth of it is for the spool (0: no limit)",
    takes: "a size from 1GB, such as 20GB, or 0 for no limit",
    reads: "size",
  }),
  corsOrigins: setting(Type.String({ default: "" }), {
    variables: ["CORS_ORIGINS"],
    description: "Further origins whose pages may call Corral, separated by commas",
    takes: "origins such as https://chat.example.org, separated by commas",
    reads: "text",
  }),
  ollamaOrigins: setting(Type.String({ default: "" }), {
    variables: ["OLLAMA_ORIGINS"],
    description: "The same, under Ollama's name",
    takes: "origins such as https://chat.example.org, separated by commas",
    reads: "text",
  }),
  firstTokenTimeout: setting(Type.Number({ minimum: 0, default: 0 }), {
    variables: ["CORRAL_FIRST_TOKEN_TIMEOUT"],
    description: "How long a stream may wait for its first token, loading included (0: as long as it takes)",
    takes: "a duration such as 10m, or 0 for no limit",
    reads: "duration",
  }),
  idleTimeout: setting(Type.Number({ minimum: 0, default: 0 }), {
    variables: ["CORRAL_IDLE_TIMEOUT"],
    description: "How long a stream may be silent after its first token (0: as long as it takes)",
    takes: "a duration such as 2m, or 0 for no limit",
    reads: "duration",
  }),
  heartbeat: setting(Type.Number({ minimum: 0, default: 0 }), {
    variables: ["CORRAL_HEARTBEAT"],
    description:
      "Send a silent stream something harmless that often, so that proxies in between keep it open; it then begins with 200 whatever follows (0: never)",
    takes: "a duration such as 15s, or 0 for never",
    reads: "duration",
  }),
  trustedProxies: setting(Type.String({ default: "" }), {
    variables: ["CORRAL_TRUSTED_PROXIES"],
    description:
      "Addresses and networks of proxies whose X-Forwarded-For tells the client, separated by commas",
    takes: "addresses and networks such as 127.0.0.1 or 10.0.0.0/8, separated by commas",
    reads: "text",
  }),
  drain: setting(Type.Number({ minimum: 0, default: 8_000 }), {
    variables: ["CORRAL_DRAIN"],
    description: "How long requests may go on after SIGTERM before they are ended",
    takes: "a duration such as 8s",
    reads: "duration",
  }),
  logLevel: setting(
    Type.Union(
      ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => Type.Literal(level)),
      { default: "info" },
    ),
    {
      variables: ["LOG_LEVEL"],
      description: "Least level that is logged",
      takes: "trace, debug, info, warn, error or fatal",
      reads: "text",
    },
  ),
  logFormat: setting(
    Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")], { default: "auto" }),
    {
      variables: ["LOG_FORMAT"],
      description: "Log as json or pretty (auto: pretty in a terminal)",
      takes: "auto, json or pretty",
      reads: "text",
    },
  ),
});

type SettingValues = Readonly<Static<typeof settingsSchema>>;

export interface Settings {
  readonly values: SettingValues;
  /** Where each value comes from: a variable's or flag's name, or "default". */
  readonly sources: Readonly<Record<keyof SettingValues, string>>;
  /** Things to say at the start that do not stop it, such as a misspelt variable. */
  readonly warnings: readonly string[];
}

/**
 * Reads the settings.
 * @param environment such as `process.env`; an empty value counts as not set
 * @param flags name to value, without dashes: `{ port: "8000" }`; they win over the environment
 * @throws Failure `wrong_setting` that names the variable, what it held and what it takes
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string>> = {},
): Settings {
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const [name, schema] of Object.entries(settingsSchema.properties)) {
    const about = aboutOf(schema);
    const flag = flagOf(about);
    const flagged = about.secret ? undefined : flags[flag];
    const variable = about.variables.find((candidate) => environment[candidate]);
    const given = flagged ?? (variable ? environment[variable] : undefined);
    sources[name] = flagged !== undefined ? `--${flag}` : variable && given ? variable : "default";
    if (given === undefined) {
      values[name] = schema.default;
      continue;
    }
    const value = readText(given, about.reads, about.variables[0] === "OLLAMA_TIMEOUT" ? 1000 : 0);
    if (!Value.Check(schema, value)) {
      const shown = about.secret ? "(not shown: it is a secret)" : blot(given);
      throw failure.setting(sources[name], shown, about.takes);
    }
    values[name] = value;
  }
  // As it stands in a URL.
  values.host = String(values.host).replace(/^\[(.*)\]$/, "$1");
  if (sources.dataDir === "default") {
    const { XDG_DATA_HOME = "", HOME } = environment;
    // A relative one is to be ignored, says its standard.
    const shared = isAbsolute(XDG_DATA_HOME) ? XDG_DATA_HOME : join(HOME || homedir(), ".local/share");
    values.dataDir = join(shared, "corral");
  }
  checkUrl(String(values.ollamaUrl), String(sources.ollamaUrl));
  if (!Value.Check(settingsSchema, values))
    throw new Failure("wrong_setting", 400, "Wrong setting", "unreadable settings");
  return Object.freeze({
    values: Object.freeze(values),
    sources: Object.freeze(sources as Record<keyof SettingValues, string>),
    warnings: Object.freeze(misspelt(environment)),
  });
}

export interface SettingRow {
  readonly variables: string;
  /** Without dashes. */
  readonly flag: string;
  /** Whether it is read from the environment alone. */
  readonly isSecret: boolean;
  /** In words. */
  readonly default: string;
  readonly description: string;
}

export interface SettingInForce extends SettingRow {
  /** Its name in the settings' schema. */
  readonly name: string;
  /** In words; a password in a URL is blotted out, a key is `null`, and one that is not set is empty. */
  readonly value: string | null;
  /** A variable's or flag's name, "default", or "demo". */
  readonly source: string;
}

/** The settings as they are in force, for people to see. */
export function settingsInForce({ values, sources }: Settings): SettingInForce[] {
  return Object.entries(settingsSchema.properties).map(([name, schema]) => {
    const about = aboutOf(schema);
    const value = sayValue(about.reads, Reflect.get(values, name));
    return {
      name,
      ...describe(schema),
      value: about.secret === "key" && value !== "" ? null : blot(value),
      source: String(Reflect.get(sources, name)),
    };
  });
}

/** Every setting as a row. The README's table and the command line's flags are made of these. */
export function describeSettings(): SettingRow[] {
  return Object.values(settingsSchema.properties).map(describe);
}

function describe(schema: TSchema): SettingRow {
  const about = aboutOf(schema);
  return {
    variables: about.variables.join(", "),
    flag: flagOf(about),
    isSecret: about.secret !== undefined,
    default: sayValue(about.reads, schema.default),
    description: about.description,
  };
}

function sayValue(reads: About["reads"], value: unknown): string {
  if (reads === "duration") return sayDuration(Number(value));
  return reads === "size" ? saySize(Number(value)) : String(value);
}

/** The variables that hold keys and passwords. */
export function secretVariables(): string[] {
  return Object.values(settingsSchema.properties)
    .map(aboutOf)
    .flatMap(({ secret, variables }) => (secret ? variables : []));
}

function setting<T extends TSchema>(schema: T, about: About): T {
  return { ...schema, ...about };
}

function aboutOf(schema: TSchema): About {
  const { variables, description, takes, reads, secret } = schema;
  return { variables, description: String(description), takes, reads, secret };
}

/** CORRAL_DATA_DIR is data-dir; OLLAMA_HOST is ollama-host. */
function flagOf(about: About): string {
  return about.variables[0]
    .replace(/^CORRAL_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

function readText(text: string, reads: About["reads"], plainUnitMs: number): unknown {
  if (reads === "text") return text.trim();
  if (reads === "integer") return /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
  return reads === "size" ? readSize(text) : readDuration(text, plainUnitMs);
}

function checkUrl(text: string, source: string): void {
  if (!text) return;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  // An address is shown in health, in the log and on the page; a password in it would be, too.
  if (!isHttp || url.username || url.password || url.search || url.hash) {
    throw failure.setting(
      source,
      blot(text),
      "a URL such as http://127.0.0.1:11434, without user, password or query",
    );
  }
}

function misspelt(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.values(settingsSchema.properties).flatMap((schema) => aboutOf(schema).variables);
  return Object.keys(environment)
    .filter(
      (name) => name.startsWith("CORRAL_") && !name.startsWith("CORRAL_SIMULATOR_") && !known.includes(name),
    )
    .map((name) => `${name} is not a setting${suggestion(name, known)}: it is ignored`);
}
