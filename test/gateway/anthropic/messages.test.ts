import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { describeCorral, eventually } from "../../support/corral";
import { engineState, post, record } from "../asking";
import { recording } from "../recordings";

const tool = {
  name: "get_weather",
  description: "Weather of a city",
  input_schema: { type: "object" as const, properties: { city: { type: "string" } } },
};
const user = (content: string) => [{ role: "user" as const, content }];
const body = (model: string, more: object = {}) => ({
  ...{ model, max_tokens: 100, messages: user("hello there"), stream: true },
  ...more,
});

/** The data of events that are named after its type, as Anthropic's are. */
function events(text: string): Record<string, unknown>[] {
  const blocks = text.split("\n\n");
  if (blocks.pop() !== "") throw new Error(`the last event has no end: ${text}`);
  return blocks.map((block) => {
    const [, name, data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    const json = JSON.parse(data);
    if (json.type !== name) throw new Error(`not an event of Anthropic's: ${block}`);
    return json;
  });
}

describeCorral("POST /v1/messages", (corral) => {
  const ask = (asked: unknown) => post(`${corral().url}/v1/messages`, asked);
  const each = (cases: [string, string][], check: (model: string, message: string) => Promise<void>) =>
    Promise.all(cases.map(([model, message]) => check(model, message)));
  const anthropic = () => new Anthropic({ baseURL: corral().url, apiKey: "any", maxRetries: 0 });

  describe("passes to the byte what Ollama says", () => {
    const steady = (text: string) => text.replace(/"request_id":"\w+"/, "");
    test.each([
      body("sim-emoji-split-tokens9:bytes"),
      body("sim-think-tokens6:bytes", { stream: false }),
      body("sim-tools:bytes", { tools: [tool] }),
      body("nope:bytes"),
      body("sim-http429:bytes"),
      body("sim-http503:bytes", { stream: false }),
      body("sim-tokens1:bytes", { max_tokens: 0 }),
      body("sim-tokens1:bytes", { messages: user("") }),
      '{"model":"x",',
      "null",
    ])("%j", async (asked) => {
      const [through, straight] = [await ask(asked), await post(`${corral().engine}/v1/messages`, asked)];
      expect([through.status, steady(through.text)]).toEqual([straight.status, steady(straight.text)]);
      for (const name of ["content-type", "content-length", "cache-control"])
        expect(through.headers.get(name)).toBe(straight.headers.get(name));
    });

    test("and Ollama gets the body as it came, whatever is in it", async () => {
      const odd = `{ "model":"sim-tokens1:odd", "max_tokens":5,\n"messages":[{"role":"user","content":"\\u0000\\ud800"}],"new": 1.50 }`;
      await ask(odd);
      expect((await engineState(corral())).last).toMatchObject({
        path: "/v1/messages",
        body: JSON.parse(odd),
        headers: { "content-length": String(odd.length) },
      });
    });
  });

  test("a stream is on record: who asked what, what was said, counted and when", async () => {
    const asked = body("sim-think-tokens6:record", {
      system: [{ type: "text", text: "Be brief." }],
      metadata: { user_id: "somebody" },
    });
    const told = events((await ask(asked)).text);
    const said = (name: string) => told.map((one) => Object(one.delta)[name] ?? "").join("");
    expect(await record(corral(), "sim-think-tokens6:record")).toMatchObject({
      ...{ dialect: "anthropic.messages", operation: "chat", stream: true, user: "somebody" },
      ...{ prompt: "hello there", response: said("text"), thinking: said("thinking") },
      ...{ tokens_in: 4, tokens_out: 6, tokens_cached: null, finish_reason: "end_turn" },
      ...{ status: "success", outcome: "complete", http_status: 200, upstream_status: 200, error: null },
      ...{ ttft_ms: expect.any(Number), longest_gap_ms: expect.any(Number) },
      // Nothing in this dialect tells them.
      ...{ load_ms: null, prefill_ms: null, decode_ms: null },
    } as never);
  });

  test("a whole reply is on record, without times that nobody outside the engine knows", async () => {
    const reply = JSON.parse((await ask(body("sim-tokens9:whole", { stream: false, max_tokens: 4 }))).text);
    expect(await record(corral(), "sim-tokens9:whole")).toMatchObject({
      ...{ response: reply.content[0].text, tokens_in: 2, tokens_out: 4, finish_reason: "max_tokens" },
      ...{ outcome: "length", status: "success", stream: false, ttft_ms: null, longest_gap_ms: null },
    } as never);
  });

  test("names that Ollama refuses are rejected on record, and other refusals its errors", async () => {
    await Promise.all([ask(body("nope:record")), ask(body("sim-http503:record"))]);
    const error = "server busy, please try again.  maximum pending requests exceeded";
    expect(await record(corral(), "nope:record")).toMatchObject({ outcome: "rejected", http_status: 404 });
    expect(await record(corral(), "sim-http503:record")).toMatchObject({ outcome: "engine_error", error });
  });

  describe("an engine that fails", () => {
    const failed = (message: string) => ({ type: "error", error: { type: "api_error", message } });
    const stoppedShort = "Ollama ended its answer in the middle";
    const reset = "the connection to Ollama broke in the middle of its answer (ECONNRESET)";

    test("in mid-stream ends it with an error event, and no message_stop", async () => {
      await each(
        [
          // Ollama itself says nothing here.
          ["sim-error3-tokens9", stoppedShort],
          ["sim-end3-tokens9", stoppedShort],
          ["sim-cut3-delay60-tokens9", reset],
        ],
        async (model, message) => {
          const told = events((await ask(body(model))).text);
          expect(told.at(-1)).toEqual(failed(message));
          expect(told.map(({ type }) => type)).not.toContain("message_stop");
          const kept = await record(corral(), model);
          expect(kept).toMatchObject({ outcome: "engine_error", http_status: 200, error: message });
          expect([kept.response, kept.tokens_in]).toEqual([expect.stringMatching(/./), null]);
        },
      );
    });

    test("before a first word is a 502 of Anthropic's", async () => {
      await each(
        [
          ["sim-end3-tokens9:whole", stoppedShort],
          ["sim-half:stream", stoppedShort],
          ["sim-html:stream", "Ollama answered with something that is no JSON"],
          ["sim-empty:stream", stoppedShort],
        ],
        async (model, message) => {
          const answer = await ask(body(model, { stream: model.endsWith("stream") }));
          expect([answer.status, JSON.parse(answer.text)]).toEqual([502, failed(message)]);
          expect(await record(corral(), model)).toMatchObject({ outcome: "engine_error", http_status: 502 });
        },
      );
    });
  });

  describe("with the official client", () => {
    test("streams a message to its end", async () => {
      const stream = anthropic().messages.stream(body("sim-tokens5:sdk"));
      let text = "";
      stream.on("text", (piece) => {
        text += piece;
      });
      const message = await stream.finalMessage();
      expect(message).toMatchObject({
        stop_reason: "end_turn",
        content: [{ type: "text", text }],
        usage: { input_tokens: 2, output_tokens: 5 },
      });
    });

    test("gets a whole message, with thinking before it", async () => {
      const message = await anthropic().messages.create({
        ...{ model: "sim-think-tokens6:sdk", max_tokens: 100, messages: user("hello there") },
        thinking: { type: "enabled", budget_tokens: 1024 },
        system: "Be brief.",
      });
      expect(message.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    });

    test("calls a tool and goes on with what it said; the prompt on record is the user's", async () => {
      const model = "sim-tools:sdk";
      const asked = { model, max_tokens: 100, tools: [tool] };
      const first = await anthropic()
        .messages.stream({ ...asked, messages: user("Weather?") })
        .finalMessage();
      const call = first.content.find((block) => block.type === "tool_use");
      expect([first.stop_reason, call?.name, call?.input]).toEqual([
        "tool_use",
        "get_weather",
        { city: expect.any(String) },
      ]);
      const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "", content: "sunny" };
      await anthropic().messages.create({
        ...asked,
        model: "sim-tokens2:sdk-tool",
        messages: [
          ...user("Weather?"),
          { role: "assistant", content: first.content },
          { role: "user", content: [result] },
        ],
      });
      expect((await record(corral(), "sim-tokens2:sdk-tool")).prompt).toBe("Weather?");
      expect(await record(corral(), model)).toMatchObject({ finish_reason: "tool_use", outcome: "complete" });
    });

    test("sends an image", async () => {
      const data = Buffer.from("an image").toString("base64");
      const source = { type: "base64" as const, media_type: "image/png" as const, data };
      await anthropic().messages.create({
        ...{ model: "sim-tokens2:sdk-image", max_tokens: 9 },
        messages: [
          {
            role: "user",
            content: [
              { type: "image", source },
              { type: "text", text: "What?" },
            ],
          },
        ],
      });
      expect((await record(corral(), "sim-tokens2:sdk-image")).prompt).toBe("What?");
    });

    test("is told of errors by their names, before the stream and in it", async () => {
      const caught = (model: string) =>
        anthropic()
          .messages.stream(body(model))
          .finalMessage()
          .then(
            () => null,
            (error: unknown) => error,
          );
      expect(await caught("nope:sdk")).toBeInstanceOf(Anthropic.NotFoundError);
      expect(await caught("sim-http429:sdk")).toBeInstanceOf(Anthropic.RateLimitError);
      const broken = await caught("sim-error3-tokens9:sdk");
      expect(broken).toBeInstanceOf(Anthropic.APIError);
      expect(String(broken)).toContain("Ollama ended its answer in the middle");
    });

    test("stops the engine's work when it stops reading", async () => {
      const before = (await engineState(corral())).aborted;
      const stream = await anthropic().messages.create({
        ...body("sim-tokens500-delay20:sdk"),
        stream: true,
      });
      for await (const event of stream) if (event.type === "content_block_delta") break;
      await eventually(
        () => engineState(corral()),
        ({ aborted }) => aborted === before + 1,
      );
      expect(await record(corral(), "sim-tokens500-delay20:sdk")).toMatchObject({ outcome: "client_abort" });
    });
  });

  test("count_tokens is none of Ollama's yet, and passes", async () => {
    const url = "/v1/messages/count_tokens";
    const [through, straight] = [await post(corral().url + url, {}), await post(corral().engine + url, {})];
    expect([through.status, through.text]).toEqual([straight.status, straight.text]);
  });

  test("the simulator answers in the shapes of a real Ollama", async () => {
    /** Names and their order, without the values; what repeats counts once. */
    const shapeOf = (text: string) => {
      const shapes = text
        .split("\n\n")
        .map((part) => part.replace(/(?<=[:[,])("(?:[^"\\]|\\.)*"(?!:)|\d+)/g, "_").trim());
      return shapes.filter((shape, index) => shape !== shapes[index - 1]);
    };
    for (const [name, model] of [
      ["stream", "sim-tokens20"],
      ["whole", "sim-tokens50"],
      ["no-text-stream", "sim-tokens5"],
      ["no-text-whole", "sim-tokens5"],
      ["unknown-model", "nope"],
      ["no-max-tokens", "sim-tokens5"],
      ["image-by-url", "sim-tokens5"],
      ["bad-body", "sim-tokens5"],
    ] as const) {
      const { request, status, body: real } = recording(`anthropic/${name}`);
      const { text, ...answer } = await post(
        `${corral().engine}/v1/messages`,
        request.replace("smollm2:135m", model),
      );
      expect([name, answer.status, shapeOf(text)]).toEqual([name, status, shapeOf(real)]);
    }
  });

  test("an engine that dies in mid-stream ends it with an error event, and is on record as a crash", async () => {
    const told = events((await ask(body("sim-crash3-tokens9"))).text);
    const message = "Ollama ended while it answered: it is being started again, try once more";
    expect(told.at(-1)).toEqual({ type: "error", error: { type: "api_error", message } });
    expect(await record(corral(), "sim-crash3-tokens9")).toMatchObject({
      outcome: "engine_crash",
      error: message,
    });
  });
});
