/** Ten thousand bad requests leave neither memory nor file handles behind, and silent connections are let go. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { engineState } from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";
import { residentMegabytes } from "../support/memory";
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
  smuggling,
} from "./rubbish";
import { talk } from "./socket";

const REQUESTS = 10_000;
/** What grows once, whatever is sent: pools, compiled code, buffers of the allocator. */
const WARM_UP = 3_000;
const AT_ONCE = 40;
const SILENT = 40;
/** Connections to the engine that are kept for the next request: more or fewer, and no more than were ever at work. */
const POOLED = AT_ONCE;
/**
 * Bytes that one bad request may leave behind: a forgotten request, stream or socket of Bun's is several KB. The figure
 * itself goes on growing a little, to a level that sixty thousand reach (90 MB, then 107, 117, 119, 120, 134, 123).
 */
const BYTES_EACH = 4_000;
/** What grows to a level grows less in one of them; a leak grows in each. */
const ROUNDS = 3;

const chat = post("/api/chat", '{"model":"sim-tokens50-delay5:leaks","prompt":"x"}');
const show = post("/api/show", '{"model":"llama3.2"}');
const long = "Host: localhost\r\nContent-Length: 100000\r\n\r\n";

/** Connections that are closed from the other side in the middle. */
const broken: readonly Rubbish[] = [
  "",
  "GET /api/heal",
  "GET /api/health HTTP/1.1\r\nHost: local",
  get("/api/stats/logs"),
  show,
  show.slice(0, -5),
  chat,
  chat.slice(0, -5),
  `POST /api/models/repository HTTP/1.1\r\n${long}{"name"`,
  `POST /api/blobs/sha256:${"a".repeat(64)} HTTP/1.1\r\n${long}abc`,
  "POST /api/show HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nabc",
].map((bytes) => ({ title: "broken off", bytes, says: [], leave: true, answers: 0 }));

const mix: readonly Rubbish[] = [
  ...[...hosts, ...ambiguous, ...methods, ...oversized, ...smuggling, ...lines, ...foreign],
  ...[...broken, ...broken, ...broken],
];

describeCorral("ten thousand bad requests", (corral) => {
  const handles = () => readdirSync(`/proc/${corral().pid}/fd`).length;
  const residentBytes = () => residentMegabytes(corral().pid) * 1024 * 1024;

  const send = async (count: number) => {
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const request = mix[next++ % mix.length];
        if (request) await talk(corral().port, request.bytes, request);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await eventually(
      () => engineState(corral()),
      ({ active }) => active === 0,
    );
  };
  /** The least of some moments: between two collections the figure goes up and down. */
  const settledBytes = async () => {
    let least = Number.POSITIVE_INFINITY;
    for (let look = 0; look < 5; look++) {
      least = Math.min(least, residentBytes());
      await Bun.sleep(250);
    }
    return least;
  };

  /** Connections on which a request is begun, if that, and nothing more comes. */
  const silent = () => {
    const began = ["", "\r\n", "GET /api/hea", "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Le"];
    const connections = { open: 0, closed: Promise.resolve<unknown>(undefined) };
    connections.closed = Promise.all(
      Array.from({ length: SILENT }, async (_, at) => {
        connections.open++;
        const said = await talk(corral().port, began[at % began.length] ?? "", { answers: 0 });
        connections.open--;
        if (!said.closed) throw new Error("a silent connection was not closed by the server");
      }),
    );
    return connections;
  };

  test("leave memory and file handles as they were, and silent connections are let go", async () => {
    const handlesAtStart = handles();
    const waiting = silent();
    await send(WARM_UP);
    const [bytesBefore, handlesBefore] = [await settledBytes(), handles() - waiting.open];
    let bytesAfter = bytesBefore;
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS && least >= REQUESTS * BYTES_EACH; round++) {
      const before = bytesAfter;
      await send(REQUESTS);
      bytesAfter = await settledBytes();
      least = Math.min(least, bytesAfter - before);
    }
    await waiting.closed;
    const handlesAfter = await eventually(
      async () => handles(),
      (count) => count <= handlesBefore + POOLED,
    );
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    console.log(
      `${REQUESTS} bad requests: resident ${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} after; ` +
        `file handles ${handlesAtStart} at the start, ${handlesBefore} before, ${handlesAfter} after`,
    );
    expect(least).toBeLessThan(REQUESTS * BYTES_EACH);
    expect(await getJson(`${corral().url}/healthz`)).toEqual({ status: "ok" });
  }, 180_000);
});
