/** Figures answered from histograms: as good as 1 % of what the rows themselves say, whatever was added up. */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { ownMigrations } from "../../src/database/migrations";
import { type Measure, measures, type Percentiles } from "../../src/ledger/histograms";
import { readHistory } from "../../src/ledger/read/history";
import { readFigures, spansOf } from "../../src/ledger/read/summary";
import { outcomes, type RequestRecord, statusOf } from "../../src/ledger/record";
import { storeRecords } from "../../src/ledger/rows";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { makeRecord } from "./records";

const now = new Date("2026-11-25T10:20:30Z");
const minute = 60_000;
const at = (minutesAgo: number) => new Date(now.getTime() - minutesAgo * minute);

/** From nothing to a month, as fine as a clock of ours. */
const milliseconds = fc
  .oneof(
    fc.constantFrom(0, 0.001, 0.0005, 1, 1.02),
    fc.double({ min: 0, max: 5, noNaN: true }),
    fc.double({ min: 0, max: 22, noNaN: true }).map(Math.exp),
  )
  .map((ms) => Math.round(ms * 1000) / 1000);
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 });

/** Of the last twenty days, mostly of the last hours. */
const timedRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    startedAt: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20 * 1440 })).map(at),
    model: fc.constantFrom("llama3.2", "mistral"),
    operation: fc.constantFrom("chat" as const, "chat" as const, "embedding" as const),
    outcome: fc.constantFrom(...outcomes, "complete" as const, "complete" as const),
    latencyMs: milliseconds,
    ttftMs: seldom(milliseconds),
    loadMs: seldom(milliseconds),
    prefillMs: seldom(milliseconds),
    decodeMs: seldom(milliseconds),
    cold: fc.boolean(),
  })
  .map(makeRecord);

interface Row {
  readonly started_at: Date;
  readonly operation: string;
  readonly outcome: RequestRecord["outcome"];
  readonly latency_ms: number;
  readonly ttft_ms: number | null;
  readonly tokens_per_second: number | null;
  readonly queued_ms: number | null;
  readonly load_ms: number | null;
}

eachDatabase("histograms", (open) => {
  let opened: Promise<OpenedDatabase> | null = null;
  const shared = async () => {
    opened ??= open();
    return (await opened).database;
  };
  afterAll(async () => (await opened)?.close());

  /** In batches, so that a later one adds to what an earlier one left. @returns what the rows themselves say */
  async function stored(batches: readonly (readonly RequestRecord[])[], server: string): Promise<Row[]> {
    const database = await shared();
    const partitions = new Set<string>();
    for (const batch of batches)
      await database.transaction((sql) => storeRecords(sql, batch, server, partitions), 20_000);
    return database.query(
      (sql) => sql<Row[]>`
        select started_at, operation, outcome, latency_ms, ttft_ms, queued_ms,
          tokens_out * 1000 / nullif(decode_ms, 0) as tokens_per_second,
          case when cold then load_ms end as load_ms
        from requests where server = ${server}`,
      30_000,
    );
  }

  test("percentiles of any range are within 1 % of those of its rows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(timedRecord, { minLength: 20, maxLength: 40 }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 2, max: 14 * 1440 }),
        fc.integer({ min: 0, max: 14 * 1440 }),
        async (batches, one, other) => {
          // A server of its own a run: nothing has to be cleared in between, and what `server` leaves out is shown.
          const server = crypto.randomUUID();
          const rows = await stored(batches, server);
          const database = await shared();
          const [from, to] = one > other ? [at(one), at(other)] : [at(other + 1), at(one)];
          const figures = await readFigures(database, { from, to, now, server });
          const own = within(rows, new Date(figures.from), new Date(figures.to));
          expect(figures.total.requests).toBe(own.length);
          for (const outcome of outcomes)
            expect(figures.total.outcomes[outcome] ?? 0).toBe(
              own.filter((row) => row.outcome === outcome).length,
            );
          for (const measure of measures)
            expectClose(figures.total.percentiles[measure], valuesOf(own, measure));
          const { groups } = await readFigures(database, { from, to, now, server, groupBy: "operation" });
          for (const group of groups)
            expectClose(group.percentiles.latency_ms, valuesOf(own, "latency_ms", group.operation));
          for (const bucket of ["5m", "1h"] as const) {
            const size = { "5m": 5 * minute, "1h": 60 * minute }[bucket];
            const points = await readHistory(database, { from, to, now, server, bucket, fill: false });
            for (const point of points) {
              const start = Date.parse(point.timestamp);
              const ofPoint = within(rows, new Date(start), new Date(start + size));
              expect(point.requests).toBe(ofPoint.length);
              expectClose(point.percentiles.latency_ms, valuesOf(ofPoint, "latency_ms"));
              expectClose(point.percentiles.ttft_ms, valuesOf(ofPoint, "ttft_ms"));
            }
          }
        },
      ),
      // To make a failing example smaller takes longer than a test may.
      { numRuns: 6, endOnFailure: true },
    );
  });

  test("a bucket's count may be of any size", async () => {
    const server = crypto.randomUUID();
    const many = Array.from({ length: 300 }, () => makeRecord({ startedAt: at(5), latencyMs: 100 }));
    await stored([many, many.map((record) => ({ ...record, id: Bun.randomUUIDv7() }))], server);
    const few = Array.from({ length: 5 }, () => makeRecord({ startedAt: at(5), latencyMs: 9000 }));
    await stored([few], server);
    const { total } = await readFigures(await shared(), { from: at(10), to: now, now, server });
    expect(total).toMatchObject({ requests: 605, successes: 605 });
    expect(total.percentiles.latency_ms).toMatchObject({
      p50: expect.closeTo(100, 0),
      p99: expect.closeTo(100, 0),
    });
  });

  test("histograms of the old form are taken over, with quarters of an hour made of their minutes", async () => {
    const old = await open({ migrations: ownMigrations().slice(0, 6) });
    const server = crypto.randomUUID();
    // Buckets of 1, 100 and 0.001 ms, and more in one than a byte counts.
    const counts = [
      [0, 300],
      [233, 100],
      [-348, 5],
    ] as const;
    await old.database.query(async (sql) => {
      for (const [step, time] of [
        ["minute", "2026-11-25T10:16:00Z"],
        ["minute", "2026-11-25T10:17:00Z"],
        ["hour", "2026-11-25T10:00:00Z"],
      ] as const) {
        const key = { step, time, model: "llama3.2", operation: "chat", server };
        const times = step === "hour" ? 2 : 1;
        await sql`insert into metrics ${sql({
          ...key,
          ...{ requests: 405 * times, successes: 405 * times, aborts: 0, errors: 0, latency_ms: 1 },
          ...{ tokens_in: 1, tokens_out: 1, decoded_tokens: 1, decode_ms: 1, last_used: time },
        })}`;
        for (const [bucket, count] of counts)
          await sql`insert into histograms ${sql({ ...key, metric: "latency_ms", bucket, count: count * times })}`;
      }
    }, 30_000);
    await old.database.stop();
    const upgraded = await open({ where: old.where });
    const from = new Date("2026-11-25T10:00:00Z");
    for (const bucket of ["1m", "15m", "1h"] as const) {
      const points = await readHistory(upgraded.database, { from, to: now, now, bucket, fill: false });
      expect(points).toHaveLength(bucket === "1m" ? 2 : 1);
      for (const { requests, percentiles } of points) {
        expect(requests).toBe(bucket === "1m" ? 405 : 810);
        expectClose(percentiles.latency_ms, [
          ...Array<number>(5).fill(0.001),
          ...Array<number>(300).fill(0.99),
          ...Array<number>(100).fill(100),
        ]);
      }
    }
    await upgraded.close();
    await old.close();
  });
});

test("a range is cut into whole days, hours, quarters and minutes that cover it once", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), (start, length) => {
      const [from, to] = [start * minute, (start + length) * minute];
      const spans = spansOf(from, to, "minute");
      let end = from;
      for (const span of spans) {
        expect(span.from.getTime()).toBe(end);
        end = span.to.getTime();
      }
      expect(end).toBe(to);
      expect(spans.length).toBeLessThanOrEqual(7);
    }),
  );
});

function within(rows: readonly Row[], from: Date, to: Date): Row[] {
  return rows.filter((row) => row.started_at >= from && row.started_at < to);
}

function valuesOf(rows: readonly Row[], measure: Measure, operation = "chat"): number[] {
  return rows.flatMap((row) =>
    row.operation === operation && statusOf(row.outcome) === "success" ? (row[measure] ?? []) : [],
  );
}

/** By nearest rank. Less than a microsecond counts as one. */
function expectClose(found: Percentiles | null, values: number[]): void {
  if (values.length === 0) {
    expect(found).toBeNull();
    return;
  }
  const sorted = values.toSorted((a, b) => a - b);
  for (const [name, share] of [
    ["p50", 0.5],
    ["p95", 0.95],
    ["p99", 0.99],
  ] as const) {
    const exact = Math.max(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN, 0.001);
    expect(Math.abs((found?.[name] ?? Number.NaN) / exact - 1)).toBeLessThanOrEqual(0.01);
  }
}
