/** The table of requests, as people see it, on a made-up month. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { openDatabase } from "../../src/database/database";
import { storeRecords } from "../../src/ledger/rows";
import { silentLog } from "../../src/log";
import { makeCorpus, rareModel } from "../bench/corpus";
import { type RunningCorral, startCorral } from "../support/corral";
import { embeddedPlace, type Place } from "../support/databases";
import { describeBrowser, startBrowser } from "./browser";
import { dress, dresses, openPage, overhang, violations, type Watched } from "./page";

const COUNT = 2000;

describeBrowser("the table of requests", () => {
  let place: Place;
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;
  let records: ReturnType<typeof makeCorpus> extends Iterable<infer One> ? One[] : never;

  const rows = () => watched.page.locator("tbody tr:has(a)");
  const link = (at: number) => watched.page.locator(`[aria-rowindex="${at + 2}"] a`);
  const idOf = (at: number) => `req_${records.at(-1 - at)?.id}`;
  const scroller = () => watched.page.locator(".rows > .scroll");
  const foot = () => watched.page.locator(".rows > footer");
  const hashOf = () => new URL(watched.page.url()).hash;
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
    records = [...makeCorpus(COUNT, Date.now() - 60_000)].sort((a, b) =>
      a.startedAt < b.startedAt ? -1 : 1,
    );
    const partitions = new Set<string>();
    const server = crypto.randomUUID();
    for (let from = 0; from < COUNT; from += 200)
      await database.transaction(
        (sql) => storeRecords(sql, records.slice(from, from + 200), server, partitions),
        20_000,
      );
    await database.stop();
    [corral, browser] = await Promise.all([
      startCorral({ folder: dirname(place.where.folder), environment: { CORRAL_KEEP_CONTENT: "60d" } }),
      startBrowser(),
    ]);
    watched = await openPage(browser, `${corral.url}/#/requests`);
    await foot().getByText("2,000 requests").waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
    place?.remove();
  });

  test("begins with the newest, and goes on to the oldest and back, of which few are there at once", async () => {
    const { page } = watched;
    expect(await link(0).getAttribute("href")).toBe(`#/requests/${idOf(0)}`);
    await link(0).focus();
    while (!(await foot().getByText("That is all.").isVisible())) {
      await page.keyboard.press("End");
      await page.waitForTimeout(10);
      expect(await rows().count()).toBeLessThan(80);
    }
    await page.keyboard.press("End");
    await page.locator(`a[href="#/requests/${idOf(COUNT - 1)}"]:focus`).waitFor();
    await page.keyboard.press("Home");
    await page.locator(`a[href="#/requests/${idOf(0)}"]:focus`).waitFor();
  });

  test("filters, search and order are in the address, and a shared address shows the same", async () => {
    const { page } = watched;
    await page.getByLabel("Model", { exact: true }).selectOption("qwen3");
    await page.getByLabel("Outcome").selectOption("Failed");
    await page.getByRole("button", { name: "Total" }).click();
    expect(hashOf()).toBe("#/requests?model=qwen3&status=error&sort=latency_ms");
    const found = records
      .filter(({ model, outcome }) => model === "qwen3" && /^engine/.test(outcome))
      .toSorted((a, b) => b.latencyMs - a.latencyMs);
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    const ids = () =>
      rows()
        .locator("a")
        .evaluateAll((links) => links.map((one) => one.getAttribute("href")?.slice(11, 51)));
    expect(await ids()).toEqual(found.map(({ id }) => `req_${id}`));
    await page.reload();
    await foot().getByText(`${found.length} requests`, { exact: true }).waitFor();
    expect(await page.getByLabel("Outcome").inputValue()).toBe("status=error");
    expect(await ids()).toEqual(found.map(({ id }) => `req_${id}`));
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("button", { name: "Time" }).click();
    expect(hashOf()).toBe("#/requests");
    await foot().getByText("2,000 requests").waitFor();
  });

  test("a search goes through all texts, and says when nothing is left to be looked at", async () => {
    const { page } = watched;
    const word = "rollback";
    const found = records.filter(({ contents }) =>
      `${contents?.prompt}\n${contents?.response}`.toLowerCase().includes(word),
    );
    await page.keyboard.press("/");
    await page.keyboard.type(word);
    await page.waitForURL(/q=rollback/);
    await scroller().focus();
    while (!(await foot().getByText("That is all.").isVisible())) {
      await page.keyboard.press("End");
      await page.waitForTimeout(10);
    }
    await foot().getByText(`${found.length} requests`).waitFor();
    await page.getByLabel("Search prompts and replies").fill("no such words anywhere");
    await page.getByText("No request fits these filters.").waitFor();
    await page.getByRole("button", { name: "Show all requests" }).click();
    await foot().getByText("2,000 requests").waitFor();
    expect(await page.getByLabel("Search prompts and replies").inputValue()).toBe("");
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
    await rows().first().getByText("sim-tokens3:one", { exact: true }).waitFor();
    await rows().first().getByText("Tell me about sim-tokens3:one").waitFor();
    await page.getByLabel("Outcome").selectOption("Failed");
    await chat("sim-tokens3:two");
    await page.getByLabel("Outcome").selectOption("Any outcome");
    await rows().first().getByText("sim-tokens3:two", { exact: true }).waitFor();
    await scroller().evaluate((element) => element.scrollTo(0, 3200));
    await link(100).waitFor();
    const before = await link(100).getAttribute("href");
    await chat("sim-tokens3:three");
    await page.getByRole("button", { name: "1 new" }).waitFor();
    expect(await link(100).getAttribute("href")).toBe(before ?? "");
    await page.getByRole("button", { name: "1 new" }).click();
    await rows().first().getByText("sim-tokens3:three", { exact: true }).waitFor();
    await foot().getByText("2,003 requests").waitFor();
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
    await page.goto(`${corral.url}/#/requests?model=${rareModel}`);
    await page.goto(`${corral.url}/#/requests?status=error`);
    await page.getByRole("button", { name: "Export" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: /^NDJSON/ }).click();
    const path = await (await download).path();
    const failed = records.filter(({ outcome }) => /^engine/.test(outcome));
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
