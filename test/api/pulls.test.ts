/** Pulls are the server's: listed, followed again, canceled, and gone on with after whatever ended their server. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ask, engineState } from "../gateway/asking";
import { describeCorral, eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { events, send } from "./calls";

setDefaultTimeout(60_000);

interface Pull {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly step: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly total: number | null;
  readonly completed: number | null;
  readonly rate_bytes_per_second: number | null;
  readonly seconds_left: number | null;
  readonly error: string | null;
}

const pull = (corral: RunningCorral, model: string) =>
  send("POST", `${corral.url}/api/ollama/pull`, { model });
const list = async ({ url }: RunningCorral, query = "") =>
  ((await getJson(`${url}/api/ollama/pulls${query}`)) as { pulls: Pull[] }).pulls;
const find = (corral: RunningCorral, model: string, fits: (pull: Pull) => boolean = () => true) =>
  eventually(
    async () => (await list(corral)).find((one) => one.model === model) ?? null,
    (one) => one !== null && fits(one),
  );
const installed = async ({ url }: RunningCorral) =>
  ((await getJson(`${url}/api/ollama/models`)) as { models: { name: string }[] }).models.map(
    ({ name }) => name,
  );

/** The environment of the Ollama that runs. */
const environ = async ({ url }: RunningCorral) => {
  const { pid } = (await getJson(`${url}/api/engine`)) as { pid: number };
  return readFileSync(`/proc/${pid}/environ`, "utf8");
};
/** The only event of a model. */
const eventOf = async ({ url }: RunningCorral, model: string) => {
  const { events: found } = await eventually(
    async () => (await getJson(`${url}/api/events?model=${model}`)) as { events: unknown[] },
    (page) => page.events.length > 0,
  );
  expect(found).toHaveLength(1);
  return found[0];
};

describeCorral("pulls", (corral) => {
  test("that run are listed with speed and time left, and can be canceled: Ollama stops, who follows is told, and it is on record", async () => {
    await (await pull(corral(), "quick:listed")).text();
    const told = (await pull(corral(), "sim-delay60:listed")).text();
    const running = await find(
      corral(),
      "sim-delay60:listed",
      (one) => one.rate_bytes_per_second !== null && one.completed !== 0,
    );
    expect(running as unknown).toEqual({
      id: expect.stringMatching(/^pull_[0-9a-f-]{36}$/),
      model: "sim-delay60:listed",
      insecure: false,
      status: "running",
      step: "downloading",
      started_at: expect.any(String),
      ended_at: null,
      total: expect.any(Number),
      completed: expect.any(Number),
      rate_bytes_per_second: expect.any(Number),
      seconds_left: expect.any(Number),
      error: null,
    });
    expect(running?.completed).toBeLessThan(running?.total ?? 0);
    expect(running?.seconds_left).toBeGreaterThan(0);
    const [first, second] = await list(corral());
    expect([first?.model, second]).toEqual([
      "sim-delay60:listed",
      expect.objectContaining({
        model: "quick:listed",
        status: "complete",
        ended_at: expect.any(String),
        rate_bytes_per_second: null,
        seconds_left: null,
      }),
    ]);
    expect(second?.completed).toBe(second?.total ?? -1);
    const { id = "" } = running ?? {};
    const cancel = (which: string) => send("DELETE", `${corral().url}/api/ollama/pulls/${which}`);
    const answer = await cancel(id);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { success: true, message: `Pull '${id}' canceled successfully` },
    ]);
    const words = "the pull was canceled by somebody who runs the server";
    expect(events(await told).at(-1)).toEqual({ status: "error", message: words });
    await eventually(
      () => engineState(corral()),
      ({ active }) => active === 0,
    );
    expect(await find(corral(), "sim-delay60:listed")).toMatchObject({
      id,
      status: "canceled",
      error: words,
    });
    const again = await cancel(id);
    expect([again.status, await again.json()]).toEqual([
      409,
      { detail: "Conflict", error: `the pull "${id}" is over: there is nothing to cancel` },
    ]);
    const unknown = await cancel("pull_nothing");
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { detail: "Not found", error: 'there is no pull "pull_nothing"' },
    ]);
    expect(await eventOf(corral(), "sim-delay60:listed")).toMatchObject({
      outcome: "canceled",
      status: "aborted",
      error: words,
    });
    expect(await installed(corral())).not.toContain("sim-delay60:listed");
  });

  test("are broken off before Ollama is restarted on request, so that it can write down how far they are", async () => {
    const model = "sim-delay60:restarted";
    const brokenOff = async () => {
      const { lines } = (await getJson(`${corral().url}/api/engine/log`)) as { lines: string[] };
      return lines.filter((line) => line.includes("aborting pull due to client closing")).length;
    };
    const told = (await pull(corral(), model)).text();
    const { id } = (await find(corral(), model, (one) => (one.completed ?? 0) > 0)) ?? {};
    const before = await brokenOff();
    expect((await send("POST", `${corral().url}/api/engine/restart`)).status).toBe(200);
    expect(await find(corral(), model)).toMatchObject({ status: "running", step: "waiting for Ollama" });
    // One that is ended before it sees its client leave says nothing.
    expect(await brokenOff()).toBe(before + 1);
    await send("DELETE", `${corral().url}/api/ollama/pulls/${id}`);
    await told;
  });

  test.concurrent("go on when Ollama dies under them, and tell so; by Ollama's own path they end with it", async () => {
    const following = await pull(corral(), "sim-delay40:crashed");
    const told = following.text();
    const own = await send("POST", `${corral().url}/api/pull`, { model: "sim-delay40:crashed-own" });
    await find(corral(), "sim-delay40:crashed", (one) => (one.completed ?? 0) > 0);
    const { pid } = (await getJson(`${corral().url}/api/engine`)) as { pid: number };
    process.kill(pid, "SIGKILL");
    await expect(own.text()).rejects.toThrow();
    const all = events(await told);
    expect(all).toContainEqual({
      status: "waiting for Ollama",
      message: "Ollama ended in the middle of the pull, which goes on when Ollama is back",
    });
    expect(all.at(-1)).toEqual({ status: "complete", message: "Successfully pulled sim-delay40:crashed" });
    expect(await installed(corral())).toContain("sim-delay40:crashed");
    // The Ollama that came back has not deleted what was there.
    expect(await environ(corral())).toContain("OLLAMA_NOPRUNE=1");
    expect(await eventOf(corral(), "sim-delay40:crashed-own")).toMatchObject({
      action: "pull",
      outcome: "engine_crash",
      status: "error",
    });
  });

  test.concurrent("go on at the next start when their server ends, by kill -9 and by SIGTERM, are attached to, and are one event in the end", async () => {
    const model = "sim-delay80:resumed";
    const first = await startCorral();
    const { folder } = first;
    try {
      await (await pull(first, "quick:before")).text();
      expect(await environ(first)).not.toContain("OLLAMA_NOPRUNE");
      const broken = ask(`${first.url}/api/ollama/pull`, {
        method: "POST",
        body: JSON.stringify({ model }),
        headers: { "user-agent": "somebody/1" },
      });
      const begun = await find(first, model, (one) => (one.completed ?? 0) > 0);
      expect(statSync(join(folder, "pulls.json")).mode & 0o777).toBe(0o600);
      first.process.kill("SIGKILL");
      await first.process.exited;
      expect((await broken).broken).toBe(true);

      const environment = { CORRAL_DRAIN: "50ms" };
      const second = await startCorral({ folder, environment, until: "listening" });
      // Nobody has to wait for Ollama to find it again.
      expect(await list(second)).toMatchObject([{ model, id: begun?.id, step: "waiting for Ollama" }]);
      const attached = (await pull(second, model)).text();
      const resumed = await find(second, model, (one) => (one.completed ?? 0) > 0);
      expect(resumed).toMatchObject({ id: begun?.id, started_at: begun?.started_at, status: "running" });
      expect(await environ(second)).toContain("OLLAMA_NOPRUNE=1");
      const own = await fetch(`${second.url}/api/pull`, {
        method: "POST",
        body: JSON.stringify({ model: "sim-delay80:own" }),
      });
      expect(await second.stop()).toBe(0);
      await expect(own.text()).rejects.toThrow();
      expect(events(await attached).at(-1)).toEqual({
        status: "error",
        message: "Corral is being stopped: the pull goes on when it is started again",
      });

      const third = await startCorral({ folder });
      const done = await find(third, model, (one) => one.status !== "running");
      expect(done).toMatchObject({ id: begun?.id, status: "complete", started_at: begun?.started_at });
      expect(await installed(third)).toContain(model);
      expect(await eventOf(third, model)).toMatchObject({
        id: begun?.id.replace("pull_", "evt_"),
        outcome: "complete",
        user_agent: "somebody/1",
      });
      expect(await eventOf(third, "sim-delay80:own")).toMatchObject({
        outcome: "server_stop",
        status: "error",
      });
      // Of one that ended before this start its event tells.
      const old = (await list(third)).find((one) => one.model === "quick:before");
      expect(old).toMatchObject({ status: "complete", step: "complete", ended_at: expect.any(String) });
      expect((await send("DELETE", `${third.url}/api/ollama/pulls/${old?.id}`)).status).toBe(409);
      expect(await third.stop()).toBe(0);
      expect(JSON.parse(readFileSync(join(folder, "pulls.json"), "utf8"))).toEqual([]);
    } finally {
      await first.ended();
    }
  });
});
