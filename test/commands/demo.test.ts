import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModels } from "../../src/demo/models";
import { eventually, getJson } from "../support/corral";
import { leftOf } from "../support/left";
import { freePort } from "../support/simulator";

setDefaultTimeout(60_000);

const main = join(import.meta.dir, "../../src/main.ts");

/** Stands for what must be left alone; counts who calls. */
function untouched() {
  let calls = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void calls++, data: () => undefined },
  });
  return { port: listener.port, calls: () => calls, stop: () => listener.stop(true) };
}

test("the demo says that it is one, serves a made-up week without an Ollama, and leaves nothing", async () => {
  const ollama = untouched();
  const postgres = untouched();
  const port = await freePort();
  const demo = Bun.spawn([process.execPath, main, "demo", "--port", String(port)], {
    cwd: tmpdir(),
    env: {
      PATH: process.env.PATH,
      HOME: "/nowhere",
      LOG_FORMAT: "json",
      OLLAMA_HOST: `127.0.0.1:${ollama.port}`,
      OLLAMA_URL: `http://127.0.0.1:${ollama.port}`,
      DATABASE_URL: `postgres://me:sesame@127.0.0.1:${postgres.port}/corral`,
      CORRAL_DATA_DIR: "/nowhere/at/all",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of demo.stdout) said += decoder.decode(chunk, { stream: true });
  })();
  const logging = new Response(demo.stderr).text();
  const url = `http://127.0.0.1:${port}`;
  try {
    const count = await eventually(
      async () => Number(/History +(\d+) made-up requests/.exec(said)?.[1] ?? 0),
      (found) => found > 0,
      40_000,
    );
    expect(await getJson(`${url}/api/health`)).toMatchObject({ status: "healthy" });
    expect(await getJson(`${url}/api/stats/current`)).toMatchObject({ total_requests: count });
    expect(await getJson(`${url}/api/stats/logs?limit=1`)).toMatchObject({ total: count });
    for (const { name: model } of demoModels) {
      const reply = await fetch(`${url}/api/chat`, {
        method: "POST",
        body: JSON.stringify({ model, prompt: "hello" }),
      });
      expect(await reply.text()).toContain("[DONE]");
    }
  } finally {
    demo.kill("SIGTERM");
    expect(await demo.exited).toBe(0);
    await reading;
  }
  const folder = /\/\S*corral-demo-\w+/.exec(said.split("\n")[0] ?? "")?.[0] ?? "";
  expect(said).toStartWith("This is a demo: ");
  expect(folder).toStartWith(tmpdir());
  expect(existsSync(folder)).toBe(false);
  expect(leftOf(folder)).toEqual([]);
  expect((await logging).split("\n").filter((line) => line.includes('"msg":"request"'))).toHaveLength(
    demoModels.length,
  );
  expect(ollama.calls() + postgres.calls()).toBe(0);
  ollama.stop();
  postgres.stop();
});
