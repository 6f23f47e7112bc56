/** Replies as the network cuts them: wherever, the client gets the same and the record says the same. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { failure } from "../../src/errors";
import { contractChat } from "../../src/gateway/dialects/contract/chat";
import type { Asked, Dialect } from "../../src/gateway/dialects/dialect";
import { ollamaChat } from "../../src/gateway/dialects/ollama/chat";
import { ollamaGenerate } from "../../src/gateway/dialects/ollama/generate";
import { cutAt } from "./recordings";

const ndjson = { status: 200, headers: new Headers({ "content-type": "application/x-ndjson" }) };
const keep = { mostCharacters: 1_000_000, arrivedAt: 0 };

/** Lines as a real Ollama 0.12 sent them, and some that only a bad day sends. */
const token = (content: string) =>
  `{"model":"smollm2:135m","created_at":"2026-11-25T01:08:07.151570269Z","message":{"role":"assistant","content":${JSON.stringify(content)}},"done":false}\n`;
const done =
  '{"model":"smollm2:135m","created_at":"2026-11-25T01:08:07.197955688Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","total_duration":121000000,"load_duration":48000000,"prompt_eval_count":32,"prompt_eval_duration":12000000,"eval_count":5,"eval_duration":42000000}\n';
const error = '{"error":"an error was encountered while running the model"}\n';

/** What a client gets and what is told of a reply whose bytes come in these pieces. */
function play(dialect: Dialect, pieces: readonly Uint8Array[], head = ndjson) {
  const reply = dialect.reply(asked, head, keep);
  const out = [...pieces.map((piece) => reply.take(piece, 1)), reply.finish(1)];
  if (!reply.ended) out.push(reply.fail(failure.engineAnswer(502, "broken")));
  const { text, thinking, toolCalls, outcome, tokensIn, tokensOut, error: words } = reply.told();
  return {
    client: Buffer.concat(out).toString(),
    status: reply.head?.status ?? null,
    ended: reply.ended,
    told: { text, thinking, toolCalls, outcome, tokensIn, tokensOut, words },
  };
}

const asked: Asked = {
  operation: "chat",
  model: "smollm2:135m",
  stream: true,
  user: null,
  prompt: null,
  system: null,
  messages: null,
  options: null,
  wrong: null,
};

const contents = fc.array(fc.string({ unit: "binary", maxLength: 8 }), { maxLength: 6 });
const starts = fc.constantFrom("", "", "not JSON\n", "\r\n");
const ends = fc.constantFrom(done, error, "", "not JSON\n", '{"half', `${done}${error}`, `\n\n${done}\n`);
const cuts = fc.array(fc.nat(), { maxLength: 12 });

for (const dialect of [contractChat, ollamaChat]) {
  test(`bytes of ${dialect.name} cut anywhere make the same reply and the same record`, () => {
    fc.assert(
      fc.property(starts, contents, ends, cuts, (start, said, end, places) => {
        const bytes = new TextEncoder().encode(start + said.map(token).join("") + end);
        expect(play(dialect, cutAt(bytes, places))).toEqual(
          play(dialect, cutAt(bytes, bytes.length > 0 ? [...bytes.keys()] : [])),
        );
      }),
      { numRuns: 150 },
    );
  });
}

test("a stream that ended well passes Ollama's own paths to the byte, and is told whole", () => {
  fc.assert(
    fc.property(contents, cuts, (said, places) => {
      const text = said.map(token).join("") + done;
      const { client, ended, told } = play(ollamaChat, cutAt(new TextEncoder().encode(text), places));
      expect(client).toBe(text);
      expect(ended).toBe(true);
      expect(told).toEqual({
        text: said.join("").toWellFormed(),
        thinking: null,
        toolCalls: null,
        outcome: "length",
        tokensIn: 32,
        tokensOut: 5,
        words: null,
      });
    }),
    { numRuns: 150 },
  );
});

test("whatever the engine sends, the contract's client gets events, or one JSON body, and at most one end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), contents, ends, cuts, (noise, said, end, places) => {
      const bytes = Buffer.concat([noise, Buffer.from(`\n${said.map(token).join("")}${end}`)]);
      const { client, status } = play(contractChat, cutAt(bytes, places));
      if (status === 502) return void JSON.parse(client);
      expect(status).toBe(200);
      const told = client.split("\n\n").slice(0, -1);
      const last = told.filter(
        (event) => !/^data: \{"token":(?!"\[DONE\]","latency_ms":0,"total_tokens")/.test(event),
      );
      expect(last).toHaveLength(1);
      expect(told.at(-1)).toBe(last[0] as string);
    }),
    { numRuns: 200 },
  );
});

test("an engine's error that is more than one line is read as one", () => {
  const head = { status: 500, headers: new Headers({ "content-type": "application/json" }) };
  const bytes = new TextEncoder().encode('{\n  "error": "out of memory"\n}\n');
  const passed = play(ollamaChat, [bytes], head);
  expect([passed.client, passed.told.words]).toEqual([new TextDecoder().decode(bytes), "out of memory"]);
  expect(JSON.parse(play(contractChat, [bytes], head).client)).toEqual({
    detail: "Ollama answered with an error",
    error: "out of memory",
  });
});

test("texts are kept up to a limit, and pass beyond it", () => {
  const reply = ollamaChat.reply(asked, ndjson, { mostCharacters: 10, arrivedAt: 0 });
  const chunk = new TextEncoder().encode(token("0123456"));
  for (const _ of [1, 2, 3]) expect(reply.take(chunk, 1)).toBe(chunk);
  expect(reply.told().text).toBe("0123456012");
});

test("images are kept as their size and digest", () => {
  const image = Buffer.from("an image").toString("base64");
  const kept = { bytes: 8, sha256: new Bun.CryptoHasher("sha256").update("an image").digest("hex") };
  const ask = (dialect: Dialect, json: object) =>
    dialect.ask({ bytes: new TextEncoder().encode(JSON.stringify(json)), compressed: false, json });
  const chat = ask(ollamaChat, {
    model: "llava",
    messages: [{ role: "user", content: "what?", images: [image, 7] }],
  });
  expect(JSON.parse(chat.messages ?? "")).toEqual([{ role: "user", content: "what?", images: [kept, null] }]);
  const generate = ask(ollamaGenerate, { model: "llava", prompt: "what?", images: [image] });
  expect(JSON.parse(generate.messages ?? "")).toEqual([{ images: [kept] }]);
});

test("asking never throws, whatever JSON it is", () => {
  const odd = fc.record(
    {
      model: fc.jsonValue(),
      messages: fc.jsonValue(),
      prompt: fc.jsonValue(),
      options: fc.jsonValue(),
      system: fc.jsonValue(),
      images: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), odd), (json) => {
      const body = { bytes: new TextEncoder().encode(JSON.stringify(json)), compressed: false, json };
      for (const dialect of [contractChat, ollamaChat, ollamaGenerate]) {
        if (!dialect.claims(body)) continue;
        const { wrong, model } = dialect.ask(body);
        expect(wrong === null || wrong.status === 400).toBe(true);
        expect(model === null || typeof model === "string").toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
