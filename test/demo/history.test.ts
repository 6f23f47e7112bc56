/** The demo's week that never was: repeatable, consistent in itself, and of a week's shape. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { makeHistory } from "../../src/demo/history";
import { demoModels, installedModels } from "../../src/demo/models";
import { type RequestRecord, statusOf, tokensPerSecond } from "../../src/ledger/record";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
/** A Wednesday. */
const now = new Date("2026-11-25T15:20:00.000Z");
const week = makeHistory(1, now);

const isError = (record: RequestRecord) => statusOf(record.outcome) === "error";
const endOf = (record: RequestRecord) => record.startedAt.getTime() + record.latencyMs;

test("the same seed and moment make the same week, byte for byte, and another seed another", () => {
  expect(JSON.stringify(makeHistory(1, now))).toBe(JSON.stringify(week));
  const other = makeHistory(2, now);
  expect(other.map((record) => record.id)).not.toEqual(week.map((record) => record.id));
  expect(new Set([...week, ...other].map((record) => record.id)).size).toBe(week.length + other.length);
});

test("a week is some thousands of requests, of the seven days before now, and all of them are over", () => {
  expect(week.length).toBeGreaterThan(2000);
  expect(week.length).toBeLessThan(4000);
  for (const record of week) {
    expect(record.startedAt.getTime()).toBeGreaterThanOrEqual(now.getTime() - WEEK_MS);
    expect(endOf(record)).toBeLessThan(now.getTime());
  }
});

test("every number of a request agrees with its others, whatever the seed, the moment and the time zone", () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });
  const moments = fc.date({ min: new Date("2026-01-01"), max: new Date("2027-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(seeds, moments, fc.integer({ min: -12, max: 14 }), (seed, moment, hours) => {
      const records = makeHistory(seed, moment, hours * 60);
      expect(records.length).toBeGreaterThan(1500);
      const ids = records.map((record) => record.id);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(ids.length);
      for (const record of records) checkRecord(record);
    }),
    { numRuns: 4 },
  );
});

/** Plain comparisons: thousands of records with dozens of `expect`s each would take seconds. */
function checkRecord(record: RequestRecord): void {
  const wrong = wrongsOf(record);
  if (wrong.length > 0) expect({ wrong, record }).toEqual({ wrong: [], record });
}

/** What does not agree with what, in words. */
function wrongsOf(record: RequestRecord): string[] {
  const { outcome, httpStatus, latencyMs, ttftMs, longestGapMs, contents } = record;
  const { tokensIn, tokensOut, loadMs, prefillMs, decodeMs } = record;
  const finished = statusOf(outcome) === "success";
  const figures = [tokensIn, tokensOut, loadMs, prefillMs, decodeMs];
  const [time = "", rest = ""] = [record.id.replaceAll("-", "").slice(0, 12), record.id.slice(14)];
  const speed = tokensPerSecond(tokensOut, decodeMs);
  const rate = demoModels.find((model) => model.name === record.model)?.decodeRate ?? 0;
  const work = (loadMs ?? 0) + (prefillMs ?? 0) + (decodeMs ?? 0);
  const rules: Readonly<Record<string, boolean>> = {
    "the id is a UUIDv7 of its time":
      Number.parseInt(time, 16) === record.startedAt.getTime() &&
      /^7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(rest),
    "times are finite, above 0 and of microseconds": [
      latencyMs,
      ttftMs,
      longestGapMs,
      loadMs,
      prefillMs,
      decodeMs,
    ]
      .filter((ms) => ms !== null)
      .every((ms) => Number.isFinite(ms) && ms > 0 && Math.abs(ms * 1000 - Math.round(ms * 1000)) < 1e-3),
    "the engine tells figures at the end alone": figures.every((figure) => (figure !== null) === finished),
    "tokens are counted":
      !finished || (Number.isInteger(tokensIn) && Number.isInteger(tokensOut) && Number(tokensOut) > 0),
    "the engine's work fits into the whole": work <= latencyMs,
    "a stream's first piece comes after load and prefill":
      ttftMs === null || (ttftMs <= latencyMs && (!finished || ttftMs >= (loadMs ?? 0) + (prefillMs ?? 0))),
    "a finished stream has a first piece, a whole reply has none": record.stream
      ? !finished || ttftMs !== null
      : ttftMs === null,
    "the longest gap is within the stream":
      longestGapMs === null || (ttftMs !== null && ttftMs + longestGapMs < latencyMs + 0.001),
    "a model is about as fast as it is": speed === null || (speed > rate * 0.6 && speed < rate * 1.7),
    "only unknown names are unknown":
      record.modelKnown === rate > 0 && record.modelKnown === (httpStatus !== 404),
    "the reason is told with the end":
      record.finishReason === (outcome === "complete" ? "stop" : outcome === "length" ? "length" : null),
    "an error has words, nothing else has": (record.error !== null) === (statusOf(outcome) === "error"),
    "the status fits":
      finished || ttftMs !== null
        ? httpStatus === 200
        : outcome === "client_abort"
          ? httpStatus === null
          : Number(httpStatus) >= 400,
    "a reply is there as far as it came": (contents?.response !== null) === (finished || ttftMs !== null),
    "a finished reply says something": !finished || outcome === "length" || contents?.response !== "",
    "a prompt is there, filled in":
      !!contents?.prompt && !/\{[a-z]+\}/.test(contents.prompt + (contents.response ?? "")),
    "messages end with the prompt":
      contents?.messages == null || JSON.parse(contents.messages).at(-1).content === contents.prompt,
    "a limited reply is as long as its limit":
      outcome !== "length" ||
      new RegExp(`"(max_tokens|num_predict)":${tokensOut}\\b`).test(contents?.options ?? ""),
    "nothing is told that nobody knows": record.tokensCached === null && contents?.toolCalls === null,
  };
  return Object.keys(rules).filter((rule) => rules[rule] === false);
}

test("a model that paused for more than five minutes is loaded anew, and only then", () => {
  for (const { name, loadMs } of demoModels) {
    // A crash empties the memory: what follows is not looked at.
    const untilCrash = week.slice(
      0,
      week.findIndex((record) => record.outcome === "engine_crash"),
    );
    let freeAt = Number.NaN;
    for (const record of untilCrash.filter((one) => one.model === name)) {
      const told = record.loadMs;
      const pause = record.startedAt.getTime() - freeAt;
      if (told !== null && Number.isFinite(pause)) {
        if (pause > 5 * 60_000) expect(told).toBeGreaterThan(loadMs / 2);
        else expect(told).toBeLessThan(100);
      }
      // A request that broke off may have left a model behind, or none.
      freeAt = told === null ? Number.NaN : endOf(record);
    }
  }
});

test("office days are busy, nights and weekends quiet, and a job runs in each night", () => {
  const perDay = (days: readonly number[]) =>
    week.filter((record) => days.includes(record.startedAt.getUTCDay())).length / days.length;
  expect(perDay([1, 2, 3, 4, 5])).toBeGreaterThan(3 * perDay([0, 6]));
  const inHours = (from: number, to: number) =>
    week.filter(({ startedAt }) => startedAt.getUTCHours() >= from && startedAt.getUTCHours() < to);
  expect(inHours(9, 17).length).toBeGreaterThan(6 * inHours(18, 24).length);
  const night = inHours(2, 3);
  expect(new Set(night.map((record) => record.startedAt.getUTCDay())).size).toBe(7);
  expect(night.filter((record) => record.operation === "completion").length).toBeGreaterThan(200);
});

test("office hours are those of the time zone", () => {
  const tokyo = makeHistory(1, now, 9 * 60);
  const hours = tokyo.map((record) => new Date(record.startedAt.getTime() + 9 * HOUR_MS).getUTCHours());
  expect(hours.filter((hour) => hour >= 9 && hour < 17).length).toBeGreaterThan(tokyo.length / 2);
});

test("one quarter of an hour stands out by its errors: the engine crashed there, and nowhere else", () => {
  const quarters = Map.groupBy(week, (record) => Math.floor(record.startedAt.getTime() / 900_000));
  const rates = [...quarters]
    .filter(([, records]) => records.length >= 8)
    .map(([quarter, records]) => ({ quarter, rate: records.filter(isError).length / records.length }))
    .sort((one, other) => other.rate - one.rate);
  expect(rates[0]?.rate).toBeGreaterThan(0.35);
  expect(rates[1]?.rate).toBeLessThan(0.35);
  const crashed = week.filter((record) => record.outcome === "engine_crash");
  expect(crashed.length).toBeGreaterThan(5);
  for (const record of crashed) {
    const late = record.startedAt.getTime() / 900_000 - (rates[0]?.quarter ?? 0);
    // What had begun a moment before is hit, too.
    expect(late).toBeGreaterThan(-0.1);
    expect(late).toBeLessThan(1.1);
  }
  const elsewhere = week.filter(
    ({ startedAt }) => Math.floor(startedAt.getTime() / 900_000) !== rates[0]?.quarter,
  );
  expect(elsewhere.filter(isError).length / elsewhere.length).toBeLessThan(0.05);
});

test("most requests succeed, and every way to end that a team sees is there", () => {
  const counts = Object.groupBy(week, (record) => record.outcome);
  expect((counts.complete?.length ?? 0) / week.length).toBeGreaterThan(0.88);
  for (const outcome of ["length", "client_abort", "engine_error", "engine_crash", "rejected"] as const)
    expect(counts[outcome]?.length ?? 0).toBeGreaterThan(3);
});

test("its models are installed in the demo's simulator, and its texts are many", () => {
  const installed = installedModels.split(",").map((name) => name.replace(/:latest$/, ""));
  for (const record of week) if (record.modelKnown) expect(installed).toContain(record.model ?? "");
  expect(new Set(week.map((record) => record.contents?.prompt)).size).toBeGreaterThan(300);
  expect(new Set(week.map((record) => record.contents?.response)).size).toBeGreaterThan(1000);
  expect(new Set(week.map((record) => record.clientAddress)).size).toBe(10);
});
