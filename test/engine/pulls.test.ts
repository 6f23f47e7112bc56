/** What a pull is told to do when Ollama dies, how fast it is said to go, and what is kept of it on disk. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Layers } from "../../src/engine/layers";
import type { Pull, PullStatus } from "../../src/engine/pull";
import { Pulls } from "../../src/engine/pulls";
import { UnfinishedPulls } from "../../src/engine/unfinished-pulls";
import type { Progress } from "../../src/engine/wire";
import { failure } from "../../src/errors";
import { silentLog } from "../../src/log";
import { withService } from "../support/service";

const nobody = { clientAddress: null, userAgent: null, user: null };
const layer = (completed: number): Progress => ({
  status: "pulling 0a1b",
  digest: "a",
  total: 100,
  completed,
});

let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "corral-pulls-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
const fresh = () => join(home, `${crypto.randomUUID()}.json`);

/** Pulls of an Ollama whose tries end so, one after the other; one that "hangs" ends when it is broken off. */
function pullsOf(tries: (readonly Progress[])[], end: "dies" | "breaks" | "hangs", path = fresh()) {
  const ended: Pull[] = [];
  const unfinished = new UnfinishedPulls(path, silentLog);
  let at = 0;
  const pulls = new Pulls({
    engine: {
      client: {
        async *pull(_model, _insecure, signal) {
          for (const progress of tries[at++] ?? []) yield progress;
          if (end === "hangs")
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          throw new TypeError("The socket connection was closed unexpectedly");
        },
        version: () => Promise.reject(new Error("not asked")),
        models: () => Promise.reject(new Error("not asked")),
        loaded: () => Promise.reject(new Error("not asked")),
        remove: () => Promise.reject(new Error("not asked")),
      },
      run: 1,
      state: "down",
      ready: async (signal) => signal.throwIfAborted(),
      died: async () => end === "dies",
    },
    unfinished,
    log: silentLog,
    onEnd: (pull) => ended.push(pull),
  });
  return { pulls, ended, unfinished, path, tried: () => at };
}

async function read(pulls: Pulls, model = "llama3.2"): Promise<PullStatus[]> {
  const following = pulls.follow(model, false, nobody);
  const all: PullStatus[] = [];
  for (let next = await following.next(); next; next = await following.next()) all.push(next);
  return all;
}

describe("a pull under which Ollama dies", () => {
  test("is tried again, and as often as it gets further", async () => {
    const { pulls, ended } = pullsOf(
      [[layer(10)], [layer(20)], [layer(30)], [layer(40)], [layer(100), { status: "success" }]],
      "dies",
    );
    expect((await read(pulls)).at(-1)).toEqual({
      status: "complete",
      message: "Successfully pulled llama3.2",
    });
    expect(ended.map(({ state }) => state)).toEqual(["complete"]);
  });

  test("is given up the third time that it gets no further", async () => {
    const { pulls, ended, tried } = pullsOf([[layer(10)], [layer(10)], [layer(10)], [layer(10)]], "dies");
    const last = (await read(pulls)).at(-1);
    expect(last).toEqual({ status: "error", message: expect.stringContaining("Ollama ended 3 times") });
    expect([tried(), ended[0]?.failure?.code, pulls.running]).toEqual([3, "engine_crash", []]);
  });

  test("because it is restarted on request is broken off first, and goes on afterwards", async () => {
    const { pulls, tried } = pullsOf([[layer(10)], [layer(20), { status: "success" }]], "hangs");
    await pulls.breakOff();
    const told = read(pulls);
    await Bun.sleep(1);
    await pulls.breakOff();
    expect((await told).map(({ status }) => status)).toEqual([
      "downloading",
      "waiting for Ollama",
      "downloading",
      "complete",
    ]);
    expect(tried()).toBe(2);
  });

  test("that lives on is not asked again: what broke is said", async () => {
    const { pulls, tried } = pullsOf([[layer(10)]], "breaks");
    expect((await read(pulls)).at(-1)).toMatchObject({
      status: "error",
      message: expect.stringContaining("the connection to Ollama broke in the middle of the pull"),
    });
    expect([tried(), pulls.past[0]?.state]).toEqual([1, "error"]);
  });
});

describe("what is unfinished", () => {
  test("is on disk until the pull is over, and is taken up by the next who reads it", async () => {
    const { pulls, unfinished, path } = pullsOf([[]], "breaks");
    const following = pulls.follow("llama3.2:latest", true, { ...nobody, user: "ada" });
    pulls.stop();
    expect(() => pulls.follow("another", false, nobody)).toThrow("Corral is being stopped");
    expect(await following.next()).toMatchObject({
      status: "error",
      message: expect.stringContaining("goes on"),
    });
    expect(await following.next()).toBeNull();
    expect(unfinished.all).toMatchObject([
      { model: "llama3.2:latest", insecure: true, who: { user: "ada" } },
    ]);
    const next = pullsOf([[{ status: "success" }]], "breaks", path);
    next.pulls.resume();
    expect(next.pulls.isPulling("llama3.2")).toBe(true);
    expect((await read(next.pulls)).map(({ status }) => status)).toEqual(["waiting for Ollama", "complete"]);
    expect(next.ended[0]?.asked).toEqual(unfinished.all[0]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual([]);
  });

  test("is nothing where the file holds something else, and what can't be written stops no pull", async () => {
    for (const text of ["", "{", "{}", '[{"id":"1"}]']) {
      const path = fresh();
      writeFileSync(path, text);
      expect(new UnfinishedPulls(path, silentLog).all).toEqual([]);
    }
    const { pulls } = pullsOf([[{ status: "success" }]], "breaks", join(home, "nowhere/pulls.json"));
    expect((await read(pulls)).at(-1)).toMatchObject({ status: "complete" });
  });

  test("is canceled once, and what comes afterwards changes nothing", async () => {
    const { pulls, ended } = pullsOf([[layer(10), { status: "success" }]], "breaks");
    const following = pulls.follow("llama3.2", false, nobody);
    const id = pulls.running[0]?.id ?? "";
    expect([pulls.cancel(id), pulls.cancel(id), pulls.cancel("another")]).toEqual([true, false, false]);
    await Bun.sleep(1);
    expect(await following.next()).toMatchObject({ status: "error" });
    expect(ended.map(({ state, failure }) => [state, failure?.code])).toEqual([["canceled", failureCode]]);
  });
});
const failureCode = failure.canceled().code;

test("Ollama is told to keep what is there while a pull is unfinished, unless somebody said otherwise", async () => {
  let isUnfinished = true;
  const environmentAtStart = () => (isUnfinished ? { OLLAMA_NOPRUNE: "1" } : {});
  const ofEngine = (pid: number | null) =>
    /OLLAMA_NOPRUNE=(.*?)\0/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1] ?? null;
  await withService({ environmentAtStart }, async ({ service }) => {
    await service.start();
    expect(ofEngine(service.pid)).toBe("1");
    isUnfinished = false;
    await service.restart("a test asked for it");
    await service.ready(AbortSignal.timeout(30_000));
    expect(ofEngine(service.pid)).toBeNull();
  });
  isUnfinished = true;
  await withService({ environmentAtStart, simulator: { OLLAMA_NOPRUNE: "0" } }, async ({ service }) => {
    await service.start();
    expect(ofEngine(service.pid)).toBe("0");
  });
});

describe("the speed of a pull", () => {
  test("is that of its last ten seconds, and leaves out what was there before", () => {
    const layers = new Layers();
    expect([layers.total, layers.completed, layers.rate(0), layers.secondsLeft(0)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    const take = (digest: string, completed: number, at: number) =>
      layers.take({ digest, total: 1_000_000, completed }, at);
    take("there", 1_000_000, 0);
    take("new", 500_000, 0);
    expect(layers.rate(100)).toBeNull();
    for (let at = 1000; at <= 20_000; at += 50) take("new", 500_000 + at, at);
    expect(layers.rate(20_000)).toBe(1000);
    expect(layers.completed).toBe(1_520_000);
    expect(layers.secondsLeft(20_000)).toBe(480);
    // It stands still.
    expect(layers.rate(25_000)).toBe(500);
    expect([layers.rate(40_000), layers.secondsLeft(40_000)]).toEqual([0, null]);
    // Tried again: where it goes on from is no progress.
    layers.again();
    take("new", 900_000, 41_000);
    expect(layers.rate(41_000)).toBe(0);
    take("new", 901_000, 42_000);
    expect(layers.rate(42_000)).toBeGreaterThan(0);
  });

  test("does not tell whether all is there: Ollama's success does, its last count comes earlier", async () => {
    const { pulls, ended } = pullsOf([[layer(90), { status: "success" }]], "breaks");
    await read(pulls);
    expect([pulls.past[0]?.completed, pulls.past[0]?.total]).toEqual([100, 100]);
    expect(ended[0]?.layers.completed).toBe(100);
  });
});
