/** The rows of failures.md in which the client leaves, or is slow. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { talk } from "../fuzz/socket";
import {
  asking,
  contract,
  engineState,
  native,
  post,
  type Recorded,
  record,
  running,
} from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";

describeCorral(
  "a client",
  (corral) => {
    const url = () => `${corral().url}/api/chat`;
    const working = (count: number) =>
      eventually(
        () => engineState(corral()),
        ({ active }) => active === count,
      );
    const gone = { outcome: "client_abort", status: "aborted", prompt: "hello there", error: null };

    /** Asks in each of these ways at once, and leaves them all when the time has come; the engine must notice each. */
    const leave = async (
      ways: readonly (readonly [path: string, body: object])[],
      comes: () => Promise<unknown>,
    ) => {
      const { active, aborted } = await engineState(corral());
      const leaving = new AbortController();
      const asked = ways.map(([path, body]) =>
        post(corral().url + path, body, { signal: leaving.signal }).catch(() => "left"),
      );
      await working(active + ways.length);
      await comes();
      leaving.abort();
      await Promise.all(asked);
      await working(active);
      expect((await engineState(corral())).aborted).toBe(aborted + ways.length);
    };

    test.each([
      ["before the first byte", "sim-hang"],
      ["while its model is loaded", "sim-load999999"],
    ])("that leaves %s stops the engine, and its prompt is kept, in every dialect", async (_, behaviour) => {
      const ways = Object.entries(asking).flatMap(([dialect, [path, body]]) =>
        [true, false].map((stream) => ({
          dialect,
          path,
          body,
          stream,
          model: `${behaviour}:${dialect}-${stream}`,
        })),
      );
      const embedding = ["/api/embed", "/api/embeddings", "/v1/embeddings"].map((path) => ({
        dialect: `${path.startsWith("/v1") ? "openai" : "ollama"}.${path.split("/").at(-1)}`,
        path,
        body: (model: string) => ({ model, input: "hello there", prompt: "hello there" }),
        stream: false,
        model: `${behaviour}-embed:${path.slice(1).replace("/", "-")}`,
      }));
      const all = [...ways, ...embedding];
      await leave(
        all.map(({ path, body, model, stream }) => [path, body(model, { stream })]),
        async () => {},
      );
      for (const { dialect, model } of all)
        expect(await record(corral(), model)).toMatchObject({
          ...gone,
          dialect,
          response: null,
          http_status: null,
        });
    });

    test("that leaves in mid-stream stops the engine, and the text so far is kept, in every dialect", async () => {
      const ways = Object.entries(asking).map(([dialect, [path, body]]) => ({
        dialect,
        path,
        body,
        model: `sim-delay20-tokens1000:${dialect}`,
      }));
      await leave(
        ways.map(({ path, body, model }) => [path, body(model, { stream: true })]),
        () =>
          eventually(
            () => running(corral()),
            (all) => all.length === ways.length && all.every(({ tokens }) => tokens > 2),
          ),
      );
      for (const { dialect, model } of ways) {
        const kept = await record(corral(), model);
        expect(kept).toMatchObject({ ...gone, dialect, http_status: 200 });
        expect(kept.response).not.toBeEmpty();
        expect(kept.ttft_ms).not.toBeNull();
      }
    });

    test("that leaves while it is queued gives up its place, in every dialect, and nobody else does", async () => {
      const model = "sim-delay20-tokens100:queued";
      const first = post(url(), native(model));
      await eventually(
        () => running(corral()),
        (all) => all.some(({ tokens }) => tokens > 0),
      );
      await leave(
        Object.values(asking).map(([path, body]) => [path, body(model, { stream: true })]),
        () =>
          eventually(
            () => running(corral()),
            (all) => all.filter(({ phase }) => phase === "waiting").length === Object.keys(asking).length,
          ),
      );
      const next = post(url(), native(model, { options: { num_predict: 1 } }));
      expect([(await first).text, (await next).text]).toEqual([
        expect.stringContaining('"done":true'),
        expect.stringContaining('"done":true'),
      ]);
      const logs = await eventually(
        async () =>
          ((await getJson(`${corral().url}/api/stats/logs?model=${model}`)) as { logs: Recorded[] }).logs,
        ({ length }) => length === Object.keys(asking).length + 2,
      );
      const left = logs.filter(({ outcome }) => outcome === "client_abort");
      expect(left.map(({ dialect }) => dialect).sort()).toEqual(Object.keys(asking).sort());
      for (const kept of left) expect(kept).toMatchObject({ ...gone, response: null, http_status: null });
    });

    test("that leaves a path that only passes stops the engine too", async () => {
      for (const stream of [true, false])
        await leave([["/api/pull", { model: "sim-delay999999:left", stream }]], async () => {});
    });

    test("that breaks off its own body, or sends too much, asks the engine for nothing and is on record", async () => {
      const { requests } = await engineState(corral());
      const socket = connect(corral().port, "127.0.0.1");
      socket.write(
        'POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"model":"sim-tokens1:torn",',
      );
      await Bun.sleep(100);
      socket.destroy();
      const large = await talk(
        corral().port,
        "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\n\r\n{",
      );
      expect(large.statuses).toEqual([413]);
      expect((await post(url(), contract("sim-tokens1:next"))).status).toBe(200);
      expect((await engineState(corral())).requests).toBe(requests + 1);
      const rows = await eventually(
        async () => {
          const { logs } = (await getJson(`${corral().url}/api/stats/logs?limit=1000`)) as {
            logs: Recorded[];
          };
          return logs.filter(({ model }) => model === null);
        },
        ({ length }) => length === 2,
      );
      expect(rows.map(({ dialect, outcome, http_status }) => [dialect, outcome, http_status]).sort()).toEqual(
        [
          ["ollama.chat", "client_abort", null],
          ["ollama.generate", "rejected", 413],
        ],
      );
    });

    test("that reads slowly holds back its own stream and nobody else, in flat memory, and gets everything", async () => {
      const tokens = 250_000;
      const model = `sim-long${tokens}:slow`;
      const body = JSON.stringify(native(model));
      const socket = connect(corral().port, "127.0.0.1");
      let isSlow = true;
      let tail = "";
      const ended = Promise.withResolvers<void>();
      socket.on("data", (bytes) => {
        tail = (tail + bytes.toString("latin1")).slice(-1000);
        if (tail.endsWith("\r\n0\r\n\r\n")) ended.resolve();
        else if (isSlow) socket.pause();
      });
      socket.write(
        `POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      /** How much has come from the engine, at two moments. */
      const twice = async () => {
        const come = async () => (await running(corral())).find((one) => one.model === model)?.tokens ?? 0;
        const before = await come();
        await Bun.sleep(300);
        return [before, await come()] as const;
      };
      try {
        const [held] = await eventually(twice, ([before, after]) => before > 0 && before === after);
        // The rest waits in the engine: what has not come takes no memory here.
        expect(held).toBeLessThan(tokens);
        for (const [dialect, [path, make]] of Object.entries(asking)) {
          socket.resume();
          expect(
            (await post(corral().url + path, make(`sim-tokens9:beside-${dialect}`, { stream: true }))).status,
          ).toBe(200);
        }
        isSlow = false;
        socket.resume();
        await ended.promise;
        expect(tail).toContain('"done":true');
        expect(await record(corral(), model)).toMatchObject({ outcome: "complete", tokens_out: tokens });
      } finally {
        socket.destroy();
      }
    });
  },
  { environment: { OLLAMA_NUM_PARALLEL: "1" }, embedded: true },
);
