/** Signs of life on a stream that is silent, for who asked for them. */
import { expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { FOREVER_MS } from "../../src/duration";
import { heartbeatMs } from "../../src/gateway/heartbeat";
import { describeCorral, eventually } from "../support/corral";
import { contract, events, lines, native, post, record } from "./asking";

setDefaultTimeout(60_000);

const often = { headers: { "x-corral-heartbeat": "100ms" } };

describeCorral("a stream with a heartbeat", (corral) => {
  const url = () => `${corral().url}/api/chat`;

  test("gets signs of life that its clients don't mind, and its reply as ever", async () => {
    const slow = "sim-silent450-tokens3";
    const [told, row] = [
      await post(url(), contract(`${slow}:contract-beat`), often),
      await post(url(), native(`${slow}:native-beat`), often),
    ];
    expect(told.text.match(/^: heartbeat\n\n/gm)?.length).toBeGreaterThanOrEqual(3);
    const said = events(told.text.replaceAll(": heartbeat\n\n", ""));
    expect(said.at(-1)).toMatchObject({ token: "[DONE]" });
    const frames = lines(row.text);
    const beat = { model: `${slow}:native-beat`, message: { role: "assistant", content: "" }, done: false };
    expect(frames.slice(0, 3)).toEqual([1, 2, 3].map(() => ({ ...beat, created_at: expect.any(String) })));
    expect(frames.at(-1)).toMatchObject({ done: true, eval_count: 3 });
    expect(row.headers.get("content-type")).toBe("application/x-ndjson");
    for (const name of ["contract", "native"])
      expect(await record(corral(), `${slow}:${name}-beat`)).toMatchObject({
        outcome: "complete",
        tokens_out: 3,
      });
  });

  test("gets them in the words of OpenAI and Anthropic, and their clients see none", async () => {
    const messages = [{ role: "user" as const, content: "hello" }];
    const asked = { messages, max_tokens: 50 };
    const slow = "sim-silent450-tokens3";
    const openai = new OpenAI({
      baseURL: `${corral().url}/v1`,
      apiKey: "none",
      defaultHeaders: often.headers,
    });
    let said = "";
    const stream = await openai.chat.completions.create({
      ...asked,
      model: `${slow}:openai-beat`,
      stream: true,
    });
    for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
    expect(said.length).toBeGreaterThan(0);
    const anthropic = new Anthropic({ baseURL: corral().url, apiKey: "none", defaultHeaders: often.headers });
    const message = await anthropic.messages
      .stream({ ...asked, model: `${slow}:anthropic-beat` })
      .finalMessage();
    expect(message.content).toMatchObject([{ type: "text", text: expect.stringMatching(/\w/) }]);
    const body = { ...asked, stream: true, model: `${slow}:raw-beat` };
    const raw = await post(`${corral().url}/v1/chat/completions`, body, often);
    expect(raw.text).toStartWith(": heartbeat\n\n");
    expect(raw.text).toEndWith("data: [DONE]\n\n");
    const pinged = await post(`${corral().url}/v1/messages`, body, often);
    expect(pinged.text).toStartWith('event: ping\ndata: {"type": "ping"}\n\n');
  });

  test("gets them between tokens, too", async () => {
    const { text } = await post(url(), native("sim-delay250-tokens3:between"), often);
    const contents = lines(text).map((frame) => (frame as { message: { content: string } }).message.content);
    expect(contents.filter((content) => content === "").length).toBeGreaterThanOrEqual(4);
    expect(lines(text).at(-1)).toMatchObject({ done: true });
  });

  test("is told inside it what went wrong after it has begun", async () => {
    const late = "sim-silent300-http503";
    const answer = await post(url(), native(`${late}:late`), often);
    expect(answer.status).toBe(200);
    expect(lines(answer.text).at(-1)).toEqual({ error: expect.stringContaining("busy") });
    expect(await record(corral(), `${late}:late`)).toMatchObject({
      outcome: "engine_error",
      http_status: 200,
      upstream_status: 503,
    });
    const broken = await post(url(), contract("sim-silent300-crash0:late"), often);
    expect(broken.status).toBe(200);
    expect(events(broken.text.replaceAll(": heartbeat\n\n", "")).at(-1)).toMatchObject({
      error: expect.stringContaining("Ollama ended"),
    });
    await eventually(
      () => fetch(`${corral().url}/readyz`),
      ({ ok }) => ok,
    );
    const nothing = await post(url(), contract("sim-silent300-empty:late"), often);
    expect(events(nothing.text.replaceAll(": heartbeat\n\n", "")).at(-1)).toMatchObject({
      error: "Ollama answered 200, and nothing that can be read",
    });
  });

  test("is only for who asks, and never in a whole reply", async () => {
    const slow = "sim-silent250-tokens2";
    const plain = await post(url(), native(`${slow}:plain`));
    expect(lines(plain.text)).toHaveLength(3);
    const whole = await post(url(), native(`${slow}:whole`, { stream: false }), often);
    expect(JSON.parse(whole.text)).toMatchObject({ done: true });
    const off = await post(url(), native(`${slow}:off`), { headers: { "x-corral-heartbeat": "off" } });
    expect(lines(off.text)).toHaveLength(3);
  });
});

test("a heartbeat that no timer can wait for is none, set or asked for", () => {
  const asked = (value: string) => heartbeatMs(new Headers({ "x-corral-heartbeat": value }), 15_000);
  expect(heartbeatMs(new Headers(), FOREVER_MS)).toBe(0);
  expect(["forever", "30d", "off", "nonsense", "5s", ""].map(asked)).toEqual([0, 0, 0, 0, 5000, 15_000]);
});
