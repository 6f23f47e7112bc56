/** Replies under /v1 on the wire: to the byte what Ollama sends, and an error in their dialect where it breaks off. */
import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { describeCorral } from "../../support/corral";
import { type Answer, asking, engineState, native, post, record } from "../asking";

const chat = "/v1/chat/completions";
const paths = Object.fromEntries(
  Object.entries(asking).flatMap(([dialect, way]) => (dialect.startsWith("openai.") ? [way] : [])),
);
/** What differs from one second to the next. */
const steady = (text: string) => text.replace(/"(created(_at)?|completed_at)":\d+/g, "");

describeCorral("under /v1", (corral) => {
  const both = (path: string, body: unknown, init: RequestInit = {}) =>
    Promise.all([post(corral().url + path, body, init), post(corral().engine + path, body, init)]);

  test("every path's answer is to the byte what Ollama's is, streamed and whole, however it is cut", async () => {
    const models = [
      "sim-emoji-split-tokens9",
      "sim-think-coalesce-tokens20",
      "sim-tools",
      "nope",
      "sim-http429",
    ];
    const cases = Object.entries(paths).flatMap(([path, ask]) =>
      models.flatMap((model) =>
        [true, false].map((stream) => ({ path, body: ask(`${model}:bytes`, { stream }) })),
      ),
    );
    const seen = ({ status, text, headers }: Answer, lengthOf: Headers) => ({
      status,
      text: steady(text),
      type: headers.get("content-type"),
      // A whole reply gets its length from Corral where Ollama sends it in pieces.
      length: lengthOf.has("content-length") ? headers.get("content-length") : null,
    });
    await Promise.all(
      cases.map(async ({ path, body }) => {
        const [through, straight] = await both(path, body);
        expect([path, body, seen(through, straight.headers)]).toEqual([
          path,
          body,
          seen(straight, straight.headers),
        ]);
      }),
    );
  });

  test("the engine gets a client's own bytes, with those that ask for usage between them", async () => {
    const body =
      '{ "model" : "sim-tokens2:spliced",\n"messages":[{"role":"user","content":"\\u0000\\ud800"}], "stream":true }';
    const { text } = await post(corral().url + chat, body);
    expect((await engineState(corral())).last).toMatchObject({
      body: { ...JSON.parse(body), stream_options: { include_usage: true } },
      headers: { "content-length": String(body.length + '"stream_options":{"include_usage":true},'.length) },
    });
    expect(text).not.toContain("usage");
    expect(text).toEndWith('"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    expect(await record(corral(), "sim-tokens2:spliced")).toMatchObject({
      tokens_out: 2,
      outcome: "complete",
    });
  });

  test("a client that says no to usage gets none, and is counted all the same", async () => {
    const more = { stream: true, stream_options: { include_usage: false } };
    const [through, straight] = await both(chat, native("sim-tokens2:refusing", more));
    expect(steady(through.text)).toBe(steady(straight.text));
    expect(await record(corral(), "sim-tokens2:refusing")).toMatchObject({ tokens_in: 2, tokens_out: 2 });
  });

  test("a compressed body goes on as it is: nothing can be put into it", async () => {
    const body = gzipSync(JSON.stringify(native("sim-tokens2:compressed", { stream: true })));
    const init = { body, headers: { "content-encoding": "gzip" } };
    const [through, straight] = await both(chat, "", init);
    // Ollama reads zstd only, and that under /v1/responses.
    expect([through.status, through.text]).toEqual([400, straight.text]);
    expect(await record(corral(), "sim-tokens2:compressed")).toMatchObject({ prompt: "hello there" });
  });

  test("a stream that breaks off ends in an error event and without [DONE]", async () => {
    const cases: [behaviour: string, words: RegExp][] = [
      ["sim-error3-tokens9", /^Ollama ended its answer in the middle/],
      ["sim-end3-tokens9", /^Ollama ended its answer in the middle$/],
      [
        "sim-cut3-delay30-tokens9",
        /^the connection to Ollama broke in the middle of its answer \(ECONNRESET\)$/,
      ],
    ];
    await Promise.all(
      Object.entries(paths).flatMap(([path, ask], index) =>
        cases.map(async ([behaviour, words]) => {
          const model = `${behaviour}:wire${index}`;
          const { status, text, broken } = await post(corral().url + path, ask(model, { stream: true }));
          expect([status, broken]).toEqual([200, false]);
          expect(text).not.toContain("[DONE]");
          const last = text.trimEnd().split("\n").at(-1) ?? "";
          expect(JSON.parse(last.slice("data: ".length)).error).toEqual({
            message: expect.stringMatching(words),
            type: "api_error",
            param: null,
            code: "engine_error",
          });
          expect(await record(corral(), model)).toMatchObject({
            outcome: "engine_error",
            http_status: 200,
            error: expect.stringMatching(words),
            response: expect.stringMatching(/./),
          } as never);
        }),
      ),
    );
  });

  test("a stream of which nothing can be read is no success, though it says its end", async () => {
    await post(corral().url + chat, native("sim-garbage:stream", { stream: true }));
    expect(await record(corral(), "sim-garbage:stream")).toMatchObject({
      outcome: "engine_error",
      error: "Ollama answered with something that is no JSON",
    });
  });

  test("before its first event, or in a whole reply, it is a 502 in OpenAI's shape and nothing else", async () => {
    const cases: [model: string, stream: boolean, words: string][] = [
      ["sim-end0:first", true, "Ollama ended its answer in the middle"],
      ["sim-half:first", true, "Ollama ended its answer in the middle"],
      ["sim-empty:first", true, "Ollama ended its answer in the middle"],
      ["sim-html:first", true, "Ollama answered with something that is no JSON"],
      ["sim-garbage:whole", false, "Ollama answered with something that is no JSON"],
      ["sim-end2-tokens5:whole", false, "Ollama ended its answer in the middle"],
      ["sim-cut2-tokens5:whole", false, "the connection to Ollama broke before it answered (ECONNRESET)"],
    ];
    await Promise.all(
      cases.map(async ([model, stream, message]) => {
        const answer = await post(corral().url + chat, native(model, { stream }));
        expect([model, answer.status, JSON.parse(answer.text)]).toEqual([
          model,
          502,
          { error: { message, type: "api_error", param: null, code: "engine_error" } },
        ]);
        expect(await record(corral(), model)).toMatchObject({ outcome: "engine_error", http_status: 502 });
      }),
    );
  });

  test("an engine that crashes in mid-stream ends it with an error that says so", async () => {
    const { text } = await post(corral().url + chat, native("sim-crash3-tokens9:wire", { stream: true }));
    const last = text.trimEnd().split("\n\n").at(-1) ?? "";
    expect(JSON.parse(last.slice("data: ".length)).error).toMatchObject({
      message: "Ollama ended while it answered: it is being started again, try once more",
      code: "engine_crash",
    });
    expect(await record(corral(), "sim-crash3-tokens9:wire")).toMatchObject({
      outcome: "engine_crash",
      tokens_out: null,
    });
  });
});
