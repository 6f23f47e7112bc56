/** The document of the API: valid, whole, and true. */
import { beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describeCorral, getJson } from "../support/corral";
import { faultsOf, isObject } from "./schemas";

/** The contract's list, and what this API adds to it. */
const operations = [
  "DELETE /api/data/all",
  "DELETE /api/data/logs",
  "DELETE /api/data/metrics",
  "DELETE /api/models/repository/{name}",
  "DELETE /api/ollama/models/{name}",
  "DELETE /api/ollama/pulls/{id}",
  "DELETE /api/requests/active/{id}",
  "DELETE /api/session",
  "GET /api/data/backup",
  "GET /api/data/clearable",
  "GET /api/data/summary",
  "GET /api/engine",
  "GET /api/engine/log",
  "GET /api/events",
  "GET /api/health",
  "GET /api/ledger",
  "GET /api/models",
  "GET /api/models/repository",
  "GET /api/models/repository/{name}",
  "GET /api/ollama/library",
  "GET /api/ollama/models",
  "GET /api/ollama/pulls",
  "GET /api/requests/active",
  "GET /api/requests/{id}",
  "GET /api/settings",
  "GET /api/stats/current",
  "GET /api/stats/history",
  "GET /api/stats/live",
  "GET /api/stats/logs",
  "GET /api/stats/logs/export",
  "GET /api/stats/summary",
  "GET /healthz",
  "GET /metrics",
  "GET /readyz",
  "POST /api/chat",
  "POST /api/data/query",
  "POST /api/data/restore",
  "POST /api/engine/restart",
  "POST /api/models/repository",
  "POST /api/models/repository/sync",
  "POST /api/ollama/pull",
  "POST /api/session",
  "PUT /api/models/repository/{name}",
];

describeCorral("the API's document", (corral) => {
  let document: Record<string, unknown>;
  let all: { title: string; operation: Record<string, unknown> }[];
  beforeAll(async () => {
    const answered = await getJson(`${corral().url}/swagger/json`);
    if (!isObject(answered) || !isObject(answered.paths)) throw new Error("no document");
    document = answered;
    all = Object.entries(answered.paths).flatMap(([path, methods]) =>
      Object.entries(isObject(methods) ? methods : {}).map(([method, operation]) => ({
        title: `${method.toUpperCase()} ${path}`,
        operation: isObject(operation) ? operation : {},
      })),
    );
  });
  const resolve = (ref: string) =>
    ref
      .split("/")
      .slice(1)
      .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), document);
  /** Bodies of an operation, each with where it stands. */
  const bodies = (operation: Record<string, unknown>) =>
    Object.entries({
      request: operation.requestBody,
      ...(isObject(operation.responses) ? operation.responses : {}),
    }).flatMap(([where, holder]) =>
      isObject(holder) && isObject(holder.content)
        ? Object.entries(holder.content).map(([type, media]) => ({
            where,
            type,
            media: isObject(media) ? media : {},
          }))
        : [],
    );

  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    // What that validator lets through.
    const text = JSON.stringify(document);
    expect(text).not.toContain('"$id"');
    expect(text).not.toContain('"examples":[]');
    for (const { operation } of all) {
      for (const parameter of Array.isArray(operation.parameters) ? operation.parameters : [])
        expect(parameter.examples).toBeUndefined();
    }
  });

  test("holds every operation, and nothing that is hidden", () => {
    expect(all.map(({ title }) => title).sort()).toEqual(operations);
  });

  test("every reference leads somewhere, and every component is used", () => {
    const refs = new Set(
      [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((found) => found[1] ?? ""),
    );
    for (const ref of refs) expect([ref, isObject(resolve(ref))]).toEqual([ref, true]);
    const schemas = resolve("#/components/schemas");
    const named = Object.keys(isObject(schemas) ? schemas : {}).map((name) => `#/components/schemas/${name}`);
    expect(named.sort()).toEqual([...refs].sort());
  });

  test("every operation has an id of its own, a summary, a description and a tag that is described", () => {
    const ids = all.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(all.length);
    const tags = (document.tags as { name: string; description: string }[]).map((tag) => tag.name);
    for (const { title, operation } of all) {
      expect(operation).toMatchObject({
        summary: expect.stringMatching(/^[A-Z]/),
        description: expect.stringMatching(/\.$/),
      });
      expect([title, (operation.tags as string[]).every((tag) => tags.includes(tag))]).toEqual([title, true]);
    }
  });

  test("every parameter is described", () => {
    for (const { title, operation } of all) {
      const parameters = Array.isArray(operation.parameters) ? operation.parameters : [];
      for (const parameter of parameters)
        expect([title, parameter]).toEqual([
          title,
          expect.objectContaining({ description: expect.stringMatching(/\w/) }),
        ]);
      expect(parameters.some((parameter) => parameter.in === "path")).toBe(title.includes("{"));
    }
  });

  test("every body has an example, which is what its schema says", () => {
    for (const { title, operation } of all) {
      for (const { where, type, media } of bodies(operation)) {
        const faults =
          media.example === undefined ? ["no example"] : faultsOf(media.example, media.schema, resolve);
        expect({ title, where, type, faults }).toEqual({ title, where, type, faults: [] });
      }
    }
  });

  test("every operation says with which errors it answers", () => {
    const statusesOf = (title: string) => {
      const { responses } = all.find((one) => one.title === title)?.operation ?? {};
      return Object.keys(isObject(responses) ? responses : {}).map(Number);
    };
    for (const { title, operation } of all) {
      const wanted = [403, 500];
      if (operation.parameters !== undefined || operation.requestBody !== undefined) wanted.push(400);
      // A backup may have any size.
      if (operation.requestBody !== undefined && !title.endsWith("/restore")) wanted.push(413);
      if (title.includes("{") || title === "POST /api/chat") wanted.push(404);
      if (/ollama\/(models|pull$)|sync|chat|restart|health$|readyz/.test(title)) wanted.push(503);
      expect([title, statusesOf(title)]).toEqual([title, expect.arrayContaining(wanted)]);
    }
    expect(statusesOf("POST /api/models/repository")).toContain(409);
    expect(statusesOf("POST /api/models/repository")).toContain(201);
  });

  test("streams are documented as streams", () => {
    for (const path of ["POST /api/chat", "POST /api/ollama/pull", "GET /api/stats/live"]) {
      const operation = all.find(({ title }) => title === path)?.operation ?? {};
      const stream = bodies(operation).find(({ where }) => where === "200");
      expect(stream?.type).toBe("text/event-stream");
      expect(stream?.media.example).toMatch(/^(event: \w+\n)?data: \{/);
    }
  });

  test("what is answered is what the document says", async () => {
    for (const { title, operation } of all) {
      const [method = "", path = ""] = title.split(" ");
      // The live feed has no end.
      if (method !== "GET" || path === "/api/stats/live") continue;
      const response = await fetch(corral().url + path.replace(/\{\w+\}/, "nobody"));
      const documented = bodies(operation).find(({ where }) => where === String(response.status));
      const isText = documented?.type !== "application/json";
      const answered: unknown = isText ? await response.text() : await response.json();
      const faults = faultsOf(answered, documented?.media.schema, resolve);
      expect({ title, status: response.status, faults }).toEqual({
        title,
        status: response.status,
        faults: [],
      });
    }
  });
});

describe("the document's checker", () => {
  test("knows a wrong value when it sees one", () => {
    const schema = {
      type: "object",
      properties: {
        a: { type: "integer", minimum: 1 },
        b: { anyOf: [{ type: "string" }, { type: "null" }] },
      },
      required: ["a"],
    };
    const faults = (value: unknown) => faultsOf(value, schema, () => undefined).length;
    expect(faults({ a: 1, b: null })).toBe(0);
    for (const wrong of [{}, { a: 0 }, { a: 1.5 }, { a: 1, b: 2 }, { a: 1, c: 1 }, []])
      expect(faults(wrong)).toBeGreaterThan(0);
  });
});
