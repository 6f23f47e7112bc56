/** What is told of the replies that a real Ollama gave. */
import { expect, test } from "bun:test";
import { anthropicMessages } from "../../../src/gateway/dialects/anthropic/messages";
import { play } from "../playing";
import { cutAt, recording, recordings } from "../recordings";

const broken = `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"broken"}}\n\n`;
const weather = { name: "get_weather", arguments: { city: "Paris" } };

/** What differs from a reply of text that ends well. */
const told: Record<string, object> = {
  stream: {
    text: "Hello! I'm here to help with any programming or coding",
    outcome: "length",
    finishReason: "max_tokens",
    tokensIn: 20,
    tokensOut: 12,
  },
  whole: {
    text: "I'm so glad you're here. I'm so glad you're here. I'm so glad you're here. I'm so glad you're here. I'm so glad you're here.",
    outcome: "length",
    finishReason: "max_tokens",
    tokensIn: 12,
    tokensOut: 40,
  },
  "whole-stop-sequence": { text: "I'm so glad you're here", tokensIn: 12, tokensOut: 8 },
  "tools-thinking-stream": {
    thinking: "The user wants the weather.",
    toolCalls: [{ id: "call_ffizwcju", function: weather }],
    finishReason: "tool_use",
    tokensIn: 137,
    tokensOut: 40,
  },
  "tools-thinking-whole": {
    thinking: "The user wants the weather.",
    toolCalls: [{ id: "call_yu6ux884", function: weather }],
    finishReason: "tool_use",
    tokensIn: 137,
    tokensOut: 40,
  },
  "no-text-stream": { finishReason: "stop_sequence" },
  "no-text-whole": { finishReason: "stop_sequence" },
  "runner-killed-stream": { text: "In", outcome: null, finishReason: null },
  "runner-killed-whole": refused(
    "engine_error",
    "an error was encountered while running the model: unexpected EOF",
  ),
  "unknown-model": refused("rejected", "model 'nope' not found"),
  "unknown-model-stream": refused("rejected", "model 'nope' not found"),
  "bad-body": refused("engine_error", "unexpected EOF"),
  "no-max-tokens": refused("engine_error", "max_tokens is required and must be positive"),
  "no-tools": refused("engine_error", "registry.ollama.ai/library/smollm2:135m does not support tools"),
  "image-by-url": refused(
    "engine_error",
    "invalid image source type: url. Only base64 images are supported.",
  ),
  "image-to-blind-model": refused(
    "engine_error",
    '{"error":{"code":400,"message":"Multimodal data provided, but model does not support multimodal requests.","type":"invalid_request_error"}}',
  ),
};

function refused(outcome: string, error: string) {
  return { outcome, error, finishReason: null };
}

const ordinary = {
  ...{ text: null, thinking: null, toolCalls: null, outcome: "complete", finishReason: "end_turn" },
  ...{ tokensIn: null, tokensOut: null, tokensCached: null, error: null },
  ...{ loadMs: null, prefillMs: null, decodeMs: null },
};

test("every recording of /v1/messages is told, and no other", () => {
  expect(recordings("anthropic").sort()).toEqual(
    Object.keys(told)
      .map((name) => `anthropic/${name}`)
      .sort(),
  );
});

test.each(Object.keys(told))("%s passes to the byte and is told as it is", (name) => {
  const { version, path, status, headers, body } = recording(`anthropic/${name}`);
  expect([version, path]).toEqual(["0.33.0-rc2", "/v1/messages"]);
  const bytes = new TextEncoder().encode(body);
  for (const pieces of [[bytes], cutAt(bytes, [...bytes.keys()])]) {
    const got = play(anthropicMessages, { status, headers }, pieces);
    expect(got.client).toBe(name === "runner-killed-stream" ? body + broken : body);
    expect(got.status).toBe(status);
    const { firstAt, longestGapMs, toolCalls, ...rest } = got.told;
    expect({ ...rest, toolCalls: toolCalls === null ? null : JSON.parse(toolCalls) }).toEqual({
      ...ordinary,
      ...told[name],
    } as never);
  }
});

test("the first token is the first delta or the start of a tool call, and not what comes before", () => {
  for (const [name, first] of [
    ["stream", '"text":"Hello"'],
    ["tools-thinking-stream", '"thinking":"The"'],
  ] as const) {
    const { status, headers, body } = recording(`anthropic/${name}`);
    const events = body.split(/(?<=\n\n)/).map((event) => new TextEncoder().encode(event));
    const { told } = play(anthropicMessages, { status, headers }, events);
    const at = body.split(/(?<=\n\n)/).findIndex((event) => event.includes(first)) + 1;
    expect(told.firstAt).toBe(at);
    // Between the last word of thinking and the tool call a block ends and one begins.
    expect(told.longestGapMs).toBe(name === "stream" ? 1 : 2);
  }
});
