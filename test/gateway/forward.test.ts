/** The one retry: a request whose connection to Ollama is reset before a byte of the reply is sent again, if it can be. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:net";
import { startCorral, withCorral } from "../support/corral";
import { freePort } from "../support/simulator";
import { ask, contract, events, lines, native, post, record } from "./asking";

setDefaultTimeout(60_000);

/** When a request's connection is reset: before the reply, or in the middle of it. */
type Reset = "at once" | "in the status line" | "after a token";

/** What Corral itself asks, whenever it does. */
const questions: Record<string, string> = {
  "GET /": "Ollama is running",
  "GET /api/version": '{"version":"0.0.0"}',
  "GET /api/tags": '{"models":[]}',
  "GET /api/ps": '{"models":[]}',
};
const token = '{"model":"any","message":{"role":"assistant","content":"hi"},"done":false}\n';
const done = '{"model":"any","message":{"role":"assistant","content":""},"done":true,"eval_count":1}\n';

/** An Ollama that keeps its connections, and resets them as it is told. */
const resets: Reset[] = [];
let asked: { request: string; kept: boolean }[] = [];
const engine = createServer((socket) => {
  let got = "";
  let isKept = false;
  socket.on("error", () => {});
  socket.on("data", async (bytes) => {
    got += bytes.toString("latin1");
    const headEnd = got.indexOf("\r\n\r\n") + 4;
    const [request = ""] = got.split(" HTTP/1.1\r\n", 1);
    if (headEnd < 4) return;
    const reset = request in questions ? undefined : resets.shift();
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(got)?.[1] ?? 0);
    if (reset === undefined && got.length < headEnd + length) return;
    got = "";
    if (!(request in questions)) asked.push({ request, kept: isKept });
    isKept = true;
    const body = questions[request] ?? token + done;
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    if (reset === undefined) return socket.write(answer);
    if (reset !== "at once") {
      socket.write(reset === "after a token" ? answer.slice(0, -done.length) : answer.slice(0, 10));
      // A reset throws away what was not read yet.
      await Bun.sleep(100);
    }
    socket.resetAndDestroy();
  });
});

afterAll(() => engine.close());

withCorral(
  (corral) => {
    const chat = (body: unknown) => post(`${corral().url}/api/chat`, body);
    const words = "the connection to Ollama broke before it answered (ECONNRESET)";
    const times = (count: number, request = "POST /api/chat") => Array(count).fill(request);
    /** Asks while connections are reset, when there is one that was kept. @returns the answer, and what Ollama was asked */
    const meeting = async <T>(fates: readonly Reset[], request: () => Promise<T>) => {
      expect((await ask(`${corral().url}/api/status`)).status).toBe(200);
      asked = [];
      resets.push(...fates);
      const answer = await request();
      expect(resets).toEqual([]);
      return { answer, requests: asked.map(({ request }) => request), kept: asked[0]?.kept };
    };

    test("on a kept connection that is reset a request is sent once more: the reply is whole, the record one", async () => {
      for (const body of [
        contract("once:contract"),
        native("once:native"),
        native("once:whole", { stream: false }),
      ]) {
        const { answer, requests, kept } = await meeting(["at once"], () => chat(body));
        expect([answer.status, requests, kept]).toEqual([200, times(2), true]);
        const isContract = body.model === "once:contract";
        if (isContract) expect(events(answer.text).at(-1)).toMatchObject({ token: "[DONE]" });
        else expect(answer.text).toBe(token + done);
        expect(await record(corral(), body.model)).toMatchObject({
          outcome: "complete",
          response: "hi",
          error: null,
        });
      }
      const { answer, requests } = await meeting(["at once"], () => ask(`${corral().url}/api/status`));
      expect([answer.status, requests]).toEqual([200, times(2, "GET /api/status")]);
    });

    test("a second reset is a 502 in the client's dialect, and on record as an error of the engine", async () => {
      for (const body of [contract("twice:contract"), native("twice:native")]) {
        const { answer, requests } = await meeting(["at once", "at once"], () => chat(body));
        expect([answer.status, JSON.parse(answer.text).error, requests]).toEqual([502, words, times(2)]);
        expect(await record(corral(), body.model)).toMatchObject({
          outcome: "engine_error",
          http_status: 502,
          error: words,
        });
      }
    });

    test("a body that streams through can't be sent again: a 502 at the first reset", async () => {
      const { answer, requests } = await meeting(["at once"], () =>
        post(`${corral().url}/api/show`, { model: "any" }),
      );
      expect([answer.status, JSON.parse(answer.text), requests]).toEqual([
        502,
        { error: words },
        times(1, "POST /api/show"),
      ]);
    });

    test("a request that a byte of the reply has come for is never sent again", async () => {
      const cut = await meeting(["in the status line"], () => chat(native("begun:status")));
      expect([cut.answer.status, JSON.parse(cut.answer.text).error, cut.requests]).toEqual([
        502,
        words,
        times(1),
      ]);
      const begun = await meeting(["after a token"], () => chat(native("begun:token")));
      expect([begun.answer.status, begun.requests]).toEqual([200, times(1)]);
      expect(lines(begun.answer.text)).toEqual([
        JSON.parse(token),
        { error: "the connection to Ollama broke in the middle of its answer (ECONNRESET)" },
      ]);
      expect(await record(corral(), "begun:token")).toMatchObject({
        outcome: "engine_error",
        response: "hi",
      });
    });
  },
  async () => {
    const port = await freePort();
    await new Promise<void>((resolve) => engine.listen(port, "127.0.0.1", resolve));
    return startCorral({ environment: { OLLAMA_URL: `http://127.0.0.1:${port}` } });
  },
);
