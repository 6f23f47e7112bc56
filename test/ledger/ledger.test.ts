/** What happened is kept: once, whatever the database does meanwhile. */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import postgres from "postgres";
import { Failure, failure } from "../../src/errors";
import type { Ledger } from "../../src/ledger/ledger";
import { readLogs } from "../../src/ledger/read/logs";
import { readSummary, readTotals } from "../../src/ledger/read/statistics";
import type { RequestRecord } from "../../src/ledger/record";
import { eventually } from "../support/corral";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import {
  begunOf,
  keep as keepIn,
  makeLedger,
  makeRecord,
  makeSpools,
  type Troubled,
  troubled,
} from "./records";

const deadlock = () => Object.assign(new postgres.PostgresError("deadlock detected"), { code: "40P01" });

eachDatabase("the ledger", (open) => {
  const spools = makeSpools();
  afterAll(spools.remove);
  let opened: OpenedDatabase;
  let trouble: Troubled;
  let ledger: Ledger;
  beforeEach(async () => {
    opened ??= await open();
    await opened.database.query((sql) => sql`truncate requests, contents, metrics, histograms`, 30_000);
    trouble = troubled(opened.database);
    ledger = make();
  });
  afterEach(() => ledger.stop(0));
  afterAll(() => opened?.close());

  function make(options: Partial<Parameters<typeof makeLedger>[0]> = {}) {
    return makeLedger({ database: trouble.database, folder: spools.fresh(), ...options });
  }
  function keep(record: RequestRecord, into = ledger): void {
    keepIn(record, into);
  }
  const written = (from = ledger) =>
    eventually(
      async () => from.standing(),
      (standing) => standing.spooled === 0,
    );
  const all = async () => {
    const { logs } = await readLogs(opened.database, {
      limit: 1000,
      offset: 0,
      sort: "timestamp",
      order: "asc",
    });
    return logs;
  };

  test("a record is found again, whole, with its texts", async () => {
    const record = makeRecord({
      user: "ada@example.org",
      modelDigest: "sha256:abc",
      truncated: "truncated_likely",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    keep(record);
    await written();
    expect(await all()).toEqual([
      {
        id: `req_${record.id}`,
        timestamp: "2026-11-25T10:15:23.456Z",
        model: "llama3.2",
        prompt: "What is Python?",
        response: "Python is a language.",
        tokens_used: 150,
        latency_ms: 1250,
        status: "success",
        client_ip: "127.0.0.1",
        outcome: "complete",
        dialect: "contract.chat",
        operation: "chat",
        stream: true,
        http_status: 200,
        ttft_ms: 180,
        tokens_in: 26,
        tokens_out: 124,
        tokens_per_second: 124,
        finish_reason: "stop",
        thinking: null,
        error: null,
        user_agent: "curl/8.5.0",
        user: "ada@example.org",
        upstream_status: 200,
        longest_gap_ms: 20,
        client_wait_ms: 0,
        tokens_cached: null,
        load_ms: 5,
        prefill_ms: 10,
        decode_ms: 1000,
        cold: false,
        context_length: 4096,
        truncated: "truncated_likely",
        model_digest: "sha256:abc",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        in_flight: 0,
        server: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    ]);
  });

  test("a record that comes twice is kept and counted once, in one batch and in two", async () => {
    const record = makeRecord();
    keep(record);
    keep(record);
    await written();
    keep(record);
    await written();
    expect(await all()).toHaveLength(1);
    expect(await readTotals(opened.database)).toMatchObject({ requests: 1, tokens: 150 });
  });

  test("a commit whose answer was lost counts once", async () => {
    trouble.faults.push({ error: failure.database("the connection was closed"), after: true });
    keep(makeRecord());
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 1, setAside: 0 });
    expect(await readTotals(opened.database)).toMatchObject({ requests: 1, tokens: 150 });
  });

  test("a record that the database refuses is set aside alone", async () => {
    const records = Array.from({ length: 5 }, () => makeRecord());
    for (const record of records)
      keep(record === records[2] ? { ...record, httpStatus: 5_000_000_000 } : record);
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 4, setAside: 1, spooled: 0 });
    expect((await all()).map((row) => row.id).sort()).toEqual(
      records
        .filter((_, at) => at !== 2)
        .map((record) => `req_${record.id}`)
        .sort(),
    );
  });

  test("a deadlock, a full disk and a missing partition cost no record", async () => {
    keep(makeRecord());
    await written();
    await opened.database.query((sql) => sql`drop table contents_2026_11_25, requests_2026_11`, 30_000);
    trouble.faults.push({ error: deadlock(), after: false });
    trouble.faults.push({ error: failure.database("No space left on device"), after: false });
    keep(makeRecord());
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 2, setAside: 0 });
    expect(await all()).toHaveLength(1);
    // And when the partition is missed while nothing else was wrong.
    await opened.database.query((sql) => sql`drop table contents_2026_11_25, requests_2026_11`, 30_000);
    keep(makeRecord());
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 3, setAside: 0 });
  });

  test("a database that is up and takes nothing is said, until it takes what waits", async () => {
    for (let time = 0; time < 4; time++)
      trouble.faults.push({ error: failure.database("No space left on device"), after: false });
    keep(makeRecord());
    const { why } = await eventually(
      async () => ledger.standing(),
      (now) => now.why !== null,
    );
    expect(why).toMatch(/can't be stored.*No space left on device/);
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 1, why: null });
  });

  test("a name too long for an index is cut, not refused", async () => {
    const model = Array.from({ length: 2000 }, () => crypto.randomUUID()).join("");
    keep(makeRecord({ model, modelKnown: false, outcome: "rejected" }));
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 1, setAside: 0 });
    expect((await all())[0]?.model).toBe(`${model.slice(0, 400)}…`);
  });

  test("U+0000 and lone surrogates in any text become U+FFFD, and cost no record", async () => {
    const odd = "a\u0000b\ud800c";
    const texts = { prompt: odd, system: odd, messages: odd, options: odd, response: odd, thinking: odd };
    keep(
      makeRecord({
        contents: { ...texts, toolCalls: odd },
        model: odd,
        userAgent: odd,
        error: odd,
        finishReason: odd,
        engineVersion: odd,
      }),
    );
    await written();
    expect(ledger.standing()).toMatchObject({ stored: 1, setAside: 0 });
    const mended = "a\uFFFDb\uFFFDc";
    expect((await all())[0]).toMatchObject({
      prompt: mended,
      response: mended,
      model: mended,
      error: mended,
      user_agent: mended,
    });
  });

  test("without texts, none is kept", async () => {
    const numbers = make({ keepContents: false });
    keep(makeRecord(), numbers);
    await written(numbers);
    expect(await all()).toMatchObject([{ prompt: null, response: null, tokens_used: 150 }]);
    const [row] = await opened.database.query(
      (sql) => sql<{ count: number }[]>`select count(*)::int as count from contents`,
      30_000,
    );
    expect(row?.count).toBe(0);
  });

  test("while the database is away texts are shed before records, and each is counted, over a restart too", async () => {
    trouble.goAway();
    const own = { folder: spools.fresh(), server: crypto.randomUUID(), limitBytes: 20_000 };
    const small = make(own);
    for (let at = 0; at < 40; at++) keep(makeRecord(), small);
    const { accepted, spooled, shed, why } = small.standing();
    expect({ accepted, sum: spooled + shed.fullRecords }).toEqual({ accepted: 40, sum: 40 });
    expect(shed.fullTexts).toBeGreaterThan(0);
    expect(shed.fullRecords).toBeGreaterThan(0);
    expect(why).toContain("CORRAL_SPOOL_LIMIT");
    await small.stop(0);
    trouble.comeBack();
    const next = make(own);
    await written(next);
    expect(next.standing()).toMatchObject({ accepted: 40, stored: spooled, spooled: 0, shed, why: null });
    const rows = await all();
    expect(rows).toHaveLength(spooled);
    expect(rows.filter((row) => row.prompt === null)).toHaveLength(shed.fullTexts);
    // What is stored leaves the disk a moment later.
    await eventually(
      async () => next.standing(),
      ({ spoolBytes }) => spoolBytes < 10_000,
    );
    for (let at = 0; at < 3; at++) keep(makeRecord(), next);
    await written(next);
    expect(next.standing()).toMatchObject({ accepted: 43, stored: spooled + 3, shed });
    await next.stop(0);
  });

  test("accepted is always in flight, stored, spooled, set aside and shed together", async () => {
    const step = fc.constantFrom("begin", "end", "poison", "away", "back", "deadlock", "wait", "clear");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        trouble = troubled(opened.database);
        const kept = make({ limitBytes: 6000 });
        const running: { record: RequestRecord; end: (record: RequestRecord) => void }[] = [];
        const holds = () => {
          const { accepted, inFlight, stored, spooled, setAside, shed } = kept.standing();
          expect(inFlight + stored + spooled + setAside + shed.fullRecords).toBe(accepted);
        };
        for (const what of steps) {
          if (what === "begin") {
            const record = makeRecord();
            running.push({ record, ...kept.begin(begunOf(record), "What is Python?") });
          } else if (what === "end" || what === "poison") {
            const one = running.shift();
            one?.end(what === "poison" ? { ...one.record, httpStatus: 5_000_000_000 } : one.record);
          } else if (what === "away") trouble.goAway();
          else if (what === "back") trouble.comeBack();
          else if (what === "deadlock") trouble.faults.push({ error: deadlock(), after: false });
          else if (what === "clear") void kept.clear("all").catch(() => undefined);
          else await Bun.sleep(1);
          holds();
        }
        trouble.faults.length = 0;
        trouble.comeBack();
        await kept.stop(5000);
        holds();
        expect(kept.standing().spooled).toBe(0);
      }),
      { numRuns: 15 },
    );
  });

  test("clearing takes what had ended, and answers how many rows that was", async () => {
    const running = makeRecord();
    const entry = ledger.begin(begunOf(running), null);
    for (let at = 0; at < 3; at++) keep(makeRecord());
    const points = (await Promise.all([ledger.clear("all"), written()]))[0];
    expect(points.logs).toBe(3);
    // A row of sums and one of histograms for the minute, the quarter of an hour, the hour and the day.
    expect(points.metrics).toBe(8);
    entry.end(running);
    await written();
    expect((await all()).map((row) => row.id)).toEqual([`req_${running.id}`]);
  });

  test("what is cleared leaves no text in the spool, and does not come back with the next start; what runs is kept", async () => {
    const own = { folder: spools.fresh(), server: crypto.randomUUID() };
    const first = make(own);
    const running = makeRecord();
    first.begin(begunOf(running), "still running");
    keep(makeRecord(), first);
    keep(makeRecord({ httpStatus: 5_000_000_000 }), first);
    expect(await first.clear("all")).toMatchObject({ logs: 1 });
    const texts = () =>
      readdirSync(own.folder)
        .map((name) => readFileSync(join(own.folder, name), "utf8"))
        .join("");
    await eventually(
      async () => texts(),
      (found) => !found.includes("What is Python?"),
    );
    expect(texts()).toContain("still running");
    // As after a kill: it was never stopped.
    const next = make(own);
    await written(next);
    expect(next.standing()).toMatchObject({ accepted: 3, stored: 2, setAside: 1 });
    expect(await all()).toMatchObject([
      { id: `req_${running.id}`, outcome: "server_crash", prompt: "still running" },
    ]);
    await Promise.all([first.stop(0), next.stop(0)]);
  });

  test("clearing logs keeps metrics, clearing metrics keeps logs", async () => {
    keep(makeRecord());
    expect(await ledger.clear("logs")).toEqual({ logs: 1, metrics: 0 });
    expect(await readSummary(opened.database)).toMatchObject({ requests: 1, logs: 0, points: 8 });
    keep(makeRecord());
    expect(await ledger.clear("metrics")).toEqual({ logs: 0, metrics: 8 });
    expect(await readSummary(opened.database)).toMatchObject({ requests: 0, logs: 1, points: 0 });
  });

  test("while the database is away clearing says so, and clears nothing when it is back", async () => {
    trouble.goAway();
    keep(makeRecord());
    const asked = ledger.clear("all").catch((error: unknown) => error);
    const answered = await asked;
    expect(answered).toBeInstanceOf(Failure);
    expect(answered).toMatchObject({
      status: 500,
      message: "Database connection failed: it was taken away",
    });
    trouble.comeBack();
    await written();
    expect(await all()).toHaveLength(1);
  });

  test("a database that comes back while it is cleared is not cleared by half", async () => {
    keep(makeRecord());
    trouble.faults.push({ error: failure.database("it is busy"), after: false });
    await expect(ledger.clear("all")).rejects.toMatchObject({ code: "database_away" });
    await written();
    expect(await all()).toHaveLength(1);
  });

  test("a stop waits for no database that is away: the next start stores what is left, once", async () => {
    const own = { folder: spools.fresh(), server: crypto.randomUUID() };
    const first = make(own);
    keep(makeRecord(), first);
    await written(first);
    trouble.goAway();
    keep(makeRecord(), first);
    await first.stop(60_000);
    expect(first.standing()).toMatchObject({ accepted: 2, stored: 1, spooled: 1 });
    const next = make(own);
    // What is before the place that the database remembers is not known to be stored until it is there.
    expect(next.standing()).toMatchObject({ accepted: 2, spooled: 2, stored: 0 });
    trouble.comeBack();
    await written(next);
    expect(next.standing()).toMatchObject({ accepted: 2, spooled: 0, stored: 2 });
    expect(await all()).toHaveLength(2);
    expect(await readTotals(opened.database)).toMatchObject({ requests: 2 });
    await next.stop(0);
  });

  test("a place in the spool that somebody else moved is not gone on from: nothing is taken for stored that is not", async () => {
    const own = { folder: spools.fresh(), server: crypto.randomUUID() };
    const first = make(own);
    keep(makeRecord(), first);
    await written(first);
    await opened.database.query((sql) => sql`update spools set "offset" = "offset" + 1000000`, 30_000);
    keep(makeRecord(), first);
    await first.stop(5000);
    expect(first.standing()).toMatchObject({ accepted: 2, stored: 1, spooled: 1 });
    expect(await all()).toHaveLength(1);
  });

  test("partitions are made for the days and months that records come from", async () => {
    for (const time of ["2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.000Z", "2024-03-02T12:00:00.000Z"])
      keep(makeRecord({ startedAt: new Date(time) }));
    await written();
    const rows = await opened.database.query(
      (sql) => sql<{ name: string }[]>`
        select distinct tableoid::regclass::text as name from requests
        union select distinct tableoid::regclass::text from contents order by 1`,
      30_000,
    );
    expect(rows.map((row) => row.name)).toEqual([
      "contents_2024_02_29",
      "contents_2024_03_01",
      "contents_2024_03_02",
      "requests_2024_02",
      "requests_2024_03",
    ]);
  });
});
