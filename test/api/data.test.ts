/** Deleting what is kept: real, counted, and of nothing that still runs. */
import { describe, expect, test } from "bun:test";
import { eachCorral, eventually, getJson, startCorral } from "../support/corral";
import { startSimulator } from "../support/simulator";
import { send } from "./calls";

interface Summary {
  readonly total_requests: number;
  readonly total_logs_entries: number;
  readonly metric_points: number;
  readonly database_size_mb: number;
}

eachCorral(
  "deleting data",
  (corral) => {
    const summary = async () => (await getJson(`${corral().url}/api/data/summary`)) as Summary;
    const chat = (model: string, prompt: string) =>
      send("POST", `${corral().url}/api/chat`, { model, prompt });
    const say = async (prompt: string) => (await chat("sim-tokens2", prompt)).text();
    const remove = async (what: string) => (await send("DELETE", `${corral().url}/api/data/${what}`)).json();

    test("gives the space back", async () => {
      const before = await summary();
      // What can't be compressed, so that it takes its room.
      const text = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
      for (let at = 0; at < 12; at++) await say(Array.from({ length: 12 }, text).join(""));
      const full = await eventually(summary, (now) => now.total_logs_entries === 12);
      expect(full.database_size_mb).toBeGreaterThan(before.database_size_mb + 8);
      expect(await remove("logs")).toMatchObject({ rows_deleted: 12 });
      const after = await summary();
      expect(after.database_size_mb).toBeLessThan(before.database_size_mb + 1);
      expect(after).toMatchObject({ total_requests: 12, metric_points: full.metric_points });
      await remove("all");
    });

    test("takes what has ended, even a moment ago, and keeps what is in flight", async () => {
      const running = await chat("sim-tokens10000-delay60", "still running");
      await say("ended");
      const cleared = await remove("all");
      expect(cleared).toMatchObject({ success: true, logs_deleted: 1 });
      expect(cleared.metrics_deleted).toBeGreaterThan(0);
      await running.body?.cancel();
      const left = await eventually(summary, (now) => now.total_logs_entries > 0);
      expect(left).toMatchObject({ total_logs_entries: 1, total_requests: 1 });
      const { logs } = (await getJson(`${corral().url}/api/stats/logs`)) as { logs: { prompt: string }[] };
      expect(logs.map((row) => row.prompt)).toEqual(["still running"]);
    });

    test("of logs keeps the figures, of metrics keeps the logs", async () => {
      await remove("logs");
      expect(await getJson(`${corral().url}/api/stats/current`)).toMatchObject({ total_requests: 1 });
      expect(await getJson(`${corral().url}/api/stats/logs`)).toMatchObject({ logs: [], total: 0 });
      await say("again");
      await eventually(summary, (now) => now.total_logs_entries === 1);
      const { metric_points } = await summary();
      expect(await remove("metrics")).toMatchObject({ rows_deleted: metric_points });
      expect(await getJson(`${corral().url}/api/stats/current`)).toMatchObject({
        total_requests: 0,
        total_tokens: 0,
        avg_latency_ms: null,
        models_in_use: [],
      });
      expect(await getJson(`${corral().url}/api/models`)).toEqual({ models: [] });
      expect(await summary()).toMatchObject({ total_logs_entries: 1, metric_points: 0 });
    });

    test("narrowed says so; a word that is not understood, or a time that is none, deletes nothing", async () => {
      await remove("all");
      await say("to be kept");
      await eventually(summary, (now) => now.total_logs_entries === 1);
      for (const [query, words] of [
        [
          "?befor=2026-11-01T00:00:00Z",
          '"befor" is not understood here: it takes before and model, each once',
        ],
        ["?model=a&model=b", '"model" is not understood here: it takes before and model, each once'],
        [
          "?before=2026-02-30T00:00:00Z",
          'before is "2026-02-30T00:00:00Z": it takes a time such as 2026-11-01T00:00:00Z',
        ],
        ["?before=2026-11-01", 'before is "2026-11-01": it takes a time such as 2026-11-01T00:00:00Z'],
        ["?model=", 'model is "": it takes a text of 1 to 1000 characters'],
      ]) {
        const response = await send("DELETE", `${corral().url}/api/data/all${query}`);
        expect(response.status).toBe(400);
        expect(await response.json()).toEqual({ detail: "Invalid request parameters", error: words });
      }
      expect(await remove("logs?before=2020-01-01T01:00:00%2B01:00")).toEqual({
        success: true,
        message: "Request logs before 2020-01-01T00:00:00.000Z cleared",
        rows_deleted: 0,
      });
      const clearable = (query: string) => getJson(`${corral().url}/api/data/clearable${query}`);
      expect(await clearable("?before=2020-01-01T00:00:00Z")).toEqual({ logs: 0, metrics: 0 });
      const all = (await clearable("")) as { logs: number; metrics: number };
      expect(all).toEqual({ logs: 1, metrics: (await summary()).metric_points });
      expect(await clearable("?model=sim-tokens2:latest")).toEqual(all);
      expect(await clearable("?model=another")).toEqual({ logs: 0, metrics: 0 });
      expect(await remove("all?model=sim-tokens2:latest")).toEqual({
        success: true,
        message: "Data of sim-tokens2 cleared",
        logs_deleted: 1,
        metrics_deleted: all.metrics,
      });
      expect(await summary()).toMatchObject({ total_logs_entries: 0, metric_points: 0 });
    });

    test("is what age does otherwise: the summary says of each kind how much there is, since when, and until when", async () => {
      await remove("all");
      await say("for a day");
      await eventually(summary, (now) => now.total_logs_entries === 1);
      const { kept } = (await summary()) as unknown as {
        kept: Record<string, { rows: number; bytes: number; since: string; until: string | null }>;
      };
      const days = (from = "", to: string | null = "") =>
        (Date.parse(to ?? "") - Date.parse(from)) / 86_400_000;
      expect(kept.requests).toMatchObject({ rows: 1, bytes: expect.any(Number) });
      expect(kept.texts?.bytes).toBeGreaterThan(0);
      // A day goes when the last of it is 30 days old, a month when the last of it is 400.
      expect(days(kept.texts?.since, kept.texts?.until)).toBe(31);
      expect(days(kept.requests?.since, kept.requests?.until)).toBeWithin(400, 432);
      expect(kept.metrics).toMatchObject({ rows: (await summary()).metric_points, until: null });
      expect(kept.events).toMatchObject({ rows: 0, since: null, until: null });
    });

    test("is not all that makes room: what is used is in the summary and in health", async () => {
      // What was in flight before may have ended since.
      await remove("all");
      const { disk } = (await summary()) as unknown as { disk: Record<string, number> };
      expect(disk).toMatchObject({ budget_bytes: null, texts_since: null, requests_since: null });
      expect(disk.used_bytes).toBe(
        Number(disk.database_bytes) + Number(disk.spool_bytes) + Number(disk.engine_log_bytes),
      );
      const health = (await getJson(`${corral().url}/api/health`)) as { disk: unknown };
      expect(Object.keys(health.disk ?? {})).toEqual(Object.keys(disk));
    });
  },
  { environment: { CORRAL_SIMULATOR_MODELS: "sim-tokens2:latest,sim-tokens10000-delay60:latest" } },
);

describe("a Corral in front of somebody else's Ollama, told to keep no texts", () => {
  test("keeps numbers alone, and does not restart what is not its own", async () => {
    const engine = await startSimulator();
    const corral = await startCorral({
      environment: { OLLAMA_URL: engine.address, CORRAL_CONTENT: "none" },
    });
    try {
      const body = { model: "llama3.2", prompt: "a secret" };
      await (await send("POST", `${corral.url}/api/chat`, body)).text();
      const { logs } = await eventually(
        async () => (await getJson(`${corral.url}/api/stats/logs`)) as { logs: Record<string, unknown>[] },
        (page) => page.logs.length === 1,
      );
      expect(logs[0]).toMatchObject({ prompt: null, response: null, thinking: null, status: "success" });
      expect(logs[0]?.tokens_used).toBeGreaterThan(0);
      expect(await getJson(`${corral.url}/api/stats/logs?q=secret`)).toMatchObject({ total: 0 });
      expect(corral.logged()).not.toContain("a secret");

      expect(await getJson(`${corral.url}/api/engine`)).toMatchObject({
        owned: false,
        state: "ready",
        pid: null,
      });
      const restart = await send("POST", `${corral.url}/api/engine/restart`);
      expect(restart.status).toBe(409);
      expect(await restart.json()).toEqual({
        detail: "Conflict",
        error: expect.stringContaining("was not started by Corral"),
      });
    } finally {
      await corral.stop();
      await engine.stop();
    }
  });
});
