/** Made-up records, ledgers to put them into, and a database that can be made to misbehave. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Database } from "../../src/database/database";
import { failure } from "../../src/errors";
import { createLedger, type Ledger } from "../../src/ledger/ledger";
import { type Begun, outcomes, type RequestRecord, truncations } from "../../src/ledger/record";
import { silentLog } from "../../src/log";

const plain: Omit<RequestRecord, "id"> = {
  startedAt: new Date("2026-11-25T10:15:23.456Z"),
  dialect: "contract.chat",
  operation: "chat",
  model: "llama3.2",
  stream: true,
  clientAddress: "127.0.0.1",
  userAgent: "curl/8.5.0",
  user: null,
  traceparent: null,
  engineVersion: "0.33.0",
  engineRun: 1,
  inFlight: 0,
  modelDigest: null,
  cold: false,
  outcome: "complete",
  httpStatus: 200,
  upstreamStatus: 200,
  contextLength: 4096,
  truncated: null,
  latencyMs: 1250,
  ttftMs: 180,
  longestGapMs: 20,
  clientWaitMs: 0,
  tokensIn: 26,
  tokensOut: 124,
  tokensCached: null,
  loadMs: 5,
  prefillMs: 10,
  decodeMs: 1000,
  finishReason: "stop",
  error: null,
  modelKnown: true,
  contents: {
    prompt: "What is Python?",
    system: null,
    messages: null,
    options: null,
    response: "Python is a language.",
    thinking: null,
    toolCalls: null,
  },
};

export function makeRecord(fields: Partial<RequestRecord> = {}): RequestRecord {
  return { id: Bun.randomUUIDv7(), ...plain, ...fields };
}

export interface Spools {
  /** A folder for a spool of its own, not made yet. */
  fresh(): string;
  remove(): void;
}

/** Where a suite keeps its spools: on a disk, as people do. */
export function makeSpools(): Spools {
  const root = mkdtempSync(join(tmpdir(), "corral-spools-"));
  return {
    fresh: () => join(root, crypto.randomUUID()),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

type LedgerOptions = Parameters<typeof createLedger>[0];

/** A ledger with a server's id of its own, unless told. */
export function makeLedger(
  options: Partial<LedgerOptions> & Pick<LedgerOptions, "database" | "folder">,
): Ledger {
  const others = { server: crypto.randomUUID(), keepContents: true, log: silentLog, limitBytes: 1e9 };
  return createLedger({ ...others, ...options });
}

/** What was known of it when it began. */
export function begunOf(record: RequestRecord): Begun {
  const { id, startedAt, dialect, operation, model, stream, clientAddress, userAgent, user } = record;
  const { traceparent, engineVersion, engineRun, inFlight, modelDigest, cold } = record;
  return {
    ...{ id, startedAt, dialect, operation, model, stream, clientAddress, userAgent, user },
    ...{ traceparent, engineVersion, engineRun, inFlight, modelDigest, cold },
  };
}

/** Puts a record into a ledger, from its begin to its end. */
export function keep(record: RequestRecord, ledger: Ledger): void {
  ledger.begin(begunOf(record), record.contents?.prompt ?? null).end(record);
}

const few = <T>(...values: T[]) => fc.constantFrom(...values);

/** Records with many equal and absent values, of three days. */
export const anyRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    startedAt: fc.integer({ min: 0, max: 300 }).map((n) => new Date(Date.UTC(2026, 10, 24) + n * 700_000)),
    model: few("llama3.2", "mistral", null),
    operation: few("chat" as const, "completion" as const, "embedding" as const, "transcription" as const),
    outcome: few(...outcomes),
    clientAddress: few("127.0.0.1", "10.9.9.9", null),
    user: few("ada@example.org", null),
    latencyMs: few(0, 1, 1.5, 250, 1250.125),
    ttftMs: few(null, 0, 1.5, 180),
    tokensIn: few(null, 0, 7, 26),
    tokensOut: few(null, 0, 7, 124),
    decodeMs: few(null, 0, 12.5, 1000),
    truncated: few(null, ...truncations),
    modelKnown: fc.boolean(),
  })
  .map(makeRecord);

export interface Troubled {
  readonly database: Database;
  /** Errors that the next transactions fail with, one each, before they begin; or, with `after`, once committed. */
  readonly faults: { error: Error; after: boolean }[];
  /** Takes it away until `comeBack`. */
  goAway(): void;
  comeBack(): void;
}

/** A database in front of a real one, which fails as it is told. */
export function troubled(real: Database): Troubled {
  const faults: Troubled["faults"] = [];
  const listeners: (() => void)[] = [];
  let away = false;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const check = () => {
    if (away) throw failure.database("it was taken away");
  };
  const database: Database = {
    get state() {
      return away ? ("away" as const) : real.state;
    },
    get why() {
      return away ? "it was taken away" : real.why;
    },
    kind: real.kind,
    pid: real.pid,
    firstAttempt: real.firstAttempt,
    async query(work, deadlineMs) {
      check();
      return real.query(work, deadlineMs);
    },
    async transaction(work, deadlineMs) {
      check();
      const fault = faults.shift();
      if (fault && !fault.after) throw fault.error;
      const done = await real.transaction(work, deadlineMs);
      if (fault) throw fault.error;
      return done;
    },
    hold: (work) => real.hold(work),
    view: (work) => real.view(work),
    alone: (job, work, deadlineMs) => real.alone(job, work, deadlineMs),
    start: () => real.start(),
    onChange: (listener) => {
      listeners.push(listener);
    },
    stop: () => real.stop(),
  };
  return {
    database,
    faults,
    goAway() {
      away = true;
      tell();
    },
    comeBack() {
      away = false;
      tell();
    },
  };
}
