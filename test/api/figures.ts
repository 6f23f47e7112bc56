/** The contract's figures after known traffic, for its test: every number is true. */
import { expect, test } from "bun:test";
import { eventually, getJson, type RunningCorral } from "../support/corral";
import { curl } from "./calls";

const number = expect.any(Number);
const percentiles = { p50: number, p95: number, p99: number };
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

interface Usage {
  readonly prompt_eval_count: number;
  readonly eval_count: number;
  readonly eval_duration: number;
}

export interface Log {
  readonly model: string | null;
  readonly timestamp: string;
  readonly latency_ms: number;
  readonly status: string;
}

/** Tests of figures: the first makes the traffic that the others look at. */
export function figures(corral: () => RunningCorral): void {
  const url = (path: string) => corral().url + path;

  test("after nine requests of two models every number is true", async () => {
    const sent = await traffic(corral());
    const { logs } = await written(corral(), 9);
    const successes = logs.filter((row) => row.status === "success");
    const of = (model: string) => logs.filter((row) => row.model === model);
    const speedOf = (usages: readonly Usage[]) =>
      (usages.reduce((sum, usage) => sum + usage.eval_count, 0) * 1e9) /
      usages.reduce((sum, usage) => sum + usage.eval_duration, 0);
    const tokensOf = (usages: readonly Usage[]) =>
      usages.reduce((sum, usage) => sum + usage.prompt_eval_count + usage.eval_count, 0);
    const mean = (rows: readonly Log[]) => rows.reduce((sum, row) => sum + row.latency_ms, 0) / rows.length;

    const current = await curl(url("/api/stats/current"));
    expect(current.status).toBe(200);
    expect(current.json).toEqual({
      total_requests: 9,
      total_tokens: tokensOf([...sent.llama, ...sent.mistral]) + sent.broken,
      total_errors: 2,
      total_truncated: 0,
      avg_latency_ms: expect.closeTo(mean(successes), 3),
      models_in_use: ["llama3.2", "mistral", "sim-error3"],
      uptime_seconds: number,
      timestamp: time,
    });

    const history = await curl(url("/api/stats/history?hours=24"));
    expect(history.json).toEqual({
      metrics: expect.arrayContaining([
        {
          timestamp: time,
          requests_per_minute: number,
          tokens_per_second: number,
          avg_latency_ms: number,
          error_rate: number,
          requests: number,
          successes: number,
          aborts: number,
          errors: number,
          truncated: number,
          outcomes: expect.any(Object),
          tokens_in: number,
          tokens_out: number,
          percentiles: { latency_ms: percentiles, ttft_ms: percentiles },
        },
      ]),
      bucket: "5m",
      percentiles_of: "chat",
    });

    const models = await curl(url("/api/models"));
    expect(models.json).toEqual({
      models: [
        ...(
          [
            ["llama3.2", sent.llama],
            ["mistral", sent.mistral],
          ] as const
        ).map(([name, usages]) => ({
          name,
          total_requests: usages.length,
          total_tokens: tokensOf(usages),
          total_truncated: 0,
          avg_latency_ms: expect.closeTo(mean(of(name)), 3),
          tokens_per_second: number,
          error_rate: 0,
          last_used: of(name)[0]?.timestamp,
        })),
        {
          name: "sim-error3",
          total_requests: 1,
          total_tokens: sent.broken,
          total_truncated: 0,
          avg_latency_ms: null,
          tokens_per_second: null,
          error_rate: 1,
          last_used: of("sim-error3")[0]?.timestamp,
        },
      ],
    });
    // The engine's clock is its own each time, so its speed is held against what it told of these very replies.
    const speeds = new Map(
      (models.json as { models: { name: string; tokens_per_second: number | null }[] }).models.map((row) => [
        row.name,
        row.tokens_per_second,
      ]),
    );
    expect(speeds.get("mistral")).toBeCloseTo(speedOf(sent.mistral), 6);
  });

  test("a model's tag :latest makes no difference", async () => {
    for (const path of ["/api/stats/logs?model=", "/api/stats/history?model="]) {
      const plain = await getJson(url(`${path}llama3.2`));
      expect(await getJson(url(`${path}llama3.2:latest`))).toMatchObject(
        path.includes("logs") ? (plain as object) : { bucket: "5m", metrics: [{ error_rate: 0 }] },
      );
    }
  });

  test("history: hours, bucket, model and fill", async () => {
    const minutes = await getJson(url("/api/stats/history?hours=1"));
    expect(minutes).toMatchObject({ bucket: "1m" });
    const filled = (await getJson(url("/api/stats/history?hours=1&bucket=1m&fill=true"))) as {
      metrics: { timestamp: string; requests_per_minute: number; error_rate: number | null }[];
    };
    expect(filled.metrics).toHaveLength(61);
    expect(filled.metrics.filter((point) => point.error_rate !== null)).toHaveLength(
      (minutes as { metrics: unknown[] }).metrics.length,
    );
    expect(filled.metrics[0]).toMatchObject({
      timestamp: time,
      requests_per_minute: 0,
      tokens_per_second: null,
      avg_latency_ms: null,
      error_rate: null,
      outcomes: {},
      percentiles: { latency_ms: null, ttft_ms: null },
    } as never);
    // A day is one point, whose speed is that of all tokens.
    const [day] = (
      (await getJson(url("/api/stats/history?bucket=1d&model=sim-error3"))) as {
        metrics: { error_rate: number }[];
      }
    ).metrics;
    expect(day).toMatchObject({ error_rate: 1, avg_latency_ms: null, tokens_per_second: null });
    expect(await getJson(url("/api/stats/history?model=never-used"))).toMatchObject({ metrics: [] });
  });
}

/** Tests of what was added to the contract's figures, of the same traffic. */
export function furtherFigures(corral: () => RunningCorral): void {
  const get = async (path: string) =>
    (await getJson(`${corral().url}/api/stats/${path}`)) as {
      metrics: Figures[];
      total: Figures;
      groups: Figures[];
      percentiles_of: string | null;
    };
  const add = (rows: readonly Figures[]) => rows.reduce((sum, row) => sum + row.requests, 0);

  test("a summary is of all, and of each model, operation and server apart", async () => {
    const { total, groups, percentiles_of } = await get("summary?group_by=model");
    expect(total).toMatchObject({ requests: 9, successes: 7, aborts: 0, errors: 2, truncated: 0 });
    expect(total.outcomes).toEqual({ complete: 7, engine_error: 1, rejected: 1 });
    expect(total.percentiles).toMatchObject({ latency_ms: percentiles, tokens_per_second: percentiles });
    expect(percentiles_of).toBe("chat");
    expect(groups.map((group) => [group.model, group.requests])).toEqual([
      ["llama3.2", 5],
      ["mistral", 2],
      [null, 1],
      ["sim-error3", 1],
    ]);
    const one = await get("summary?model=llama3.2");
    expect(one.total).toMatchObject({ requests: 5, percentiles: groups[0]?.percentiles });
    const kinds = await get("summary?group_by=operation");
    expect(kinds).toMatchObject({ percentiles_of: null, groups: [{ operation: "chat", requests: 9 }] });
    expect(await get("summary?operation=embedding")).toMatchObject({
      percentiles_of: "embedding",
      total: {
        requests: 0,
        error_rate: null,
        outcomes: {},
        last_used: null,
        percentiles: { latency_ms: null },
      },
    });
  });

  test("history of each model apart, with the errors by how they ended", async () => {
    const { metrics } = await get("history?bucket=1d&group_by=model");
    const of = (model: string | null) => metrics.filter((point) => point.model === model);
    expect(add(of("llama3.2"))).toBe(5);
    expect(of("llama3.2")[0]).toMatchObject({
      tokens_per_second: number,
      percentiles: { ttft_ms: percentiles },
    });
    expect(of("sim-error3")).toMatchObject([
      { outcomes: { engine_error: 1 }, percentiles: { latency_ms: null } },
    ]);
    expect(of(null)).toMatchObject([{ outcomes: { rejected: 1 } }]);
  });

  test("a range is given by its ends", async () => {
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    expect(add((await get(`history?from=${at(-60)}`)).metrics)).toBe(9);
    expect(add((await get(`history?from=${at(-60)}&to=${at(60)}`)).metrics)).toBe(9);
    expect((await get(`history?from=${at(-300)}&to=${at(-240)}`)).metrics).toEqual([]);
    expect((await get(`summary?hours=1&to=${at(-240)}`)).total.requests).toBe(0);
    expect((await get(`summary?from=${at(-40_000)}`)).total.requests).toBe(9);
    // As in the logs: a day is one, and so is an offset whose + was not encoded.
    const day = at(-40_000).slice(0, 10);
    for (const from of [day, `${day}T00:00:00+00:00`]) {
      expect((await get(`summary?from=${from}`)).total.requests).toBe(9);
      expect(add((await get(`history?from=${from}&bucket=1d`)).metrics)).toBe(9);
    }
  });

  test("figures of one server of several, and none of one that nobody knows", async () => {
    const { groups } = await get("summary?group_by=server");
    expect(groups).toMatchObject([{ requests: 9, last_used: time }]);
    for (const [server, requests] of [
      [groups[0]?.server, 9],
      [crypto.randomUUID(), 0],
    ] as const) {
      const own = `server=${server}`;
      expect((await get(`summary?${own}`)).total.requests).toBe(requests);
      expect(add((await get(`history?${own}`)).metrics)).toBe(requests);
      expect(await get(`current?${own}`)).toMatchObject({ total_requests: requests });
      const models = await getJson(`${corral().url}/api/models?${own}`);
      expect(models).toMatchObject({ models: { length: requests === 0 ? 0 : 3 } });
    }
  });
}

interface Figures {
  readonly requests: number;
  readonly model?: string | null;
  readonly server?: string;
  readonly outcomes: object;
  readonly percentiles: object;
}

/** Five chats with one model, two with another, one that breaks, one with a model that is not there. */
async function traffic({ url, engine }: RunningCorral) {
  const ask = async (model: string, prompt: string) => {
    await (
      await fetch(`${url}/api/chat`, {
        method: "POST",
        headers: { "user-agent": "curl/test" },
        body: JSON.stringify({ model, prompt, seed: 3 }),
      })
    ).text();
    // The engine is asked itself: the same seed makes the same reply.
    const messages = [{ role: "user", content: prompt }];
    const body = JSON.stringify({ model, messages, options: { seed: 3 }, stream: false });
    return (await (await fetch(`${engine}/api/chat`, { method: "POST", body })).json()) as Usage;
  };
  const llama: Usage[] = [];
  for (const model of ["llama3.2", "llama3.2:latest", "llama3.2", "llama3.2", "llama3.2"])
    llama.push(await ask(model, "What is Python?"));
  // Through Corral, so that the durations are those of these very replies.
  const mistral: Usage[] = [];
  for (const content of ["one", "two"]) {
    const body = JSON.stringify({ model: "mistral", messages: [{ role: "user", content }], stream: false });
    mistral.push((await (await fetch(`${url}/api/chat`, { method: "POST", body })).json()) as Usage);
  }
  await ask("sim-error3", "break");
  await ask("unknown_model", "who?");
  return { llama, mistral, broken: 0 };
}

async function written({ url }: RunningCorral, count: number): Promise<{ logs: Log[] }> {
  return eventually(
    async () => (await getJson(`${url}/api/stats/logs`)) as { logs: Log[]; total: number },
    ({ total }) => total === count,
  );
}
