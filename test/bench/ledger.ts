/**
 * What a ledger of a month costs: `bun run bench --ledger`. Fills the embedded database and a PostgreSQL server with the
 * same made-up records as the writer would, starts Corral on each, and asks for what its page and its API answer.
 */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ChildRegistry } from "../../src/children/registry";
import { type Database, openDatabase, type Where } from "../../src/database/database";
import { createLedger } from "../../src/ledger/ledger";
import type { RequestRecord } from "../../src/ledger/record";
import { storeRecords } from "../../src/ledger/rows";
import { shedRecords } from "../../src/ledger/spool-lines";
import { silentLog } from "../../src/log";
import { getJson, type RunningCorral, startCorral } from "../support/corral";
import { embeddedCommand } from "../support/databases";
import { embeddedTemplate } from "../support/embedded-template";
import { postgresServer } from "../support/postgres";
import { DAYS, makeCorpus, rareDialect, rareModel } from "./corpus";
import { pace } from "./pace";
import { measurePage } from "./page";

/** As the writer's: see `ROWS_A_BATCH` of the spool. */
const RECORDS_A_BATCH = 200;
const RECORDS_AN_ASK = 100_000;
const TIMES = 15;
const REQUESTS_A_SECOND = 2000;
const DEADLINE_MS = 60_000;

interface Figures {
  [figure: string]: string;
}

/** Measures both databases and prints a table. @param rows how many records */
export async function benchLedger(rows: number): Promise<void> {
  const columns: Record<string, Figures> = {};
  const home = mkdtempSync(join(tmpdir(), "corral-bench-"));
  try {
    cpSync(await embeddedTemplate(), join(home, "database"), { recursive: true });
    columns.embedded = await measure(
      {
        kind: "embedded",
        folder: join(home, "database"),
        command: embeddedCommand(),
        registry: new ChildRegistry(join(home, "children.json"), silentLog),
      },
      home,
      rows,
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  const server = await postgresServer(true);
  const other = mkdtempSync(join(tmpdir(), "corral-bench-"));
  try {
    if (server)
      columns.PostgreSQL = await measure({ kind: "server", url: await server.createDatabase() }, other, rows);
    else console.warn("There is no PostgreSQL server here: only the embedded database is measured");
  } finally {
    await server?.stop();
    rmSync(other, { recursive: true, force: true });
  }
  print(rows, columns);
}

async function measure(where: Where, home: string, rows: number): Promise<Figures> {
  const figures = await withDatabase(where, async (database) => ({
    ...(await fill(database, rows)),
    ...(await sizes(database, rows)),
  }));
  const corral = await startCorral({
    folder: home,
    // They are as old as that.
    environment: { CORRAL_KEEP_CONTENT: "60d", LOG_LEVEL: "warn" },
    ...(where.kind === "server" ? { databaseUrl: where.url } : {}),
  });
  try {
    Object.assign(figures, await answers(corral), await measurePage(corral.url));
  } finally {
    await corral.stop();
  }
  // Last, since it adds requests of its own.
  Object.assign(figures, await withDatabase(where, (database) => keepPace(database, home)));
  console.warn(figures);
  return figures;
}

async function withDatabase(where: Where, work: (database: Database) => Promise<Figures>): Promise<Figures> {
  const database = openDatabase({ where, log: silentLog });
  database.start();
  try {
    await database.firstAttempt;
    return await work(database);
  } finally {
    await database.stop();
  }
}

/** As the writer does: batches, a transaction each, one after the other. */
async function fill(database: Database, rows: number): Promise<Figures> {
  const partitions = new Set<string>();
  const server = crypto.randomUUID();
  let spent = 0;
  let stored = 0;
  let batch: RequestRecord[] = [];
  const store = async () => {
    const records = batch;
    batch = [];
    // Of the storing alone: making up the records is no cost of the ledger's.
    const started = performance.now();
    await database.transaction((sql) => storeRecords(sql, records, server, partitions), DEADLINE_MS);
    spent += performance.now() - started;
    stored += records.length;
    if (stored % RECORDS_AN_ASK < records.length) console.warn(`${database.kind}: ${stored} records`);
  };
  for (const record of makeCorpus(rows, Date.now())) {
    batch.push(record);
    if (batch.length === RECORDS_A_BATCH) await store();
  }
  if (batch.length > 0) await store();
  return { "insert, with all texts": `${Math.round((rows * 1000) / spent)} records/s` };
}

async function sizes(database: Database, rows: number): Promise<Figures> {
  // As both do by themselves within the hour.
  await database.query((sql) => sql.unsafe("vacuum (analyze)"), DEADLINE_MS);
  const [size] = await database.query(
    (sql) => sql<{ requests: number; contents: number; metrics: number }[]>`
      select
        (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'requests'::regclass)::float8 as requests,
        (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'contents'::regclass)::float8 as contents,
        (pg_total_relation_size('metrics') + pg_total_relation_size('histograms'))::float8 as metrics`,
    DEADLINE_MS,
  );
  const { requests, contents, metrics } = size ?? { requests: 0, contents: 0, metrics: 0 };
  const say = (bytes: number) => `${((bytes * 1e6) / rows / 1e9).toFixed(2)} GB`;
  return {
    "size per million requests, without texts": say(requests),
    "size of their texts": say(contents),
    [`metrics of ${DAYS} days`]: `${Math.round(metrics / 1e6)} MB`,
  };
}

/** How late the loop of a program is in which a ledger takes many requests, begin and end, and stores them meanwhile. */
async function keepPace(database: Database, home: string): Promise<Figures> {
  const options = { server: crypto.randomUUID(), keepContents: true, log: silentLog, limitBytes: 1e9 };
  const idle = await pace(null, REQUESTS_A_SECOND);
  const ledger = createLedger({ ...options, database, folder: join(home, "pace") });
  const { late } = await pace(ledger, REQUESTS_A_SECOND);
  const { spooled, shed } = ledger.standing();
  await ledger.stop(DEADLINE_MS);
  const say = (ms: number) => `${ms.toFixed(1)} ms`;
  return {
    [`loop late at ${REQUESTS_A_SECOND} requests/s, p99`]: `${say(late.hundredth)} (without: ${say(idle.late.hundredth)})`,
    "waiting for the database then": `${spooled} records, ${shedRecords(shed)} shed`,
  };
}

/** Medians, in turns, so that a busy moment hits all alike. */
async function answers(corral: RunningCorral): Promise<Figures> {
  const paths = await pathsOf(corral);
  const times = new Map<string, number[]>();
  const refused = new Map<string, number>();
  for (let time = 0; time < TIMES; time++) {
    for (const [name, path] of paths) {
      const started = performance.now();
      const response = await fetch(corral.url + path);
      await response.arrayBuffer();
      // What takes too long is refused by a deadline: a figure, too.
      if (!response.ok) refused.set(name, response.status);
      times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    }
  }
  return Object.fromEntries(
    [...times].map(([name, samples]) => {
      const sorted = samples.toSorted((a, b) => a - b);
      const median = `${(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1)} ms`;
      return [name, refused.has(name) ? `${refused.get(name)} after ${median}` : median];
    }),
  );
}

/** What is asked, by what the table calls it. */
async function pathsOf({ url }: RunningCorral): Promise<[string, string][]> {
  const page = `/api/stats/logs?limit=100`;
  return [
    ["current totals", "/api/stats/current"],
    ["history, 24 hours", "/api/stats/history?hours=24"],
    ["history, 30 days", `/api/stats/history?hours=${DAYS * 24}`],
    ["history, 30 days, one model", `/api/stats/history?hours=${DAYS * 24}&model=qwen3`],
    ["history, 30 days, by model", `/api/stats/history?hours=${DAYS * 24}&group_by=model`],
    ["summary with percentiles, 24 hours", `/api/stats/summary?from=${daysAgo(1)}`],
    ["summary with percentiles, 30 days", `/api/stats/summary?from=${daysAgo(DAYS)}`],
    ["models, 30 days", `/api/models?hours=${DAYS * 24}`],
    ["page of 100, newest", page],
    ["page of 100, a rare model", `${page}&model=${rareModel}`],
    ["page of 100, a rare dialect", `${page}&dialect=${rareDialect}`],
    ["page of 100, a rare outcome", `${page}&outcome=engine_crash`],
    ["page of 100, all embeddings", `${page}&operation=embedding`],
    ["page of 100, slowest first", `${page}&sort=latency_ms`],
    ["page of 100, errors of a rare model", `${page}&model=${rareModel}&status=error`],
    ["page of 100, 10,000 further on", `${page}&cursor=${encodeURIComponent(await cursorOf(url, 10))}`],
    ["page of 100, searched in the last day", `${page}&hours=24&q=rollback`],
    ["one request, whole", `/api/requests/${await newestOf(url)}`],
    ["export of a day", "/api/stats/logs/export?hours=24"],
  ];
}

function daysAgo(days: number): string {
  return encodeURIComponent(new Date(Date.now() - days * 86_400_000).toISOString());
}

async function newestOf(url: string): Promise<string> {
  const { logs } = (await getJson(`${url}/api/stats/logs?limit=1`)) as { logs: { id: string }[] };
  return logs[0]?.id ?? "none";
}

/** The cursor behind so many pages of 1000. */
async function cursorOf(url: string, pages: number): Promise<string> {
  let cursor = "";
  for (let page = 0; page < pages; page++) {
    const asked = `${url}/api/stats/logs?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { next } = (await getJson(asked)) as { next: string | null };
    if (next === null) break;
    cursor = next;
  }
  return cursor;
}

function print(rows: number, columns: Record<string, Figures>): void {
  const names = Object.keys(columns);
  const figures = new Set(names.flatMap((name) => Object.keys(columns[name] ?? {})));
  console.log(
    `${rows} requests of ${DAYS} days, ${cpus().length} x ${cpus()[0]?.model}, Bun ${Bun.version}\n`,
  );
  console.log(`| | ${names.join(" | ")} |\n|---|${names.map(() => "---|").join("")}`);
  for (const figure of figures)
    console.log(`| ${figure} | ${names.map((name) => columns[name]?.[figure] ?? "").join(" | ")} |`);
}
