import { expect, test } from "bun:test";
import { Ollama } from "ollama";
import { describeCorral } from "../../support/corral";
import { post, record } from "../asking";

describeCorral("POST /api/embed and /api/embeddings", (corral) => {
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
