/** A made-up month of a busy house: the same seed makes the same records but for the moment at which it ends. */

import { createChance } from "../../src/demo/chance";
import { makeTalk } from "../../src/demo/talk";
import type { RequestRecord } from "../../src/ledger/record";

export const DAYS = 30;
const SEED = 5;
/** One model in ten thousand requests, in a dialect of its own, to look for: pages of what is rare are the slow ones. */
export const rareModel = "rare-model";
export const rareDialect = "anthropic.messages";
const models = [
  { name: "llama3.2", weight: 5000, rate: 96 },
  { name: "gemma3", weight: 2500, rate: 71 },
  { name: "qwen3", weight: 1500, rate: 54 },
  { name: "nomic-embed-text", weight: 999, rate: 900 },
  { name: rareModel, weight: 1, rate: 30 },
];
const kinds = ["writing", "learning", "languages", "code", "data", "tickets"] as const;
const endings = [
  { outcome: "complete", status: 200, weight: 940 },
  { outcome: "length", status: 200, weight: 20 },
  { outcome: "client_abort", status: 200, weight: 30 },
  { outcome: "engine_error", status: 500, weight: 9 },
  { outcome: "engine_crash", status: 502, weight: 1 },
] as const;
const CLIENTS = 40;

/** Records in order of time, spread evenly over the days before `until`. */
export function* makeCorpus(count: number, until: number): Generator<RequestRecord, void> {
  const chance = createChance(SEED, "corpus");
  const from = until - DAYS * 86_400_000;
  for (let at = 0; at < count; at++) {
    const startedAt = from + Math.floor(((at + chance.within(0, 1)) * (until - from)) / count);
    yield makeOne(startedAt);
  }

  function makeOne(startedAt: number): RequestRecord {
    const { name: model, rate } = chance.weighted(models);
    const { outcome, status } = chance.weighted(endings);
    const embeds = model === "nomic-embed-text";
    const talk = makeTalk(chance, kinds, Math.min(5, 1 + Math.floor(chance.logNormal(0.8, 0.8))));
    const [first, ...later] = talk.toReversed();
    const prompt = first?.prompt ?? "";
    const response = embeds ? null : (first?.reply ?? "");
    const messages = later.flatMap((turn) => [
      { role: "assistant", content: turn.reply },
      { role: "user", content: turn.prompt },
    ]);
    const tokensIn = Math.ceil((prompt.length + JSON.stringify(messages).length) / 4);
    const tokensOut = response === null ? 0 : Math.ceil(response.length / 4);
    const ttftMs = chance.logNormal(120, 0.6);
    const decodeMs = (tokensOut * 1000) / rate;
    const isError = status >= 500;
    return {
      id: idOf(startedAt, chance.hex(18)),
      startedAt: new Date(startedAt),
      dialect: embeds ? "ollama.embed" : model === rareModel ? rareDialect : "ollama.chat",
      operation: embeds ? "embedding" : "chat",
      model,
      stream: !embeds,
      clientAddress: `10.20.0.${chance.between(1, CLIENTS)}`,
      userAgent: "ollama-python/0.6.0 (x86_64 linux) Python/3.12.3",
      user: null,
      traceparent: null,
      engineVersion: "0.33.0",
      engineRun: 1,
      inFlight: chance.between(0, 4),
      modelDigest: `sha256:${model.padEnd(64, "0")}`,
      cold: false,
      outcome,
      httpStatus: status,
      upstreamStatus: status,
      contextLength: 4096,
      truncated: null,
      latencyMs: ttftMs + decodeMs,
      ttftMs: embeds || isError ? null : ttftMs,
      longestGapMs: embeds ? null : chance.logNormal(30, 0.5),
      clientWaitMs: 0,
      tokensIn,
      tokensOut,
      tokensCached: null,
      loadMs: 5,
      prefillMs: ttftMs * 0.8,
      decodeMs: embeds ? null : decodeMs,
      finishReason: outcome === "length" ? "length" : "stop",
      error: isError ? "an error was encountered while running the model: unexpected EOF" : null,
      modelKnown: true,
      contents: {
        prompt,
        system: "You are the assistant of a small team. Answer briefly and in the language of the question.",
        messages: messages.length === 0 ? null : JSON.stringify(messages),
        options: '{"temperature":0.7}',
        response,
        thinking: model === "qwen3" ? (first?.thinking ?? null) : null,
        toolCalls: null,
      },
    };
  }
}

/** A UUIDv7 of a moment. @param hex 18 digits of chance */
function idOf(at: number, hex: string): string {
  const time = at.toString(16).padStart(12, "0");
  return [time.slice(0, 8), time.slice(8), `7${hex.slice(0, 3)}`, `8${hex.slice(3, 6)}`, hex.slice(6)].join(
    "-",
  );
}
