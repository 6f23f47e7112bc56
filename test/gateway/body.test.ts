import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { Failure } from "../../src/errors";
import { hangUp, passedBody, plainOf, readBody } from "../../src/gateway/body";
import { describeCorral, getJson } from "../support/corral";
import { residentMegabytes } from "../support/memory";

const SILENCE_MS = 50;

/** A body of pieces that come after so many ms each; it stays silent after the last, unless it ends. */
function slow(pieces: readonly (readonly [afterMs: number, text: string])[], ends: boolean) {
  let canceled = false;
  const left = [...pieces];
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const next = left.shift();
        if (next) {
          await Bun.sleep(next[0]);
          controller.enqueue(Buffer.from(next[1]));
        } else if (ends) controller.close();
        else await new Promise(() => {});
      },
      cancel: () => {
        canceled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, canceled: () => canceled };
}
const posted = (body: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  new Request("http://localhost/", { method: "POST", body });
const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe("a body", () => {
  test("that is compressed is read, and no more of it than Ollama itself would", () => {
    const zip = (megabytes: number) => new Uint8Array(gzipSync(new Uint8Array(megabytes * 1_048_576)));
    expect(plainOf(zip(20), "gzip")).toHaveLength(20 * 1_048_576);
    expect(plainOf(zip(21), "gzip")).toBeNull();
  });

  test("that comes slowly comes whole, however long it takes", async () => {
    const pieces = Array.from({ length: 10 }, () => [SILENCE_MS / 5, "ab"] as const);
    const read = await readBody(posted(slow(pieces, true).stream), 100, SILENCE_MS);
    expect(Buffer.from(read).toString()).toBe("ab".repeat(10));
    const passed = passedBody(slow(pieces, true).stream, () => {}, SILENCE_MS);
    expect(await new Response(passed).text()).toBe("ab".repeat(10));
  });

  test("that stops coming is a 408, and its connection is closed", async () => {
    const { stream, canceled } = slow([[0, "ab"]], false);
    const error = await thrown(readBody(posted(stream), 100, SILENCE_MS));
    if (!(error instanceof Failure)) throw new Error("no Failure");
    expect([error.status, error.code]).toEqual([408, "request_timeout"]);
    expect(canceled()).toBe(true);
    expect(hangUp(error, new Response()).headers.get("connection")).toBe("close");
  });

  test("that stops coming while it is handed on is said to whoever asked", async () => {
    const said = Promise.withResolvers<Failure>();
    const passed = passedBody(slow([[0, "ab"]], false).stream, said.resolve, SILENCE_MS);
    const reading = thrown(new Response(passed).text());
    expect((await said.promise).status).toBe(408);
    await reading;
  });

  test("that nobody takes is not silent", async () => {
    const passed = passedBody(slow([[0, "ab"]], true).stream, (why) => Promise.reject(why), SILENCE_MS);
    await Bun.sleep(3 * SILENCE_MS);
    expect(await new Response(passed).text()).toBe("ab");
  });

  test("that is given up at the moment at which a piece of it comes is not broken", async () => {
    const source = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const broken: Failure[] = [];
    const reader = passedBody(source.readable, (why) => broken.push(why)).getReader();
    const reading = reader.read();
    await Bun.sleep(1);
    source.writable.getWriter().write(Buffer.from("ab"));
    await reader.cancel();
    expect((await reading).done).toBe(true);
    await Bun.sleep(1);
    expect(broken).toEqual([]);
  });

  test("that is larger than is taken is a 413, and is read no further", async () => {
    const { stream, canceled } = slow([[0, "x".repeat(101)]], false);
    expect(await thrown(readBody(posted(stream), 100, SILENCE_MS))).toMatchObject({ status: 413 });
    expect(canceled()).toBe(true);
  });
});

describeCorral("a blob of half a gigabyte", (corral) => {
  const MEGABYTES = 512;
  /** What the system holds of two connections, and some pieces on their way. */
  const MOST_AHEAD = 64;
  /** Kept whole it would be four times as much. */
  const MOST_RESIDENT = 128;

  test("is taken no faster than Ollama takes it, and passes in flat memory", async () => {
    const { pid } = (await getJson(`${corral().url}/api/engine`)) as { pid: number };
    const before = residentMegabytes(corral().pid);
    const piece = crypto.getRandomValues(new Uint8Array(65_536));
    const megabyte = Buffer.concat(Array.from({ length: 16 }, () => piece));
    const hash = new Bun.CryptoHasher("sha256");
    for (let at = 0; at < MEGABYTES; at++) hash.update(megabyte);
    const socket = connect(corral().port, "127.0.0.1");
    try {
      process.kill(pid, "SIGSTOP");
      const length = MEGABYTES * megabyte.length;
      const path = `/api/blobs/sha256:${hash.digest("hex")}`;
      socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`);
      let sent = 0;
      for (let isTaken = true; isTaken && sent < MEGABYTES; sent++)
        if (!socket.write(megabyte))
          isTaken = await Promise.race([
            once(socket, "drain").then(() => true),
            Bun.sleep(500).then(() => false),
          ]);
      expect(sent).toBeLessThan(MOST_AHEAD);

      process.kill(pid, "SIGCONT");
      let most = 0;
      for (; sent < MEGABYTES; sent++) {
        if (!socket.write(megabyte)) await once(socket, "drain");
        most = Math.max(most, residentMegabytes(corral().pid));
      }
      const [answer] = await once(socket, "data");
      expect(String(answer)).toStartWith("HTTP/1.1 201 Created");
      expect(most - before).toBeLessThan(MOST_RESIDENT);
    } finally {
      process.kill(pid, "SIGCONT");
      socket.destroy();
    }
  });
});
