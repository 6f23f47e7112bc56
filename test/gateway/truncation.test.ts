import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { truncationOf } from "../../src/gateway/truncation";
import { describeCorral, eventually, getJson } from "../support/corral";
import { asking, native, post } from "./asking";

setDefaultTimeout(60_000);

type Sent = Parameters<typeof truncationOf>[0];

const sent = (fields: Partial<Sent> = {}): Sent => ({
  operation: "chat",
  prompt: null,
  system: null,
  messages: null,
  options: null,
  ...fields,
});
const chat = (...texts: readonly string[]) =>
  JSON.stringify(texts.map((content, index) => ({ role: index % 2 ? "assistant" : "user", content })));
const text = (words: number, word = "river ") => word.repeat(words).trim();

test("of what a real Ollama 0.33.0-rc2 counted it is said where words are missing, and nowhere else", () => {
  const small = JSON.stringify({ options: { num_ctx: 256 } });
  const tenOf = (words: number) => chat(...Array.from({ length: 10 }, () => text(words)), text(20));
  for (const [fields, tokensIn, contextLength, truncation] of [
    [{ prompt: text(230), options: small }, 243, 256, null],
    [{ prompt: text(240), options: small }, 253, 256, null],
    [{ prompt: text(250), options: small }, 130, 256, "truncated"],
    [{ messages: chat(text(1000)), options: small }, 130, 256, "truncated"],
    [{ messages: chat("hi"), system: text(1000), options: small }, 130, 256, "truncated"],
    [{ messages: tenOf(20), options: small }, 249, 256, null],
    [{ messages: tenOf(60), options: small }, 235, 256, "truncated"],
    [{ messages: tenOf(1000), options: small }, 29, 256, "truncated"],
    [{ prompt: text(1000), options: '{"options":{"num_ctx":256,"num_keep":50}}' }, 153, 256, "truncated"],
    [{ messages: chat(text(6000)) }, 2050, 4096, "truncated"],
    [{ messages: chat(text(6000)) }, 2050, null, "truncated_likely"],
    [{ messages: chat(text(5000), text(3000), text(300)) }, 3381, 4096, "truncated"],
    [{ messages: chat("hi") }, 10, 4096, null],
    [{ operation: "embedding", prompt: text(60) }, 60, 64, null],
    [{ operation: "embedding", prompt: text(70) }, 62, 64, "truncated"],
    [{ operation: "embedding", prompt: [10, 500, 20].map((n) => text(n)).join("\n") }, 92, 64, "truncated"],
    [{ operation: "embedding", prompt: text(9000) }, 2046, 4096, "truncated"],
  ] as const)
    expect([fields, truncationOf(sent(fields), tokensIn, contextLength)]).toEqual([fields, truncation]);
});

test("less certain signs are called likely", () => {
  for (const [fields, tokensIn, contextLength] of [
    // Half a context, which is what Ollama cuts to, of far more characters.
    [{ prompt: text(1200, "internationalisation ") }, 2050, 4096],
    // Chinese has no spaces.
    [{ prompt: "河".repeat(12_000) }, 2050, 4096],
    // Messages that were left out, of a chat with no more words than the context has tokens.
    [{ messages: chat(text(1800), text(1800), text(300)) }, 2900, 4096],
    // Not counted.
    [{ prompt: text(5000) }, null, 4096],
  ] as const)
    expect([fields, truncationOf(sent(fields), tokensIn, contextLength)]).toEqual([
      fields,
      "truncated_likely",
    ]);
});

test("a prompt beside images is looked at like any other", () => {
  const messages = JSON.stringify([{ images: [{ bytes: 1, sha256: "" }] }]);
  const asked = sent({ operation: "completion", prompt: text(5000), messages });
  expect(truncationOf(asked, 2050, 4096)).toBe("truncated");
});

test("what a template may leave out by itself proves nothing", () => {
  const turn = (message: object) =>
    JSON.stringify([{ role: "user", content: "x" }, message, { role: "user", content: "y" }]);
  const said = { content: text(5000) };
  expect(truncationOf(sent({ messages: turn({ role: "tool", ...said }) }), 10, 4096)).toBe(
    "truncated_likely",
  );
  expect(truncationOf(sent({ messages: turn({ role: "foo", ...said }) }), 10, 4096)).toBe("truncated_likely");
  expect(truncationOf(sent({ messages: turn({ type: "reasoning", ...said }) }), 10, 4096)).toBeNull();
});

test("it is not said of a prompt that may not be cut, nor of thinking that a template leaves out", () => {
  expect(truncationOf(sent({ prompt: text(5000), options: '{"truncate":false}' }), 100, 4096)).toBeNull();
  const thought = `<think>${text(5000)}</think> four`;
  expect(truncationOf(sent({ messages: chat("two and two", thought, "thanks") }), 20, 4096)).toBeNull();
  const blocks = [
    { type: "thinking", thinking: text(5000) },
    { type: "text", text: "four" },
  ];
  const messages = JSON.stringify([{ role: "assistant", content: blocks }]);
  expect(truncationOf(sent({ messages }), 20, 4096)).toBeNull();
});

/** Texts as people and programs write them: words of any script and length, whatever stands between them. */
const anyText = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("river", "河流", "かわ", "—", "x1", "  ", "\n"),
      ),
      fc.constantFrom(" ", "\n", "", "\t ", ","),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.flat().join(""));
/** No fewer tokens than a vocabulary makes of a text that joins as much as any does: a word of six letters is one. */
const tokensOf = (said: string) =>
  said.split(/\s+/u).reduce((sum, word) => sum + Math.ceil(word.length / 6), 0) +
  (said.match(/\s|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0);
const anyContext = fc.constantFrom(null, 8, 64, 4096);

test("a prompt that reached the model whole is never called truncated", () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { minLength: 1, maxLength: 5 }),
      anyText,
      fc.nat({ max: 50 }),
      fc.constantFrom("chat" as const, "completion" as const, "embedding" as const),
      anyContext,
      (texts, system, more, operation, context) => {
        const tokensIn = [...texts, system].reduce((sum, said) => sum + tokensOf(said), more);
        const fits = context === null || tokensIn <= context ? context : tokensIn;
        const asked = sent({ operation, system, messages: chat(...texts) });
        expect(truncationOf(asked, tokensIn, fits)).toBeNull();
      },
    ),
  );
});

test("more words than the context has tokens are always called truncated, whatever was left of them", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (context, over, messages, share) => {
        const each = Math.ceil((context + over) / messages);
        const asked = sent({ messages: chat(...Array.from({ length: messages }, () => text(each))) });
        const left = Math.max(1, Math.floor(context * share));
        expect(truncationOf(asked, left, context)).toBe("truncated");
      },
    ),
  );
});

test("whatever JSON a client sends as messages and options can be read", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.jsonValue(),
      anyContext,
      anyContext,
      (messages, options, tokens, context) => {
        const asked = sent({ messages: JSON.stringify(messages), options: JSON.stringify(options) });
        expect(["truncated", "truncated_likely", null]).toContain(truncationOf(asked, tokens, context));
      },
    ),
  );
  const deep = `${"[".repeat(9000)}${"]".repeat(9000)}`;
  expect(truncationOf(sent({ messages: deep }), 5, 4096)).toBeNull();
});

describeCorral("prompts that are longer than the model's context", (corral) => {
  const model = "sim-tokens3:long";
  const origin = "http://localhost:3000";
  const ask = (path: string, body: object) => post(corral().url + path, body, { headers: { origin } });
  /** The records of a model, when there are as many. */
  const records = async (name: string, count: number) => {
    interface Row {
      readonly dialect: string;
      readonly stream: boolean;
      readonly tokens_in: number | null;
      readonly truncated: string | null;
      readonly context_length: number | null;
    }
    const url = `${corral().url}/api/stats/logs?model=${name}&order=asc`;
    return eventually(
      async () => ((await getJson(url)) as { logs: Row[] }).logs,
      (logs) => logs.length === count,
    );
  };
  const loaded = async (name: string) => {
    const sample = `ollama_model_loaded{model="${name}"} 1`;
    await eventually(
      async () => (await fetch(`${corral().url}/metrics`)).text(),
      (metrics) => metrics.includes(sample),
    );
  };

  test("are on record as truncated in every dialect; whole replies say so, to pages too", async () => {
    const [path, body] = asking["ollama.chat"] ?? [];
    if (!path || !body) throw new Error("there is no such dialect");
    const short = await ask(path, body(model, { stream: false }));
    expect(short.headers.get("x-corral-truncated")).toBeNull();
    await loaded(model);
    const expected = [
      { dialect: "ollama.chat", stream: false, tokens_in: 2, truncated: null as string | null },
    ];
    for (const [dialect, [path, body]] of Object.entries(asking))
      for (const stream of dialect === "contract.chat" ? [true] : [true, false]) {
        const more = dialect === "contract.chat" ? {} : { stream };
        // Without it this dialect's streams are not counted.
        const counted = dialect === "openai.completions" ? { stream_options: { include_usage: true } } : {};
        const asked = JSON.stringify(body(model, { ...more, ...counted }));
        const { status, headers } = await ask(path, JSON.parse(asked.replace("hello there", text(5000))));
        expect([dialect, status]).toEqual([dialect, 200]);
        expect([dialect, headers.get("x-corral-truncated")]).toEqual([dialect, stream ? null : "truncated"]);
        expect(headers.get("access-control-expose-headers")?.toLowerCase()).toContain("x-corral-truncated");
        expected.push({ dialect, stream, tokens_in: 2050, truncated: "truncated" });
      }
    expect(await records(model, expected.length)).toMatchObject(expected);
    const all = expected.length - 1;
    const { models } = (await getJson(`${corral().url}/api/models?model=${model}`)) as { models: unknown[] };
    expect(models).toMatchObject([{ name: model, total_truncated: all }]);
    expect(await getJson(`${corral().url}/api/stats/current`)).toMatchObject({ total_truncated: all });
    expect(await (await fetch(`${corral().url}/metrics`)).text()).toContain(
      `corral_truncated_requests_total{model="${model}",operation="completion",truncated="truncated"} 4`,
    );
  });

  test("lose their oldest messages first, and are refused where nothing may be left out", async () => {
    const name = "sim-tokens3:history";
    const options = { num_ctx: 100 };
    const history = (...words: number[]) => ({
      ...{ model: name, stream: false, options },
      messages: [{ role: "system", content: text(5) }, ...JSON.parse(chat(...words.map((n) => text(n))))],
    });
    const left = await ask("/api/chat", history(70, 20, 30));
    expect([left.status, left.headers.get("x-corral-truncated")]).toEqual([200, "truncated"]);
    expect(JSON.parse(left.text)).toMatchObject({ prompt_eval_count: 55 });
    const fitting = await ask("/api/chat", history(40, 20, 30));
    expect(fitting.headers.get("x-corral-truncated")).toBeNull();
    const refused = await ask("/api/chat", { ...history(70, 20, 30), truncate: false });
    expect([refused.status, refused.headers.get("x-corral-truncated")]).toEqual([400, null]);
    expect(refused.text).toContain("exceeds the available context size (100 tokens)");
    expect((await records(name, 3)).map((row) => row.truncated)).toEqual(["truncated", null, null]);
  });

  test("are measured by the context in force, which a request with another num_ctx changes", async () => {
    const name = "sim-tokens5-delay20:contexts";
    for (const num_ctx of [1024, 4096, 2048])
      await ask("/api/chat", { ...native(name), options: { num_ctx } });
    const rows = await records(name, 3);
    expect(rows.map((row) => row.context_length)).toEqual([1024, 4096, 2048]);
  });

  test("lose their ends where they are embedded", async () => {
    const name = "sim-embed:long";
    const input = [text(10), text(3000)];
    for (const path of ["/api/embed", "/v1/embeddings"]) {
      const { headers } = await ask(path, { model: name, input });
      expect([path, headers.get("x-corral-truncated")]).toEqual([path, "truncated"]);
    }
    const kept = { tokens_in: 2058, truncated: "truncated" };
    expect(await records(name, 2)).toMatchObject([kept, kept]);
  });
});
