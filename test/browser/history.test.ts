/** The view History, as people use it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { getJson, type RunningCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { startFilledCorral } from "./filled";
import { comesTo, fits, openView, violations, type Watched, watch } from "./page";

interface Summary {
  readonly total: { readonly requests: number };
  readonly groups: { readonly model: string; readonly requests: number }[];
}

const counts = new Intl.NumberFormat("en-US");
const hourMs = 3_600_000;
/** Of whole hours that are over: of one that ends now, figures would move on while they are compared. */
const weekEnd = Math.floor(Date.now() / hourMs) * hourMs;
const week = new URLSearchParams({
  from: new Date(weekEnd - 168 * hourMs).toISOString(),
  to: new Date(weekEnd).toISOString(),
}).toString();

describeBrowser("the view History", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const openHistory = (query: string) => openView(watched, `${corral.url}/#/history${query}`);
  const chart = (name: string | RegExp) => watched.page.getByRole("figure", { name });
  const select = (name: string) => watched.page.getByRole("combobox", { name, exact: true });
  const query = () => new URLSearchParams(new URL(watched.page.url()).hash.split("?")[1]);
  const summary = async (asked: string) =>
    (await getJson(`${corral.url}/api/stats/summary?${asked}`)) as Summary;
  const shows = async (requests: number) =>
    watched.page.getByText(new RegExp(`^${counts.format(requests)} requests? in steps of `)).waitFor();
  /** Until the figures are there, drawn. */
  const isDrawn = async () => {
    for (const name of [
      "Requests per minute",
      "Tokens/s",
      "Time to first token",
      "Latency",
      "Errors by kind",
    ])
      await chart(new RegExp(`^${name}`))
        .locator("canvas")
        .waitFor();
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startFilledCorral(), startBrowser()]);
    watched = watch(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("a week is five charts and a table, and they say what percentiles are of", async () => {
    const page = await openHistory(`?${week}`);
    await shows((await summary(week)).total.requests);
    await page.getByText("Percentiles are of chats alone").waitFor();
    for (const name of [
      "Requests per minute",
      "Tokens/s while writing",
      "Time to first token of chats",
      "Latency of chats",
      "Errors by kind",
    ]) {
      await chart(name).locator("canvas").waitFor();
    }
    for (const name of ["p50", "p95", "p99"])
      await chart("Latency of chats").locator(".u-legend").filter({ hasText: name }).waitFor();
    // Fewer rows: axe takes its time for each, and they are all of one kind.
    await select("Kind of work").selectOption("completions");
    await page.getByText("Percentiles are of completions alone").waitFor();
    await fits(page, "history");
  });

  test("a range that ends today tells its day where it began on another", async () => {
    const page = await openHistory(`?from=${new Date(Date.now() - 25 * hourMs).toISOString()}`);
    const day = /\w{3}, \w{3} \d+, \d+:\d+/.source;
    await page.getByRole("button", { name: new RegExp(`${day}.* – ${day}`) }).waitFor();
  });

  test("pointing at a chart reads the exact values of that moment in all of them", async () => {
    await openHistory(`?${week}`);
    await isDrawn();
    const value = (name: string) => chart(name).locator(".u-legend .u-value").first();
    await comesTo(() => value("Latency of chats").textContent(), "–");
    await chart("Requests per minute")
      .locator(".u-over")
      .hover({ position: { x: 200, y: 60 } });
    await value("Requests per minute")
      .filter({ hasText: /\d:\d\d/ })
      .waitFor();
    const time = await value("Requests per minute").textContent();
    await comesTo(() => value("Latency of chats").textContent(), time);
    await comesTo(() => value("Errors by kind").textContent(), time);
  });

  test("a range that is dragged is in the address, and w leads back to the wider one, filters kept", async () => {
    const page = await openHistory(`?${week}`);
    await isDrawn();
    const over = chart("Latency of chats").locator(".u-over");
    await over.scrollIntoViewIfNeeded();
    const box = await over.boundingBox();
    if (!box) throw new Error("the chart is not there");
    const wide = query();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(({ hash }) => hash.includes("from=") && !hash.includes(week));
    const [from = "", to = ""] = ["from", "to"].map((name) => query().get(name) ?? "");
    const hours = (Date.parse(to) - Date.parse(from)) / hourMs;
    expect(hours).toBeWithin(46, 56);
    await shows((await summary(`from=${from}&to=${to}`)).total.requests);
    await select("Kind of work").selectOption("completions");
    await page.getByText("Percentiles are of completions alone").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#main").focus();
    await page.keyboard.press("w");
    await comesTo(async () => Object.fromEntries(query()), {
      ...Object.fromEntries(wide),
      operation: "completion",
    });
    await shows((await summary(`${week}&operation=completion`)).total.requests);
  });

  test("a range is chosen without dragging, moved, and widened by keys", async () => {
    const page = await openHistory("");
    await page.getByRole("button", { name: "Wider" }).waitFor();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog", { name: "Choose a range" });
    const day = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
    await dialog.getByLabel("From").fill(`${day}T12:00`);
    await dialog.getByLabel("To; until").fill(`${day}T10:00`);
    await dialog.getByRole("button", { name: "Show it" }).click();
    await dialog.getByText("It takes a begin that is before the end").waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByLabel("To; until").fill(`${day}T14:00`);
    await dialog.getByRole("button", { name: "Show it" }).press("Enter");
    await page.waitForURL(new RegExp(`from=${day}`));
    await dialog.waitFor({ state: "detached" });
    const length = () => Date.parse(query().get("to") ?? "") - Date.parse(query().get("from") ?? "");
    expect(length()).toBe(2 * hourMs);
    const from = Date.parse(query().get("from") ?? "");
    const begins = (hoursBefore: number) =>
      page.waitForURL((url) =>
        url.hash.includes(
          encodeURIComponent(new Date(from - hoursBefore * hourMs).toISOString().slice(0, 16)),
        ),
      );
    // Twice is two steps, however long the answer to the first one takes.
    await page.keyboard.press("[");
    await page.keyboard.press("[");
    await begins(4);
    await page.keyboard.press("]");
    await begins(2);
    await page.keyboard.press("w");
    await begins(4);
    expect(length()).toBe(6 * hourMs);
  });

  test("a point and a row lead to their requests", async () => {
    const page = await openHistory(`?${week}&operation=chat`);
    await shows((await summary(`${week}&operation=chat`)).total.requests);
    await isDrawn();
    await chart("Requests per minute")
      .locator(".u-over")
      .click({ position: { x: 300, y: 60 } });
    const link = chart("Requests per minute").getByRole("link", { name: /^Requests of/ });
    expect(await link.getAttribute("href")).toMatch(
      /^#\/requests\?from=20\d\d-.*%3A00%3A00Z&to=20\d\d-.*&operation=chat$/,
    );
    const row = page.getByRole("region", { name: "In numbers" }).getByRole("row").nth(1);
    await row.getByRole("link").click();
    await page.waitForURL(/#\/requests\?from=.*&to=.*&operation=chat$/);
  });

  test("figures apart by model are lines and totals of their own, and a file says the same", async () => {
    const page = await openHistory(`?${week}`);
    await select("Apart by").selectOption("model");
    const { groups } = await summary(`${week}&group_by=model`);
    const [first] = groups;
    if (!first) throw new Error("the demo has models");
    await chart("Requests per minute").getByText(first.model, { exact: true }).waitFor();
    await select("Percentile").selectOption("p99");
    await chart("Latency of chats, p99").waitFor();
    await page.getByRole("button", { name: "Totals" }).click();
    const table = page.getByRole("region", { name: "In numbers" });
    await table
      .getByRole("row", { name: new RegExp(`^${first.model} ${counts.format(first.requests)} `) })
      .waitFor();
    await comesTo(
      async () => [...query()],
      [...new URLSearchParams(week), ["group_by", "model"], ["percentile", "p99"], ["table", "totals"]],
    );
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      table.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^corral-history-totals-.*\.csv$/);
    const [head = "", ...lines] = (await Bun.file(await file.path()).text()).trim().split("\r\n");
    expect(head).toStartWith("from,to,model,requests,requests_per_minute,tokens_in,tokens_out,");
    expect(lines).toHaveLength(groups.length + 1);
    expect(lines[0]?.split(",").slice(2, 4)).toEqual([first.model, String(first.requests)]);
  });

  test("a range without data says so, and a request that ends comes in by itself", async () => {
    const page = await openHistory("?hours=1&model=sim-tokens2");
    await page.getByText(/^No requests of sim-tokens2 in this range \(1 h\)/).waitFor();
    await comesTo(() => page.locator("canvas").count(), 0);
    const body = JSON.stringify({ model: "sim-tokens2", prompt: "Why is the sky blue?" });
    await (await fetch(`${corral.url}/api/chat`, { method: "POST", body })).text();
    await shows(1);
    await page.getByText("None in this range.").waitFor();
    await openHistory("?hours=1&model=never-heard-of");
    await page.getByRole("button", { name: "Clear the filters" }).click();
    await page.waitForURL(`${corral.url}/#/history?hours=1`);
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    expect(watched.complaints).toEqual([]);
    for (const url of watched.asked) expect(url).toMatch(new RegExp(`^(blob:)?${corral.url}/`));
  });
});
