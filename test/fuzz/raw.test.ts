/** What no HTTP client would send, through a bare socket: the server stays up and says something sensible. */
import { afterEach, describe, expect, test } from "bun:test";
import { engineState } from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";
import {
  ambiguous,
  foreign,
  get,
  hosts,
  lines,
  methods,
  oversized,
  post,
  type Rubbish,
  smuggled,
  smuggling,
} from "./rubbish";
import { type Bytes, talk } from "./socket";

const MB = 1_000_000;

describeCorral("a bare socket", (corral) => {
  let read = 0;
  afterEach(async () => {
    expect(await getJson(`${corral().url}/healthz`)).toEqual({ status: "ok" });
    const logged = corral().logged();
    const fresh = logged.slice(read);
    read = logged.length;
    // A stack that Bun prints is no line of the log.
    expect(fresh.split("\n").filter((line) => line !== "" && !line.startsWith("{"))).toEqual([]);
    expect(fresh).not.toContain('"level":"error"');
  });

  /** Each is answered with one of the statuses that will do, and nothing hidden in it reaches the engine. */
  const sensible = async (requests: readonly Rubbish[]) => {
    for (const { title, bytes, says, ...how } of requests) {
      const said = await talk(corral().port, bytes, how);
      const first = said.statuses[0] ?? "closed";
      expect([title, says.includes(first) || `${first}: ${said.text.slice(0, 300)}`]).toEqual([title, true]);
    }
    const { paths } = await engineState(corral());
    expect(Object.keys(paths).filter((path) => path.includes(smuggled))).toEqual([]);
  };

  test("with a short, strange or missing Host is told whether it may call", () => sensible(hosts));
  test("with a path that can be read in two ways is refused", () => sensible(ambiguous));
  test("with a method that does not exist is refused, or hung up on", () => sensible(methods));
  test("with headers or a path that are too large is told so", () => sensible(oversized));
  test("with two lengths, or chunks of no size, smuggles no second request to the engine", () =>
    sensible(smuggling));
  test("with odd line ends or odd bytes in the head is refused", () => sensible(lines));
  test("that speaks TLS, another protocol or nothing known is hung up on", () => sensible(foreign));

  test("gets the same path judged and served, whatever the Host does to the address", async () => {
    // Of a URL without a Host, Elysia's router takes what follows the twelfth character.
    for (const [headers, version] of [
      ["", "1.0"],
      ["Host:\r\n", "1.1"],
      ["Host: localhost:80?\r\n", "1.1"],
      ["Host: localhost:80/api/tags?\r\n", "1.1"],
      ["Host: localhost\r\n", "1.1"],
    ] as const) {
      const { statuses, text } = await talk(corral().port, get("/api/xxxxxxx/api/health", headers, version));
      expect([headers, statuses, text.slice(text.indexOf("\r\n\r\n"))]).toEqual([
        headers,
        [404],
        "\r\n\r\n404 page not found",
      ]);
      for (const path of ["/api/health", "/api/health/", "/api/models/repository?x=/api/tags"]) {
        const own = await talk(corral().port, get(path, headers, version));
        expect([headers, path, own.statuses]).toEqual([headers, path, [200]]);
        expect(own.text.toLowerCase()).toContain("\r\nx-corral-instance: ");
      }
    }
  });

  test("with an address of elsewhere in its first line reaches nobody but this server", async () => {
    const seen: string[] = [];
    const elsewhere = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        seen.push(request.url);
        return new Response("elsewhere");
      },
    });
    try {
      const address = `127.0.0.1:${elsewhere.port}`;
      for (const method of ["GET", "POST", "CONNECT", "OPTIONS"]) {
        for (const target of [
          `x:@${address}/../api/tags`,
          `@${address}/../api/tags`,
          `//${address}/api/tags`,
          `//${address}/../api/tags`,
          `http://${address}/api/tags`,
          `http://x@${address}/api/tags`,
          `https://${address}/v1/models`,
          `${address}/api/tags`,
          address,
        ]) {
          for (const [version, headers] of [
            ["1.0", ""],
            ["1.1", "Host: localhost\r\n"],
          ]) {
            const said = await talk(corral().port, `${method} ${target} HTTP/${version}\r\n${headers}\r\n`);
            expect(said.text).not.toContain("elsewhere");
            for (const status of said.statuses)
              expect([method, target, status < 500]).toEqual([method, target, true]);
          }
        }
      }
      expect(seen).toEqual([]);
    } finally {
      await elsewhere.stop(true);
    }
  });

  test("with many requests in one packet gets as many answers, in their order", async () => {
    const several = get("/healthz").repeat(99) + get("/nowhere");
    const said = await talk(corral().port, several, { answers: 100 });
    expect(said.statuses).toEqual([...Array.from({ length: 99 }, () => 200), 404]);
    const mixed = await talk(corral().port, post("/api/models/repository", "{}") + get("/healthz"), {
      answers: 2,
    });
    expect(mixed.statuses).toEqual([400, 200]);
  });

  test("with a request behind one that takes time is hung up on, so that no answers are mixed up", async () => {
    const { requests } = await engineState(corral());
    const chat = post("/api/chat", '{"model":"sim-tokens3-delay20:packet","prompt":"x"}');
    const said = await talk(corral().port, chat + get(`/api/${smuggled}`), { answers: 2 });
    expect([said.closed, said.statuses.filter((status) => status !== 200)]).toEqual([true, []]);
    const state = await eventually(
      () => engineState(corral()),
      ({ active }) => active === 0,
    );
    expect(state.requests).toBeLessThanOrEqual(requests + 1);
    expect(Object.keys(state.paths).filter((path) => path.includes(smuggled))).toEqual([]);
  });

  test("that sends its request a few bytes at a time is served", async () => {
    const request = post("/api/chat", '{"model":"sim-tokens1:dribble","prompt":"x"}');
    const pieces = request.match(/.{1,7}/gs) ?? [];
    expect((await talk(corral().port, pieces, { pauseMs: 2 })).statuses).toEqual([200]);
  });

  test("that is closed at any point leaves nothing behind, in the log or in the engine", async () => {
    const requests = [
      post("/api/chat", '{"model":"sim-tokens50-delay5:closed","prompt":"x"}'),
      post("/api/models/repository", '{"name":"closed"}'),
      post("/api/show", '{"model":"llama3.2"}'),
      get("/api/stats/logs"),
    ];
    for (const request of requests) {
      const cuts = Array.from({ length: request.length + 1 }, (_, at) => at);
      while (cuts.length > 0)
        await Promise.all(
          cuts
            .splice(0, 20)
            .map((at) => talk(corral().port, request.slice(0, at), { leave: true, answers: 0 })),
        );
    }
    await eventually(
      () => engineState(corral()),
      ({ active }) => active === 0,
    );
  });

  describe("with a body of 100 MB", () => {
    const block = Buffer.alloc(MB, "x");
    const blocks = (before: string, after: string): readonly Buffer[] => [
      Buffer.from(before),
      ...Array.from({ length: 100 }, () => block),
      Buffer.from(after),
    ];
    const told = (path: string, body: readonly Buffer[]): readonly Bytes[] => {
      const length = body.reduce((sum, one) => sum + one.length, 0);
      return [`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`, ...body];
    };
    const untold = (path: string, body: readonly Buffer[]): readonly Bytes[] => [
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ...body.flatMap((one) => [`${one.length.toString(16)}\r\n`, one, "\r\n"]),
      "0\r\n\r\n",
    ];
    const own = blocks('{"name":"a","description":"', '"}');
    const contract = blocks('{"model":"sim-tokens1:huge","prompt":"', '"}');
    const rubbish = blocks("x", "x");

    test("is told that a path of Corral's takes 64 MB", async () => {
      for (const [path, body] of [
        ["/api/models/repository", own],
        ["/api/chat", contract],
      ] as const) {
        for (const bytes of [told(path, body), untold(path, body)]) {
          const said = await talk(corral().port, bytes);
          expect([path, said.statuses]).toEqual([path, [413]]);
          expect(said.text).toContain("Request body too large");
        }
      }
    });

    test("is carried to Ollama where the path is Ollama's", async () => {
      for (const bytes of [told("/api/chat", rubbish), untold("/api/chat", rubbish)]) {
        const said = await talk(corral().port, bytes);
        expect([said.statuses, said.text.includes("invalid character")]).toEqual([[400], true]);
      }
      const blob = `/api/blobs/sha256:${"a".repeat(64)}`;
      for (const bytes of [told(blob, own), untold(blob, own)]) {
        const said = await talk(corral().port, bytes);
        expect([said.statuses, said.text.includes("digest mismatch")]).toEqual([[400], true]);
      }
    });

    test("is refused where the path takes none", async () => {
      for (const [path, status] of [
        ["/nowhere", 404],
        ["/api/health", 405],
      ] as const) {
        for (const bytes of [told(path, own), untold(path, own)])
          expect((await talk(corral().port, bytes)).statuses).toEqual([status]);
      }
    });
  });
});
