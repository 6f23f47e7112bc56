import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../../src/errors";
import { ollamaChat } from "../../src/gateway/dialects/ollama/chat";
import { ollamaGenerate } from "../../src/gateway/dialects/ollama/generate";
import { createPaths } from "../../src/gateway/paths";

const own = [
  { method: "GET", path: "/", use: null },
  { method: "GET", path: "/api/health", use: null },
  { method: "POST", path: "/api/chat", use: null },
  { method: "POST", path: "/api/ollama/pull", use: null },
  { method: "DELETE", path: "/api/data/all", use: null },
  { method: "GET", path: "/api/models/repository", use: null },
  { method: "POST", path: "/api/models/repository/sync", use: null },
  { method: "PUT", path: "/api/models/repository/:name", use: null },
  { method: "DELETE", path: "/api/ollama/models/:name", use: null },
  { method: "GET", path: "/api/requests/:id", use: null },
  { method: "DELETE", path: "/api/requests/active/:id", use: null },
];
const placeOf = createPaths(
  own,
  new Map([
    ["/api/chat", [ollamaChat]],
    ["/api/generate", [ollamaGenerate]],
  ]),
);
const paths = [
  "/api/health",
  "/api/chat",
  "/api/ollama/pull",
  "/api/data/all",
  "/api/models/repository",
  "/api/generate",
];

describe("a path", () => {
  test("with an id in it is not one with more behind, unless it is a model's name", () => {
    const path = (method: string, pathname: string) => {
      const place = placeOf(method, pathname);
      return place.owner === "corral" ? place.path : place.kind;
    };
    expect(path("DELETE", "/api/requests/active/req_1")).toBe("/api/requests/active/:id");
    expect(path("GET", "/api/requests/req_1")).toBe("/api/requests/:id");
    expect(path("GET", "/api/requests/req_1/more")).toBe("pass");
    expect(path("DELETE", "/api/ollama/models/hf.co/owner/model")).toBe("/api/ollama/models/:name");
  });

  test("of Corral's is Corral's, with its methods", () => {
    expect(placeOf("GET", "/api/health")).toMatchObject({
      owner: "corral",
      methods: ["GET", "HEAD", "OPTIONS"],
    });
    expect(placeOf("PUT", "/api/chat")).toMatchObject({ owner: "corral", methods: ["POST", "OPTIONS"] });
  });

  test("of inference is recorded, in any spelling that Ollama takes", () => {
    for (const path of ["/api/generate", "/api/%67enerate", "/api/generate/"])
      expect(placeOf("POST", path)).toMatchObject({ owner: "engine", kind: "inference" });
  });

  test("of Ollama's passes, today's and tomorrow's", () => {
    for (const path of [
      "/api/tags",
      "/api/pull",
      "/v1/chat/completions",
      "/api/tomorrow",
      "/v1",
      "/api/generate",
    ])
      expect(placeOf("GET", path)).toMatchObject({ owner: "engine", kind: "pass" });
  });

  test("of Ollama's is open where it is inference or what its clients ask first, and needs the admin key elsewhere", () => {
    const open = [
      "POST /api/chat",
      "POST /api/embed",
      "POST /api/show",
      "POST /v1/chat/completions",
      "POST /v1/messages",
      "GET /api/tags",
      "HEAD /api/tags",
      "GET /api/version",
      "GET /v1/models/llama3.2",
      "OPTIONS /api/pull",
    ];
    const guarded = {
      "POST /api/pull": "changes",
      "POST /api/%70ull": "changes",
      "POST //api//pull": "changes",
      "POST /api/pull/": "changes",
      "POST /api/tags/..%2fpull": "changes",
      "POST /api/create": "changes",
      "POST /api/blobs/sha256:1": "changes",
      "POST /api/me": "changes",
      "DELETE /api/delete": "deletes",
      "DELETE /v1/models/llama3.2": "deletes",
      "GET /v1/responses/1": "reads texts",
      "GET /api/tomorrow": "reads texts",
      "POST /api/tags": "changes",
      "PUT /api/chat2": "changes",
    };
    const useOf = (line: string) => {
      const [method = "", path = ""] = line.split(" ");
      return placeOf(method, path).use;
    };
    for (const line of open) expect([line, useOf(line)]).toEqual([line, null]);
    for (const [line, use] of Object.entries(guarded)) expect([line, useOf(line)]).toEqual([line, use]);
  });

  test("of nobody is a 404", () => {
    for (const path of ["/favicon.ico", "/apiary", "/v2/models"])
      expect(() => placeOf("GET", path)).toThrow(expect.objectContaining({ status: 404 }));
  });

  test("takes a model's name plain or encoded, and nothing else in its place", () => {
    for (const name of ["llama3.2", "hf.co/owner/model:Q4_K_M", "hf.co%2Fowner%2Fmodel%3AQ4_K_M"])
      expect(placeOf("PUT", `/api/models/repository/${name}`)).toMatchObject({ owner: "corral" });
    for (const name of ["..%2f..%2fgenerate", "%2fetc", "a%00b", "%zz", "a b", "x".repeat(400)])
      for (const method of ["PUT", "POST"])
        expect(() => placeOf(method, `/api/models/repository/${name}`)).toThrow(
          expect.objectContaining({ status: 400 }),
        );
  });

  test("in whatever spelling throws nothing but a Failure", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "/",
        "//",
        "/.",
        "/..",
        "%2f",
        "%2e",
        "%25",
        "%00",
        "%",
        "%zz",
        "\\",
        "api",
        "v1",
        "chat",
        "data",
        "all",
        "models",
        "repository",
        "é",
        "\ud800",
      ),
      fc.string({ maxLength: 4 }),
    );
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW");
    fc.assert(
      fc.property(method, fc.array(piece, { maxLength: 12 }), (verb, pieces) => {
        try {
          placeOf(verb, `/${pieces.join("")}`);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("of Corral's, or one that is recorded, never passes unseen in another spelling", () => {
    const spelt = fc
      .constantFrom(...paths)
      .chain((path) =>
        fc
          .tuple(...[...path].map((letter) => spellings(letter)))
          .map((letters) => ({ path, spelling: letters.join("") })),
      );
    fc.assert(
      fc.property(spelt, fc.constantFrom("GET", "POST", "DELETE"), ({ path, spelling }, method) => {
        let place: ReturnType<typeof placeOf>;
        try {
          place = placeOf(method, spelling);
        } catch (error) {
          expect(error).toMatchObject({ status: 400 });
          return;
        }
        if (place.owner === "engine" && place.kind === "pass")
          expect([path, method]).not.toEqual([path, "POST"]);
        if (place.owner === "engine" && place.kind === "pass") expect(path).toBe("/api/generate");
      }),
      { numRuns: 500 },
    );
  });
});

/** Ways to write a letter of a path that decode to the same path. */
function spellings(letter: string): fc.Arbitrary<string> {
  const hex = letter.charCodeAt(0).toString(16);
  const encoded = [`%${hex}`, `%${hex.toUpperCase()}`];
  return letter === "/"
    ? fc.constantFrom("/", "/", "//", "/./", "/x/../", ...encoded, "\\")
    : fc.constantFrom(letter, letter, letter, ...encoded);
}
