import type { Database } from "../../database/database";
import type { Engine } from "../../engine/service";
import type { Disk } from "../../ledger/budget";
import type { Ledger } from "../../ledger/ledger";
import { sayDiskUse } from "../data/service";
import type { Health } from "./model";

export interface HealthParts {
  readonly engine: Engine;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly disk: Disk;
  readonly version: string;
  /** Aborted when the server is on its way out. */
  readonly ending: AbortSignal;
}

/** How the parts are, in one sentence for a person. */
export function readHealth({ engine, database, ledger, disk, version, ending }: HealthParts): Health {
  const ollama = engine.state === "ready";
  const connected = database.state === "up";
  const complaints: string[] = [];
  if (ending.aborted) complaints.push("Corral is being stopped");
  if (!ollama) complaints.push(engine.why ?? "Ollama does not answer");
  const { spooled, why } = ledger.standing();
  if (!connected) {
    const kept = spooled === 0 ? "" : `; ${spooled} records wait for it`;
    complaints.push(
      `the database is ${database.state}: ${database.why ?? "it does not answer"}${kept}. Requests are served and kept until it is back`,
    );
  }
  if (why !== null) complaints.push(why);
  if (disk.why !== null) complaints.push(disk.why);
  return {
    status:
      !ollama || ending.aborted
        ? "unhealthy"
        : connected && why === null && disk.why === null
          ? "healthy"
          : "degraded",
    ollama_running: ollama,
    database_connected: connected,
    disk: disk.use && sayDiskUse(disk.use),
    message: complaints.length === 0 ? "All systems operational" : complaints.join(". "),
    version,
  };
}
