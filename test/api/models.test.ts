/** Models that Ollama has and can get: pulls, deleting, the library. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createLibrary } from "../../src/api/ollama/library";
import shipped from "../../src/api/ollama/library.json";
import { silentLog } from "../../src/log";
import { describeCorral, eventually, getJson } from "../support/corral";
import { curl, events, send } from "./calls";

describeCorral("pulling and deleting", (corral) => {
  const pull = (model: string, init: RequestInit = {}) =>
    fetch(`${corral().url}/api/ollama/pull`, { method: "POST", body: JSON.stringify({ model }), ...init });
  const installed = async () =>
    ((await getJson(`${corral().url}/api/ollama/models`)) as { models: { name: string }[] }).models.map(
      (model) => model.name,
    );

  test("a pull goes on when its client leaves", async () => {
    const leaving = new AbortController();
    const response = await pull("sim-delay100:gone", { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    expect(await installed()).not.toContain("sim-delay100:gone");
    await eventually(installed, (names) => names.includes("sim-delay100:gone"));
  });

  test("a second pull of the same model attaches to the first", async () => {
    const first = await pull("sim-delay100:shared");
    let firstText = "";
    const { promise: isUnderWay, resolve } = Promise.withResolvers<void>();
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of first.body ?? []) {
        firstText += decoder.decode(chunk, { stream: true });
        // Its first line is over: the second must not be told of it.
        if (firstText.includes('"completed"')) resolve();
      }
    })();
    await isUnderWay;
    const second = await pull("sim-delay100:shared");
    const secondText = await second.text();
    await reading;
    const [one, two] = [events(firstText), events(secondText)];
    expect(one.at(-1)).toEqual({ status: "complete", message: "Successfully pulled sim-delay100:shared" });
    expect(two.at(-1)).toEqual(one.at(-1));
    expect(two.length).toBeLessThan(one.length);
    expect(two).not.toContainEqual({ status: "pulling manifest" });
  });

  test("a pull that fails ends with an event that says why", async () => {
    for (const [model, message] of [
      ["missing-model", "pull model manifest: file does not exist"],
      ["sim-error3", "max retries exceeded: simulated failure"],
      ["sim-end3", "Ollama broke off before the pull was complete: pull it again, what is there is kept"],
      ["sim-http500", expect.any(String)],
      ["sim-cut4", expect.any(String)],
    ] as const) {
      const response = await pull(model);
      expect(response.status).toBe(200);
      const all = events(await response.text());
      expect([model, all.at(-1)]).toEqual([model, { status: "error", message }]);
    }
  });

  test("Ollama's own pull passes as it is", async () => {
    const [ours, theirs] = await Promise.all(
      [corral().url, corral().engine].map((url) => send("POST", `${url}/api/pull`, { model: "third" })),
    );
    expect(ours?.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await ours?.text()).toBe((await theirs?.text()) ?? "");
  });

  test("a model is deleted by its name, plain or encoded, and is gone from Ollama", async () => {
    for (const path of ["owner/model:8b", "owner%2Fmodel:8b", encodeURIComponent("owner/model:8b")]) {
      await (await pull("owner/model:8b")).text();
      expect(await installed()).toContain("owner/model:8b");
      const { status, json } = await curl(
        ...["--path-as-is", "-X", "DELETE", `${corral().url}/api/ollama/models/${path}`],
      );
      expect([path, status, json]).toEqual([
        path,
        200,
        { success: true, message: "Model 'owner/model:8b' deleted successfully" },
      ]);
      expect(await installed()).not.toContain("owner/model:8b");
    }
    const again = await send("DELETE", `${corral().url}/api/ollama/models/owner/model:8b`);
    expect(again.status).toBe(404);
    expect(await again.json()).toMatchObject({ detail: "Model not found", model: "owner/model:8b" });
  });

  test("the library answers from the shipped list when ollama.com can't be reached", async () => {
    const page = (await getJson(`${corral().url}/api/ollama/library?q=llama&limit=2`)) as {
      models: { name: string }[];
      total: number;
      source: string;
    };
    expect(page.models).toHaveLength(2);
    expect(page.total).toBeGreaterThan(2);
    expect(["shipped", "ollama.com"]).toContain(page.source);
  });

  test("the engine is restarted on request, and its log can be read", async () => {
    const before = (await getJson(`${corral().url}/api/engine`)) as { pid: number };
    const response = await send("POST", `${corral().url}/api/engine/restart`);
    expect(response.status).toBe(200);
    const after = (await response.json()) as { pid: number; state: string };
    expect(after.state).toBe("ready");
    expect(after.pid).not.toBe(before.pid);
    const { lines } = (await getJson(`${corral().url}/api/engine/log?lines=5`)) as { lines: string[] };
    expect(lines.length).toBeLessThanOrEqual(5);
    expect(lines.length).toBeGreaterThan(0);
  });
});

describe("the library", () => {
  const asked: string[] = [];
  let answer: () => Response | Promise<Response> = () => new Response("");
  let site: Bun.Server<undefined>;
  beforeAll(() => {
    site = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        asked.push(new URL(request.url).searchParams.get("q") ?? "");
        return answer();
      },
    });
  });
  afterAll(() => site.stop(true));
  const make = () => createLibrary(`http://127.0.0.1:${site.port}`, silentLog);
  const html = (names: readonly string[]) =>
    new Response(
      `<ul>${names
        .map(
          (name) => `<li x-test-model><h2><span x-test-search-response-title>${name}</span></h2>
            <p class="max-w-lg break-words">A model,
              of words</p><span x-test-capability>tools</span><span x-test-size>3b</span><span x-test-size>8b</span></li>`,
        )
        .join("")}</ul>`,
      { headers: { "content-type": "text/html" } },
    );

  test("is read from the site's page, page by page", async () => {
    answer = () => html(["one", "two", "three"]);
    expect(await make().search("words", 1, 1)).toEqual({
      models: [
        {
          name: "two",
          description: "A model, of words",
          sizes: ["3b", "8b"],
          tags: [],
          capabilities: ["tools"],
        },
      ],
      total: 3,
      source: "ollama.com",
      as_of: null,
    });
  });

  test("adds the tags that it knows to what the site says, whose page shows none", async () => {
    answer = () => html(["llama3.2", "someone/llama3.2"]);
    expect(await make().search("words", 5, 0)).toMatchObject({
      models: [{ tags: ["latest", "1b", "3b"] }, { tags: [] }],
    });
  });

  test("asks the site for a name without its tag, which the site's search does not know", async () => {
    answer = () => html(["one"]);
    asked.length = 0;
    await make().search("someone/one:3b", 5, 0);
    expect(asked).toEqual(["someone/one"]);
  });

  test("is asked once an hour for the same words", async () => {
    answer = () => html(["one"]);
    const library = make();
    asked.length = 0;
    for (const words of ["a b", "A B ", "a b", "c"]) await library.search(words, 10, 0);
    expect(asked).toEqual(["a b", "c"]);
  });

  test("is the shipped list when the site fails, says nothing, or can't be read; never empty for an error", async () => {
    for (const broken of [
      () => new Response("no", { status: 500 }),
      () => new Response("<html>all new</html>"),
      () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
      () => Bun.sleep(4000).then(() => html(["late"])),
    ]) {
      answer = broken;
      const library = make();
      for (const words of ["llama", ""]) {
        const page = await library.search(words, 5, 0);
        expect(page.source).toBe("shipped");
        expect(page.as_of).toBe(shipped.date);
        expect(page.models.length).toBeGreaterThan(0);
      }
    }
  });

  test("finds nothing where there is nothing", async () => {
    answer = () => html([]);
    expect(await make().search("no such model at all", 5, 0)).toMatchObject({ models: [], total: 0 });
  });
});
