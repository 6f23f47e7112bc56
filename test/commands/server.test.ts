import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { eventually, type RunningCorral, startCorral } from "../support/corral";
import { embeddedTemplate } from "../support/embedded-template";
import { leftOf } from "../support/left";
import { sourceProgram } from "../support/program";
import { scratchFolder } from "../support/scratch";
import { until } from "../support/service";
import { freePort } from "../support/simulator";

setDefaultTimeout(60_000);

/** Where none answers: a server without one starts soonest. */
const noDatabase = "postgres://me:sesame@127.0.0.1:1/corral";

/** Starts it and waits for its end. @returns exit code and words */
async function refused(options: Parameters<typeof startCorral>[0]) {
  const corral = await startCorral({ databaseUrl: noDatabase, ...options, until: "ended" });
  const code = await corral.ended();
  return { code, said: corral.said(), logged: corral.logged() };
}

function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = scratchFolder("corral-server-test-");
  return use(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

async function madeFolder(folder: string): Promise<void> {
  cpSync(await embeddedTemplate(), join(folder, "database"), { recursive: true });
}

function chat(corral: RunningCorral, model: string, content = "hello"): Promise<Response> {
  return fetch(`${corral.url}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
  });
}

test("the terminal says within moments what is waited for, then where everything is, and logs no text", async () => {
  const corral = await startCorral({
    embedded: true,
    program: sourceProgram,
    environment: { CORRAL_PROT: "1" },
  });
  try {
    expect(corral.said().trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^Corral .*: waiting for Ollama at .* and for the embedded database$/),
      `  Server    http://localhost:${corral.port}`,
      `  API docs  http://localhost:${corral.port}/swagger`,
      `  Ollama    ${corral.engine}`,
      `  Data      ${corral.folder}`,
    ]);
    expect(statSync(corral.folder).mode & 0o777).toBe(0o700);
    await (await chat(corral, "llama3.2", "MARKER-of-a-prompt")).text();
    await (await chat(corral, "nosuch", "MARKER-of-a-prompt")).text();
    await (await chat(corral, "sim-tokens9-error2", "MARKER-of-a-prompt")).text();
    await (await chat(corral, "a MARKER of a prompt in the wrong field")).text();
    await fetch(`${corral.url}/api/chat`, { method: "POST", body: '{"prompt": "MARKER", broken' });
    await fetch(`${corral.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({ model: "llama3.2", prompt: "MARKER", temperature: "MARKER" }),
    });
    const lines = () => corral.logged().trimEnd().split("\n");
    await eventually(
      async () => lines().filter((line) => line.includes('"msg":"request"')).length,
      (count) => count >= 4,
    );
    for (const line of lines()) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) });
    expect(corral.logged()).not.toContain("MARKER");
    expect(corral.logged()).toContain("CORRAL_PROT is not a setting (did you mean CORRAL_PORT?)");
  } finally {
    expect(await corral.stop()).toBe(0);
  }
});

test("a start that can't be is refused with one clear line and exit code 1", async () => {
  const first = await startCorral({ embedded: true, program: sourceProgram });
  try {
    const port = String(first.port);
    const cases: [Parameters<typeof startCorral>[0], string][] = [
      [{ flags: ["--port", port] }, `can't listen on 127.0.0.1:${port} (another program listens there`],
      [{ folder: first.folder }, `is in use by pid ${first.pid}, http://127.0.0.1:${port}`],
      [{ environment: { CORRAL_PORT: "x" } }, 'CORRAL_PORT is "x": it takes a port from 0 to 65535'],
      [{ environment: { OLLAMA_PORT: port } }, `a Corral answers at ${first.url} (instance `],
      [{ environment: { OLLAMA_URL: first.url } }, `a Corral answers at ${first.url} (instance `],
    ];
    for (let from = 0; from < cases.length; from += 3) {
      await Promise.all(
        cases.slice(from, from + 3).map(async ([options, words]) => {
          const { code, logged } = await refused(options);
          expect(code).toBe(1);
          const complaints = logged.split("\n").filter((line) => line.startsWith("corral: "));
          expect(complaints).toEqual([expect.stringContaining(words)]);
          expect(logged).not.toContain("    at ");
        }),
      );
    }
    const own = await freePort();
    const { code, logged } = await refused({
      environment: { CORRAL_PORT: String(own), OLLAMA_HOST: `127.0.0.1:${own}` },
    });
    expect(code).toBe(1);
    expect(logged).toContain("is Corral's own. OLLAMA_HOST is often exported");
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  } finally {
    await first.stop();
  }
});

test("after SIGTERM, Ctrl-C or a closed terminal nothing of ours is left, runners and database included", async () => {
  const ends = (signal: NodeJS.Signals) =>
    inFolder(async (folder) => {
      await madeFolder(folder);
      const corral = await startCorral({ folder, environment: { CORRAL_SIMULATOR_RUNNER: "1" } });
      await (await chat(corral, "llama3.2")).text();
      // The server, the engine, its runner, the database.
      expect(leftOf(folder).length).toBeGreaterThanOrEqual(4);
      corral.process.kill(signal);
      expect(await corral.ended()).toBe(0);
      expect(leftOf(folder)).toEqual([]);
    });
  await Promise.all([ends("SIGTERM"), ends("SIGINT"), ends("SIGHUP")]);
});

test("after kill -9 the next start on the same folder ends what was left behind, and goes on", () =>
  inFolder(async (folder) => {
    await madeFolder(folder);
    const environment = { CORRAL_SIMULATOR_RUNNER: "1", OLLAMA_PORT: String(await freePort()) };
    const first = await startCorral({ folder, environment });
    await (await chat(first, "llama3.2")).text();
    first.process.kill("SIGKILL");
    await first.ended();
    await until(() => leftOf(folder).length === 2);
    const orphans = leftOf(folder);
    const second = await startCorral({ folder, environment });
    try {
      expect(second.logged()).toContain("ending what an earlier server left behind");
      expect(leftOf(folder)).not.toContainAnyValues(orphans);
      expect((await chat(second, "llama3.2")).status).toBe(200);
    } finally {
      await second.stop();
    }
    expect(leftOf(folder)).toEqual([]);
  }));

test("a second signal skips the drain", async () => {
  const corral = await startCorral({
    databaseUrl: noDatabase,
    environment: { CORRAL_DRAIN: "30s" },
    until: "listening",
  });
  await until(async () => (await fetch(`${corral.url}/readyz`)).ok);
  const streaming = await chat(corral, "sim-tokens5000-delay50");
  const reading = streaming.text().catch(() => "broken");
  corral.process.kill("SIGTERM");
  await Bun.sleep(300);
  expect(corral.process.exitCode).toBeNull();
  const before = performance.now();
  expect(await corral.stop()).toBe(0);
  expect(performance.now() - before).toBeLessThan(25_000);
  await reading;
});

test("SIGTERM while it is still starting ends it cleanly and soon", () =>
  inFolder(async (folder) => {
    // A database that is being made, and an engine that hangs.
    const corral = await startCorral({
      folder,
      until: "listening",
      environment: { CORRAL_SIMULATOR_START: "hang" },
    });
    await until(() => corral.said().includes("Making a new embedded database"));
    const before = performance.now();
    corral.process.kill("SIGTERM");
    expect(await corral.ended()).toBe(0);
    expect(performance.now() - before).toBeLessThan(25_000);
    expect(leftOf(folder)).toEqual([]);
    expect(corral.logged()).not.toContain("corral: ");
  }));

test("with the database away and no ollama program the terminal still says where the server is, and why", async () => {
  const corral = await startCorral({
    databaseUrl: noDatabase,
    environment: { OLLAMA_BIN: "/nowhere/ollama" },
    until: "listening",
  });
  try {
    await until(() => corral.said().includes("  Data"));
    expect(corral.said()).toContain(`  Server    ${corral.url.replace("127.0.0.1", "localhost")}`);
    expect(corral.said()).toContain('  Ollama    not ready: OLLAMA_BIN is "/nowhere/ollama"');
    expect(corral.said()).toContain("  Data      PostgreSQL at DATABASE_URL is away (");
    expect(corral.said() + corral.logged()).not.toContain("sesame");
    const health = await (await fetch(`${corral.url}/api/health`)).json();
    expect(health).toMatchObject({ status: "unhealthy", ollama_running: false, database_connected: false });
  } finally {
    expect(await corral.stop()).toBe(0);
  }
});
