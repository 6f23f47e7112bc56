/** Logs of more requests than are looked at in one go: nothing is left out, and nobody waits for a long look. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { exportLogs } from "../../src/api/stats/logs/service";
import type { Database } from "../../src/database/database";
import { ensurePartitions } from "../../src/ledger/partitions";
import { readEntries } from "../../src/ledger/read/entry";
import { exportRequests } from "../../src/ledger/read/export";
import { type LogQuery, readLogs } from "../../src/ledger/read/logs";
import { readRequest, readWhole } from "../../src/ledger/read/request";
import { silentLog } from "../../src/log";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { troubled } from "./records";

const COUNT = 11_000;
const day = 86_400_000;
const first = Date.parse("2026-08-20T00:00:00.000Z");
/** One each ten minutes, over four months' partitions. */
const EVERY_MS = 600_000;
const servers = [0, 1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

eachDatabase("many requests", (open) => {
  let opened: OpenedDatabase;
  beforeEach(async () => {
    if (opened) return;
    const fresh = await open();
    await fresh.database.transaction(fill, 60_000);
    opened = fresh;
  });
  afterAll(() => opened?.close());

  async function fill(sql: Parameters<Parameters<Database["query"]>[0]>[0]): Promise<void> {
    const months = [0, 1, 2, 3].map((month) => new Date(Date.UTC(2026, 7 + month, 20)));
    await ensurePartitions(sql, [...months, new Date(first + 60 * day)], new Set());
    await sql`
      insert into requests (id, started_at, server, dialect, operation, model, stream, outcome, client_address,
        client_user, latency_ms, ttft_ms, tokens_in, tokens_out)
      select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
        to_timestamp((${first}::float8 + n * ${EVERY_MS}::float8) / 1000),
        (${servers}::uuid[])[1 + n % 3],
        case when n % 4000 = 77 then 'anthropic.messages' else 'ollama.chat' end,
        case when n % 5000 = 8 then 'embedding' else 'chat' end,
        case when n % 3000 = 5 then 'rare' else 'common' end, true,
        case when n % 4000 = 9 then 'timeout' when n % 100 = 1 then 'client_abort' else 'complete' end,
        '127.0.0.1', case when n % 2 = 0 then 'ada' end,
        (n * 7919) % 5000, case when n % 3 > 0 then (n * 1047) % 900 end, case when n % 4 > 0 then n % 50 end,
        case when n % 8 > 0 then n % 70 end
      from generate_series(0, ${COUNT - 1}::int) n`;
    await sql`
      insert into contents (request_id, started_at, prompt, response)
      select id, started_at, 'What is number ' || row_number() over (order by id) || '?', repeat('A number. ', 20)
      from requests where started_at >= ${new Date(first + 60 * day).toISOString()}
        and started_at < ${new Date(first + 61 * day).toISOString()}`;
    await sql`analyze requests`;
  }

  /** Every page to the end. */
  async function all(query: Partial<LogQuery>) {
    const ids: string[] = [];
    const totals: [number, boolean][] = [];
    let cursor: string | null = null;
    do {
      const more: Partial<LogQuery> = cursor === null ? {} : { cursor };
      const page = await readLogs(opened.database, {
        ...{ limit: 1000, offset: 0, sort: "timestamp", order: "desc" },
        ...query,
        ...more,
      });
      ids.push(...page.logs.map((row) => row.id));
      totals.push([page.total, page.total_is_exact]);
      cursor = page.next;
    } while (cursor !== null);
    return { ids, totals };
  }
  /** What a plain query finds, which reads everything. */
  async function plain(condition: string, order: string): Promise<string[]> {
    const rows = await opened.database.query(
      (sql) => sql<{ id: string }[]>`
        select 'req_' || id as id from requests where ${sql.unsafe(condition)} order by ${sql.unsafe(order)}`,
      30_000,
    );
    return rows.map((row) => row.id);
  }

  test("page by page they are what a plain query finds, however they are sorted", async () => {
    const keys = {
      timestamp: "started_at",
      latency_ms: "latency_ms",
      ttft_ms: "ttft_ms",
      tokens_used: "case when tokens_in is null then tokens_out else tokens_in + coalesce(tokens_out, 0) end",
    };
    for (const [sort, order] of [
      ["timestamp", "desc"],
      ["latency_ms", "asc"],
      ["ttft_ms", "asc"],
      ["tokens_used", "desc"],
    ] as const) {
      // Nearly all, and no index leads to them.
      const { ids } = await all({ sort, order, status: "success", offset: 3300 });
      const wanted = await plain("outcome = 'complete'", `${keys[sort]} ${order} nulls last, id ${order}`);
      expect([sort, order, ids]).toEqual([sort, order, wanted.slice(3300)]);
    }
  });

  test("what is rare is found, by an index or without one", async () => {
    for (const [query, condition] of [
      [{ model: "rare" }, "model = 'rare'"],
      [{ outcome: "timeout" }, "outcome = 'timeout'"],
      [{ status: "error" }, "outcome = 'timeout'"],
      [{ outcome: "timeout", status: "success" }, "false"],
      [{ outcome: "complete", model: "rare" }, "outcome = 'complete' and model = 'rare'"],
      [{ dialect: "anthropic.messages" }, "dialect = 'anthropic.messages'"],
      [{ operation: "embedding" }, "operation = 'embedding'"],
      [{ server: servers[1] }, `server = '${servers[1]}'`],
      [{ minLatencyMs: 4999 }, "latency_ms >= 4999"],
      [{ minLatencyMs: 4999, sort: "latency_ms" }, "latency_ms >= 4999"],
      [{ user: "ada", model: "rare" }, "client_user = 'ada' and model = 'rare'"],
      [{ model: "none" }, "false"],
    ] as const) {
      const { ids, totals } = await all(query);
      const wanted = await plain(condition, "id desc");
      expect([query, ids.toSorted().reverse()]).toEqual([query, wanted]);
      expect([query, totals.at(-1)]).toEqual([query, [wanted.length, true]]);
    }
  });

  test("all are counted as far as is quick, and the answer says so", async () => {
    const page = (query: Partial<LogQuery>) =>
      readLogs(opened.database, { limit: 1, offset: 0, sort: "timestamp", order: "desc", ...query });
    expect(await page({})).toMatchObject({ total: 10_000, total_is_exact: false });
    expect(await page({ offset: 10_500 })).toMatchObject({ total: 10_502, total_is_exact: false });
    expect(await page({ offset: COUNT - 1, limit: 5 })).toMatchObject({ total: COUNT, total_is_exact: true });
    expect(await page({ offset: COUNT + 5 })).toMatchObject({ logs: [], next: null, total_is_exact: true });
    expect(await page({ client: "127.0.0.1" })).toMatchObject({ total: 10_000, total_is_exact: false });
    expect(await page({ user: "ada" })).toMatchObject({ total: 5500, total_is_exact: true });
    expect(await page({ from: new Date(first + 60 * day) })).toMatchObject({
      total: 2360,
      total_is_exact: true,
    });
  });

  test("a search goes on where the last one stopped, and says how far it got", async () => {
    const { ids } = await all({ q: "number 7?" });
    expect(ids).toHaveLength(1);
    const page = await readLogs(opened.database, {
      ...{ limit: 3, offset: 0, sort: "timestamp", order: "desc" },
      q: "a NUMBER.",
    });
    expect(page.logs).toHaveLength(3);
    expect(page).toMatchObject({
      total: 4,
      total_is_exact: false,
      searched_to: page.logs[2]?.timestamp,
    });
  });

  test("an export has every one of them, once, oldest or newest first, filtered or not", async () => {
    for (const order of ["asc", "desc"] as const) {
      const ids: string[] = [];
      for await (const slice of exportRequests(opened.database, { order }, readEntries))
        ids.push(...slice.map((row) => row.id));
      expect(ids).toEqual(await plain("true", `started_at ${order}`));
    }
    const slices = exportRequests(opened.database, { order: "desc", q: "number 10?" }, readWhole);
    const found = (await Array.fromAsync(slices)).flat();
    expect(found.map((row) => row.prompt)).toEqual(["What is number 10?"]);
    const { id } = found[0] ?? { id: "" };
    expect(await readRequest(opened.database, id)).toEqual(found[0] ?? null);
  });

  test("an export reads no further than it is taken, and ends with whoever takes it", async () => {
    let queries = 0;
    const counting: Database = {
      ...opened.database,
      query: () => Promise.reject(new Error("not used")),
      transaction: (work, deadlineMs) => {
        queries++;
        return opened.database.transaction(work, deadlineMs);
      },
    };
    const slices = exportRequests(counting, { order: "desc" }, readEntries);
    await slices.next();
    const taken = queries;
    await Bun.sleep(50);
    expect(queries).toBe(taken);
    await slices.return();
    expect(await slices.next()).toEqual({ done: true, value: undefined });
    expect(queries).toBe(taken);
  });

  test("an export that fails on the way breaks its connection; one that fails at once is an error", async () => {
    const { database, goAway, comeBack } = troubled(opened.database);
    const { body } = await exportLogs(database, { format: "csv" }, silentLog);
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(body) });
    const response = await fetch(server.url);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toStartWith("id,timestamp,");
    goAway();
    const rest = (async () => {
      while (!(await reader?.read())?.done);
    })();
    expect(rest).rejects.toThrow();
    await rest.catch(() => undefined);
    expect(exportLogs(database, {}, silentLog)).rejects.toThrow("Database connection failed");
    comeBack();
  });
});
