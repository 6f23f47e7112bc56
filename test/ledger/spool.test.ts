/** The spool, file by file: what is cut, refused or killed, and that nothing of it is read twice. */
import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { RequestRecord } from "../../src/ledger/record";
import { type Item, Spool } from "../../src/ledger/spool";
import { addShed, nothingShed } from "../../src/ledger/spool-lines";
import { silentLog } from "../../src/log";
import { eventually } from "../support/corral";
import { anyRecord, begunOf, makeRecord, makeSpools } from "./records";

const spools = makeSpools();
afterAll(spools.remove);

const open = (folder = spools.fresh(), limitBytes = 1e9) => new Spool({ folder, limitBytes, log: silentLog });
const put = (spool: Spool, record: RequestRecord) => {
  spool.begin(begunOf(record), record.contents?.prompt ?? null);
  spool.end(record);
};
/** Everything that waits, taken as the database takes it. */
function take(spool: Spool): Item[] {
  const all: Item[] = [];
  for (let items = spool.next(); items.length > 0; items = spool.next()) {
    all.push(...items);
    spool.moveTo(items.at(-1)?.end ?? spool.position);
  }
  return all;
}
const recordsOf = (items: readonly Item[]) =>
  items.flatMap((item) => (item.kind === "record" ? [item.record] : []));
const segmentsOf = (folder: string) => readdirSync(folder).filter((name) => /^\d+\.jsonl$/.test(name));
const textOf = (folder: string) =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");

test("what is put in is read back in order, whatever is in it, and by the next start as well", () => {
  const odd = 'a\u0000b\ud800c\u2028\n"\\';
  const contents = {
    prompt: odd,
    system: null,
    messages: odd,
    options: null,
    response: odd,
    thinking: null,
    toolCalls: null,
  };
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (records) => {
      const all = [...records, makeRecord({ contents, tokensIn: 1e300, model: odd })];
      const folder = spools.fresh();
      const spool = open(folder);
      for (const record of all) put(spool, record);
      expect(spool.records).toBe(all.length);
      const next = open(folder);
      for (const one of [spool, next]) {
        expect(recordsOf(take(one))).toEqual(all);
        expect(one.records).toBe(0);
        expect(one.next()).toEqual([]);
        one.close();
      }
    }),
    { numRuns: 20 },
  );
});

test("the last segment cut at any byte reads back its whole records, each once, and the cut line is counted", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  const records = Array.from({ length: 6 }, (_, at) => makeRecord({ user: `user ${at}` }));
  for (const record of records) put(spool, record);
  spool.close();
  const name = segmentsOf(folder)[0] ?? "";
  const whole = readFileSync(join(folder, name));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
      const cut = spools.fresh();
      mkdirSync(cut);
      writeFileSync(join(cut, name), whole.subarray(0, length));
      const next = open(cut);
      const left = whole.subarray(0, length).toString();
      const ended = left
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.startsWith('{"end"')).length;
      const begun = left
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.startsWith('{"begin"')).length;
      const read = recordsOf(take(next));
      expect(read.slice(0, ended)).toEqual(records.slice(0, ended));
      expect(read.slice(ended).map(({ id, outcome }) => [id, outcome])).toEqual(
        records.slice(ended, begun).map(({ id }) => [id, "server_crash"]),
      );
      expect(next.tornLines).toBe(left === "" || left.endsWith("\n") ? 0 : 1);
      next.close();
      // What was done about it is done once.
      const again = open(cut);
      expect(again.tornLines).toBe(0);
      expect(recordsOf(take(again)).map(({ id }) => id)).toEqual(read.map(({ id }) => id));
      again.close();
    }),
    { numRuns: 60 },
  );
});

test("a request that a kill cut short becomes a server_crash with its prompt, once, however long ago it began", async () => {
  const folder = spools.fresh();
  const spool = open(folder, 40_000);
  const long = makeRecord({ user: "still running" });
  spool.begin(begunOf(long), "What is Python?");
  const others = Array.from({ length: 20 }, () => makeRecord());
  for (const record of others) {
    put(spool, record);
    take(spool);
  }
  // Its own segment is gone by now.
  await eventually(
    async () => segmentsOf(folder).length,
    (count) => count === 1,
  );
  const { position } = spool;
  const next = open(folder, 40_000);
  next.moveTo(position);
  expect(recordsOf(take(next))).toMatchObject([
    {
      id: long.id,
      outcome: "server_crash",
      user: "still running",
      contents: { prompt: "What is Python?", response: null },
    },
  ]);
  const last = next.position;
  const third = open(folder, 40_000);
  third.moveTo(last);
  expect(third.next()).toEqual([]);
});

test("a segment of another version is kept as it is, and counted", () => {
  const folder = spools.fresh();
  mkdirSync(folder);
  const theirs = '{"version":99}\n{"end":"x","something":"else"}\n';
  writeFileSync(join(folder, "17.jsonl"), theirs);
  const spool = open(folder);
  put(spool, makeRecord());
  expect(recordsOf(take(spool))).toHaveLength(1);
  expect(spool.setAsideSegments).toBe(1);
  expect(readFileSync(join(folder, "17.jsonl.set-aside"), "utf8")).toBe(theirs);
  expect(open(folder).setAsideSegments).toBe(1);
});

test("a line that an older program wrote without a field of today is read, and what it lacks is null", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  const record = makeRecord({ traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" });
  put(spool, record);
  spool.close();
  const path = join(folder, segmentsOf(folder)[0] ?? "");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(/"traceparent":"[^"]*",/g, ""));
  expect(recordsOf(take(open(folder)))).toEqual([{ ...record, traceparent: null }]);
});

test("a line that can't be read is set aside with its record counted, and takes none along", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  put(spool, makeRecord());
  spool.close();
  const path = join(folder, segmentsOf(folder)[0] ?? "");
  appendFileSync(path, `{"end":"x","at":1,"record":{"id":"x"}}\n\u0000\u0000\n`);
  const next = open(folder);
  put(next, makeRecord());
  const items = next.next();
  expect(items.map((item) => (item.kind === "aside" ? [item.kind, item.isRecord] : item.kind))).toEqual([
    "record",
    ["aside", true],
    ["aside", false],
    "record",
  ]);
  expect(next.records).toBe(3);
});

test("the folder and its files are their owner's alone", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  put(spool, makeRecord());
  spool.setAside(Buffer.from("{}\n"));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

test("without a prompt there is no text of it in the files", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  spool.begin(begunOf(makeRecord()), null);
  put(spool, makeRecord({ contents: null }));
  expect(textOf(folder)).not.toContain("Python");
});

test("a folder that can't be written sheds records, counted and said once, and is tried again with the next", () => {
  const folder = spools.fresh();
  writeFileSync(folder, "in the way");
  const said: string[] = [];
  const log = { ...silentLog, error: (words: string) => said.push(words), info: () => undefined };
  const spool = new Spool({ folder, limitBytes: 1e9, log: log as typeof silentLog });
  const given = [makeRecord(), makeRecord()];
  for (const record of given) put(spool, record);
  expect([spool.records, spool.shed]).toEqual([0, { ...nothingShed, failedRecords: 2 }]);
  expect(said).toHaveLength(1);
  expect(spool.why).toContain("the spool can't be");
  rmSync(folder);
  put(spool, makeRecord());
  expect([spool.records, spool.shed.failedRecords, spool.why]).toEqual([1, 2, null]);
  spool.close();
  // Counted for good: the next start knows of them.
  expect(open(folder).shed).toEqual({ ...nothingShed, failedRecords: 2 });
});

test("files that somebody removes cost what was in them, counted, and nothing that comes later", () => {
  const folder = spools.fresh();
  const spool = open(folder);
  for (let at = 0; at < 3; at++) put(spool, makeRecord());
  rmSync(folder, { recursive: true });
  expect(spool.next()).toEqual([]);
  expect([spool.records, spool.shed.failedRecords]).toEqual([0, 3]);
  const later = makeRecord();
  put(spool, later);
  expect(recordsOf(take(spool))).toEqual([later]);
});

test("a full spool grows no further, however much is shed, and what was shed outlives a kill", async () => {
  const folder = spools.fresh();
  const spool = open(folder, 30_000);
  for (let at = 0; at < 60; at++) put(spool, makeRecord());
  await Bun.sleep(100);
  const given = spool.next();
  expect(given.at(-1)).toMatchObject({ kind: "shed" });
  const full = spool.bytes;
  for (let turn = 0; turn < 5; turn++) {
    for (let at = 0; at < 200; at++) put(spool, makeRecord());
    await Bun.sleep(100);
  }
  expect(spool.bytes).toBeLessThan(full + 150);
  expect(spool.shed.fullRecords).toBeGreaterThan(1000);
  // What the database was given is what it was.
  expect(spool.next().slice(0, given.length)).toEqual(given);
  const { records, shed } = spool;
  const next = open(folder, 30_000);
  expect([next.records, next.shed]).toEqual([records, shed]);
  const said = take(next).flatMap((item) => (item.kind === "shed" ? [item.shed] : []));
  expect(said.reduce((sum, one) => addShed(sum, one), nothingShed)).toEqual(shed);
  expect(next.shed).toEqual(nothingShed);
  spool.close();
  next.close();
});

test("near its limit texts are shed, then records; what is taken makes room again", async () => {
  const folder = spools.fresh();
  const spool = open(folder, 30_000);
  const early = makeRecord();
  spool.begin(begunOf(early), null);
  for (let at = 0; at < 60; at++) put(spool, makeRecord());
  spool.end(early);
  const { fullTexts, fullRecords } = spool.shed;
  expect(fullTexts).toBeGreaterThan(0);
  expect(spool.records + fullRecords).toBe(61);
  expect(spool.bytes).toBeLessThanOrEqual(30_000);
  spool.close();
  const next = open(folder, 60_000);
  // What was shed is not taken for something that a kill cut short.
  expect(next.shed).toEqual({ ...nothingShed, fullTexts, fullRecords });
  const read = recordsOf(take(next));
  expect(read).toHaveLength(61 - fullRecords);
  expect(read.filter(({ contents }) => contents === null)).toHaveLength(fullTexts);
  expect(read.filter(({ outcome }) => outcome !== "complete")).toEqual([]);
  await eventually(
    async () => next.bytes,
    (bytes) => bytes < 10_000,
  );
  put(next, makeRecord());
  expect(recordsOf(take(next))).toMatchObject([{ contents: { prompt: "What is Python?" } }]);
  expect(next.why).toBeNull();
});
