/** What the terminal says while the server starts: at once what is waited for, then where everything is, as it is known. */
import type { AdminKey } from "../access";
import type { Database } from "../database/database";
import type { OllamaService } from "../engine/service";

export interface GreetingParts {
  readonly say: (line: string) => void;
  readonly engine: OllamaService;
  readonly database: Database;
  /** Where the server answers. */
  readonly address: string;
  /** null where none is needed. */
  readonly adminKey: AdminKey | null;
  /** Where it is kept, unless it comes from the settings. */
  readonly adminKeyFile: string;
  /** Where the embedded database's files are. */
  readonly folder: string;
  readonly stopping: () => boolean;
}

/** Longest wait for Ollama before its line says that it is not there yet. */
const ENGINE_WITHIN_MS = 5000;

/** Says where things are, each as soon as something true can be said of it. Ends after the database's line. */
export async function greet(parts: GreetingParts): Promise<void> {
  const { say, engine, database, address, stopping } = parts;
  let making = false;
  const sayMaking = () => {
    if (making || !database.why?.startsWith("making a new database")) return;
    making = true;
    say("  Making a new embedded database, once");
  };
  database.onChange(sayMaking);
  say(`  Server    ${address}`);
  say(`  API docs  ${address}/swagger`);
  if (parts.adminKey) say(`  Admin key ${sayKey(parts.adminKey, parts.adminKeyFile)}`);
  sayMaking();
  await known(engine, () => isKnown(engine), ENGINE_WITHIN_MS);
  if (stopping()) return;
  say(`  Ollama    ${sayEngine(engine)}`);
  await known(database, () => database.state !== "starting");
  if (stopping()) return;
  say(`  Data      ${sayData(parts)}`);
}

/** Whether waiting won't tell much more: it answers, or it does not and there is a reason. */
function isKnown(engine: OllamaService): boolean {
  return engine.state === "ready" || (engine.attempted && engine.state !== "starting");
}

/** The key itself once, when it is made: this is for a person, and never said in the log. */
function sayKey({ key, source }: AdminKey, file: string): string {
  if (source === "setting") return "as CORRAL_ADMIN_KEY has it";
  return source === "made" ? `${key} (shown this once, kept in ${file})` : `in ${file}`;
}

function sayEngine(engine: OllamaService): string {
  if (engine.state === "ready") return `${engine.address}${engine.owned ? "" : " (not started by Corral)"}`;
  return `not ready: ${engine.why ?? "it does not answer yet"}`;
}

function sayData({ database, folder }: GreetingParts): string {
  const place = database.kind === "server" ? "PostgreSQL at DATABASE_URL" : folder;
  if (database.state === "up") return place;
  return `${place} is away (${database.why ?? "it does not answer"}): requests are served, and kept until it is back`;
}

/** Waits for something that tells of its changes. */
async function known(
  part: { onChange(listener: () => void): void },
  isIt: () => boolean,
  withinMs?: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (isIt()) resolve();
  };
  part.onChange(look);
  look();
  const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
  await promise;
  clearTimeout(timer);
}
