/** Pages of logs: whatever they are sorted by, every row comes exactly once. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import type { LogEntry } from "../../src/ledger/read/entry";
import { sortFields } from "../../src/ledger/read/filter";
import { readHistory } from "../../src/ledger/read/history";
import { type LogQuery, readLogs } from "../../src/ledger/read/logs";
import { readModels, readTotals } from "../../src/ledger/read/statistics";
import { type RequestRecord, statuses, statusOf, tokensPerSecond } from "../../src/ledger/record";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { anyRecord, keep, makeLedger, makeRecord, makeSpools } from "./records";

eachDatabase("kept requests", (open) => {
  const spools = makeSpools();
  afterAll(spools.remove);
  let opened: OpenedDatabase;
  beforeEach(async () => {
    opened ??= await open();
  });
  afterAll(() => opened?.close());

  async function stored(records: readonly RequestRecord[]): Promise<void> {
    await opened.database.query((sql) => sql`truncate requests, contents, metrics, histograms`, 30_000);
    const ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    for (const record of records) keep(record, ledger);
    await ledger.stop(10_000);
    expect(ledger.standing().stored).toBe(records.length);
  }
  const page = (query: Partial<LogQuery>) =>
    readLogs(opened.database, { limit: 100, offset: 0, sort: "timestamp", order: "desc", ...query });
  const ids = (logs: readonly LogEntry[]) => logs.map((row) => row.id);

  test("paging by cursor gives each row once, in order, absent values last", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 6, max: 15 }),
        async (records, limit) => {
          await stored(records);
          for (const sort of sortFields) {
            for (const order of ["asc", "desc"] as const) {
              const found: LogEntry[] = [];
              let cursor: string | null = null;
              do {
                const { logs, total, next } = await page({
                  sort,
                  order,
                  limit,
                  ...(cursor === null ? {} : { cursor }),
                });
                expect(total).toBe(records.length);
                expect(logs.length).toBeLessThanOrEqual(limit);
                found.push(...logs);
                cursor = next;
              } while (cursor !== null);
              expect(new Set(ids(found)).size).toBe(records.length);
              expect(found).toHaveLength(records.length);
              const values = found.map((row) =>
                sort === "timestamp" ? Date.parse(row.timestamp) : row[sort],
              );
              const known = values.filter((value) => value !== null);
              expect(values.slice(0, known.length)).toEqual(known);
              expect(known).toEqual(known.toSorted((a, b) => (order === "asc" ? a - b : b - a)));
              const offset = await page({ sort, order, limit, offset: 3 });
              expect(ids(offset.logs)).toEqual(ids(found.slice(3, 3 + limit)));
            }
          }
        },
      ),
      { numRuns: 2 },
    );
  });

  test("figures are what the rows say, for all, for each model and for each point in time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 60 }), async (records) => {
        await stored(records);
        const { speed: _, ...totals } = sums(records);
        expect(await readTotals(opened.database)).toMatchObject(totals);
        for (const row of await readModels(opened.database)) {
          const own = records.filter((record) => record.modelKnown && record.model === row.model);
          expect(row).toMatchObject({
            requests: own.length,
            errors: own.filter((record) => statusOf(record.outcome) === "error").length,
            last_used: new Date(Math.max(...own.map((record) => record.startedAt.getTime()))),
          });
        }
        for (const bucket of ["1m", "15m", "1h", "1d"] as const) {
          const to = new Date("2026-11-30T00:00:00Z");
          const from = new Date("2026-11-22T00:00:00Z");
          const points = await readHistory(opened.database, { from, to, now: to, bucket, fill: false });
          const size = { "1m": 60_000, "15m": 900_000, "1h": 3_600_000, "1d": 86_400_000 }[bucket];
          const startOf = (at: Date) => Math.floor(at.getTime() / size) * size;
          const starts = [...new Set(records.map((record) => startOf(record.startedAt)))].sort(
            (a, b) => a - b,
          );
          expect(points.map((point) => Date.parse(point.timestamp))).toEqual(starts);
          for (const [at, point] of points.entries()) {
            const own = records.filter((record) => startOf(record.startedAt) === starts[at]);
            const { averageLatencyMs, speed, errors } = sums(own);
            expect(point.avg_latency_ms).toEqual(averageLatencyMs);
            expect(point.tokens_per_second).toEqual(speed === null ? null : expect.closeTo(speed, 6));
            expect(point.error_rate).toBeCloseTo(errors / own.length, 9);
            expect(point.requests_per_minute).toBeCloseTo((own.length * 60_000) / size, 9);
          }
        }
      }),
      { numRuns: 3 },
    );
  });

  test("each filter, and any of them together, lets through what it says", async () => {
    await stored(fc.sample(anyRecord, 60));
    const { logs: all, total_is_exact } = await page({});
    expect(total_is_exact).toBe(true);
    const one = all[7];
    if (one === undefined) throw new Error("no row");
    const at = new Date(one.timestamp);
    const filters: readonly [query: Partial<LogQuery>, lets: (row: LogEntry) => boolean][] = [
      [{ model: "mistral" }, (row) => row.model === "mistral"],
      [{ status: "error" }, (row) => row.status === "error"],
      [{ status: "success" }, (row) => row.status === "success"],
      [{ status: "aborted" }, (row) => row.status === "aborted"],
      [{ outcome: one.outcome }, (row) => row.outcome === one.outcome],
      [{ operation: one.operation }, (row) => row.operation === one.operation],
      [{ dialect: one.dialect }, (row) => row.dialect === one.dialect],
      [{ dialect: "anthropic.messages" }, () => false],
      [{ client: "10.9.9.9" }, (row) => row.client_ip === "10.9.9.9"],
      [{ user: "ada@example.org" }, (row) => row.user === "ada@example.org"],
      [{ server: one.server }, (row) => row.server === one.server],
      [{ server: crypto.randomUUID() }, () => false],
      [{ from: at }, (row) => row.timestamp >= one.timestamp],
      [{ to: at }, (row) => row.timestamp < one.timestamp],
      [{ minLatencyMs: 250 }, (row) => row.latency_ms >= 250],
    ];
    const sortings = sortFields.map((sort) => ({ sort }));
    for (const [at, [query, lets]] of filters.entries()) {
      for (const [and, andLets] of [filters[0], filters[at], filters[(at * 7 + 3) % filters.length]].flatMap(
        (found) => (found ? [found] : []),
      )) {
        const both = { ...query, ...and };
        const overridden = Object.keys(query).some((name) => name in and);
        const wanted = all.filter((row) => andLets(row) && (overridden || lets(row)));
        const found = await page({ ...both, ...sortings[at % sortings.length] });
        expect([both, ids(found.logs).sort(), found.total]).toEqual([
          both,
          ids(wanted).sort(),
          wanted.length,
        ]);
      }
    }
  });

  test("filters by status, model and time, and searches texts to the letter", async () => {
    const say = (prompt: string, fields: Partial<RequestRecord> = {}) =>
      makeRecord({
        contents: {
          prompt,
          system: null,
          messages: null,
          options: null,
          response: null,
          thinking: null,
          toolCalls: null,
        },
        ...fields,
      });
    const records = [
      say("100% sure"),
      say("100 times sure", { model: "mistral" }),
      say("snake_case", { outcome: "client_abort" }),
      say("snakeXcase", { outcome: "rejected" }),
      say("back\\slash", { startedAt: new Date("2026-11-24T00:00:00Z") }),
      say(`it's "quoted"`),
      say("nul\u0000nul"),
      say("GROSS ÄÖ"),
    ];
    await stored(records);
    const finds = async (query: Partial<LogQuery>) => {
      const { logs, total } = await page(query);
      expect(total).toBe(logs.length);
      return logs.map((row) => row.prompt).sort();
    };
    expect(await finds({ q: "100%" })).toEqual(["100% sure"]);
    expect(await finds({ q: "snake_" })).toEqual(["snake_case"]);
    expect(await finds({ q: "\\" })).toEqual(["back\\slash"]);
    expect(await finds({ q: "'" })).toEqual([`it's "quoted"`]);
    expect(await finds({ q: '"quoted"' })).toEqual([`it's "quoted"`]);
    expect(await finds({ q: "l\u0000n" })).toEqual(["nul\uFFFDnul"]);
    expect(await finds({ q: "gross" })).toEqual(["GROSS ÄÖ"]);
    expect(await finds({ q: "'; drop table requests; --" })).toEqual([]);
    expect(await finds({ model: "mistral" })).toEqual(["100 times sure"]);
    expect(await finds({ model: "m\u0000" })).toEqual([]);
    expect(await finds({ from: new Date("2026-11-24T12:00:00Z") })).toHaveLength(7);
    for (const status of statuses) {
      const own = records.filter((record) => statusOf(record.outcome) === status).length;
      expect(await finds({ status })).toHaveLength(own);
    }
  });
});

function sums(records: readonly RequestRecord[]) {
  const successes = records.filter((record) => statusOf(record.outcome) === "success");
  const timed = records.filter((record) => tokensPerSecond(record.tokensOut, record.decodeMs) !== null);
  const add = (of: readonly RequestRecord[], value: (record: RequestRecord) => number | null) =>
    of.reduce((sum, record) => sum + (value(record) ?? 0), 0);
  const decodeMs = add(timed, (record) => record.decodeMs);
  return {
    requests: records.length,
    tokens: add(records, (record) => (record.tokensIn ?? 0) + (record.tokensOut ?? 0)),
    errors: records.filter((record) => statusOf(record.outcome) === "error").length,
    truncated: records.filter((record) => record.truncated !== null).length,
    averageLatencyMs:
      successes.length === 0
        ? null
        : expect.closeTo(add(successes, (record) => record.latencyMs) / successes.length, 6),
    speed: decodeMs > 0 ? (add(timed, (record) => record.tokensOut) * 1000) / decodeMs : null,
  };
}
