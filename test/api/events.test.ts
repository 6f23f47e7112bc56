/** Who changed the models, by whichever path: on record with what, when, how it ended and how much. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { ask, engineState, post, postUpToBreak } from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";
import { send } from "./calls";

setDefaultTimeout(60_000);

type Event = Record<string, unknown> & { id: string; model: string | null; timestamp: string };
interface Page {
  readonly events: Event[];
  readonly total: number;
  readonly next: string | null;
}

describeCorral("a change to the models", (corral) => {
  const page = async (query = "") =>
    (await getJson(`${corral().url}/api/events?limit=1000&${query}`)) as Page;
  /** The only event of a model. */
  const event = async (model: string) => {
    const { events } = await eventually(
      () => page(`model=${encodeURIComponent(model)}`),
      (found) => found.events.length > 0,
    );
    if (events.length !== 1 || !events[0]) throw new Error(`${events.length} events of ${model}`);
    return events[0];
  };
  /** Bytes of all of a simulated model's layers. */
  const bytesOf = async (model: string) => {
    const { models } = (await getJson(`${corral().engine}/api/tags`)) as {
      models: { name: string; size: number }[];
    };
    return (models.find(({ name }) => name === model)?.size ?? 0) + 1_429 + 59 + 485;
  };
  const who = { "user-agent": "somebody/1", "x-openwebui-user-name": "Ada" };
  const ended = (how: object) => ({ error: null, status: "success", outcome: "complete", ...how });

  test("by Ollama's own paths is an event, with who, what, when, how it ended and how many bytes", async () => {
    const before = Date.now();
    const calls: [string, string, object][] = [
      ["POST", "/api/pull", { model: "pulled:own", insecure: true }],
      ["POST", "/api/push", { model: "pulled:own" }],
      ["POST", "/api/copy", { source: "pulled:own", destination: "copied:own" }],
      ["POST", "/api/create", { model: "created:own", from: "pulled:own", system: "x".repeat(100_000) }],
      ["DELETE", "/api/delete", { model: "copied:own" }],
    ];
    for (const [method, path, body] of calls) {
      const answer = await ask(corral().url + path, { method, headers: who, body: JSON.stringify(body) });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    const { events } = await eventually(page, ({ total }) => total === calls.length);
    const bytes = await bytesOf("pulled:own");
    const all = [
      { action: "delete", model: "copied:own", source: null, insecure: null, bytes: null },
      { action: "create", model: "created:own", source: "pulled:own", insecure: null, bytes: null },
      { action: "copy", model: "copied:own", source: "pulled:own", insecure: null, bytes: null },
      { action: "push", model: "pulled:own", source: null, insecure: false, bytes },
      { action: "pull", model: "pulled:own", source: null, insecure: true, bytes },
    ];
    expect(events).toEqual(
      all.map((one) => ({
        id: expect.stringMatching(/^evt_[0-9a-f-]{36}$/),
        timestamp: expect.any(String),
        ...one,
        path: `/api/${one.action}`,
        client_ip: "127.0.0.1",
        user_agent: "somebody/1",
        user: "Ada",
        duration_ms: expect.any(Number),
        ...ended({}),
      })),
    );
    for (const { timestamp } of events) {
      expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(timestamp)).toBeLessThanOrEqual(Date.now());
    }
  });

  test("by Corral's own paths is one, too, and so is a restart of Ollama", async () => {
    await post(`${corral().url}/api/ollama/pull`, { model: "pulled:corral" }, { headers: who });
    expect(await event("pulled:corral")).toMatchObject({
      action: "pull",
      path: "/api/ollama/pull",
      insecure: false,
      bytes: await bytesOf("pulled:corral"),
      client_ip: "127.0.0.1",
      user_agent: "somebody/1",
      user: "Ada",
      ...ended({}),
    });
    await post(`${corral().url}/api/pull`, { model: "deleted:corral" });
    await send("DELETE", `${corral().url}/api/ollama/models/deleted:corral`);
    await send("DELETE", `${corral().url}/api/ollama/models/never%2Fthere`);
    expect(
      (
        await eventually(
          () => page("model=deleted:corral"),
          ({ total }) => total === 2,
        )
      ).events[0],
    ).toMatchObject({
      action: "delete",
      path: "/api/ollama/models/{name}",
      client_ip: "127.0.0.1",
      ...ended({}),
    });
    expect(await event("never/there")).toMatchObject({
      action: "delete",
      outcome: "rejected",
      status: "error",
      error: "model 'never/there' is not installed",
    });
    expect((await send("POST", `${corral().url}/api/engine/restart`)).status).toBe(200);
    const { events } = await eventually(
      () => page("action=restart"),
      ({ total }) => total > 0,
    );
    expect(events).toMatchObject([{ model: null, path: "/api/engine/restart", bytes: null, ...ended({}) }]);
  });

  test("that does not go well says how it ended, and the client gets what it would have got", async () => {
    const told: [string, object, string, string][] = [
      ["missing:own", {}, "engine_error", "pull model manifest: file does not exist"],
      ["missing:whole", { stream: false }, "engine_error", "pull model manifest: file does not exist"],
      ["sim-error3:own", {}, "engine_error", "max retries exceeded: simulated failure"],
      ["sim-end3:own", {}, "engine_error", "Ollama broke off before it was complete"],
      ["sim-http401:own", {}, "rejected", "unauthorized"],
      ["sim-http500:own", {}, "engine_error", "llama-server process has terminated: exit status 2"],
      ["sim-html:own", {}, "engine_error", "Ollama broke off before it was complete"],
      ["a name:own", {}, "rejected", "invalid model name"],
      ["sim-cut4:own", {}, "engine_error", "the connection to Ollama broke"],
    ];
    await Promise.all(
      told.map(async ([model, more, outcome, error]) => {
        const body = { model, ...more };
        const through = await postUpToBreak(`${corral().url}/api/pull`, body);
        const straight = await postUpToBreak(`${corral().engine}/api/pull`, body);
        expect([model, through.status, through.text, through.broken]).toEqual([
          model,
          straight.status,
          straight.text,
          straight.broken,
        ]);
        expect(await event(model)).toMatchObject({
          action: "pull",
          status: "error",
          outcome,
          error: expect.stringContaining(error),
        });
      }),
    );
    expect(await event("sim-cut4:own")).toMatchObject({ bytes: expect.any(Number) });
  });

  test("whose client leaves in the middle is told as that, and Ollama stops", async () => {
    const leaving = new AbortController();
    const response = await fetch(`${corral().url}/api/pull`, {
      method: "POST",
      body: JSON.stringify({ model: "sim-delay40:left" }),
      signal: leaving.signal,
    });
    const reader = response.body?.getReader();
    for (let read = 0; read < 4; read++) await reader?.read();
    leaving.abort();
    const left = await event("sim-delay40:left");
    expect(left).toMatchObject({ outcome: "client_abort", status: "aborted", error: null });
    expect(Number(left.bytes)).toBeGreaterThan(0);
    await eventually(
      () => engineState(corral()),
      ({ active }) => active === 0,
    );
  });

  test("passes byte for byte, wherever the network cuts it", async () => {
    for (const model of ["sim-split:wire", "sim-coalesce:wire", "sim-emoji:wire"]) {
      const [through, straight] = await Promise.all(
        [corral().url, corral().engine].map((url) => post(`${url}/api/pull`, { model })),
      );
      expect(through).toMatchObject({ status: 200, text: straight?.text, broken: false });
      expect(await event(model)).toMatchObject({ outcome: "complete" });
    }
  });

  test("can be asked for page by page, by model, action, time and server", async () => {
    const first = await page();
    expect(first).toMatchObject({ total: first.events.length, next: null });
    const read: Event[] = [];
    let cursor: string | null = null;
    do {
      const part: Page = await page(`limit=3${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(part.total).toBe(first.total);
      read.push(...part.events);
      cursor = part.next;
    } while (cursor !== null);
    expect(read).toEqual(first.events);
    const second = await page("limit=2&offset=1");
    expect(second.events).toEqual(first.events.slice(1, 3));
    expect((await page(`limit=2&offset=1&cursor=${second.next}`)).events).toEqual(first.events.slice(3, 5));
    const pulls = await page("action=pull&hours=1");
    expect(pulls.events).toEqual(first.events.filter(({ action }) => action === "pull"));
    const at = first.events[2]?.timestamp ?? "";
    const since = (await page(`from=${at}`)).events;
    const before = (await page(`to=${at}`)).events;
    expect([...since, ...before]).toEqual(first.events);
    expect(since.every(({ timestamp }) => timestamp >= at)).toBe(true);
    expect(before.every(({ timestamp }) => timestamp < at)).toBe(true);
    expect((await page(`server=${crypto.randomUUID()}`)).events).toEqual([]);
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    expect((await page(`to=${inAnHour}&hours=2`)).events).toEqual(first.events);
    expect((await page(`to=${inAnHour}&hours=1`)).events).toEqual([]);
    for (const [query, words] of [
      ["from=2026-02-01&to=2026-01-01", "to is 2026-01-01T00:00:00.000Z: it takes a time after from"],
      ["from=soon", 'from is \\"soon\\": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      ["action=steal", 'action is \\"steal\\": it takes pull or push or create or copy or delete or restart'],
      ["limit=0", "limit is 0: it takes a whole number from 1 to 1000"],
      ["cursor=evt_1", 'cursor is \\"evt_1\\": it takes the \\"next\\" of an earlier page'],
    ]) {
      const answer = await fetch(`${corral().url}/api/events?${query}`);
      expect([query, answer.status, await answer.text()]).toEqual([
        query,
        400,
        expect.stringContaining(words ?? ""),
      ]);
    }
  });

  test("stays on record whatever is cleared", async () => {
    const before = await page();
    for (const what of ["logs", "metrics", "all"])
      expect((await send("DELETE", `${corral().url}/api/data/${what}`)).status).toBe(200);
    expect(await page()).toEqual(before);
  });
});
