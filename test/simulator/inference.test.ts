import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RunningSimulator, startSimulator } from "../support/simulator";

let engine: RunningSimulator;
beforeAll(async () => {
  engine = await startSimulator();
});
afterAll(() => engine.stop());

const user = (content: string) => [{ role: "user", content }];

function post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${engine.address}${path}`, { method: "POST", body: JSON.stringify(body), ...init });
}

type Line = { message?: { content: string }; done?: boolean; error?: string };

async function lines(response: Response): Promise<Line[]> {
  const text = await response.text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function state(): Promise<{ active: number; aborted: number; requests: number; last: unknown }> {
  return (await fetch(`${engine.address}/simulator/state`)).json();
}

test("the same question gets the same answer, streamed or whole, in every dialect", async () => {
  const question = { model: "llama3.2", messages: user("Where do the horses go?") };
  const streamed = await lines(await post("/api/chat", question));
  const text = streamed.map((line) => line.message?.content).join("");
  const whole = await (await post("/api/chat", { ...question, stream: false })).json();
  const openai = await (await post("/v1/chat/completions", question)).json();
  const anthropic = await (await post("/v1/messages", { ...question, max_tokens: 1000 })).json();
  expect(whole.message.content).toBe(text);
  expect(openai.choices[0].message.content).toBe(text);
  expect(anthropic.content[0].text).toBe(text);
  expect(whole.eval_count).toBe(streamed.length - 1);
  const other = await (await post("/api/chat", { ...question, stream: false, options: { seed: 7 } })).json();
  expect(other.message.content).not.toBe(text);
});

test("a finished stream has Ollama's fields in Ollama's order", async () => {
  const response = await post("/api/generate", { model: "mistral", prompt: "one two three" });
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const chunks = await lines(response);
  expect(Object.keys(chunks[0] ?? {})).toEqual(["model", "created_at", "response", "done"]);
  const last = chunks.at(-1) ?? {};
  expect(Object.keys(last).join()).toBe(
    "model,created_at,response,done,done_reason,context,total_duration,load_duration,prompt_eval_count,prompt_eval_duration,eval_count,eval_duration",
  );
  expect(last).toMatchObject({ prompt_eval_count: 3, done_reason: "stop", eval_count: chunks.length - 1 });
});

test("reported durations fit the times that a name asks for", async () => {
  const model = "sim-load60-prefill30-tokens10-delay4";
  const reply = await (await post("/api/chat", { model, messages: user("hi"), stream: false })).json();
  expect(reply.load_duration).toBeGreaterThanOrEqual(60e6);
  expect(reply.prompt_eval_duration).toBeGreaterThanOrEqual(30e6);
  expect(reply.eval_duration).toBeGreaterThanOrEqual(40e6);
  expect(reply.total_duration).toBeGreaterThanOrEqual(
    reply.load_duration + reply.prompt_eval_duration + reply.eval_duration,
  );
});

test("an empty request loads a model, and unloads it when it is not to be kept", async () => {
  const names = async () =>
    (await (await fetch(`${engine.address}/api/ps`)).json()).models.map(
      (model: { name: string }) => model.name,
    );
  const loaded = await (await post("/api/generate", { model: "sim-tokens1:mine" })).json();
  expect(loaded).toMatchObject({ done: true, done_reason: "load" });
  expect(await names()).toContain("sim-tokens1:mine");
  const unloaded = await (await post("/api/chat", { model: "sim-tokens1:mine", keep_alive: 0 })).json();
  expect(unloaded).toMatchObject({ done: true, done_reason: "unload" });
  expect(await names()).not.toContain("sim-tokens1:mine");
});

test("a limit of tokens ends the reply by length", async () => {
  const body = { model: "sim-tokens9", prompt: "hi", stream: false, options: { num_predict: 4 } };
  expect(await (await post("/api/generate", body)).json()).toMatchObject({
    done_reason: "length",
    eval_count: 4,
  });
});

test("text of any kind arrives whole when its bytes are cut anywhere", async () => {
  const text = 'naïve "quotes" \\ 👩‍👩‍👧‍👦 日本語 <b> & \n end';
  const chunks = await lines(await post("/api/chat", { model: "sim-echo-split", messages: user(text) }));
  expect(chunks.map((chunk) => chunk.message?.content).join("")).toBe(text);
});

test("each fault of a stream looks like that fault", async () => {
  const ask = (model: string) => post("/api/chat", { model, messages: user("hi") });
  const failed = await lines(await ask("sim-error3"));
  expect(failed.length).toBe(4);
  expect(failed.at(-1)).toEqual({ error: expect.any(String) });
  const early = await ask("sim-error0");
  expect(early.status).toBe(500);
  expect(await (await ask("sim-cut3")).text().catch((error: Error) => error)).toBeInstanceOf(Error);
  expect((await lines(await ask("sim-end3"))).every((line) => line.done === false)).toBe(true);
  expect((await (await ask("sim-half")).text()).endsWith("\n")).toBe(false);
  expect((await ask("sim-http503")).status).toBe(503);
  expect((await ask("sim-html")).headers.get("content-type")).toStartWith("text/html");
  expect(await (await ask("sim-empty")).text()).toBe("");
  expect(await (await ask("sim-tokens5-surrogate-nul")).text()).toContain("\\u0000\\ud800");
});

test.each(["sim-hang", "sim-tokens1000-delay20", "sim-load5000", "sim-silent5000"])(
  "%s stops at once when its client leaves",
  async (model) => {
    const before = await state();
    const leaving = new AbortController();
    const request = post("/api/chat", { model, messages: user("hi") }, { signal: leaving.signal })
      .then((response) => response.text())
      .catch((error: Error) => error);
    while ((await state()).active === 0) await Bun.sleep(2);
    await Bun.sleep(30);
    leaving.abort();
    expect(await request).toBeInstanceOf(Error);
    const deadline = Date.now() + 30_000;
    while ((await state()).active > 0 && Date.now() < deadline) await Bun.sleep(2);
    expect(await state()).toMatchObject({ active: 0, aborted: before.aborted + 1 });
    const words = "aborting completion request due to client closing the connection";
    // It comes through a pipe, a moment later.
    while (!engine.log().includes(words) && Date.now() < deadline) await Bun.sleep(2);
    expect(engine.log()).toContain(words);
  },
);

test("an OpenAI stream tells its usage only when asked, and ends with [DONE]", async () => {
  const body = { model: "sim-tokens3", stream: true, messages: user("hi") };
  const plain = await (await post("/v1/chat/completions", body)).text();
  const counted = await (
    await post("/v1/chat/completions", { ...body, stream_options: { include_usage: true } })
  ).text();
  expect(plain).not.toContain("usage");
  expect(counted).toContain('"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}');
  expect(plain.endsWith("data: [DONE]\n\n")).toBe(true);
  const failed = await (await post("/v1/chat/completions", { ...body, model: "sim-error2" })).text();
  expect(failed).not.toContain("[DONE]");
});

test("an Anthropic stream thinks, speaks and calls tools in blocks", async () => {
  const body = { max_tokens: 100, stream: true, messages: user("hi") };
  const events = async (model: string) =>
    [...(await (await post("/v1/messages", { ...body, model })).text()).matchAll(/^event: (.*)$/gm)]
      .map(([, name]) => name)
      .filter((name, index, all) => name !== all[index - 1]);
  const block = ["content_block_start", "content_block_delta", "content_block_stop"];
  const end = ["message_delta", "message_stop"];
  expect(await events("sim-tokens6-think")).toEqual(["message_start", ...block, ...block, ...end]);
  expect(await events("sim-tools")).toEqual(["message_start", ...block, ...end]);
});

test.each([
  ["/api/chat", { model: "nope", messages: user("hi") }, 404, { error: "model 'nope' not found" }],
  ["/api/chat", {}, 400, { error: "model is required" }],
  [
    "/api/embed",
    { model: "nope", input: "hi" },
    404,
    { error: 'model "nope" not found, try pulling it first' },
  ],
  [
    "/v1/chat/completions",
    { model: "nope", messages: user("hi") },
    404,
    { error: { message: "model 'nope' not found", type: "not_found_error", param: null, code: null } },
  ],
  [
    "/v1/messages",
    { model: "nope", messages: user("hi"), max_tokens: 5 },
    404,
    {
      type: "error",
      error: { type: "not_found_error", message: "model 'nope' not found" },
      request_id: expect.any(String),
    },
  ],
])("%s refuses %j with %d", async (path, body, status, expected) => {
  const response = await post(path, body);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual(expected);
});
