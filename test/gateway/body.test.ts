import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors";
import { hangUp, passedBody, readBody } from "../../src/gateway/body";

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

  test("that is larger than is taken is a 413, and is read no further", async () => {
    const { stream, canceled } = slow([[0, "x".repeat(101)]], false);
    expect(await thrown(readBody(posted(stream), 100, SILENCE_MS))).toMatchObject({ status: 413 });
    expect(canceled()).toBe(true);
  });
});
