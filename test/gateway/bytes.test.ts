/**
 * Byte for byte, both ways: what a client sends is what the engine gets, and what the engine says is what the client
 * gets, on every path of Ollama's, whatever is in it and wherever the network cuts it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { type Bytes, talk } from "../fuzz/socket";
import { type RunningCorral, startCorral } from "../support/corral";
import { type RunningSimulator, startSimulator } from "../support/simulator";
import { form, native } from "./asking";
import { cutAt } from "./recordings";
import { type Message, openTap, readMessage, type Tap } from "./tap";

let engine: RunningSimulator;
let tap: Tap;
let corral: RunningCorral;
beforeAll(async () => {
  engine = await startSimulator();
  tap = await openTap(engine.port);
  corral = await startCorral({ environment: { OLLAMA_URL: `http://127.0.0.1:${tap.port}` } });
});
afterAll(async () => {
  await corral?.stop();
  await tap?.close();
  await engine?.stop();
});

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: Bytes | undefined;
  readonly headers?: readonly string[];
  /** JSON when absent, none at all when null. */
  readonly type?: string | null;
  /** Where its body is cut on its way to Corral. */
  readonly cuts?: readonly number[];
}

const json = (method: string, path: string, body?: object): Sent => ({
  method,
  path,
  body: body && JSON.stringify(body),
});
const posted = (path: string, body: object) => json("POST", path, body);

let count = 0;

/** A request through Corral, and what went over the wire behind it. */
async function send({ method, path, body, type = "application/json", headers = [], cuts = [] }: Sent) {
  const mark = `x-mark: ${++count}.`;
  const bytes = Buffer.from(body ?? "");
  const typed = type === null ? [] : [`content-type: ${type}`];
  const framed = body === undefined ? [] : [...typed, `content-length: ${bytes.length}`];
  const own = ["host: localhost", "accept: */*", "user-agent: bytes", "connection: close", mark];
  const head = `${[`${method} ${path} HTTP/1.1`, ...own, ...headers, ...framed].join("\r\n")}\r\n\r\n`;
  const pieces = cutAt(bytes, cuts).map((piece) => Buffer.from(piece));
  const [first = Buffer.alloc(0), ...rest] = pieces;
  const packets = [Buffer.concat([Buffer.from(head), first]), ...rest];
  const said = await talk(corral.port, packets, {
    answers: 0,
    ...(rest.length > 0 && { pauseMs: 1 }),
  });
  const sent = readMessage(head + bytes.toString("latin1"));
  return { sent, got: readMessage(said.text), ...tap.exchange(mark) };
}

/** A connection's own, and what Corral sets in their stead. */
const perConnection = [
  ...["connection", "content-length", "date", "keep-alive", "transfer-encoding"],
  ...["accept-encoding", "host"],
];

function shown({ line, headers, body }: Message, started: RegExp) {
  return {
    line: started.exec(line)?.[1],
    headers: headers.filter(([name]) => !perConnection.includes(name)).sort(),
    body,
  };
}

/** Reason phrases are lost in fetch. */
const statusOf = (message: Message) => shown(message, /^HTTP\/1\.1 (\d{3})/);
const requestOf = (message: Message) => shown(message, /^(\S+ \S+) /);

/** Sends it, and holds both ways to each other. @returns what the client got */
async function compare(request: Sent): Promise<Message> {
  const { sent, asked, answered, got } = await send(request);
  expect(requestOf(asked)).toEqual(requestOf(sent));
  expect(statusOf(got)).toEqual(statusOf(answered));
  const length = got.headers.find(([name]) => name === "content-length");
  if (length && request.method !== "HEAD") expect(Number(length[1])).toBe(got.body.length);
  return got;
}

const zeros = `sha256:${"0".repeat(64)}`;
const hello = `sha256:${new Bun.CryptoHasher("sha256").update("hello").digest("hex")}`;
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const tools = [{ type: "function", function: { name: "f", parameters: { properties: { x: {} } } } }];
const usage = { stream: true, stream_options: { include_usage: true } };

/** Ways to ask a model, each whole and in a stream, with everything that a reply may hold. */
const models = ["sim-tokens9", "sim-think-tokens9-emoji", "sim-tools", "sim-tokens4-nul-surrogate", "nope"];
const inference = models.flatMap((model) => [
  ...[true, false].flatMap((stream) => [
    posted("/api/chat", native(model, { stream, tools, think: model.includes("think") })),
    posted("/api/generate", { model, prompt: "<ü>", stream, images: [pixel] }),
    posted("/v1/completions", { model, prompt: "one", stream, suffix: "z" }),
    posted("/v1/responses", { model, input: "one", stream, tools: [{ type: "function", name: "f" }] }),
    posted(
      "/v1/messages",
      native(model, { max_tokens: 9, stream, tools: [{ name: "f", input_schema: {} }] }),
    ),
  ]),
  { ...posted("/api/chat", native(model)), type: null },
  posted("/v1/chat/completions", native(model, { ...usage, tools })),
  posted("/v1/chat/completions", native(model, { tools, response_format: { type: "json_object" } })),
]);

const embedding = ["nomic-embed-text", "sim-embed-split", "llama3.2", "nope", undefined].flatMap((model) => [
  ...[["one", "ü"], "one", [], [1]].map((input) => posted("/api/embed", { model, input, dimensions: 4 })),
  posted("/api/embeddings", { model, prompt: "one" }),
  posted("/v1/embeddings", { model, input: "one", encoding_format: "base64" }),
]);

const management = [
  ...["/api/tags", "/api/version", "/v1/models"].map((path) => json("GET", path)),
  ...["/api/ps", "/api/status", "/v1/models/llama3.2", "/v1/models/nope"].map((path) => json("GET", path)),
  ...["/api/tags", "/api/version", `/api/blobs/${zeros}`].map((path) => json("HEAD", path)),
  ...["llama3.2", "nope", ""].map((model) => posted("/api/show", { model })),
  { method: "POST", path: `/api/blobs/${hello}`, body: "hello", type: "application/octet-stream" },
  json("HEAD", `/api/blobs/${hello}`),
  { method: "POST", path: `/api/blobs/${zeros}`, body: "hello", type: "application/octet-stream" },
  ...[true, false].flatMap((stream) => [
    posted("/api/pull", { model: "sim-tokens1:bytes", stream }),
    posted("/api/push", { model: "llama3.2", stream }),
    posted("/api/create", { model: "mine", from: "llama3.2", stream }),
    posted("/api/create", { model: "mine", stream }),
    posted("/api/pull", { model: "missing-model", stream }),
  ]),
  posted("/api/copy", { source: "mine", destination: "yours" }),
  posted("/api/copy", { source: "nope", destination: "yours" }),
  json("DELETE", "/api/delete", { model: "yours" }),
  json("DELETE", "/api/delete", { model: "yours" }),
];

const others = [
  ...["/api/me", "/api/signout"].map((path) => json("POST", path)),
  json("DELETE", "/api/user/keys/a"),
  ...["web_search", "web_fetch"].map((name) => json("POST", `/api/experimental/${name}`)),
  json("GET", "/api/experimental/model-recommendations"),
  // Wrong methods, and what a later version may have.
  ...["PUT", "PATCH", "DELETE"].map((method) => json(method, "/api/tags", {})),
  ...["OPTIONS", "HEAD", "GET"].map((method) => json(method, "/api/generate")),
  ...["GET", "HEAD", "OPTIONS"].map((method) => json(method, "/v1/messages")),
  ...["GET", "HEAD", "OPTIONS", "DELETE"].map((method) => json(method, "/api/later/version?x=%20y&x=z")),
  ...["POST", "PUT", "PATCH"].map((method) => json(method, "/v1/later", { some: "body" })),
];

const title = ({ method, path, body }: Sent) => `${method} ${path} ${body ?? ""}`;

describe("passes as it is, both ways:", () => {
  const all = [...inference, ...embedding, ...management, ...others];
  for (const request of all) test(title(request), () => compare(request).then(() => {}));

  test("what is no JSON, or is JSON in another spelling", async () => {
    for (const path of ["/api/chat", "/api/embed", "/v1/chat/completions", "/v1/messages", "/api/show"])
      for (const body of [
        "",
        "{",
        "null",
        '{ "model" : "sim-tokens1",\r\n"stream":false, "n":1.50e0}',
        "\u0000\u00ff",
      ])
        await compare({ method: "POST", path, body });
  });

  test("a body that is compressed", async () => {
    const body = JSON.stringify(native("sim-tokens3", { stream: true }));
    for (const path of ["/api/chat", "/v1/chat/completions", "/v1/messages", "/api/show"])
      for (const [encoding, bytes] of [
        ["gzip", gzipSync(body)],
        ["zstd", zstdCompressSync(body)],
        ["br", Buffer.from(body)],
      ] as const)
        await compare({ method: "POST", path, body: bytes, headers: [`content-encoding: ${encoding}`] });
  });

  test("a sound in a form", async () => {
    const sound = Buffer.from("RIFF sound").toString("base64");
    for (const more of [{}, { response_format: "text" }, { model: "nope" }, { file: "" }]) {
      const made = form(JSON.stringify({ model: "sim-tokens5-emoji", file: sound, prompt: "<ü>", ...more }));
      const request = new Request("http://localhost", { method: "POST", body: made });
      const type = request.headers.get("content-type") ?? "";
      const body = new Uint8Array(await request.arrayBuffer());
      await compare({ method: "POST", path: "/v1/audio/transcriptions", body, type });
      await compare({ method: "POST", path: "/v1/audio/transcriptions", body: body.subarray(0, -9), type });
    }
  });
});

/** One of each kind of reply: lines, events, a whole body, an error, progress, a list. */
const kinds = [
  ...inference.filter(({ body }) => String(body).includes("sim-think")),
  posted("/api/chat", native("sim-error3-tokens9")),
  posted("/api/show", { model: "llama3.2" }),
  posted("/api/pull", { model: "sim-tokens1:bytes" }),
  posted("/api/embed", { model: "nomic-embed-text", input: "one" }),
];
const places = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });

test("wherever the network cuts a request and its answer, they are the same", async () => {
  for (const request of kinds) {
    await fc.assert(
      fc.asyncProperty(places, places, async (cuts, answerCuts) => {
        tap.cut(answerCuts);
        await compare({ ...request, cuts });
      }),
      { numRuns: 4 },
    );
  }
  // In single bytes, which is every place at once.
  tap.cut(Array.from({ length: 20_000 }, (_, place) => place));
  for (const request of kinds) await compare(request);
  tap.cut([]);
});

test("a chat's stream that does not ask for usage is asked for it, and the answer is without that one chunk", async () => {
  const asksForUsage = '"stream_options":{"include_usage":true},';
  const usageChunk = /data: \{[^\n]*"choices":\[\],"usage":[^\n]*\n\n/;
  for (const answerCuts of [[], [1, 7, 50, 99]]) {
    tap.cut(answerCuts);
    const { sent, asked, answered, got } = await send(
      posted("/v1/chat/completions", native("sim-tokens9-emoji", { stream: true })),
    );
    expect(asked.body).toBe(sent.body.replace("{", `{${asksForUsage}`));
    expect(answered.body).toMatch(usageChunk);
    expect(statusOf(got)).toEqual({ ...statusOf(answered), body: answered.body.replace(usageChunk, "") });
  }
  tap.cut([]);
});

test("what Corral says itself, that Ollama is running, it says as Ollama does", async () => {
  for (const method of ["GET", "HEAD"]) {
    const head = `${method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
    const [through, straight] = await Promise.all(
      [corral.port, engine.port].map((port) => talk(port, head, { answers: 0 })),
    );
    if (!through || !straight) throw new Error("nobody answered");
    const [own, theirs] = [through, straight].map(({ text }) => statusOf(readMessage(text)));
    expect(own?.headers.filter(([name]) => !name.startsWith("x-corral-"))).toEqual(theirs?.headers ?? []);
    expect([own?.line, own?.body]).toEqual([theirs?.line, theirs?.body]);
  }
});
