/** The table of requests, as people see it, on a made-up month. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { storeRecords } from "../../src/ledger/rows";
import { makeRecord } from "../ledger/records";
import { eventually, type RunningCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { startCorralWith } from "./filled";
import { comesTo, fits, openView, patienceMs, violations, type Watched, watch } from "./page";

const COUNT = 1200;
const STORE_WITHIN_MS = 60_000;
const models = ["llama3.2", "gemma3", "qwen3", "llama3.2"];
const questions = [
  "How do I undo a rollback of the last migration?",
  "Summarise the minutes of Tuesday’s meeting in three sentences, and list who promised what until when.",
  "Why is the sky blue?",
  "Write a haiku about rain",
  "Übersetze das bitte ins Französische: Der Zug fährt um acht Uhr ab.",
];
/** The newest last; one each ten seconds. */
const records = Array.from({ length: COUNT }, (_, at) => {
  const aborted = at % 29 === 0;
  return makeRecord({
    startedAt: new Date(Date.now() - 60_000 - (COUNT - 1 - at) * 10_000),
    model: models[at % models.length] ?? null,
    outcome: aborted ? "client_abort" : at % 31 === 0 ? "engine_error" : "complete",
    user: at % 3 === 0 ? "ada@example.org" : null,
    latencyMs: 200 + ((at * 7919) % 90_000),
    contents: {
      ...{ system: null, messages: null, options: null, thinking: null, toolCalls: null },
      prompt: questions[at % questions.length] ?? null,
      response: "It depends.",
    },
  });
});

describeBrowser("the table of requests", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const rows = () => watched.page.locator("tbody tr:has(a)");
  const link = (at: number) => watched.page.locator(`[aria-rowindex="${at + 2}"] a`);
  const idOf = (at: number) => `req_${records.at(-1 - at)?.id}`;
  const scroller = () => watched.page.locator(".rows > .scroll");
  const foot = () => watched.page.locator(".rows > footer");
  /** Until the address is that. */
  const isAt = (hash: string) => watched.page.waitForURL(`${corral.url}/${hash}`);
  /** With the focus on that row. */
  const isOn = (at: number) => watched.page.locator(`a[href="#/requests/${idOf(at)}"]:focus`).waitFor();
  /** Until its first rows are there. */
  const openTable = async (hash = "#/requests") => {
    const page = await openView(watched, `${corral.url}/${hash}`);
    await rows().first().waitFor();
    return page;
  };
  /** Scrolls down as long as there is more. @returns the most rows that were there at once */
  const toEnd = () =>
    scroller().evaluate(async (element) => {
      let most = 0;
      while (!document.querySelector(".rows > footer")?.textContent?.includes("That is all.")) {
        element.scrollTop = element.scrollHeight;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, element.querySelectorAll("tbody tr").length);
      }
      return most;
    });
  const chat = async (model: string) => {
    const reply = await fetch(`${corral.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({ model, prompt: `Tell me about ${model}` }),
    });
    await reply.text();
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([
      startCorralWith((database) =>
        database.transaction(
          (sql) => storeRecords(sql, records, crypto.randomUUID(), new Set()),
          STORE_WITHIN_MS,
        ),
      ),
      startBrowser(),
    ]);
    watched = watch(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("begins with the newest, and goes on to the oldest and back, of which few are there at once", async () => {
    const page = await openTable();
    await foot().getByText("1,200 requests").waitFor();
    await comesTo(() => link(0).getAttribute("href"), `#/requests/${idOf(0)}`);
    expect(await toEnd()).toBeLessThan(80);
    await scroller().press("End");
    await isOn(COUNT - 1);
    await page.keyboard.press("Home");
    await isOn(0);
  });

  test("filters, search and order are in the address, and a shared address shows the same", async () => {
    const page = await openTable();
    await page.getByLabel("Model", { exact: true }).selectOption("qwen3");
    await page.getByLabel("Outcome").selectOption("Aborted");
    await page.getByRole("button", { name: "Total" }).click();
    await isAt("#/requests?model=qwen3&status=aborted&sort=latency_ms");
    const found = records
      .filter(({ model, outcome }) => model === "qwen3" && outcome === "client_abort")
      .toSorted((a, b) => b.latencyMs - a.latencyMs);
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    const ids = () =>
      rows()
        .locator("a")
        .evaluateAll((links) => links.map((one) => one.getAttribute("href")?.slice(11, 51)));
    const wanted = found.map(({ id }) => `req_${id}`);
    await comesTo(ids, wanted);
    await page.reload();
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    await comesTo(() => page.getByLabel("Outcome").inputValue(), "status=aborted");
    await comesTo(ids, wanted);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("button", { name: "Time" }).click();
    await isAt("#/requests");
    await foot().getByText("1,200 requests").waitFor();
  });

  test("a search goes through all texts, and says when nothing is left to be looked at", async () => {
    const page = await openTable();
    const word = "rollback";
    const found = records.filter(({ contents }) => contents?.prompt?.includes(word));
    await page.keyboard.press("/");
    await page.keyboard.type(word);
    await page.waitForURL(/q=rollback/);
    await foot()
      .getByText(/^At least|so far$/)
      .waitFor();
    await toEnd();
    await foot().getByText(`${found.length} requests`).waitFor();
    await page.getByLabel("Search prompts and replies").fill("no such words anywhere");
    await page.getByText("No request fits these filters.").waitFor();
    await page.getByRole("button", { name: "Show all requests" }).click();
    await foot().getByText("1,200 requests").waitFor();
    const search = page.getByLabel("Search prompts and replies");
    await comesTo(() => search.inputValue(), "");
  });

  test("keys go from row to row, open a request beside the table, and close it", async () => {
    const page = await openTable();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await isOn(1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("k");
    await isOn(1);
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "The open request" }).waitFor();
    await isAt(`#/requests/${idOf(1)}`);
    await page.keyboard.press("j");
    await isAt(`#/requests/${idOf(2)}`);
    await page.keyboard.press("Escape");
    await isOn(2);
    await isAt("#/requests");
  });

  test("what ends comes in by itself, with its prompt; a reader is told of it, and nothing moves", async () => {
    const page = await openTable();
    await chat("sim-tokens3:one");
    await rows()
      .first()
      .getByText(/^sim-tokens3:one/)
      .waitFor();
    await rows().first().getByRole("cell", { name: "Tell me about sim-tokens3:one", exact: true }).waitFor();
    await page.getByLabel("Outcome").selectOption("Failed");
    await chat("sim-tokens3:two");
    await page.getByLabel("Outcome").selectOption("Any outcome");
    await rows()
      .first()
      .getByText(/^sim-tokens3:two/)
      .waitFor();
    await scroller().evaluate((element) => element.scrollTo(0, 3200));
    await link(100).waitFor();
    const before = await link(100).getAttribute("href");
    await chat("sim-tokens3:three");
    await page.getByRole("button", { name: "1 new" }).waitFor();
    expect(await link(100).getAttribute("href")).toBe(before ?? "");
    await page.getByRole("button", { name: "1 new" }).click();
    await rows()
      .first()
      .getByText(/^sim-tokens3:three/)
      .waitFor();
    await foot().getByText("1,203 requests").waitFor();
  });

  test("who scrolls as soon as other rows are there is not taken back to the top", async () => {
    const page = await openTable();
    await scroller().evaluate((element) => {
      const table = element.querySelector("table");
      if (!table) throw new Error("there is no table");
      const observer = new MutationObserver(() => {
        if (table.getAttribute("aria-busy") === "true") return;
        observer.disconnect();
        element.scrollTop = 640;
      });
      observer.observe(table, { attributes: true, attributeFilter: ["aria-busy"] });
    });
    await page.getByLabel("Kind of work").selectOption("Chat");
    const top = () => scroller().evaluate((element) => element.scrollTop);
    await eventually(top, (pixels) => pixels > 0, patienceMs);
    // Until all that follows the new rows has been done.
    await page.evaluate(async () => {
      for (let frames = 0; frames < 3; frames++) {
        await new Promise(requestAnimationFrame);
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    expect(await top()).toBe(640);
  });

  test("columns are chosen, and the browser remembers which", async () => {
    const page = await openTable();
    const title = (name: string) => page.getByRole("columnheader", { name, exact: true });
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByLabel("Who").uncheck();
    await page.getByLabel("Dialect").last().check();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Close" }).click();
    await page.reload();
    await title("Dialect").waitFor();
    expect(await title("Who").count()).toBe(0);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await title("Who").waitFor();
  });

  test("what is found is saved as a file", async () => {
    const page = await openTable("#/requests?status=error");
    await page.getByRole("button", { name: "Export" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: /^NDJSON/ }).click();
    const path = await (await download).path();
    const failed = records.filter(({ outcome }) => outcome === "engine_error");
    expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(failed.length);
    await page.goto(`${corral.url}/#/requests?status=nonsense`);
    await page
      .getByRole("alert")
      .getByText(/^status is "nonsense"/)
      .waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("it fits at each size, in the dark too, with rows and without; request.test.ts has one open beside them", async () => {
    const page = await openTable();
    await fits(page, "requests-table");
    await page.goto(`${corral.url}/#/requests?model=nobody`);
    await page.getByText("No request fits").waitFor();
    await fits(page, "requests-none");
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    // Of a filter that is none the browser tells.
    expect(watched.complaints.filter((text) => !text.includes("status of 400"))).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
  });

  test("times of another year are whole, numbers are those of the locale, and a narrow telephone has room", async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
    const cut = () =>
      page
        .locator("td.col-time")
        .evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
    await page.clock.setFixedTime(Date.now() + 400 * 86_400_000);
    await page.goto(`${corral.url}/#/requests`);
    await page
      .locator("td.col-time")
      .filter({ hasText: /\w{3} \d+, \d{4}, \d/ })
      .first()
      .waitFor();
    expect(await cut()).toBe(0);
    // The table scrolls, not the page.
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(900);
    await page.setViewportSize({ width: 320, height: 640 });
    await comesTo(cut, 0);
    const end = await page.getByRole("button", { name: "Export" }).boundingBox();
    expect((end?.x ?? 0) + (end?.width ?? 0)).toBeLessThanOrEqual(304);
    await page.close();

    const german = await browser.newPage({ locale: "de-DE" });
    await german.goto(`${corral.url}/#/requests?sort=latency_ms&order=asc`);
    await german
      .locator("td.col-total")
      .filter({ hasText: /\d,\d s/ })
      .first()
      .waitFor();
    await german.close();
  });

  test("at midnight what was of today tells its day", async () => {
    const page = await browser.newPage({ timezoneId: "UTC", locale: "en-US" });
    const day = records.at(-1)?.startedAt.toISOString().slice(0, 10);
    await page.clock.install({ time: `${day}T23:59:50Z` });
    await page.goto(`${corral.url}/#/requests`);
    const time = page.locator(`a[href="#/requests/${idOf(0)}"] time`);
    await time.filter({ hasText: /^\d+:/ }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await page
      .locator(".rows > footer")
      .getByText(/\d requests/)
      .waitFor();
    // Until nothing else has the rows drawn anew, which no text tells: otherwise it would be no proof.
    await Bun.sleep(1000);
    await page.clock.fastForward(20_000);
    await time.filter({ hasText: /^\w{3}, \w{3} \d+, \d+:/ }).waitFor();
    await page.close();
  });

  test("a prompt that is written from right to left is cut at its end", async () => {
    const page = await openTable();
    const prompt = "ספר לי סיפור ארוך על העיר העתיקה ".repeat(9);
    const body = JSON.stringify({ model: "sim-tokens2", prompt });
    await (await fetch(`${corral.url}/api/generate`, { method: "POST", body })).text();
    const cell = page.locator("td.col-prompt").filter({ hasText: "סיפור" });
    await cell.waitFor();
    expect(await cell.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
  });
});
