import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RunningSimulator, startSimulator } from "../support/simulator";

let engine: RunningSimulator;
beforeAll(async () => {
  engine = await startSimulator({ CORRAL_SIMULATOR_MODELS: "first,second:8b" });
});
afterAll(() => engine.stop());

function send(method: string, path: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return fetch(`${engine.address}${path}`, init);
}

async function names(): Promise<string[]> {
  const { models } = await (await send("GET", "/api/tags")).json();
  return models.map((model: { name: string }) => model.name).sort();
}

test("models can be pulled, copied, shown and deleted", async () => {
  expect(await names()).toEqual(["first:latest", "second:8b"]);
  const progress = (await (await send("POST", "/api/pull", { model: "third" })).text()).trimEnd().split("\n");
  expect(JSON.parse(progress[0] ?? "")).toEqual({ status: "pulling manifest" });
  expect(JSON.parse(progress[2] ?? "")).toMatchObject({
    total: expect.any(Number),
    completed: expect.any(Number),
  });
  expect(progress.at(-1)).toBe('{"status":"success"}');
  expect((await send("POST", "/api/copy", { source: "third", destination: "fourth" })).status).toBe(200);
  expect((await (await send("POST", "/api/show", { model: "fourth" })).json()).capabilities).toContain(
    "completion",
  );
  expect((await send("DELETE", "/api/delete", { model: "third" })).status).toBe(200);
  expect(await names()).toEqual(["first:latest", "fourth:latest", "second:8b"]);
});

test("a model that the registry does not have is not pulled", async () => {
  const response = await send("POST", "/api/pull", { model: "missing-model" });
  expect(response.status).toBe(200);
  expect(await response.text()).toEndWith('{"error":"pull model manifest: file does not exist"}\n');
});

test("unknown paths, wrong methods and foreign hosts are turned away as Ollama does", async () => {
  const lost = await send("GET", "/api/nothing");
  expect([lost.status, await lost.text()]).toEqual([404, "404 page not found"]);
  const wrong = await send("GET", "/api/chat");
  expect([wrong.status, await wrong.text()]).toEqual([405, "405 method not allowed"]);
  const foreign = await fetch(engine.address, { headers: { host: "example.com" } });
  expect(foreign.status).toBe(403);
  const page = await fetch(engine.address, { headers: { origin: "http://example.com" } });
  expect(page.status).toBe(403);
});
