import { describe, expect, test } from "bun:test";
import { describeCorral } from "../support/corral";
import { contract, engineState, events, lines, native, post, record } from "./asking";

describeCorral("POST /api/chat", (corral) => {
  describe("the contract's", () => {
    const chat = (body: unknown) => post(`${corral().url}/api/chat`, body);

    test("answers with an event a token, then [DONE] once with all tokens counted", async () => {
      const answer = await chat(contract("sim-tokens3:plain"));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/event-stream");
      const told = events(answer.text) as { token: string; latency_ms: number }[];
      expect(told.map((event) => Object.keys(event))).toEqual([
        ["token", "latency_ms"],
        ["token", "latency_ms"],
        ["token", "latency_ms"],
        ["token", "latency_ms", "total_tokens"],
      ]);
      expect(told.at(-1)).toEqual({ token: "[DONE]", latency_ms: 0, total_tokens: 5 } as never);
      const text = told.slice(0, -1).map((event) => event.token);
      expect(await record(corral(), "sim-tokens3:plain")).toMatchObject({
        prompt: "hello there",
        response: text.join(""),
        tokens_in: 2,
        tokens_out: 3,
        status: "success",
        outcome: "complete",
        http_status: 200,
        dialect: "contract.chat",
        stream: true,
        finish_reason: "stop",
        error: null,
        client_ip: "127.0.0.1",
      });
    });

    test("hands the engine what was asked, in Ollama's words", async () => {
      const options = { num_ctx: 2048, temperature: 1.5 };
      const more = { temperature: 0.5, top_p: 0.9, top_k: 7, seed: -3, max_tokens: 2, keep_alive: "5m" };
      const answer = await chat(contract("sim-tokens9:options", { system: "Be brief.", options, ...more }));
      expect(events(answer.text)).toHaveLength(3);
      expect((await engineState(corral())).last?.body).toEqual({
        model: "sim-tokens9:options",
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "hello there" },
        ],
        stream: true,
        options: { num_ctx: 2048, temperature: 0.5, top_p: 0.9, top_k: 7, seed: -3, num_predict: 2 },
        keep_alive: "5m",
      });
      expect(await record(corral(), "sim-tokens9:options")).toMatchObject({
        outcome: "length",
        status: "success",
        finish_reason: "length",
      });
    });

    test("says what is wrong with a field, what was given and what it takes", async () => {
      const cases: [object, string][] = [
        [{ temperature: 7 }, "temperature is 7: it takes a number from 0 to 2"],
        [{ temperature: "hot" }, 'temperature is "hot": it takes a number from 0 to 2'],
        [{ top_p: -1 }, "top_p is -1: it takes a number from 0 to 1"],
        [{ top_k: 1.5 }, "top_k is 1.5: it takes a whole number from 0 to 2147483647"],
        [{ seed: 1e20 }, "it takes a whole number from -2147483648 to 2147483647"],
        [{ max_tokens: 0 }, "max_tokens is 0: it takes a whole number from 1 to 2147483647"],
        [{ system: 5 }, "system is 5: it takes a text"],
        [{ options: [] }, "options is []: it takes a JSON object"],
        [{ keep_alive: true }, "keep_alive is true: it takes a text or a number"],
        [{ prompt: "" }, 'prompt is "": it takes a text of 1 characters or more'],
        [{ prompt: 7 }, "prompt is 7: it takes a text"],
        [{ model: 7 }, "model is 7: it takes a text of 1 to 350 characters"],
        [{ model: "" }, "model parameter is required"],
        [{ model: undefined }, "model parameter is required"],
      ];
      for (const [wrong, words] of cases) {
        const answer = await chat({ ...contract("sim-tokens1:wrong"), ...wrong });
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.text)).toEqual({
          detail: "Invalid request parameters",
          error: expect.stringContaining(words),
        });
      }
    });

    test("says where a body breaks that is no JSON", async () => {
      const answer = await chat('{"model":"x",\n"prompt":"y",}');
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toEqual({
        detail: "Invalid request parameters",
        error: expect.stringContaining("malformed JSON at position 27, line 2, column 14"),
      });
    });

    test("takes 64 MB and no more", async () => {
      const answer = await chat(contract("sim-tokens1:large", { prompt: "x".repeat(65_000_000) }));
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text)).toEqual({
        detail: "Request body too large",
        error: "the body is larger than the 64 MB that are taken here",
      });
    });

    test("an unknown model is a 404 that names it", async () => {
      const answer = await chat(contract("unknown_model"));
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.text)).toEqual({
        detail: "Model not found",
        error: "model 'unknown_model' not found",
        model: "unknown_model",
      });
      expect(await record(corral(), "unknown_model")).toMatchObject({
        outcome: "rejected",
        status: "error",
        http_status: 404,
        error: "model 'unknown_model' not found",
      });
    });

    test("thinking is kept and is no token of the answer", async () => {
      const answer = await chat(contract("sim-think-tokens6:contract"));
      const { response, thinking } = await record(corral(), "sim-think-tokens6:contract");
      expect(thinking).not.toBeEmpty();
      const told = events(answer.text) as { token: string }[];
      expect(told.map((event) => event.token).join("")).toBe(`${response}[DONE]`);
    });

    test("NUL and lone surrogates come back as they went", async () => {
      const answer = await chat('{"model":"sim-echo:odd","prompt":"a\\u0000b \\ud800"}');
      const told = events(answer.text) as { token: string }[];
      expect(told.map((event) => event.token).join("")).toBe("a\u0000b \ud800[DONE]");
      expect((await record(corral(), "sim-echo:odd")).outcome).toBe("complete");
    });

    test("JSON nested deeper than Ollama reads it is refused at once", async () => {
      const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
      const answer = await chat(`{"model":"sim-tokens1","prompt":"x","options":{"a":${deep}}}`);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text).error).toBe("the body's JSON is nested deeper than 10,000 levels");
    });
  });

  describe("Ollama's own, and generate", () => {
    test("take names in any case, as Go does, and so does their record", async () => {
      const messages = [{ Role: "User", CONTENT: "in capitals", Images: ["aGVsbG8="] }];
      const answer = await chat({ Model: "sim-tokens2:case", MESSAGES: messages, Stream: false });
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { done: true }]);
      const row = await record(corral(), "sim-tokens2:case");
      expect(row).toMatchObject({ prompt: "in capitals", stream: false, tokens_out: 2 });
      expect(JSON.stringify(row)).not.toContain("aGVsbG8=");
    });

    const chat = (body: unknown) => post(`${corral().url}/api/chat`, body);
    const generate = (body: unknown) => post(`${corral().url}/api/generate`, body);
    /** What differs from one asking to the next. */
    const steady = (text: string) => text.replace(/"(created_at|\w+_duration)":("[^"]*"|\d+),?/g, "");

    test("a stream is NDJSON, to the byte what Ollama sends", async () => {
      const [through, straight] = [
        await chat(native("sim-emoji-split-tokens9:bytes")),
        await post(`${corral().engine}/api/chat`, native("sim-emoji-split-tokens9:bytes")),
      ];
      expect(through.headers.get("content-type")).toBe("application/x-ndjson");
      expect(steady(through.text)).toBe(steady(straight.text));
      const said = (lines(through.text) as { message: { content: string } }[]).map(
        (line) => line.message.content,
      );
      expect(await record(corral(), "sim-emoji-split-tokens9:bytes")).toMatchObject({
        response: said.join(""),
        tokens_out: 9,
        outcome: "complete",
        dialect: "ollama.chat",
        stream: true,
      });
    });

    test("the engine gets the body as it came, whatever is in it", async () => {
      const body =
        '{ "model" : "sim-tokens1:body",\n"messages":[{"role":"user","content":"\\u0000\\ud800"}], "new": 1 }';
      await chat(body);
      expect((await engineState(corral())).last).toMatchObject({
        path: "/api/chat",
        body: JSON.parse(body),
        headers: { "content-length": String(body.length) },
      });
    });

    test("a whole reply has its length, and is on record", async () => {
      const answer = await chat(native("sim-tokens4:whole", { stream: false }));
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(answer.headers.get("content-length")).toBe(String(Buffer.byteLength(answer.text)));
      const reply = JSON.parse(answer.text);
      expect(await record(corral(), "sim-tokens4:whole")).toMatchObject({
        response: reply.message.content,
        tokens_in: 2,
        tokens_out: 4,
        outcome: "complete",
        stream: false,
        ttft_ms: null,
      });
    });

    test("no messages load the model, which is no reply", async () => {
      const answer = await chat({ model: "sim-load5:preload", messages: [] });
      expect(JSON.parse(answer.text)).toMatchObject({ done: true, done_reason: "load" });
      expect(await record(corral(), "sim-load5:preload")).toMatchObject({
        outcome: "complete",
        finish_reason: "load",
        prompt: null,
        tokens_in: null,
        tokens_out: null,
      });
    });

    test("generate passes and is on record as a completion", async () => {
      const answer = await generate({
        model: "sim-tokens3:generate",
        prompt: "Once upon",
        system: "A bard.",
      });
      const told = lines(answer.text) as { response: string; done: boolean }[];
      expect(told.at(-1)?.done).toBe(true);
      expect(await record(corral(), "sim-tokens3:generate")).toMatchObject({
        prompt: "Once upon",
        response: told.map((line) => line.response).join(""),
        dialect: "ollama.generate",
        outcome: "complete",
      });
    });

    test("a prompt of chat with messages beside it is Ollama's, and so is a body without either", async () => {
      const both = await chat({ ...native("sim-tokens1:both"), prompt: "x" });
      expect(both.headers.get("content-type")).toBe("application/x-ndjson");
      const neither = await chat({ model: "sim-tokens1:neither" });
      expect(JSON.parse(neither.text).done_reason).toBe("load");
    });

    test("what is wrong with a body Ollama says in its own words", async () => {
      const bodies = [
        "",
        "{",
        "null",
        "[]",
        '"x"',
        '{"messages":[]}',
        '{"model":"","messages":[]}',
        '{"model":7}',
      ];
      for (const body of bodies) {
        const [through, straight] = [await chat(body), await post(`${corral().engine}/api/chat`, body)];
        expect([through.status, through.text]).toEqual([straight.status, straight.text]);
        expect(through.status).toBe(400);
      }
    });

    test("an unknown model and other refusals pass to the byte", async () => {
      for (const model of [
        "nope:native",
        "sim-http400:refused",
        "sim-http401:refused",
        "sim-http429:refused",
        "sim-http503:refused",
        "a b",
      ]) {
        const [through, straight] = [
          await chat(native(model)),
          await post(`${corral().engine}/api/chat`, native(model)),
        ];
        expect([through.status, through.text]).toEqual([straight.status, straight.text]);
        expect(through.headers.get("content-length")).toBe(straight.headers.get("content-length"));
      }
      expect(await record(corral(), "nope:native")).toMatchObject({ outcome: "rejected", http_status: 404 });
      expect(await record(corral(), "sim-http503:refused")).toMatchObject({
        outcome: "engine_error",
        http_status: 503,
        error: "server busy, please try again.  maximum pending requests exceeded",
      });
    });

    test("names that Ollama refused are no models in the statistics", async () => {
      await chat(native("nope:statistics"));
      await chat({ model: "sim-tokens1:never", messages: "no list" });
      await record(corral(), "sim-tokens1:never");
      const { models } = JSON.parse((await (await fetch(`${corral().url}/api/models`)).text()) || "{}");
      const names = models.map((model: { name: string }) => model.name);
      expect(names).not.toContain("nope:statistics");
      expect(names).not.toContain("sim-tokens1:never");
    });

    test("JSON of depth 10,000 reaches the engine, and so does what is deeper", async () => {
      for (const depth of [9_990, 100_000]) {
        const deep = `${"[".repeat(depth)}${"]".repeat(depth)}`;
        const body = `{"model":"sim-tokens1","messages":[{"role":"user","content":"x","x":${deep}}]}`;
        const [through, straight] = [await chat(body), await post(`${corral().engine}/api/chat`, body)];
        expect([through.status, steady(through.text)]).toEqual([straight.status, steady(straight.text)]);
      }
    });

    test("tool calls and thinking pass, and thinking is kept apart", async () => {
      expect((await chat(native("sim-tools:native"))).text).toContain('"tool_calls":[{"id":"call_');
      expect((await record(corral(), "sim-tools:native")).outcome).toBe("complete");
      const told = lines((await chat(native("sim-think-tokens6:native"))).text) as {
        message: { content: string; thinking?: string };
      }[];
      expect(await record(corral(), "sim-think-tokens6:native")).toMatchObject({
        response: told.map((line) => line.message.content).join(""),
        thinking: told.map((line) => line.message.thinking ?? "").join(""),
      });
    });
  });
});
