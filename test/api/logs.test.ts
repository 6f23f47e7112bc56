/** Logs through HTTP: filtered, one request in full, and exported as a file. */
import { beforeAll, expect, test } from "bun:test";
import { ask, contract, lines, native, post, record } from "../gateway/asking";
import { describeCorral, getJson } from "../support/corral";

type Json = Record<string, unknown>;
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describeCorral("request logs", (corral) => {
  const get = (path: string) => ask(corral().url + path);
  const ids = async (query: string) =>
    ((await getJson(`${corral().url}/api/stats/logs?${query}`)) as { logs: { model: string }[] }).logs
      .map((row) => row.model)
      .sort();

  beforeAll(async () => {
    const url = corral().url;
    await post(`${url}/api/chat`, contract("sim-tokens3:one"));
    await post(`${url}/api/chat`, {
      model: "sim-tokens3:two",
      stream: false,
      options: { temperature: 0.5 },
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: '=1+1, "or"\nso', images: [png] },
      ],
    });
    await post(`${url}/v1/chat/completions`, native("sim-error2:three"), {
      headers: { "x-openwebui-user-email": "ada@example.org" },
    });
    for (const model of ["sim-tokens3:one", "sim-tokens3:two", "sim-error2:three"])
      await record(corral(), model);
  });

  test("are filtered by who, what, how and when", async () => {
    const [one, two, three] = ["sim-tokens3:one", "sim-tokens3:two", "sim-error2:three"];
    expect(await ids("dialect=ollama.chat")).toEqual([two]);
    expect(await ids("user=ada@example.org")).toEqual([three]);
    expect(await ids("outcome=engine_error")).toEqual([three]);
    expect(await ids("operation=chat&status=success")).toEqual([one, two]);
    expect(await ids("client_ip=127.0.0.1")).toEqual([three, one, two]);
    expect(await ids("client_ip=10.0.0.1")).toEqual([]);
    expect(await ids("min_latency_ms=1000000")).toEqual([]);
    expect(await ids(`server=${crypto.randomUUID()}`)).toEqual([]);
    expect(await ids("from=2026-01-01&to=9999-12-31T23:59:59Z")).toEqual([three, one, two]);
    expect(await ids("to=2026-01-01T00:00:00%2B01:00")).toEqual([]);
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    expect(await ids(`to=${inAnHour}&hours=2`)).toEqual([three, one, two]);
    expect(await ids(`to=${inAnHour}&hours=1`)).toEqual([]);
    expect(await ids("to=2026-01-01&hours=24")).toEqual([]);
  });

  test("take no time, server or offset that is none", async () => {
    for (const [query, error] of [
      ["from=yesterday", 'from is "yesterday": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      ["to=2026-13-01", 'to is "2026-13-01": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      ["from=2026-02-30", 'from is "2026-02-30": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      ["from=0000-01-01", 'from is "0000-01-01": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      [
        "from=2026-02-01&to=2026-01-01",
        "to is 2026-01-01T00:00:00.000Z: it takes a time after from, 2026-02-01T00:00:00.000Z",
      ],
      [
        "hours=1&from=2026-02-01&to=2026-01-01",
        "to is 2026-01-01T00:00:00.000Z: it takes a time after from, 2026-02-01T00:00:00.000Z",
      ],
      [
        "hours=876000&to=0001-01-01",
        "to is 0001-01-01T00:00:00.000Z: it takes a time after from, 0001-01-01T00:00:00.000Z",
      ],
      ["server=me", 'server is "me": it takes the id of a Corral, a UUID'],
      ["offset=100001", "offset is 100001: it takes a whole number from 0 to 100000"],
    ]) {
      for (const path of ["/api/stats/logs", "/api/stats/logs/export"]) {
        if (path.endsWith("export") && query?.startsWith("offset")) continue;
        const { status, text } = await get(`${path}?${query}`);
        expect([query, status, JSON.parse(text)]).toEqual([
          query,
          400,
          { detail: "Invalid request parameters", error },
        ]);
      }
    }
  });

  test("come with the beginning of their texts where that is enough", async () => {
    const beginnings = async (query: string) =>
      ((await getJson(`${corral().url}/api/stats/logs?dialect=ollama.chat${query}`)) as { logs: Json[] })
        .logs[0];
    const whole = await beginnings("");
    expect(await beginnings("&text_length=4")).toEqual({
      ...whole,
      prompt: "=1+1",
      response: String(whole?.response).slice(0, 4),
    });
    expect(await beginnings("&text_length=0")).toEqual({ ...whole, prompt: "", response: "" });
  });

  test("have each request in full: texts, messages, options, times and who told them, images as what they are", async () => {
    const { logs } = (await getJson(`${corral().url}/api/stats/logs?dialect=ollama.chat`)) as {
      logs: Json[];
    };
    const whole = (await getJson(`${corral().url}/api/requests/${logs[0]?.id}`)) as Json;
    expect(whole).toMatchObject({
      ...logs[0],
      system: "Be brief.",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: '=1+1, "or"\nso',
          images: [
            { type: "image/png", bytes: Buffer.from(png, "base64").length, sha256: expect.any(String) },
          ],
        },
      ],
      options: { options: { temperature: 0.5 } },
      tool_calls: null,
      engine_version: expect.any(String),
      engine_run: expect.any(Number),
      key: null,
    });
    expect(whole.phases).toEqual(
      expect.arrayContaining([
        { phase: "prefill", ms: whole.prefill_ms, source: "engine" },
        { phase: "decode", ms: whole.decode_ms, source: "engine" },
      ]),
    );
    for (const id of ["req_01900000-0000-7000-8000-000000000001", "nonsense"]) {
      const { status, text } = await get(`/api/requests/${id}`);
      expect([status, JSON.parse(text)]).toEqual([
        404,
        {
          detail: "Not found",
          error: `no request "${id}" is on record: it may be running still, or older than what is kept`,
        },
      ]);
    }
  });

  test("are exported as NDJSON, each line a request in full", async () => {
    const { status, headers, text } = await get("/api/stats/logs/export?order=asc");
    expect([status, headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
    expect(headers.get("content-disposition")).toMatch(
      /^attachment; filename="corral-logs-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.ndjson"$/,
    );
    const found = lines(text) as Json[];
    expect(found.map((row) => row.model)).toEqual(["sim-tokens3:one", "sim-tokens3:two", "sim-error2:three"]);
    for (const row of found) expect(await getJson(`${corral().url}/api/requests/${row.id}`)).toEqual(row);
    expect((await get("/api/stats/logs/export?model=none")).text).toBe("");
  });

  test("are exported as CSV which a spreadsheet reads and does not run", async () => {
    const { headers, text } = await get("/api/stats/logs/export?format=csv&dialect=ollama.chat");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    const [head = "", ...rows] = text.split("\r\n");
    expect(head).toStartWith(
      "id,timestamp,model,prompt,response,tokens_used,latency_ms,status,client_ip,outcome,",
    );
    expect(rows.at(-1)).toBe("");
    expect(rows).toHaveLength(2);
    expect(text).toContain(`,sim-tokens3:two,"'=1+1, ""or""\nso",`);
    expect((await get("/api/stats/logs/export?format=csv&model=none")).text).toBe(`${head}\r\n`);
  });

  test("are asked for by HEAD without being sent", async () => {
    const response = await fetch(`${corral().url}/api/stats/logs/export?format=csv`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("content-disposition")).toContain(".csv");
  });
});
