/** What a real Ollama 0.33.0-rc2 answered under /v1 (test/recordings/openai), held against what is told of it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Told } from "../../../src/gateway/dialects/dialect";
import { openAiChat } from "../../../src/gateway/dialects/openai/chat";
import { cutAt } from "../recordings";
import { dialectOf, play, recording, recordingNames } from "./recordings";

const call = (arguments_: string) => ({ name: "get_weather", arguments: arguments_ });
const paris = '{"city":"Paris"}';
const midway =
  "Ollama ended its answer in the middle, by an error whose words its OpenAI API leaves out: see GET /api/engine/log";
const lost = "an error was encountered while running the model: unexpected EOF";
const sky = "The sky blue is a result";

/** What is told of each; what is not listed is null, but for times. */
const expected: Record<string, Partial<Told>> = {
  "chat-stream": { text: sky, finishReason: "length", outcome: "length" },
  "chat-stream-usage": { text: sky, tokensIn: 15, tokensOut: 6, finishReason: "length", outcome: "length" },
  "chat-stream-stop-usage": { text: "The sky blue is a", tokensIn: 15, tokensOut: 6, finishReason: "stop" },
  "chat-whole": { text: sky, tokensIn: 15, tokensOut: 6, finishReason: "length", outcome: "length" },
  "chat-whole-stop": { text: "The sky blue is a", tokensIn: 15, tokensOut: 6, finishReason: "stop" },
  "chat-thinking-stream-usage": { text: "", thinking: "The sky blue is a", outcome: "length" },
  "chat-thinking-whole": { text: "", thinking: "The sky blue is a", outcome: "length" },
  "chat-tools-stream-usage": { text: "", tokensIn: 70, tokensOut: 20, finishReason: "tool_calls" },
  "chat-tools-whole": { text: "", tokensIn: 70, tokensOut: 20, finishReason: "tool_calls" },
  "chat-unknown-model": { outcome: "rejected", error: "model 'nope' not found" },
  "chat-no-messages": { outcome: "engine_error", error: "[] is too short - 'messages'" },
  "chat-runner-killed-usage": { text: "The night was a", outcome: null, error: midway },
  "chat-runner-killed-whole": { outcome: "engine_error", error: lost },
  "chat-server-killed-usage": { text: "The night was a", outcome: null },
  "completions-stream": { text: "The sky is a beautiful", finishReason: "length", outcome: "length" },
  "completions-stream-usage": {
    text: "The sky is a beautiful",
    tokensIn: 12,
    tokensOut: 5,
    outcome: "length",
  },
  "completions-whole": { text: "The sky is a beautiful", tokensIn: 12, tokensOut: 5, outcome: "length" },
  "completions-unknown-model": { outcome: "rejected", error: "model 'nope' not found" },
  "completions-runner-killed": { text: "The story of the", outcome: null, error: midway },
  "embeddings-whole": { text: null, tokensIn: 4, tokensOut: null, outcome: "complete" },
  "embeddings-base64": { text: null, tokensIn: 3, outcome: "complete" },
  "embeddings-unknown-model": { outcome: "rejected", error: 'model "nope" not found, try pulling it first' },
  "embeddings-no-input": { outcome: "engine_error", error: "invalid input" },
  "responses-stream": { text: "The sky appears blue", tokensIn: 23, tokensOut: 4, outcome: "complete" },
  "responses-whole": { text: "The sky blue is", tokensIn: 15, tokensOut: 4, outcome: "complete" },
  "responses-thinking-stream": { text: null, thinking: "The sky blue is", tokensIn: 18, tokensOut: 4 },
  "responses-thinking-whole": { text: "", thinking: "The sky blue is", tokensIn: 18, tokensOut: 4 },
  "responses-tools-stream": { text: null, tokensIn: 68, tokensOut: 20, outcome: "complete" },
  "responses-tools-whole": { text: null, tokensIn: 68, tokensOut: 21, outcome: "complete" },
  "responses-unknown-model": { outcome: "rejected", error: "model 'nope' not found" },
  "responses-bad-item": { outcome: "engine_error", error: 'input[0]: unknown input item type: "nonsense"' },
  "transcriptions-whole": { text: "The audio is in en", outcome: "complete", finishReason: null },
  "transcriptions-text": { text: "The audio is exactly as", outcome: "complete" },
  "transcriptions-verbose": { text: "The audio is exactly as", outcome: "complete" },
  "transcriptions-stream": { text: "The audio is exactly as", outcome: "complete" },
  "transcriptions-runner-killed-whole": { text: null, outcome: null },
  "transcriptions-deaf-model": { outcome: "engine_error", error: expect.stringContaining("Multimodal data") },
  "transcriptions-unknown-model": { outcome: "rejected", error: "model 'nope' not found" },
  "transcriptions-no-model": { outcome: "engine_error", error: "model is required" },
  "transcriptions-no-file": { outcome: "engine_error", error: "file is required: http: no such file" },
  "transcriptions-empty-file": { outcome: "engine_error", error: "audio file is empty" },
  "transcriptions-no-form": {
    outcome: "engine_error",
    error: expect.stringMatching(/^failed to parse multipart form/),
  },
  "responses-runner-killed": { text: "The", outcome: null, error: null },
};

describe("an answer of a real Ollama", () => {
  test.each(Object.entries(expected))("%s is told as it was", (name, wanted) => {
    const { path, request, body, ...head } = recording(name);
    const { told } = play(dialectOf(path), request, head, [body]);
    expect(told).toMatchObject(wanted);
    expect(told).toMatchObject({ tokensCached: null, loadMs: null, prefillMs: null, decodeMs: null });
  });

  test("tool calls are told with their names and arguments, streamed and whole", () => {
    const told = (name: string) => {
      const { path, request, body, ...head } = recording(name);
      return JSON.parse(play(dialectOf(path), request, head, [body]).told.toolCalls ?? "");
    };
    for (const name of ["chat-tools-stream-usage", "chat-tools-whole"])
      expect(told(name)).toEqual([
        { id: expect.stringMatching(/^call_/), type: "function", function: call(paris) },
      ]);
    for (const name of ["responses-tools-stream", "responses-tools-whole"])
      expect(told(name)).toEqual([
        { type: "function_call", call_id: expect.stringMatching(/^call_/), ...call(paris) },
      ]);
  });

  test("passes to the byte, wherever it is cut, and is told the same", () => {
    for (const name of recordingNames()) {
      const { path, request, body, ...head } = recording(name);
      const dialect = dialectOf(path);
      const whole = play(dialect, request, head, [body]);
      const ends = !name.includes("killed") || name.endsWith("whole");
      if (!name.startsWith("chat-stream") || request.includes("include_usage"))
        expect(whole.passed).toBe(new TextDecoder().decode(body));
      expect([name, whole.broken === ""]).toEqual([name, ends]);
      const counted = (result: typeof whole) => ({ ...result.told, firstAt: null, longestGapMs: null });
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 8 }), (places) => {
          const cut = play(dialect, request, head, cutAt(body, places));
          expect([cut.passed, cut.broken, counted(cut)]).toEqual([
            whole.passed,
            whole.broken,
            counted(whole),
          ]);
        }),
        { numRuns: 10 },
      );
    }
  });
});

describe("a chat's stream that was asked for usage on Corral's behalf", () => {
  const { request, ...unasked } = recording("chat-stream");
  const { body, ...head } = recording("chat-stream-usage");
  const steady = (text: string) => text.replace(/"(id|created)":("[^"]*"|\d+)/g, "");

  test("is for the client what it would have been without, and counted", () => {
    const { passed, told } = play(openAiChat, request, head, [body]);
    expect(steady(passed)).toBe(steady(new TextDecoder().decode(unasked.body)));
    expect(told).toMatchObject({ text: sky, tokensIn: 15, tokensOut: 6, outcome: "length" });
  });

  test("is the same wherever it is cut, at every single place and in single bytes", () => {
    const whole = play(openAiChat, request, head, [body]).passed;
    for (let place = 0; place <= body.length; place++)
      expect(play(openAiChat, request, head, cutAt(body, [place])).passed).toBe(whole);
    expect(play(openAiChat, request, head, cutAt(body, [...body.keys()])).passed).toBe(whole);
  });

  test("says its end only with [DONE], which goes on after the record", () => {
    const pieces = new TextDecoder().decode(body).split(/(?<=\n\n)/);
    const { endedBefore, passed } = play(
      openAiChat,
      request,
      head,
      pieces.map((piece) => new TextEncoder().encode(piece)),
    );
    expect(`${endedBefore}data: [DONE]\n\n`).toBe(passed);
  });

  test("has its first piece and gaps by content, not by roles, counts or the end", () => {
    const chunk = (delta: object) =>
      `data: {"model":"m","choices":[{"index":0,"delta":${JSON.stringify(delta)}}]}\n\n`;
    const pieces = [
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "", reasoning: "Hm" }),
      chunk({ content: "a" }),
      ": a comment\n\n",
      chunk({ content: "" }),
      chunk({ content: "b" }),
      'data: {"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":3}}\n\n',
      "data: [DONE]\n\n",
    ];
    const { told } = play(
      openAiChat,
      request,
      head,
      pieces.map((piece) => new TextEncoder().encode(piece)),
    );
    expect(told).toMatchObject({ firstAt: 1000, longestGapMs: 3000, text: "ab", thinking: "Hm" });
  });

  test("keeps a usage chunk that is not the one that was asked for, and tool calls in fragments are one", () => {
    const delta = (calls: object[]) =>
      `data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":${JSON.stringify(calls)}}}]}\n\n`;
    const usage = 'data: {"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n';
    const text = [
      delta([{ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }]),
      delta([{ index: 0, function: { arguments: ":1}" } }]),
      delta([{ index: 0, id: "b", function: { name: "g", arguments: "{}" } }]),
      usage,
      usage,
      "data: [DONE]\r\n\r\n",
    ].join("");
    const { passed, told } = play(openAiChat, request, head, [new TextEncoder().encode(text)]);
    expect(passed).toBe(text.replace(usage, ""));
    expect(JSON.parse(told.toolCalls ?? "")).toEqual([
      { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
      { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
    ]);
  });
});

test("a stream that stops short ends in an error of its dialect and without [DONE]; a half event is left out", () => {
  for (const name of ["chat-runner-killed-usage", "completions-runner-killed", "chat-server-killed-usage"]) {
    const { path, request, body, ...head } = recording(name);
    const half = new TextEncoder().encode('data: {"id":"chatcm');
    const { passed, broken } = play(dialectOf(path), request, head, [body, half]);
    expect(passed).toBe(new TextDecoder().decode(body));
    expect(broken).toBe(
      'data: {"error":{"message":"broken","type":"api_error","param":null,"code":"engine_error"}}\n\n',
    );
  }
  const { request, body, ...head } = recording("responses-runner-killed");
  const { broken } = play(dialectOf("/v1/responses"), request, head, [body]);
  const [event = "", data = ""] = broken.split("\n");
  expect(event).toBe("event: error");
  expect(JSON.parse(data.slice("data: ".length))).toMatchObject({
    type: "error",
    sequence_number: 5,
    code: "engine_error",
    message: "broken",
    error: { message: "broken", type: "api_error" },
  });
});
