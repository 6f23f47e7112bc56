import { expect, test } from "bun:test";
import { Ollama } from "ollama";
import { describeCorral } from "../../support/corral";
import { engineState, post, record } from "../asking";
import { recording, recordings } from "../recordings";

describeCorral("POST /api/embed and /api/embeddings", (corral) => {
  const both = ["/api/embed", "/api/embeddings"];
  /** What Corral and the engine itself answer, without what differs from one asking to the next. */
  const throughAndStraight = async (path: string, body: unknown) => {
    const answers = await Promise.all([corral().url, corral().engine].map((url) => post(url + path, body)));
    return answers.map(({ status, headers, text }) => ({
      status,
      type: headers.get("content-type"),
      length: Number(headers.get("content-length")) === Buffer.byteLength(text),
      text: text.replace(/"(total|load)_duration":\d+/g, ""),
    }));
  };

  test("pass to the byte what Ollama says, good and bad", async () => {
    const bodies: unknown[] = [
      { model: "nomic-embed-text", input: ["one", "two"], prompt: "one", dimensions: 3 },
      { model: "nomic-embed-text", input: [], prompt: "" },
      { model: "sim-embed-split:bytes", input: "ü", prompt: "ü" },
      { model: "sim-tokens1:bytes", input: "one", prompt: "one" },
      { model: "nope:embed", input: "one", prompt: "one" },
      { model: "nomic-embed-text", input: [1], prompt: 1 },
      { input: "one", prompt: "one" },
      "{",
    ];
    for (const path of both)
      for (const body of bodies) {
        const [through, straight] = await throughAndStraight(path, body);
        // Pieces have no length on their way here, and go on as one.
        expect({ ...through, length: true }).toEqual({ ...straight, length: true } as never);
        expect(through?.length).toBe(true);
      }
  });

  test("hand the engine the body as it came", async () => {
    for (const path of both) {
      const body = '{ "model":"sim-embed:body",\n"input":"\\u0000","prompt":"x","new":1.50 }';
      await post(corral().url + path, body);
      expect((await engineState(corral())).last).toMatchObject({
        path,
        body: JSON.parse(body),
        headers: { "content-length": String(body.length) },
      });
    }
  });

  const whole = { operation: "embedding", outcome: "complete", stream: false, response: null, ttft_ms: null };
  const uncounted = { tokens_out: null, prefill_ms: null, decode_ms: null, finish_reason: null };

  test("the official client's embed is on record, vectors are not", async () => {
    const client = new Ollama({ host: corral().url });
    const model = "sim-embed-load20:client";
    const reply = await client.embed({ model, input: ["one two", "three"], dimensions: 8 });
    expect(reply.embeddings.map((vector) => vector.length)).toEqual([8, 8]);
    const kept = await record(corral(), model);
    expect(kept).toMatchObject({
      ...{ ...whole, ...uncounted, dialect: "ollama.embed" },
      ...{ prompt: "one two\nthree", tokens_in: reply.prompt_eval_count },
      load_ms: reply.load_duration / 1e6,
    });
  });

  test("the official client's older embeddings are on record, without counts that nobody told", async () => {
    const client = new Ollama({ host: corral().url });
    const model = "sim-embed:client-older";
    expect((await client.embeddings({ model, prompt: "one two" })).embedding).toHaveLength(768);
    expect(await record(corral(), model)).toMatchObject({
      ...{ ...whole, ...uncounted, dialect: "ollama.embeddings" },
      ...{ prompt: "one two", tokens_in: null, load_ms: null },
    });
  });

  test("the simulator answers in the shapes of a real Ollama", async () => {
    const names = recordings("ollama").filter((name) => name.includes("/embed"));
    for (const name of names) {
      const { path, request, status, headers, body } = recording(name);
      const asked = request.replace("smollm2:135m", "llama3.2").replace("smollm2-embed", "nomic-embed-text");
      const answer = await post(corral().engine + path, asked);
      expect([name, answer.status, answer.headers.get("content-type")]).toEqual([
        name,
        status,
        headers.get("content-type"),
      ]);
      const [real, made] = [JSON.parse(body), JSON.parse(answer.text)];
      if (status === 200) expect(Object.keys(made)).toEqual(Object.keys(real));
      else expect(made).toEqual(real);
    }
  });

  test("an engine that refuses, breaks off or dies is a status and a record of it", async () => {
    const cases: [model: string, status: number, outcome: string, error: string][] = [
      ["nope:embed-one", 404, "rejected", 'model "nope:embed-one" not found, try pulling it first'],
      [
        "sim-embed-http503:one",
        503,
        "engine_error",
        "server busy, please try again.  maximum pending requests exceeded",
      ],
      ["sim-embed-end0:one", 502, "engine_error", "Ollama ended its answer in the middle"],
      ["sim-embed-html:one", 502, "engine_error", "Ollama answered with something that is no JSON"],
      [
        "sim-embed-crash0:one",
        502,
        "engine_crash",
        "Ollama ended before it answered: it is being started again, try once more",
      ],
    ];
    const check = async ([model, status, outcome, error]: (typeof cases)[number]) => {
      const answer = await post(`${corral().url}/api/embed`, { model, input: "one" });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, { error }]);
      expect(await record(corral(), model)).toMatchObject({ outcome, error, http_status: status });
    };
    const last = cases.pop();
    await Promise.all(cases.map(check));
    if (last) await check(last);
  });
});
