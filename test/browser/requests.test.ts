/** The table of requests, as people see it, on a made-up month. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { openDatabase } from "../../src/database/database";
import { storeRecords } from "../../src/ledger/rows";
import { silentLog } from "../../src/log";
import { makeRecord } from "../ledger/records";
import { eventually, type RunningCorral, startCorral } from "../support/corral";
import { embeddedPlace, type Place } from "../support/databases";
import { describeBrowser, startBrowser } from "./browser";
import { dress, dresses, openPage, overhang, violations, type Watched } from "./page";

const COUNT = 1200;
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
  let place: Place;
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const rows = () => watched.page.locator("tbody tr:has(a)");
  const link = (at: number) => watched.page.locator(`[aria-rowindex="${at + 2}"] a`);
  const idOf = (at: number) => `req_${records.at(-1 - at)?.id}`;
  const scroller = () => watched.page.locator(".rows > .scroll");
  const foot = () => watched.page.locator(".rows > footer");
  const hashOf = () => new URL(watched.page.url()).hash;
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
    place = await embeddedPlace();
    if (place.where.kind !== "embedded") throw new Error("not embedded");
    const database = openDatabase({ where: place.where, log: silentLog });
    database.start();
    await database.firstAttempt;
    await database.transaction((sql) => storeRecords(sql, records, crypto.randomUUID(), new Set()), 20_000);
    await database.stop();
    [corral, browser] = await Promise.all([
      startCorral({ folder: dirname(place.where.folder) }),
      startBrowser(),
    ]);
    watched = await openPage(browser, `${corral.url}/#/requests`);
    await foot().getByText("1,200 requests").waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
    place?.remove();
  });

  test("begins with the newest, and goes on to the oldest and back, of which few are there at once", async () => {
    const { page } = watched;
    expect(await link(0).getAttribute("href")).toBe(`#/requests/${idOf(0)}`);
    expect(await toEnd()).toBeLessThan(80);
    await scroller().press("End");
    await page.locator(`a[href="#/requests/${idOf(COUNT - 1)}"]:focus`).waitFor();
    await page.keyboard.press("Home");
    await page.locator(`a[href="#/requests/${idOf(0)}"]:focus`).waitFor();
  });

  test("filters, search and order are in the address, and a shared address shows the same", async () => {
    const { page } = watched;
    await page.getByLabel("Model", { exact: true }).selectOption("qwen3");
    await page.getByLabel("Outcome").selectOption("Aborted");
    await page.getByRole("button", { name: "Total" }).click();
    expect(hashOf()).toBe("#/requests?model=qwen3&status=aborted&sort=latency_ms");
    const found = records
      .filter(({ model, outcome }) => model === "qwen3" && outcome === "client_abort")
      .toSorted((a, b) => b.latencyMs - a.latencyMs);
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    const ids = () =>
      rows()
        .locator("a")
        .evaluateAll((links) => links.map((one) => one.getAttribute("href")?.slice(11, 51)));
    const wanted = found.map(({ id }) => `req_${id}`);
    await eventually(
      async () => (await ids()).join(),
      (shown) => shown === wanted.join(),
    );
    await page.reload();
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    expect(await page.getByLabel("Outcome").inputValue()).toBe("status=aborted");
    expect(await ids()).toEqual(wanted);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("button", { name: "Time" }).click();
    expect(hashOf()).toBe("#/requests");
    await foot().getByText("1,200 requests").waitFor();
  });

  test("a search goes through all texts, and says when nothing is left to be looked at", async () => {
    const { page } = watched;
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
    await eventually(
      () => search.inputValue(),
      (text) => text === "",
    );
  });

  test("keys go from row to row, open a request beside the table, and close it", async () => {
    const { page } = watched;
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.locator(`a[href="#/requests/${idOf(1)}"]:focus`).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "The open request" }).waitFor();
    expect(hashOf()).toBe(`#/requests/${idOf(1)}`);
    await page.keyboard.press("j");
    expect(hashOf()).toBe(`#/requests/${idOf(2)}`);
    await page.keyboard.press("Escape");
    await page.locator(`a[href="#/requests/${idOf(2)}"]:focus`).waitFor();
    expect(hashOf()).toBe("#/requests");
  });

  test("what ends comes in by itself, with its prompt; a reader is told of it, and nothing moves", async () => {
    const { page } = watched;
    await page.mouse.move(0, 0);
    await page.getByRole("heading", { name: "Requests" }).click();
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

  test("columns are chosen, and the browser remembers which", async () => {
    const { page } = watched;
    const titles = () => page.getByRole("columnheader").allTextContents();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByLabel("Who").uncheck();
    await page.getByLabel("Dialect").last().check();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Close" }).click();
    await page.reload();
    await rows().first().waitFor();
    expect(await titles()).toContain("Dialect");
    expect(await titles()).not.toContain("Who");
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await rows().first().waitFor();
    expect(await titles()).toContain("Who");
  });

  test("what is found is saved as a file", async () => {
    const { page } = watched;
    await page.goto(`${corral.url}/#/requests?status=error`);
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
    watched.complaints.splice(0);
  });

  test("it fits at each size, in the dark too, with a request open and without", async () => {
    const { page } = watched;
    const folder = process.env.CORRAL_SCREENSHOTS;
    const states = [
      ["table", "#/requests"],
      ["open", `#/requests/${idOf(3)}`],
      ["none", "#/requests?model=nobody"],
    ] as const;
    for (const [state, hash] of states) {
      await page.goto(`${corral.url}/${hash}`);
      await (state === "none" ? page.getByText("No request fits") : page.locator("tbody a").first()).waitFor({
        state: "attached",
      });
      for (const look of dresses) {
        await dress(page, look);
        expect([state, look, await overhang(page)]).toEqual([state, look, 0]);
        if (state !== "none" || look === dresses[0])
          expect([state, look, await violations(page)]).toEqual([state, look, []]);
        if (folder)
          await page.screenshot({
            path: join(folder, `requests-${state}-${look.width}-${look.colorScheme}.png`),
          });
      }
    }
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    expect(watched.complaints).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
  });
});
