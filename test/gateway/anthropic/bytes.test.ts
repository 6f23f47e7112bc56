/** Requests and replies of /v1/messages, whatever is in them and wherever the network cuts them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure, failure } from "../../../src/errors";
import { errorEvent, refuseAnthropic } from "../../../src/gateway/dialects/anthropic/errors";
import { anthropicMessages } from "../../../src/gateway/dialects/anthropic/messages";
import { askedOf, play } from "../playing";
import { bytesOf, cutAt } from "../recordings";

const sse = { status: 200, headers: new Headers({ "content-type": "text/event-stream" }) };
const whole = { status: 200, headers: new Headers({ "content-type": "application/json" }) };
const event = (type: string, fields: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const start = event("message_start", { message: { usage: { input_tokens: 3, output_tokens: 0 } } });
const delta = (delta: object, index = 0) => event("content_block_delta", { index, delta });
const text = (piece: string) => delta({ type: "text_delta", text: piece });
const end = (stop_reason: string, usage: object = { input_tokens: 7, output_tokens: 5 }) =>
  event("message_delta", { delta: { stop_reason }, usage }) + event("message_stop");

const said = fc.array(fc.string({ unit: "binary", maxLength: 8 }), { maxLength: 6 });
const ends = fc.constantFrom(
  end("end_turn"),
  event("error", { error: { type: "overloaded_error", message: "busy" } }),
  "",
  'event: content_block_delta\ndata: {"ty',
  "data: no JSON\n\n",
  `${end("max_tokens")}${event("ping")}`,
  end("end_turn").replaceAll("\n", "\r\n"),
);
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe("a stream", () => {
  test("that is cut anywhere makes the same bytes and the same record", () => {
    fc.assert(
      fc.property(said, ends, cuts, (pieces, last, places) => {
        const bytes = bytesOf(start + event("ping") + pieces.map(text).join("") + last);
        const at = (played: ReturnType<typeof play>) => {
          const { firstAt, longestGapMs, ...told } = played.told;
          return { ...played, told };
        };
        const [some, every] = [cutAt(bytes, places), cutAt(bytes, [...bytes.keys()])];
        expect(at(play(anthropicMessages, sse, some))).toEqual(at(play(anthropicMessages, sse, every)));
      }),
      { numRuns: 100 },
    );
  });

  test("that ends well passes to the byte, pings and unknown events too", () => {
    fc.assert(
      fc.property(said, cuts, (pieces, places) => {
        const stream = `${start}${event("ping")}: a comment\n\n${pieces.map(text).join("")}${event("new")}${end("max_tokens")}`;
        const { client, ended, told } = play(anthropicMessages, sse, cutAt(bytesOf(stream), places));
        expect([client, ended, told.outcome]).toEqual([stream, true, "length"]);
        expect(told.text).toBe(pieces.length > 0 ? pieces.join("").toWellFormed() : null);
      }),
      { numRuns: 100 },
    );
  });

  test("that stops short is passed as far as its events are whole, and ends in one error event", () => {
    const stream = start + text("one") + text("two") + end("end_turn");
    const stop = stream.indexOf("event: message_stop");
    const every = fc.integer({ min: start.length, max: stop });
    fc.assert(
      fc.property(every, (length) => {
        const { client, ended } = play(anthropicMessages, sse, [bytesOf(stream.slice(0, length))]);
        const passed = stream.slice(0, stream.slice(0, length).lastIndexOf("\n\n") + 2);
        expect([client, ended]).toEqual([passed + errorEvent(failure.engineAnswer(502, "broken")), false]);
      }),
      { numRuns: 60 },
    );
  });

  test("is no answer before its first event is whole: its client can still be told with a status", () => {
    expect(play(anthropicMessages, sse, [bytesOf("event: message_start\nda")])).toMatchObject({
      status: null,
      client: "",
    });
  });

  test("tells a tool call whose arguments came in pieces, and one that broke off as far as it came", () => {
    const call = (index: number, id: string, parts: string[]) =>
      event("content_block_start", { index, content_block: { type: "tool_use", id, name: "f", input: {} } }) +
      parts.map((part) => delta({ type: "input_json_delta", partial_json: part }, index)).join("");
    const stop = event("content_block_stop", { index: 0 });
    const stream = start + call(0, "a", ["", '{"x":', '"y"}']) + stop + call(1, "b", ['{"z"']);
    const { told } = play(anthropicMessages, sse, [bytesOf(stream)]);
    expect(JSON.parse(told.toolCalls ?? "")).toEqual([
      { id: "a", function: { name: "f", arguments: { x: "y" } } },
      { id: "b", function: { name: "f", arguments: '{"z"' } },
    ]);
  });

  test("tells an error of the engine's inside it", () => {
    const error = event("error", { error: { type: "overloaded_error", message: "busy" } });
    const { client, told } = play(anthropicMessages, sse, [bytesOf(start + text("so far") + error)]);
    expect(client).toEndWith(error);
    expect(told).toMatchObject({ outcome: "engine_error", error: "busy", text: "so far" });
  });
});

test("counts are the engine's own: estimates and zeros for nothing are none", () => {
  const counted = (usage: object, started = start) => {
    const { tokensIn, tokensOut, tokensCached } = play(anthropicMessages, sse, [
      bytesOf(started + end("end_turn", usage)),
    ]).told;
    return [tokensIn, tokensOut, tokensCached];
  };
  expect(counted({ input_tokens: 20, output_tokens: 12 })).toEqual([20, 12, null]);
  // Anthropic's way: what the cache held is not among the input tokens.
  const cached = { input_tokens: 4, output_tokens: 2, cache_read_input_tokens: 16 };
  expect(counted(cached)).toEqual([20, 2, 16]);
  // As Ollama 0.14 said it, and as others do.
  expect(counted({ output_tokens: 12 }, start.replace(":3", ":0"))).toEqual([null, 12, null]);
  expect(counted({ output_tokens: 12 })).toEqual([3, 12, null]);
  expect(counted({ input_tokens: 0, output_tokens: 0 })).toEqual([null, null, null]);
  // What breaks off has only the estimate of its start.
  const { told } = play(anthropicMessages, sse, [bytesOf(start + text("x"))]);
  expect([told.tokensIn, told.tokensOut]).toEqual([null, null]);
});

test("a whole reply that is no message is no success", () => {
  for (const [body, status] of [
    ["{}", 200],
    ["no JSON", null],
    ["", null],
  ] as const) {
    const { ended, status: got } = play(anthropicMessages, whole, [bytesOf(body)]);
    expect([ended, got]).toEqual([false, status]);
  }
});

describe("a request", () => {
  const messages = [
    {
      role: "user",
      content: [
        { type: "text", text: "What is" },
        { type: "text", text: "the weather?" },
      ],
    },
    { role: "assistant", content: [{ type: "tool_use", id: "a", name: "weather", input: { city: "Rome" } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "sunny" }] },
  ];

  test("is read whole: model, prompt, system, user, messages as sent, and all else as options", () => {
    const rest = { max_tokens: 10, temperature: 0.5, tools: [{ name: "weather" }], thinking: { type: "x" } };
    const body = { model: "m", stream: true, system: "Be brief.", metadata: { user_id: "u" }, messages };
    const { options, messages: kept, ...asked } = askedOf(anthropicMessages, { ...body, ...rest });
    expect(asked).toEqual({
      operation: "chat",
      model: "m",
      stream: true,
      user: "u",
      // What tools said is nobody's words.
      prompt: "What is\nthe weather?",
      system: "Be brief.",
      wrong: null,
    });
    expect([JSON.parse(options ?? ""), JSON.parse(kept ?? "")]).toEqual([rest, messages]);
  });

  test("may have its system prompt in blocks, and its text beside what tools said", () => {
    const content = [
      { type: "tool_result", tool_use_id: "a", content: "x" },
      { type: "text", text: "Go on." },
    ];
    const system = [
      { type: "text", text: "One." },
      { type: "text", text: "Two.", cache_control: {} },
    ];
    const asked = askedOf(anthropicMessages, { system, messages: [...messages, { role: "user", content }] });
    expect([asked.system, asked.prompt]).toEqual(["One.\nTwo.", "Go on."]);
  });

  test("keeps images and documents as their type, size and digest, those in a tool's result too", () => {
    const data = Buffer.from("an image").toString("base64");
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data } };
    const plain = { type: "document", source: { type: "text", media_type: "text/plain", data: "words" } };
    const content = [image, { type: "tool_result", tool_use_id: "a", content: [image] }, plain];
    const asked = askedOf(anthropicMessages, { messages: [{ role: "user", content }] });
    const sha256 = new Bun.CryptoHasher("sha256").update("an image").digest("hex");
    const kept = { type: "image", source: { type: "image/png", bytes: 8, sha256 } };
    expect(JSON.parse(asked.messages ?? "")).toEqual([
      { role: "user", content: [kept, { type: "tool_result", tool_use_id: "a", content: [kept] }, plain] },
    ]);
    expect(asked.messages).not.toContain(data);
  });

  test("is read without a throw, whatever JSON it is", () => {
    const value = fc.jsonValue();
    const block = fc.record(
      { type: fc.constantFrom("text", "image", "tool_result"), text: value },
      { requiredKeys: [] },
    );
    const message = fc.record({
      role: fc.constantFrom("user", 7),
      content: fc.oneof(value, fc.array(block)),
    });
    const body = fc.record(
      { model: value, system: value, metadata: value, messages: fc.oneof(value, fc.array(message)) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(value, body), (json) => {
        expect(askedOf(anthropicMessages, JSON.stringify(json)).wrong).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

test("errors have the type that Anthropic's clients know for their status", async () => {
  const types = [...([400, 401, 403, 404, 413, 429] as const), ...([500, 502, 503, 504, 529] as const)].map(
    async (status) => {
      const response = refuseAnthropic(new Failure("x", status, "", "words"));
      return [response.status, ((await response.json()) as { error: { type: string } }).error.type];
    },
  );
  expect(await Promise.all(types)).toEqual([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [413, "request_too_large"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [502, "api_error"],
    [503, "overloaded_error"],
    [504, "timeout_error"],
    [529, "overloaded_error"],
  ]);
  expect(refuseAnthropic(failure.stopping()).headers.has("x-should-retry")).toBe(false);
  expect(refuseAnthropic(failure.canceled()).headers.get("x-should-retry")).toBe("false");
});
