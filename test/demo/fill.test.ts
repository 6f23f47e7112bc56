/** The demo's history in a real database: as the ledger stores it, so every figure that the API tells agrees with it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { findModel, listModels } from "../../src/api/models/repository";
import { type Database, openDatabase } from "../../src/database/database";
import { fillDemo } from "../../src/demo/fill";
import { makeHistory } from "../../src/demo/history";
import { demoModels } from "../../src/demo/models";
import { readHistory } from "../../src/ledger/read/history";
import { readLogs } from "../../src/ledger/read/logs";
import { readModels, readSummary, readTotals } from "../../src/ledger/read/statistics";
import { type RequestRecord, statusOf } from "../../src/ledger/record";
import { silentLog } from "../../src/log";
import { embeddedPlace, type Place } from "../support/databases";

setDefaultTimeout(60_000);

const now = new Date();
const week = makeHistory(1, now);
/** A part is quicker; some of all days, so that it is of a week. */
const history = week.filter((_, at) => at % 4 === 0);

let place: Place;
let database: Database;
beforeAll(async () => {
  place = await embeddedPlace();
  database = openDatabase({ where: place.where, log: silentLog });
  database.start();
  await fillDemo({ database, server: crypto.randomUUID(), keepContents: true }, history);
});
afterAll(async () => {
  await database.stop();
  place.remove();
});

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const tokensOf = (record: RequestRecord) => (record.tokensIn ?? 0) + (record.tokensOut ?? 0);
const successes = (records: readonly RequestRecord[]) =>
  records.filter((record) => statusOf(record.outcome) === "success");
const errors = (records: readonly RequestRecord[]) =>
  records.filter((record) => statusOf(record.outcome) === "error");

test("the totals are those of the records", async () => {
  const totals = await readTotals(database);
  const done = successes(history);
  expect(totals).toMatchObject({
    requests: history.length,
    tokens: sum(history.map(tokensOf)),
    errors: errors(history).length,
  });
  expect(totals.averageLatencyMs).toBeCloseTo(sum(done.map((record) => record.latencyMs)) / done.length, 3);
  expect(totals.models.toSorted()).toEqual(demoModels.map((model) => model.name).toSorted());
});

test("each model has its own requests, tokens, errors and last use", async () => {
  const models = await readModels(database);
  for (const { name } of demoModels) {
    const own = history.filter((record) => record.model === name);
    expect(models.find((model) => model.model === name)).toMatchObject({
      requests: own.length,
      tokens: sum(own.map(tokensOf)),
      errors: errors(own).length,
      last_used: own.at(-1)?.startedAt,
    });
  }
});

test("points in time count every request once", async () => {
  const from = new Date(now.getTime() - 170 * 3_600_000);
  for (const bucket of ["1m", "1h", "1d"] as const) {
    const points = await readHistory(database, { from, to: now, now, bucket, fill: false });
    const minutes = { "1m": 1, "1h": 60, "1d": 1440 }[bucket];
    // The last point may be measured by a part of itself.
    const earlier = points.slice(0, -1);
    const last = Date.parse(points.at(-1)?.timestamp ?? "");
    const counted = history.filter((record) => record.startedAt.getTime() < last).length;
    expect(sum(earlier.map((point) => point.requests_per_minute * minutes))).toBeCloseTo(counted, 3);
  }
});

test("the summary tells how much is kept, from the first request to the last", async () => {
  expect(await readSummary(database)).toMatchObject({
    requests: history.length,
    logs: history.length,
    oldest: history[0]?.startedAt,
    newest: history.at(-1)?.startedAt,
  });
});

test("the log holds them with their texts, newest first, and texts are found", async () => {
  const query = { limit: 1000, offset: 0, sort: "timestamp", order: "desc" } as const;
  const { logs } = await readLogs(database, query);
  expect(logs.map((row) => row.id)).toEqual(history.toReversed().map((record) => `req_${record.id}`));
  expect(logs.map((row) => row.prompt)).toEqual(
    history.toReversed().map((record) => record.contents?.prompt ?? null),
  );
  const { total } = await readLogs(database, { ...query, q: "explain" });
  expect(total).toBeGreaterThan(0);
});

test("its models are noted: favourites, one default, and one that is gone", async () => {
  const models = await listModels(database);
  expect(models.filter((model) => model.is_default).map((model) => model.name)).toEqual(["llama3.2"]);
  expect(models.filter((model) => model.is_favorite).length).toBeGreaterThan(1);
  for (const { name, notes } of demoModels)
    expect(await findModel(database, name)).toMatchObject({ ...notes, is_installed: true });
  expect(models.filter((model) => !model.is_installed)).toHaveLength(1);
});
