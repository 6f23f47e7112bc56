/** A request as people read it, in every dialect, and why it is slow. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { form } from "../gateway/asking";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { scratchFolder } from "../support/scratch";
import { describeBrowser, startBrowser } from "./browser";
import { fits, openView, patienceMs, violations, type Watched, watch } from "./page";

/** What a shell or a browser would like to run. */
const awkward =
  "It's <img src=x onerror=alert(1)> & \"so\" $(touch pwned) `touch pwned` \\' '; touch pwned; '\nsecond line\n```ts\nconst answer = 42;\n```\nthe end";
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const parameters = { type: "object", properties: { city: { type: "string" } } };
const oslo = { city: "Oslo" };
const degrees = '{"degrees": 7}';

interface Told {
  readonly path: string;
  readonly model: string;
  readonly body: object;
  /** What is to be read of it. */
  readonly seen: readonly string[];
}

const user = { role: "user", content: awkward };
const tool = { type: "function", function: { name: "get_weather", parameters } };
const calls = ["Calls get_weather", '"city": "Oslo"', "get_weather answered", '"degrees": 7'];
const image = ["image/png, 70 B"];

/** A request of each dialect, with all that it can hold. */
const told: Readonly<Record<string, Told>> = {
  "contract.chat": {
    path: "/api/chat",
    model: "sim-tokens5:contract",
    // Longer than an argument of a command may be.
    body: { prompt: awkward, system: `Be brief.${" Really.".repeat(20_000)}`, temperature: 0.5 },
    seen: ["Be brief.", "Show all 160,009 characters", "temperature"],
  },
  "ollama.chat": {
    path: "/api/chat",
    model: "sim-think-tokens30:native",
    body: {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "How warm is it?", images: [png] },
        {
          role: "assistant",
          content: "",
          tool_calls: [{ function: { name: "get_weather", arguments: oslo } }],
        },
        { role: "tool", tool_name: "get_weather", content: degrees },
        user,
      ],
      tools: [tool],
      think: true,
      stream: false,
    },
    seen: ["Be brief.", "How warm is it?", ...image, ...calls, "Thinking, "],
  },
  "ollama.generate": {
    path: "/api/generate",
    model: "sim-tokens5:generate",
    body: { prompt: awkward, system: "Be brief.", images: [png], options: { seed: 7 } },
    seen: ["Be brief.", ...image, '"seed": 7'],
  },
  "ollama.embed": {
    path: "/api/embed",
    model: "sim-embed:native",
    body: { input: awkward },
    seen: ["Vectors. They pass, and are not kept."],
  },
  "openai.chat": {
    path: "/v1/chat/completions",
    model: "sim-tools-tokens5:openai",
    body: {
      messages: [
        { role: "developer", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "How warm is it?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
          ],
        },
        {
          role: "assistant",
          tool_calls: [
            {
              id: "call_1",
              type: "function",
              function: { name: "get_weather", arguments: JSON.stringify(oslo) },
            },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: degrees },
        user,
      ],
      tools: [tool],
      stream: true,
    },
    seen: ["Be brief.", "How warm is it?", ...image, ...calls, "To the first piece", "From there to the end"],
  },
  "openai.completions": {
    path: "/v1/completions",
    model: "sim-tokens5:completions",
    body: { prompt: awkward, max_tokens: 20 },
    seen: ["max_tokens"],
  },
  "openai.responses": {
    path: "/v1/responses",
    model: "sim-tokens5:responses",
    body: {
      instructions: "Be brief.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "How warm is it?" }] },
        { type: "function_call", call_id: "call_1", name: "get_weather", arguments: JSON.stringify(oslo) },
        { type: "function_call_output", call_id: "call_1", output: degrees },
        { role: "user", content: [{ type: "input_text", text: awkward }] },
      ],
      stream: true,
    },
    seen: ["Be brief.", "How warm is it?", ...calls],
  },
  "openai.embeddings": {
    path: "/v1/embeddings",
    model: "sim-embed:openai",
    body: { input: awkward },
    seen: ["Vectors. They pass, and are not kept."],
  },
  "anthropic.messages": {
    path: "/v1/messages",
    model: "sim-tokens5:anthropic",
    body: {
      system: [{ type: "text", text: "Be brief." }],
      max_tokens: 100,
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
            { type: "text", text: "How warm is it?" },
          ],
        },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "call_1", name: "get_weather", input: oslo }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: degrees }] },
        user,
      ],
    },
    seen: ["Be brief.", "How warm is it?", ...image, ...calls],
  },
};

interface Recorded extends Record<string, unknown> {
  readonly id: string;
}

describeBrowser("a request on the page", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(corral.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  /** The records of a model, newest first. */
  const records = (model: string, count = 1) =>
    eventually(
      async () =>
        ((await getJson(`${corral.url}/api/stats/logs?model=${model}`)) as { logs: Recorded[] }).logs,
      (logs) => logs.length >= count,
      patienceMs,
    );
  const whole = async (id: string) => (await getJson(`${corral.url}/api/requests/${id}`)) as Recorded;
  const article = () => watched.page.getByRole("article", { name: "Request" });
  const openTable = () => openView(watched, `${corral.url}/#/requests`);
  const openRequest = async (id: string) => {
    await watched.page.goto(`${corral.url}/#/requests/${id}`);
    await article().getByText(id).waitFor();
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([
      startCorral({ environment: { OLLAMA_NUM_PARALLEL: "1" } }),
      startBrowser(),
    ]);
    await Promise.all(
      Object.values(told).map(async ({ path, model, body }) => (await post(path, { model, ...body })).text()),
    );
    watched = watch(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("reads like a conversation in every dialect, and never as HTML", async () => {
    const page = await openTable();
    for (const [dialect, { model, seen }] of Object.entries(told)) {
      const [one] = await records(model);
      await openRequest(one?.id ?? "");
      const text = (await article().textContent()) ?? "";
      for (const words of [dialect, "It's <img src=x onerror=alert(1)>", "second line", ...seen])
        expect([dialect, words, text.includes(words) ? words : text]).toEqual([dialect, words, words]);
      expect(await article().locator("pre", { hasText: "const answer = 42;" }).count()).toBe(1);
      expect(await article().locator("img").count()).toBe(0);
    }
    await page.locator("tbody tr:has(a)").first().waitFor();
    await fits(page, "request");
  });

  test("can be made again with the curl line that is offered, whatever its texts hold", async () => {
    const folder = scratchFolder("corral-curl-");
    await openTable();
    try {
      for (const [dialect, { model }] of Object.entries(told)) {
        const [first] = await records(model);
        await openRequest(first?.id ?? "");
        const command = (await article().locator("details .command code").textContent()) ?? "";
        const shell = Bun.spawn(["sh"], {
          cwd: folder,
          stdin: new Blob([command]),
          stdout: "pipe",
          stderr: "ignore",
        });
        await new Response(shell.stdout).text();
        expect([dialect, await shell.exited]).toEqual([dialect, 0]);
        const [again] = await records(model, 2);
        const asked = async (id = "") => {
          const { prompt, system, messages, options, stream, dialect } = await whole(id);
          return withoutFiles({ prompt, system, messages, options, stream, dialect });
        };
        expect(await asked(again?.id)).toEqual(await asked(first?.id));
      }
      expect(existsSync(join(folder, "pwned"))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of a sound is told by what is kept of it", async () => {
    const sound = form(
      JSON.stringify({
        model: "sim-tokens5:sound",
        language: "en",
        file: Buffer.from("RIFF").toString("base64"),
      }),
    );
    await (await fetch(`${corral.url}/v1/audio/transcriptions`, { method: "POST", body: sound })).text();
    const [one] = await records("sim-tokens5:sound");
    await openTable();
    await openRequest(one?.id ?? "");
    await article()
      .getByText(/^audio\/.*wav.*, 4 B/)
      .waitFor();
    await article().getByText("The sound is not kept: put a file of yours in its place.").waitFor();
  });

  test("without its texts says so, and one that is nowhere says that, at once where it can't be one", async () => {
    await openTable();
    await (
      await post("/api/chat", { model: "sim-tokens5:secret", prompt: "hush" }, { "x-corral-content": "none" })
    ).text();
    const [one] = await records("sim-tokens5:secret");
    await openRequest(one?.id ?? "");
    await article().getByText("No texts of this request are kept.").waitFor();
    expect(await article().getByText("Copy as curl").count()).toBe(0);
    await watched.page.goto(`${corral.url}/#/requests/req_nothing`);
    await article().getByText('no request "req_nothing" is on record').waitFor();
    expect(watched.asked.filter((url) => url.endsWith("/api/requests/req_nothing"))).toHaveLength(1);
    const unknown = `req_${Bun.randomUUIDv7()}`;
    await watched.page.goto(`${corral.url}/#/requests/${unknown}`);
    await article().getByText(`no request "${unknown}" is on record`).waitFor();
  });

  test("is there while it runs, can be canceled, and is whole when it has ended; Escape closes it", async () => {
    const page = await openTable();
    const model = "sim-delay50-tokens9000:long";
    const reply = await post("/api/chat", { model, prompt: "Tell me everything." });
    const { requests } = (await getJson(`${corral.url}/api/requests/active`)) as { requests: Recorded[] };
    await page.goto(`${corral.url}/#/requests/${requests.find((one) => one.model === model)?.id}`);
    await article().getByText("Writing").waitFor();
    await article().getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the request" }).click();
    await article().getByText("this request was ended by somebody who runs the server").first().waitFor();
    await article().getByText("Tell me everything.", { exact: true }).waitFor();
    await reply.text();
    await page.keyboard.press("Escape");
    await page.waitForURL(`${corral.url}/#/requests`);
  });

  test("that was slow is told why: who was before it, which model was loaded, and what is usual", async () => {
    const page = await openTable();
    const model = "sim-delay20-tokens50:busy";
    const as = (name: string) => ({ "x-openwebui-user-name": name });
    const chat = (model: string, name: string, more: object = {}) =>
      post("/api/chat", { model, messages: [user], ...more }, as(name)).then((response) => response.text());
    const left = "sim-load400-tokens5:left";
    await chat(model, "bob");
    await chat(left, "carl", { keep_alive: 0 });
    // Its reply has begun when its head is here: whoever comes now waits for its end.
    const before = await post("/api/chat", { model, messages: [user] }, as("bob"));
    await Promise.all([before.text(), chat(model, "ada"), chat(left, "carl")]);
    await post("/api/embed", { model: "sim-embed:ada", input: "one" }, as("ada")).then((response) =>
      response.text(),
    );
    await records("sim-embed:ada");
    const [hers] = (await records(model, 3)).filter((one) => one.user === "ada");
    await openRequest(hers?.id ?? "");
    await article().getByRole("link", { name: "Why is it slow?" }).click();
    const finding = page.getByRole("region", { name: new RegExp(`^Why ${model} took`) });
    await finding
      .getByText(/waiting for its turn, mostly\. It was busy with 1 other request of the same model\.$/)
      .waitFor();
    await finding.getByText(/^It wrote 50 tokens: .* tokens\/s/).waitFor();
    await finding.getByText(new RegExp(`chats with ${model} in the week before took`)).waitFor();
    const theirs = page.getByRole("region", { name: "ada", exact: true });
    const others = page.getByRole("region", { name: "Everybody else there" });
    await others
      .getByRole("link", { name: /bob, .*busy/ })
      .first()
      .waitFor();
    await others
      .getByText(new RegExp(`${left} was loaded: `))
      .last()
      .waitFor();
    await fits(page, "slow");
    // More than once, for a machine on which all of this took its time.
    for (let times = 0; times < 3; times++) await page.getByRole("button", { name: "Wider" }).click();
    await others.getByText(new RegExp(`${left} left memory in between`)).waitFor();
    // Chat, embeddings and completions never share a percentile.
    await theirs.getByRole("button", { name: /^Why sim-embed:ada took/ }).click();
    await page.getByText(/no other embedding with sim-embed:ada of that week/).waitFor();
    await page.getByLabel("User or client").fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText(/^No request of nobody ran from/).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    // Of a request that is not there, or not yet, the browser tells.
    expect(watched.complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
  });
});

function withoutFiles(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, one: unknown) =>
    Array.isArray(one)
      ? one.filter((each) => !JSON.stringify(each?.source ?? each).includes('"sha256"'))
      : one,
  );
}
