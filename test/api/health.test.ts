/** How the parts are, while they come and go; and nothing that happened meanwhile is lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { describeCorral, eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeOwnServer } from "../support/databases";
import { send } from "./calls";

interface Health {
  readonly status: string;
  readonly message: string;
}

const health = async (corral: RunningCorral) => (await getJson(`${corral.url}/api/health`)) as Health;
const say = async ({ url }: RunningCorral, prompt: string) =>
  (await send("POST", `${url}/api/chat`, { model: "sim-tokens3", prompt })).text();
const prompts = async ({ url }: RunningCorral) =>
  ((await getJson(`${url}/api/stats/logs?order=asc`)) as { logs?: { prompt: string }[] }).logs?.map(
    (row) => row.prompt,
  ) ?? [];

/** Chats before, while and after the database is away: served, kept, and written exactly once. */
async function survives(corral: RunningCorral, takeAway: () => Promise<void>, giveBack: () => Promise<void>) {
  await say(corral, "before");
  await eventually(
    () => prompts(corral),
    (found) => found.length === 1,
  );
  await takeAway();
  await say(corral, "while 1");
  await say(corral, "while 2");
  await giveBack();
  await eventually(
    () => health(corral),
    (now) => now.status === "healthy",
    30_000,
  );
  await say(corral, "after");
  await eventually(
    () => prompts(corral),
    (found) => found.length === 4,
  );
  await Bun.sleep(200);
  expect(await prompts(corral)).toEqual(["before", "while 1", "while 2", "after"]);
  expect(await getJson(`${corral.url}/api/data/summary`)).toMatchObject({
    total_requests: 4,
    total_logs_entries: 4,
  });
}

const environment = { CORRAL_SIMULATOR_MODELS: "sim-tokens3:latest" };

describeCorral(
  "health",
  (corral) => {
    test("healthz and readyz say ok", async () => {
      for (const path of ["/healthz", "/readyz"]) {
        const response = await fetch(corral().url + path);
        expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
      }
    });

    test("records outlive a kill -9 of the embedded database, exactly once", () =>
      survives(
        corral(),
        async () => {
          for (const pid of await embeddedPids(corral().pid)) process.kill(pid, "SIGKILL");
          await eventually(
            () => health(corral()),
            (now) => now.status === "degraded",
          );
          const response = await fetch(`${corral().url}/api/stats/current`);
          // It may be back already: it starts in half a second.
          if (!response.ok) {
            expect(response.status).toBe(500);
            expect(await response.json()).toEqual({
              detail: "Internal server error",
              error: expect.stringMatching(/^Database connection failed/),
            });
          }
        },
        async () => undefined,
      ));

    test("without Ollama: unhealthy, 503, and readyz with it", async () => {
      const [pid] = [((await getJson(`${corral().url}/api/engine`)) as { pid: number }).pid];
      process.kill(pid, "SIGSTOP");
      process.kill(pid, "SIGKILL");
      await eventually(
        () => health(corral()),
        (now) => now.status === "unhealthy",
      );
      await eventually(
        () => health(corral()),
        (now) => now.status === "healthy",
        30_000,
      );
    });
  },
  { environment, embedded: true },
);

describeCorral(
  "health without an Ollama",
  (corral) => {
    test("says what to do, with 503, and everything else works", async () => {
      const response = await fetch(`${corral().url}/api/health`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        status: "unhealthy",
        ollama_running: false,
        message: expect.stringMatching(/ollama/i),
      });
      expect((await fetch(`${corral().url}/readyz`)).status).toBe(503);
      expect((await fetch(`${corral().url}/healthz`)).status).toBe(200);
      expect((await fetch(`${corral().url}/swagger/json`)).status).toBe(200);
      for (const [method, path, body] of [
        ["GET", "/api/ollama/models"],
        ["DELETE", "/api/ollama/models/llama3.2"],
        ["POST", "/api/ollama/pull", { model: "llama3.2" }],
        ["POST", "/api/chat", { model: "llama3.2", prompt: "Hi" }],
        ["POST", "/api/models/repository/sync"],
        ["POST", "/api/engine/restart"],
      ] as const) {
        const answer = await send(method, corral().url + path, body);
        expect([path, answer.status, await answer.json()]).toEqual([
          path,
          503,
          { detail: "Ollama is not available", error: expect.any(String) },
        ]);
      }
      expect((await fetch(`${corral().url}/api/ollama/library`)).status).toBe(200);
    });
  },
  { environment: { OLLAMA_BIN: "/nowhere/ollama" }, until: "listening" },
);

describeOwnServer("health with a PostgreSQL server", (server) => {
  let corral: RunningCorral;
  beforeAll(async () => {
    corral = await startCorral({ databaseUrl: await (await server()).createDatabase(), environment });
  });
  afterAll(() => corral?.stop());

  test("while it is down: degraded, the contract's 500 for what needs it, and chats are served and kept", () =>
    survives(
      corral,
      async () => {
        await (await server()).kill9();
        const now = await eventually(
          () => health(corral),
          (now) => now.status === "degraded",
        );
        expect(now).toMatchObject({ ollama_running: true, database_connected: false });
        expect((await fetch(`${corral.url}/readyz`)).status).toBe(200);
        for (const [method, path, body] of [
          ["GET", "/api/stats/current"],
          ["GET", "/api/stats/history"],
          ["GET", "/api/stats/logs"],
          ["GET", "/api/models"],
          ["GET", "/api/models/repository"],
          ["GET", "/api/models/repository/a"],
          ["POST", "/api/models/repository", { name: "a" }],
          ["POST", "/api/models/repository/sync"],
          ["PUT", "/api/models/repository/a", {}],
          ["DELETE", "/api/models/repository/a"],
          ["GET", "/api/data/summary"],
          ["DELETE", "/api/data/metrics"],
          ["DELETE", "/api/data/logs"],
          ["DELETE", "/api/data/all"],
        ] as const) {
          const answer = await send(method, corral.url + path, body);
          expect([path, answer.status, await answer.json()]).toEqual([
            path,
            500,
            {
              detail: "Internal server error",
              error: expect.stringMatching(/^Database connection failed: /),
            },
          ]);
        }
      },
      async () => {
        const { message } = await health(corral);
        expect(message).toContain("2 records wait for it");
        await (await server()).restart();
      },
    ));
});

/** The processes of the embedded database: children of Corral that are no Ollama. */
async function embeddedPids(parent: number): Promise<number[]> {
  const listed = await new Response(
    Bun.spawn(["ps", "-e", "-o", "pid=,ppid=,args="], { stdout: "pipe" }).stdout,
  ).text();
  return listed
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((found) => Number(found?.[2]) === parent && / database\b/.test(found?.[3] ?? ""))
    .map((found) => Number(found?.[1]));
}
