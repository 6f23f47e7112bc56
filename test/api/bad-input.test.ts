/** What can't be carried out is said in words that a person can act on, and harms nobody else's rows. */
import { expect, test } from "bun:test";
import { describeCorral, eventually, getJson } from "../support/corral";
import { curl, send } from "./calls";

const invalid = (error: unknown) => ({ detail: "Invalid request parameters", error });

/** Parameter, what it is given, and what the answer says that it takes. */
const badParameters: readonly (readonly [path: string, query: string, error: string])[] = [
  ...["abc", "", "-1", "0", "1001", "1.5", "1e3", "99999999999999999999", "0x10", "null"].map(
    (given) =>
      [
        "/api/stats/logs",
        `limit=${given}`,
        `limit is ${sayNumber(given)}: it takes a whole number from 1 to 1000`,
      ] as const,
  ),
  ["/api/stats/logs", "offset=-1", "offset is -1: it takes a whole number from 0 to 100000"],
  ["/api/stats/logs", "hours=-1", "hours is -1: it takes a whole number from 1 to 876000"],
  [
    "/api/stats/logs",
    "sort=size",
    'sort is "size": it takes timestamp or latency_ms or tokens_used or ttft_ms',
  ],
  ["/api/stats/logs", "sort=", 'sort is "": it takes timestamp or latency_ms or tokens_used or ttft_ms'],
  ["/api/stats/logs", "order=up", 'order is "up": it takes asc or desc'],
  ["/api/stats/logs", "status=ok", 'status is "ok": it takes success or aborted or error'],
  ["/api/stats/logs", "q=", 'q is "": it takes a text of 1 to 1000 characters'],
  ["/api/stats/logs", "model=", 'model is "": it takes a text of 1 to 400 characters'],
  ["/api/stats/logs", "cursor=nonsense", 'cursor is "nonsense": it takes the "next" of an earlier page'],
  [
    "/api/stats/logs",
    "to=9999-12-31T23:59:59-23:59",
    'to is "9999-12-31T23:59:59-23:59": it takes a time such as 2026-11-25T10:15:23Z, or a day',
  ],
  ["/api/stats/history", "hours=0", "hours is 0: it takes a whole number from 1 to 876000"],
  ["/api/stats/history", "hours=a%27b", `hours is "a'b": it takes a whole number from 1 to 876000`],
  ["/api/stats/history", "hours=NaN", 'hours is "NaN": it takes a whole number from 1 to 876000'],
  ["/api/stats/history", "bucket=2m", 'bucket is "2m": it takes 1m or 5m or 15m or 1h or 1d'],
  ["/api/stats/history", "fill=yes", 'fill is "yes": it takes true or false'],
  [
    "/api/stats/history",
    "from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&bucket=1m",
    'bucket is "1m": that is 2880 points from 2026-01-01T00:00:00.000Z to 2026-01-03T00:00:00.000Z; it takes a longer bucket, or a shorter range, for at most 1500',
  ],
  [
    "/api/stats/history",
    "from=1980-01-01T00:00:00Z&to=1990-01-01T00:00:00Z&bucket=1d&fill=true",
    'bucket is "1d": that is 3653 points from 1980-01-01T00:00:00.000Z to 1990-01-01T00:00:00.000Z; it takes a longer bucket, or a shorter range, for at most 1500',
  ],
  ...["history", "summary"].flatMap((name) => {
    const path = `/api/stats/${name}`;
    return [
      [path, "from=monday", 'from is "monday": it takes a time such as 2026-11-25T10:15:23Z, or a day'],
      [
        path,
        "from=2026-02-30T10:00:00Z",
        'from is "2026-02-30T10:00:00Z": it takes a time such as 2026-11-25T10:15:23Z, or a day',
      ],
      [
        path,
        "to=1960-01-01T00:00:00Z",
        'to is "1960-01-01T00:00:00Z": it takes a time such as 2026-11-25T10:15:23Z, or a day',
      ],
      [
        path,
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        'from is "2026-01-02T00:00:00Z": it takes a time before 2026-01-01T00:00:00.000Z',
      ],
      [
        path,
        "from=2026-01-01T00:00:00Z&hours=3",
        'hours is 3 beside from, which is "2026-01-01T00:00:00Z": it takes one of them',
      ],
      [
        path,
        "operation=talk",
        'operation is "talk": it takes chat or completion or embedding or transcription',
      ],
      [path, "group_by=day", 'group_by is "day": it takes model or operation or server'],
    ] as const;
  }),
  ...["/api/stats/current", "/api/stats/history", "/api/stats/summary", "/api/models"].map(
    (path) =>
      [
        path,
        "server=one",
        'server is "one": it takes a UUID such as 019ab2c4-6f10-7000-8000-000000000001',
      ] as const,
  ),
  ["/api/ollama/library", "limit=0", "limit is 0: it takes a whole number from 1 to 1000"],
  ["/api/ollama/library", "offset=-5", "offset is -5: it takes a whole number from 0 to 1000000"],
  ["/api/engine/log", "lines=0", "lines is 0: it takes a whole number from 1 to 1000"],
];

function sayNumber(given: string): string {
  return /^-?\d{1,15}$/.test(given) ? given : JSON.stringify(given);
}

const badNames = [
  "a%00b",
  "a%2F..%2Fb",
  "%F0%9F%90%8E",
  "it%27s",
  "%22q%22",
  "a%20b",
  "a".repeat(400),
  "%2Fa",
  "a%2F",
];

describeCorral("bad input", (corral) => {
  const url = (path: string) => corral().url + path;
  const post = (path: string, body: string) => fetch(url(path), { method: "POST", body });

  test("each parameter that makes no sense is a 400 which names it, what was given and what it takes", async () => {
    for (const [path, query, error] of badParameters) {
      const response = await fetch(url(`${path}?${query}`));
      expect([query, response.status, await response.json()]).toEqual([query, 400, invalid(error)]);
    }
  });

  test("what is too long is shown shortened", async () => {
    for (const query of [`q=${"x".repeat(1001)}`, `model=${"x".repeat(401)}`, `cursor=${"x".repeat(2000)}`]) {
      const response = await fetch(url(`/api/stats/logs?${query}`));
      const { error } = (await response.json()) as { error: string };
      expect(response.status).toBe(400);
      expect(error.length).toBeLessThan(400);
    }
  });

  test("broken cursors are 400, whatever is in them", async () => {
    const id = "01a21050-f51c-7417-b226-032375ae8e10";
    const at = "2024-01-01T00:00:00.000Z";
    const right = { sort: "timestamp", order: "desc", at, value: null, id, seen: 1, skip: 0 };
    for (const cursor of [
      { ...right, at: "2024-02-30T00:00:00.000Z" },
      { ...right, at: "2024-01-01T00:00:00Z" },
      { ...right, at: "0000-01-01T00:00:00.000Z" },
      { ...right, at: 7 },
      { ...right, id: "x'" },
      { ...right, seen: -1 },
      { ...right, skip: 1e9 },
      { ...right, value: "7" },
      { ...right, value: 1e30 },
      { ...right, sort: "latency_ms", value: 7 },
      { ...right, order: "asc" },
      { sort: "timestamp", order: "desc", value: at, id },
      null,
      [],
    ]) {
      const text = Buffer.from(JSON.stringify(cursor)).toString("base64url");
      const response = await fetch(url(`/api/stats/logs?cursor=${text}`));
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual(invalid(expect.stringMatching(/^cursor /)));
    }
  });

  test("unknown parameters are ignored, and NUL or quotes in texts find nothing and break nothing", async () => {
    for (const path of [
      "/api/stats/current?x=1",
      "/api/stats/logs?utm_source=a&limt=abc&__proto__=1",
      "/api/stats/logs?model=%00",
      "/api/stats/logs?dialect=%00&user=%00&client_ip=%00",
      "/api/data/clearable?before=0001-01-01T00:00:00Z",
      "/api/stats/logs?model=%27%20or%201=1--",
      "/api/stats/logs?q=%00%ED%A0%80",
      "/api/stats/history?model=a%00b",
      "/api/ollama/library?q=%00%27&limit=1",
    ]) {
      expect((await fetch(url(path))).status).toBe(200);
    }
  });

  test("a parameter that is given twice counts once", async () => {
    expect((await fetch(url("/api/stats/logs?limit=1&limit=2"))).status).toBe(200);
    expect((await fetch(url("/api/stats/logs?limit=abc&limit=abc"))).status).toBe(400);
  });

  test("names that are none are 400 wherever a name stands", async () => {
    for (const name of badNames) {
      for (const [method, path, body] of [
        ["GET", "/api/models/repository/"],
        ["PUT", "/api/models/repository/", "{}"],
        ["DELETE", "/api/models/repository/"],
        ["DELETE", "/api/ollama/models/"],
      ] as const) {
        const { status, json } = await curl(
          ...["--path-as-is", "-X", method, url(path + name)],
          ...(body === undefined ? [] : ["-d", body]),
        );
        expect([method, path, name, status, json]).toEqual([
          method,
          path,
          name,
          400,
          invalid(expect.any(String)),
        ]);
      }
      const decoded = decodeURIComponent(name);
      for (const path of ["/api/models/repository", "/api/ollama/pull"]) {
        const response = await send("POST", url(path), { name: decoded });
        expect([path, name, response.status]).toEqual([path, name, 400]);
      }
    }
  });

  test("malformed JSON is a 400 that says where it breaks", async () => {
    for (const path of ["/api/models/repository", "/api/ollama/pull"]) {
      const response = await post(path, '{"name": "a",\n "tags": [tru]}');
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual(
        invalid("the body is malformed JSON at position 24, line 2, column 11 (InvalidSymbol)"),
      );
    }
    const chat = await post("/api/chat", '{"model": "llama3.2", "prompt": "Hi"');
    expect(chat.status).toBe(400);
    expect(await chat.json()).toEqual(
      invalid(expect.stringMatching(/^the body is malformed JSON at position 36/)),
    );
    const empty = await post("/api/models/repository", "");
    expect(await empty.json()).toEqual(invalid("the body is empty: it takes a JSON object"));
  });

  test("a body of the wrong type is a 400 that names the field", async () => {
    for (const [body, error] of [
      ["[]", "the body is []: it takes a JSON object"],
      ["null", "the body is null: it takes a JSON object"],
      ['"a"', 'the body is "a": it takes a JSON object'],
      ["{}", "name parameter is required: it takes a model's name such as llama3.2"],
      ['{"name":7}', "name is 7: it takes a text of 1 to 350 characters"],
      ['{"name":{"toString":1}}', 'name is {"toString":1}: it takes a text of 1 to 350 characters'],
      ['{"name":"a","is_favorite":"true"}', 'is_favorite is "true": it takes true or false'],
      ['{"name":"a","is_default":1}', "is_default is 1: it takes true or false"],
      [
        '{"name":"a","tags":"x"}',
        'tags is "x": it takes a list of a text of 1 to 100 characters each up to 100',
      ],
      ['{"name":"a","tags":[1]}', "tags.0 is 1: it takes a text of 1 to 100 characters"],
      ['{"name":"a","description":null}', "description is null: it takes a text of 0 to 2000 characters"],
    ] as const) {
      const response = await post("/api/models/repository", body);
      expect([body, response.status, await response.json()]).toEqual([body, 400, invalid(error)]);
    }
    const long = await send("POST", url("/api/models/repository"), {
      name: "a",
      description: "x".repeat(2001),
    });
    expect(long.status).toBe(400);
    for (const [field, value] of [
      ["temperature", 7],
      ["top_p", -1],
      ["top_k", 1.5],
      ["max_tokens", 0],
      ["seed", "x"],
      ["prompt", 5],
      ["model", 5],
    ] as const) {
      const response = await send("POST", url("/api/chat"), {
        model: "llama3.2",
        prompt: "Hi",
        [field]: value,
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual(invalid(expect.stringContaining(field)));
    }
  });

  test("a body of more than 64 MB is 413, whether its length is told or not", async () => {
    const big = `{"name":"a","description":"${"x".repeat(64_000_000)}"}`;
    for (const path of ["/api/models/repository", "/api/ollama/pull"]) {
      const told = await post(path, big);
      expect([path, told.status, await told.json()]).toEqual([
        path,
        413,
        { detail: "Request body too large", error: "the body is larger than the 64 MB that are taken here" },
      ]);
    }
    const chat = await post("/api/chat", `{"model":"llama3.2","prompt":"${"x".repeat(64_000_000)}"}`);
    expect(chat.status).toBe(413);
    const chunked = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000).fill(32)),
    });
    const untold = await fetch(url("/api/models/repository"), { method: "POST", body: chunked }).catch(
      () => null,
    );
    // It is answered before the body is over: some clients see that, others a closed connection.
    if (untold) expect(untold.status).toBe(413);
    expect((await fetch(url("/api/health"))).status).toBe(200);
  });

  test("a method that a path does not have is 405 with those that it has", async () => {
    for (const [method, path, allow] of [
      ["POST", "/api/health", "GET, HEAD, OPTIONS"],
      ["PUT", "/api/stats/logs", "GET, HEAD, OPTIONS"],
      ["GET", "/api/ollama/pull", "POST, OPTIONS"],
      ["GET", "/api/data/all", "DELETE, OPTIONS"],
      ["PATCH", "/api/models/repository/a", "GET, HEAD, OPTIONS, PUT, DELETE"],
      ["PATCH", "/api/models/repository/a/b", "GET, HEAD, OPTIONS, PUT, DELETE"],
      ["GET", "/api/ollama/models/a", "DELETE, OPTIONS"],
    ] as const) {
      const response = await fetch(url(path), { method });
      expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
      expect(await response.json()).toEqual({
        detail: "Method not allowed",
        error: expect.stringContaining(`${method} is not a method of /api/`),
      });
    }
  });

  test("an unknown path is 404; under /api and /v1 it is Ollama that says so", async () => {
    const response = await fetch(url("/nowhere"));
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      detail: "Not found",
      error: 'there is nothing at "/nowhere": see /swagger for what there is',
    });
    for (const path of ["/api/nowhere", "/v1/nowhere"]) {
      const [ours, theirs] = [await fetch(url(path)), await fetch(corral().engine + path)];
      expect([ours.status, await ours.text()]).toEqual([theirs.status, await theirs.text()]);
    }
  });

  test("NUL and lone surrogates in texts are kept as U+FFFD, and others' rows are unharmed", async () => {
    await send("POST", url("/api/chat"), { model: "llama3.2", prompt: "before" }).then((one) => one.text());
    const odd = await fetch(url("/api/chat"), {
      method: "POST",
      body: '{"model":"llama3.2","prompt":"a\\u0000b\\ud800c","system":"\\u0000"}',
    });
    expect(odd.status).toBe(200);
    await odd.text();
    await send("POST", url("/api/chat"), { model: "llama3.2", prompt: "after" }).then((one) => one.text());
    const { logs } = await eventually(
      async () => (await getJson(url("/api/stats/logs?limit=3"))) as { logs: { prompt: string }[] },
      (page) => page.logs[0]?.prompt === "after",
    );
    expect(logs.map((row) => row.prompt)).toEqual(["after", "a\uFFFDb\uFFFDc", "before"]);
    const added = await fetch(url("/api/models/repository"), {
      method: "POST",
      body: '{"name":"odd","description":"a\\u0000b","tags":["\\ud800","it\'s","a,b","{}"]}',
    });
    expect(added.status).toBe(201);
    expect(await added.json()).toMatchObject({
      description: "a\uFFFDb",
      tags: ["\uFFFD", "it's", "a,b", "{}"],
    });
    expect(await getJson(url("/api/health"))).toMatchObject({ status: "healthy" });
  });

  test("a model's name of any length costs no record", async () => {
    const long = Array.from({ length: 500 }, () => crypto.randomUUID()).join("");
    const response = await send("POST", url("/api/generate"), { model: long, prompt: "Hi" });
    expect(response.ok).toBe(false);
    await response.text();
    await eventually(
      async () => (await getJson(url("/api/stats/logs?limit=1"))) as { logs: { model: string }[] },
      ({ logs }) => logs[0]?.model === `${long.slice(0, 400)}…`,
    );
    expect(await getJson(url("/api/health"))).toMatchObject({ status: "healthy" });
  });
});
