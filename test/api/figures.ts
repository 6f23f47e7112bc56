/** The contract's figures after known traffic, for its test: every number is true. */
import { expect, test } from "bun:test";
import { eventually, getJson, type RunningCorral } from "../support/corral";
import { curl } from "./calls";

const number = expect.any(Number);
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
        },
      ]),
      bucket: "5m",
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
    expect(filled.metrics[0]).toEqual({
      timestamp: time,
      requests_per_minute: 0,
      tokens_per_second: null,
      avg_latency_ms: null,
      error_rate: null,
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
