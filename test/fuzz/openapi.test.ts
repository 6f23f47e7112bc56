/**
 * Requests made from the API's document, sent to a running server: whatever is sent, no 5xx, and no answer that the
 * document does not tell of. A new endpoint is covered with no edit.
 *
 * FUZZ_REQUESTS sends another number; FUZZ_SEED repeats a run, of which a failure prints the seed.
 */
import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { isObject } from "../api/schemas";
import { describeCorral, eventually, getJson } from "../support/corral";
import { type Document, type Operation, readDocument, undocumented } from "./document";
import { type Made, requestsTo } from "./requests";

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 1000);
const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
/** What has neither parameters nor a body answers the same to all. */
const OF_ONE_KIND = 8;

/** Asked by itself: while the engine is being restarted, others rightly answer 503. */
const restart = "POST /api/engine/restart";
/** It never ends; test/api/requests.test.ts reads it. */
const endless = "GET /api/stats/live";
/** Each is the whole database's, and takes a second; test/commands/backup.test.ts has them. */
const large = ["GET /api/data/backup", "POST /api/data/restore"];
/** Nothing of the kind is there when it is asked for, so that its own example is rightly refused. */
const ofTheMoment = (path: string) => path.includes("{id}");

describeCorral(
  "the document's operations",
  (corral) => {
    let document: Document = { operations: [], resolve: () => undefined };
    const sent = { documented: 0, fitting: 0, broken: 0 };
    const served = { documented: 0, fitting: 0, broken: 0 };
    /** Operations that have done what they are for. */
    const succeeded = new Set<string>();

    beforeAll(async () => {
      document = readDocument(await getJson(`${corral().url}/swagger/json`));
    });

    const call = async ({
      method,
      target,
      headers,
      body,
    }: Pick<Made, "method" | "target" | "headers" | "body">) => {
      const response = await fetch(corral().url + target, { method, headers, body });
      return {
        status: response.status,
        type: response.headers.get("content-type"),
        text: await response.text(),
      };
    };

    /** What an operation is asked for must be there, and what it makes must not. */
    const prepare = async ({ path, responses, body }: Operation) => {
      const post = (target: string, json: unknown) =>
        call({ method: "POST", target, headers: {}, body: JSON.stringify(json) });
      const isThere = async (target: string) => (await fetch(corral().url + target)).ok;
      if (path.includes("{name}") && !(await isThere("/v1/models/llama3.2")))
        await post("/api/pull", { model: "llama3.2", stream: false });
      if (path.includes("{name}") && !(await isThere("/api/models/repository/llama3.2")))
        await post("/api/models/repository/sync", {});
      const name = isObject(body?.example) ? body.example.name : undefined;
      if (responses[201] && typeof name === "string")
        await call({ method: "DELETE", target: `${path}/${name}`, headers: {}, body: null });
    };

    const check = async (operation: Operation, made: Made) => {
      if (made.kind === "documented") await prepare(operation);
      const answer = await call(made);
      sent[made.kind]++;
      if (answer.status < 300) {
        served[made.kind]++;
        succeeded.add(operation.title);
      }
      const faults = undocumented(operation, answer, document.resolve);
      if (answer.status >= 500) faults.push(`a ${answer.status}`);
      if (made.wrong && answer.status < 400) faults.push("what breaks a schema was accepted");
      if (made.kind === "documented" && answer.status >= 300 && !ofTheMoment(operation.path))
        faults.push("the document's own example was refused");
      expect({ ...answer, faults }).toEqual({ ...answer, faults: [] });
    };

    test("answer as documented, whatever they are sent", async () => {
      const asked = document.operations.filter(({ title }) => ![restart, endless, ...large].includes(title));
      const isOfOneKind = ({ parameters, body }: Operation) => parameters.length === 0 && body === null;
      const manifold = asked.filter((one) => !isOfOneKind(one)).length;
      const share = Math.ceil((REQUESTS - OF_ONE_KIND * (asked.length - manifold)) / manifold);
      const failures: string[] = [];
      for (const operation of asked) {
        const numRuns = isOfOneKind(operation) ? OF_ONE_KIND : share;
        const property = fc.asyncProperty(requestsTo(operation, document.resolve), (made) =>
          check(operation, made),
        );
        // All operations are tried, so that one run tells of every one that fails.
        const found = await fc.check(property, { numRuns, includeErrorInReport: true, ...seed });
        if (found.failed) failures.push(`${operation.title}: ${fc.defaultReportMessage(found)}`);
      }
      expect(failures).toEqual([]);
      const all = sent.documented + sent.fitting + sent.broken;
      console.log(`${all} requests:`, JSON.stringify({ sent, served }));
      expect(all).toBeGreaterThanOrEqual(REQUESTS);
      // Else nothing was proved.
      const unproved = asked.filter(({ title, path }) => !succeeded.has(title) && !ofTheMoment(path));
      expect(unproved.map(({ title }) => title)).toEqual([]);
      expect(served.fitting).toBeGreaterThan(sent.fitting / 2);
      expect(corral().logged()).not.toContain('"level":"error"');
    }, 60_000);

    test("restart the engine as documented", async () => {
      const operation = document.operations.find(({ title }) => title === restart);
      if (!operation) throw new Error(`${restart} is not in the document`);
      const { method, path: target } = operation;
      const answer = await call({ method, target, headers: {}, body: null });
      expect([answer.status, undocumented(operation, answer, document.resolve)]).toEqual([200, []]);
      await eventually(
        () => fetch(`${corral().url}/readyz`),
        ({ ok }) => ok,
      );
    });
  },
  // Nothing leaves this machine: the library's site is behind a proxy that is not there.
  // On the embedded database, which is what questions are asked of.
  { embedded: true, environment: { HTTPS_PROXY: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" } },
);
