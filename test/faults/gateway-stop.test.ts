/** The rows of failures.md in which Corral is stopped while it answers, or has no Ollama. */
import { expect, test } from "bun:test";
import { talk } from "../fuzz/socket";
import {
  type Answer,
  asking,
  contract,
  engineState,
  events,
  lines,
  native,
  post,
  record,
  running,
} from "../gateway/asking";
import { eventually, getJson, startCorral } from "../support/corral";

const stopping = "Corral is being stopped: try again in a moment";

test.concurrent("SIGTERM lets what runs come to its end, and refuses what is new", async () => {
  const corral = await startCorral({ embedded: true });
  const url = `${corral.url}/api/chat`;
  const slow = "sim-delay40-tokens100";
  const [told, row, whole, passed] = [
    post(url, contract(`${slow}:contract`)),
    post(url, native(`${slow}:native`)),
    post(url, native(`${slow}:whole`, { stream: false })),
    post(`${corral.url}/v1/chat/completions`, native(slow, { stream: true })),
  ];
  while ((await engineState(corral)).active < 4) await Bun.sleep(5);
  const ended = corral.stop();
  while (!corral.logged().includes('"stopping"')) await Bun.sleep(2);
  const late = await post(url, contract("sim-tokens1"));
  expect([late.status, JSON.parse(late.text)]).toEqual([
    503,
    { detail: "The server is stopping", error: stopping },
  ]);
  expect(events((await told).text).at(-1)).toMatchObject({ token: "[DONE]", total_tokens: 102 });
  expect(lines((await row).text).at(-1)).toMatchObject({ done: true, eval_count: 100 });
  expect(JSON.parse((await whole).text)).toMatchObject({ done: true, eval_count: 100 });
  expect((await passed).text).toEndWith("data: [DONE]\n\n");
  expect(await ended).toBe(0);
});

test.concurrent("what does not end in time is ended with an error in its dialect, and says so on record", async () => {
  const corral = await startCorral({ embedded: true, environment: { CORRAL_DRAIN: "100ms" } });
  const url = `${corral.url}/api/chat`;
  const slow = "sim-delay20-tokens1000";
  const ways = Object.entries(asking).flatMap(([dialect, [path, body]]) =>
    [slow, "sim-hang"].map((behaviour) => ({ path, model: `${behaviour}:${dialect}`, body })),
  );
  const asked: Promise<Answer>[] = [
    post(url, native(`${slow}:whole`, { stream: false })),
    ...ways.map(({ path, model, body }) => post(corral.url + path, body(model, { stream: true }))),
  ];
  const push = { method: "POST", body: JSON.stringify({ model: "sim-delay500" }) };
  const passed = await fetch(`${corral.url}/api/push`, push);
  while ((await engineState(corral)).active < asked.length + 1) await Bun.sleep(5);
  // Those that stream must have begun: else they would be refused.
  await eventually(
    () => running(corral),
    (all) =>
      all.filter(({ model, tokens }) => model !== `${slow}:whole` && tokens > 0).length === ways.length / 2,
  );
  const ended = corral.stop();
  const [whole, ...streamed] = await Promise.all(asked);
  expect([whole?.status, whole?.text]).toEqual([503, JSON.stringify({ error: stopping })]);
  expect(passed.status).toBe(200);
  expect(passed.text()).rejects.toThrow();
  for (const [at, { status, text, broken }] of streamed.entries()) {
    const model = ways[at]?.model;
    expect([model, status, broken]).toEqual([model, model?.startsWith(slow) ? 200 : 503, false]);
    expect(text).toContain(stopping);
    expect(text).not.toContain("[DONE]");
  }
  const said = (model: string) => streamed[ways.findIndex((way) => way.model === model)]?.text ?? "";
  const inOpenAi = { message: stopping, type: "api_error", param: null, code: "server_stop" };
  expect(events(said(`${slow}:contract.chat`)).at(-1)).toEqual({
    error: stopping,
    detail: "The server is stopping",
  });
  expect(lines(said(`${slow}:ollama.chat`)).at(-1)).toEqual({ error: stopping });
  expect(events(said(`${slow}:openai.chat`)).at(-1)).toEqual({ error: inOpenAi });
  expect(JSON.parse(said("sim-hang:openai.chat"))).toEqual({ error: inOpenAi });
  expect(await ended).toBe(0);
  const records = corral
    .logged()
    .split("\n")
    .filter((line) => line.includes(`"msg":"request"`))
    .map((line) => JSON.parse(line));
  expect(records.map(({ model, outcome, status }) => [model, outcome, status]).sort()).toEqual(
    [
      [`${slow}:whole`, "server_stop", 503],
      ...ways.map(({ model }) => [model, "server_stop", model.startsWith(slow) ? 200 : 503]),
    ].sort(),
  );
});

test.concurrent("a request whose body is still on its way is ended and recorded like the others", async () => {
  const corral = await startCorral({ environment: { CORRAL_DRAIN: "100ms" } });
  const talking = talk(corral.port, [
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
  ]);
  await Bun.sleep(100);
  expect(await corral.stop()).toBe(0);
  const { statuses, text } = await talking;
  expect(statuses).toEqual([503]);
  expect(text).toContain(stopping);
  expect(corral.logged()).toMatch(/"model":null.*"outcome":"server_stop"/);
});

test.concurrent("without an ollama program everybody is told how to get one, in their own dialect", async () => {
  const corral = await startCorral({ environment: { OLLAMA_BIN: "/nowhere/ollama" }, until: "listening" });
  try {
    const said = 'OLLAMA_BIN is "/nowhere/ollama", and there is no program there: correct it, or unset it';
    await eventually(
      () => getJson(`${corral.url}/api/engine`),
      (engine) => JSON.stringify(engine).includes('"missing"'),
    );
    const [told, row, tags, openai, anthropic] = await Promise.all([
      post(`${corral.url}/api/chat`, contract("m:contract")),
      post(`${corral.url}/api/chat`, native("m:native")),
      fetch(`${corral.url}/api/tags`),
      post(`${corral.url}/v1/chat/completions`, native("m")),
      post(`${corral.url}/v1/messages`, native("m")),
    ]);
    expect([told.status, row.status, tags.status, openai.status, anthropic.status]).toEqual(
      Array(5).fill(503),
    );
    expect(JSON.parse(told.text)).toEqual({ detail: "Ollama is not available", error: said });
    expect(JSON.parse(row.text)).toEqual({ error: said });
    expect(await tags.json()).toEqual({ error: said });
    expect(JSON.parse(openai.text).error.message).toBe(said);
    expect(JSON.parse(anthropic.text)).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: said },
    });
    expect(await record(corral, "m:contract")).toMatchObject({
      outcome: "rejected",
      http_status: 503,
      error: said,
    });
    expect((await fetch(`${corral.url}/`)).status).toBe(200);
  } finally {
    await corral.stop();
  }
});
