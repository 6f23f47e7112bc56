import { afterEach, expect, setSystemTime, test } from "bun:test";
import { OllamaService } from "../../src/engine/service";
import { ollamaChat } from "../../src/gateway/dialects/ollama/chat";
import { KnownModels } from "../../src/gateway/known-models";
import { Recording } from "../../src/gateway/recording";
import type { Ledger } from "../../src/ledger/ledger";
import type { RequestRecord } from "../../src/ledger/record";
import { silentLog } from "../../src/log";
import { askedOf } from "./playing";

const HOUR_MS = 3_600_000;
const course = { status: 200, upstreamStatus: 200, clientWaitMs: null, told: null };

afterEach(() => {
  setSystemTime();
});

test("a clock that is set back in the middle of a request changes no duration, and ids stay unique", () => {
  const records: RequestRecord[] = [];
  const engine = new OllamaService();
  const notAsked = () => {
    throw new Error("a recording begins and ends");
  };
  const ledger: Ledger = {
    begin: () => ({ end: (record) => void records.push(record) }),
    ...{
      event: notAsked,
      clear: notAsked,
      pause: notAsked,
      standing: notAsked,
      onEnd: notAsked,
      stop: notAsked,
    },
  };
  const parts = {
    engine,
    ledger,
    log: silentLog,
    knownModels: new KnownModels(engine.client, silentLog),
  };
  const begin = () => {
    const recording = new Recording(parts, new Headers(), null, 0);
    recording.begin(ollamaChat, askedOf(ollamaChat, { model: "any" }));
    return recording;
  };
  const now = Date.now();
  setSystemTime(now);
  const first = begin();
  setSystemTime(now - HOUR_MS);
  const second = begin();
  for (const recording of [first, second]) recording.end("complete", null, course);
  expect(records.map(({ startedAt }) => startedAt.getTime())).toEqual([now, now - HOUR_MS]);
  for (const { latencyMs } of records) {
    expect(latencyMs).toBeGreaterThanOrEqual(0);
    expect(latencyMs).toBeLessThan(HOUR_MS / 2);
  }
  expect(new Set(records.map(({ id }) => id)).size).toBe(2);
});
