/** Why a request is said to have taken so long: only what its numbers show. */
import { expect, test } from "bun:test";
import type { Entry } from "../../../../../src/web/shared/api";
import { type Usual, usualKey } from "../../../../../src/web/views/requests/slow/entries";
import { comparedOf, findingsOf } from "../../../../../src/web/views/requests/slow/findings";

const plain: Entry = {
  id: "req_1",
  timestamp: "2026-11-25T10:00:00.000Z",
  model: "llama3.2",
  prompt: null,
  response: null,
  tokens_used: 140,
  latency_ms: 2000,
  status: "success",
  client_ip: "10.0.0.1",
  outcome: "complete",
  dialect: "ollama.chat",
  operation: "chat",
  stream: true,
  http_status: 200,
  ttft_ms: 100,
  tokens_in: 40,
  tokens_out: 100,
  tokens_per_second: 52.6,
  finish_reason: "stop",
  thinking: null,
  error: null,
  user_agent: null,
  user: null,
  upstream_status: 200,
  longest_gap_ms: 20,
  client_wait_ms: 0,
  tokens_cached: null,
  load_ms: 10,
  prefill_ms: 80,
  decode_ms: 1900,
  cold: false,
  context_length: 4096,
  truncated: null,
  model_digest: null,
  traceparent: null,
  in_flight: 0,
  server: "0b8f4c1e-93d5-4a6e-8f7b-2c1d9e0a4b35",
};
const like = (p50: number) => ({ p50, p95: 2 * p50, p99: 3 * p50 });
const usual: Usual = {
  requests: 200,
  successes: 200,
  aborts: 0,
  errors: 0,
  outcomes: { complete: 200 },
  truncated: 0,
  tokens_in: 8000,
  tokens_out: 20_000,
  tokens_per_second: 50,
  avg_latency_ms: 2000,
  error_rate: 0,
  percentiles: {
    latency_ms: like(2000),
    ttft_ms: like(100),
    tokens_per_second: like(50),
    queued_ms: like(10),
    load_ms: like(2500),
  },
  last_used: null,
};
const other: Entry = { ...plain, id: "req_2", timestamp: "2026-11-25T09:59:58.000Z", latency_ms: 10_000 };
/** None that the engine told. */
const untold = { load_ms: null, prefill_ms: null, decode_ms: null, tokens_per_second: null };

test("a request that waited is said to have, and for whom", () => {
  const waited = { ...plain, ttft_ms: 8290, latency_ms: 10_190 };
  expect(findingsOf(waited, [other, { ...other, id: "req_3" }, waited], usual)[0]).toBe(
    "It waited 8.2 s for Ollama, which was busy with 2 other requests of the same model.",
  );
  expect(findingsOf(waited, [{ ...other, model: "qwen3" }], usual)[0]).toBe(
    "It waited 8.2 s for Ollama, which was busy with 1 other request of qwen3.",
  );
  expect(findingsOf(waited, [], usual)[0]).toEndWith("which was busy with nothing else that is on record.");
});

test("a load is told beside usual loads; where the model was answering somebody, it was a wait for a turn", () => {
  const loaded = { ...plain, ttft_ms: 12_090, load_ms: 12_000, latency_ms: 14_000, cold: true };
  expect(findingsOf(loaded, [other], usual)[0]).toBe("The model was loaded first: 12 s, usually 2.5 s.");
  expect(findingsOf({ ...loaded, cold: false }, [other], usual)[0]).toBe(
    "Ollama counts 12 s as loading, though the model was in memory when it came: waiting for its turn, mostly. It was busy with 1 other request of the same model.",
  );
});

test("a long reply is told by its tokens, its speed beside the usual, and who ran beside it", () => {
  const long = { ...plain, tokens_out: 4000, decode_ms: 95_000, tokens_per_second: 42.1, latency_ms: 95_100 };
  expect(findingsOf(long, [], usual)).toEqual([
    "It wrote 4,000 tokens (100 on average): 1 min 35 s at 42.1 tokens/s, as usual for it.",
  ]);
  expect(findingsOf({ ...long, tokens_per_second: 20 }, [other], usual)[0]).toEndWith(
    "at 20 tokens/s, slower than its usual 50, while 1 other request ran beside it.",
  );
});

test("where Ollama tells no times only what Corral saw is said", () => {
  const seen = { ...plain, ...untold, dialect: "openai.chat", ttft_ms: 5000, latency_ms: 9000, cold: null };
  expect(findingsOf(seen, [other], usual)).toEqual([
    "Its first piece came after 5.0 s, usually 100 ms. How much of that was waiting, loading or reading the prompt Ollama does not tell here; it was busy with 1 other request of the same model.",
    "It wrote 100 tokens: 4.0 s at 25 tokens/s, as Corral saw them come.",
  ]);
  const nothing = { ...seen, ttft_ms: null, stream: false, client_wait_ms: null };
  expect(findingsOf(nothing, [other], usual)).toEqual([
    "Where its 9.0 s went nobody told. Ollama was busy with 1 other request of the same model.",
  ]);
  expect(findingsOf({ ...plain, decode_ms: 100, latency_ms: 200 }, [], usual)).toEqual([
    "Nothing in it took long.",
  ]);
});

test("nothing is compared with another kind of work, or with itself alone", () => {
  expect(usualKey(plain)).not.toBe(usualKey({ ...plain, operation: "embedding" }));
  expect(comparedOf({ ...plain, latency_ms: 6000 }, usual)).toBe(
    "That is 3 times as long as usual: half of 200 chats with llama3.2 in the week before took 2.0 s or less.",
  );
  expect(comparedOf(plain, { ...usual, successes: 1 })).toBe(
    "There is no other chat with llama3.2 of that week to compare it with.",
  );
});
