/** The view Data, as people use it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import type { RunningCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { startFilledCorral } from "./filled";
import { comesTo, fits, violations, type Watched, watch } from "./page";

const key = "sesame-open-sesame";
const counts = new Intl.NumberFormat("en-US");

describeBrowser("the view Data", () => {
  let corral: RunningCorral & { readonly requests: number };
  let browser: Browser;
  let watched: Watched;

  const panel = (name: string) => watched.page.getByRole("region", { name, exact: true });
  const ask = async (path: string) => {
    const answer = await fetch(corral.url + path, { headers: { authorization: `Bearer ${key}` } });
    return (await answer.json()) as { logs: number; metrics: number };
  };

  const keyDialog = () => watched.page.getByRole("dialog", { name: "This needs the admin key" });
  const enter = async (tried: string) => {
    await keyDialog().getByLabel("Admin key").fill(tried);
    await keyDialog().getByRole("button", { name: "Enter" }).click();
  };
  /** With the key, which a test before this one has entered or not. */
  const openData = async () => {
    const page = await watched.open(`${corral.url}/#/data`);
    const live = page.getByText("Live", { exact: true });
    await keyDialog().or(live).waitFor();
    if (await keyDialog().isVisible()) await enter(key);
    await live.waitFor();
    return page;
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([
      startFilledCorral({ CORRAL_ADMIN_KEY: key, CORRAL_KEEP_CONTENT: "20d", CORRAL_DISK_BUDGET: "1GB" }),
      startBrowser(),
    ]);
    watched = watch(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("the key is asked for once, and kept where no script reads it", async () => {
    const page = await watched.open(`${corral.url}/`);
    await keyDialog().waitFor();
    expect(await violations(page)).toEqual([]);
    await enter("not-the-admin-key");
    await keyDialog().getByText("This is not Corral’s admin key.").waitFor();
    await enter(key);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.reload();
    await page.getByText("Live", { exact: true }).waitFor();
    await panel("Ollama").getByText("Listening on").waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: "corral_session", httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }))).not.toContain(
      "sesame",
    );
  });

  test("it says what is kept, how big it is, until when, and when the budget would be used up", async () => {
    const page = await openData();
    const kept = panel("What is kept");
    await kept
      .getByRole("row", { name: new RegExp(`^Requests .* ${counts.format(corral.requests)} .* 400d`) })
      .waitFor();
    await kept.getByRole("row", { name: /^Texts .* [kM]B .* 20d .* 20\d\d$/ }).waitFor();
    await kept.getByRole("row", { name: /^Metrics .* forever never$/ }).waitFor();
    await panel("Room")
      .getByText(/^[\d.]+ [kM]B a day, lately$/)
      .waitFor();
    await panel("Room")
      .getByText(/^(about .* 20\d\d|not in the next ten years) \(projected\)$/)
      .waitFor();
    await panel("Records of this server").getByText("None was given up.").waitFor();
    await panel("Backups")
      .getByText(`CORRAL_DATA_DIR=${corral.folder} corral backup corral.backup`)
      .waitFor();
    await fits(page, "data");
  });

  test("settings are found by any word, say where they come from, and no secret is shown", async () => {
    const page = await openData();
    const settings = panel("Settings in force");
    await settings.getByText("from CORRAL_KEEP_CONTENT").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("prompts kept");
    await settings.getByText("20d").waitFor();
    await comesTo(() => settings.getByText("OLLAMA_PORT").count(), 0);
    await settings.getByText("from CORRAL_KEEP_CONTENT").waitFor();
    await page.waitForURL(/setting=prompts/);
    await settings.getByRole("searchbox").fill("CORRAL_ADMIN_KEY");
    await settings.getByText("set, not shown").waitFor();
    expect(await page.content()).not.toContain(key);
    await settings.getByRole("searchbox").fill("no such thing");
    await settings.getByText("No setting has “no such thing”").waitFor();
    await settings.getByRole("searchbox").fill("");
  });

  test("what is deleted is counted before, confirmed, and followed while it goes", async () => {
    const page = await openData();
    const clear = panel("Clear");
    const model = (await clear.getByLabel("Of the model").locator("option").nth(1).textContent()) ?? "";
    const before = await ask("/api/data/clearable");
    const own = await ask(`/api/data/clearable?model=${model}`);
    expect(own.logs).toBeGreaterThan(0);
    await clear.getByLabel("Of the model").selectOption(model);
    await clear.getByRole("button", { name: "Delete…" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete for good?" });
    await dialog
      .getByText(`${counts.format(own.logs)} requests with prompts and replies of ${model} are deleted`)
      .waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Leave it" }).click();
    expect(await ask("/api/data/clearable")).toEqual(before);

    // It takes long enough to be followed, as it does for millions.
    const { promise: isFollowed, resolve: goOn } = Promise.withResolvers<void>();
    await page.route("**/api/data/logs?*", async (route) => {
      await isFollowed;
      await route.continue();
    });
    await clear.getByRole("button", { name: "Delete…" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await clear.getByText(`0 of ${counts.format(own.logs)} rows are gone`).waitFor();
    expect(await violations(page)).toEqual([]);
    goOn();
    await page.getByText(`${counts.format(own.logs)} rows deleted.`).waitFor();
    expect(await ask("/api/data/clearable")).toEqual({ ...before, logs: before.logs - own.logs });
    await panel("What is kept")
      .getByRole("row", { name: new RegExp(`^Requests .* ${counts.format(before.logs - own.logs)} `) })
      .waitFor();
  });

  test("what a backup holds is not deleted, and it says what to do", async () => {
    const page = await openData();
    const clear = panel("Clear");
    await clear.getByLabel("What").selectOption("metrics");
    await clear.getByLabel("From before").fill("2026-01-01T00:00");
    await clear.getByRole("button", { name: "Delete…" }).click();
    await page.getByText("There is nothing of that to delete.").waitFor();
    await clear.getByLabel("From before").fill("");
    const conflict = { detail: "Conflict", error: "a backup is not over: ask again when it is" };
    await page.route("**/api/data/metrics", (route) => route.fulfill({ status: 409, json: conflict }));
    await clear.getByRole("button", { name: "Delete…" }).click();
    await page
      .getByRole("dialog")
      .getByText(/^[\d,]+ rows of metrics are deleted/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await clear.getByText("Try again when it is over.").waitFor();
    await page.unroute("**/api/data/metrics");
    await clear.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText(/^[\d,]+ rows deleted\.$/).waitFor();
    expect((await ask("/api/data/clearable")).metrics).toBe(0);
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    // Of the key that was asked for, and of the backup, the browser tells.
    expect(watched.complaints.filter((text) => !/status of (401|409)/.test(text))).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
  });
});
