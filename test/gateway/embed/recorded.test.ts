/** What is told of the embeddings that a real Ollama made, and of those that it refused. */
import { expect, test } from "bun:test";
import type { Dialect } from "../../../src/gateway/dialects/dialect";
import { ollamaChat } from "../../../src/gateway/dialects/ollama/chat";
import { ollamaEmbed, ollamaEmbeddings } from "../../../src/gateway/dialects/ollama/embed";
import { askedOf, play } from "../playing";
import { cutAt, recording } from "../recordings";

const noEmbeddings = "This server does not support embeddings. Start it with `--embeddings`";
const notFound = 'model "nope" not found, try pulling it first';
const complete = { outcome: "complete", error: null };
const refused = (error: string, outcome = "engine_error") => ({ outcome, error });

const told: [name: string, dialect: Dialect, what: object][] = [
  ["embed", ollamaEmbed, { ...complete, tokensIn: 3, loadMs: 831.982427 }],
  ["embed-no-input", ollamaEmbed, complete],
  ["embed-no-embedding-model", ollamaEmbed, refused(noEmbeddings)],
  ["embed-bad-input", ollamaEmbed, refused("invalid input type")],
  ["embed-too-long", ollamaEmbed, refused("the input length exceeds the context length")],
  ["embed-unknown-model", ollamaEmbed, refused(notFound, "rejected")],
  ["embeddings", ollamaEmbeddings, complete],
  ["embeddings-no-prompt", ollamaEmbeddings, complete],
  ["embeddings-no-embedding-model", ollamaEmbeddings, refused(noEmbeddings)],
  ["embeddings-unknown-model", ollamaEmbeddings, refused(notFound, "rejected")],
];
const nothing = {
  ...{ text: null, thinking: null, toolCalls: null, firstAt: null, longestGapMs: null },
  ...{ tokensIn: null, tokensOut: null, tokensCached: null, loadMs: null, prefillMs: null, decodeMs: null },
  finishReason: null,
};

test.each(told)("%s passes to the byte and is told as it is", (name, dialect, what) => {
  const { version, path, request, status, headers, body } = recording(`ollama/${name}`);
  expect(version).toBe("0.33.0-rc2");
  const bytes = new TextEncoder().encode(body);
  for (const pieces of [[bytes], cutAt(bytes, [...bytes.keys()])]) {
    const got = play(dialect, { status, headers }, pieces);
    expect([got.client, got.status]).toEqual([body, status]);
    expect(got.told).toEqual({ ...nothing, ...what } as never);
  }
  const asked = askedOf(dialect, request);
  expect(dialect.outgoing({ bytes, compressed: false, json: null }, asked)).toEqual({ path, body: bytes });
});

test("a reply that is cut off, or holds no vectors, is no success", () => {
  const { status, headers, body } = recording("ollama/embed");
  for (let length = 0; length < body.length; length++) {
    const cut = play(ollamaEmbed, { status, headers }, [new TextEncoder().encode(body.slice(0, length))]);
    expect([cut.status, cut.ended, cut.client]).toEqual([null, false, ""]);
  }
  expect(play(ollamaEmbed, { status, headers }, [new TextEncoder().encode("{}")]).ended).toBe(false);
});

test("what is asked: the texts, each on a line of its own, and the options", () => {
  const more = { model: "m", dimensions: 4, truncate: false, options: { num_ctx: 9 }, keep_alive: 0 };
  const { options, ...asked } = askedOf(ollamaEmbed, { ...more, input: ["one", "two"] });
  expect(asked).toEqual({
    ...{ operation: "embedding", model: "m", stream: false, prompt: "one\ntwo" },
    ...{ user: null, system: null, messages: null, wrong: null },
  });
  const { model, ...kept } = more;
  expect(JSON.parse(options ?? "")).toEqual(kept);
  for (const input of [[], [1], {}, 7, null]) expect(askedOf(ollamaEmbed, { input }).prompt).toBeNull();
  expect(askedOf(ollamaEmbed, { input: "one" }).prompt).toBe("one");
  expect(askedOf(ollamaEmbeddings, { prompt: "one", input: "two" }).prompt).toBe("one");
});

test("a runner that dies in mid-stream of a chat is told in the words of Ollama's own last line", () => {
  const { status, headers, body } = recording("ollama/chat-runner-killed");
  const got = play(ollamaChat, { status, headers }, [new TextEncoder().encode(body)]);
  expect(got.client).toBe(body);
  expect(got.told).toMatchObject({
    ...{ outcome: "engine_error", text: "The" },
    error: "an error was encountered while running the model: unexpected EOF",
  });
});
