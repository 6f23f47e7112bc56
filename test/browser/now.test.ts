/** The page's frame and its view Now, as people see them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { fits, openPage, violations, type Watched } from "./page";

const key = "sesame-open-sesame";

describeBrowser("the page", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const panel = (name: string) => watched.page.getByRole("region", { name, exact: true });
  /** A request that goes on for half a minute. */
  const begin = () =>
    fetch(`${corral.url}/api/chat`, {
      method: "POST",
      headers: { "user-agent": "ada-client/1.0" },
      body: JSON.stringify({ model: "sim-delay100-tokens300", prompt: "Why is the sky blue?" }),
    });

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startCorral(), startBrowser()]);
    watched = await openPage(browser, `${corral.url}/`);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("an empty server says that all is well, and how to begin", async () => {
    const { page } = watched;
    await page.getByRole("heading", { name: /^All is well since \d/ }).waitFor();
    await panel("In flight").getByText(`curl -N ${corral.url}/api/chat`).waitFor();
    await panel("Models loaded").getByText("None.").waitFor();
    await panel("Who uses it").getByText("Nobody yet.").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("a request is seen while it runs, with its model loaded, and all of it without scrolling", async () => {
    const { page } = watched;
    const reply = await begin();
    await panel("In flight")
      .getByRole("row", { name: /sim-delay100-tokens300 Writing .* ada-client/ })
      .waitFor();
    await panel("Models loaded")
      .getByRole("row", { name: /sim-delay100-tokens300 .* 4,096 4 min/ })
      .waitFor();
    await fits(page, "now");
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(900);
    await reply.body?.cancel();
    // Its client has left: the feed says so by itself.
    await panel("In flight").getByText("Nothing is running.").waitFor();
    await panel("Who uses it")
      .getByRole("row", { name: /127\.0\.0\.1 ada-client/ })
      .waitFor();
  });

  test("a request is canceled once that was confirmed", async () => {
    const { page } = watched;
    const reply = await begin();
    await panel("In flight")
      .getByRole("button", { name: /^Cancel sim-delay100/ })
      .click();
    const dialog = page.getByRole("dialog", { name: "Cancel this request?" });
    await dialog.getByRole("button", { name: "Leave it" }).click();
    expect(await panel("In flight").getByRole("row").count()).toBe(2);
    await panel("In flight")
      .getByRole("button", { name: /^Cancel sim-delay100/ })
      .click();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel the request" }).click();
    expect(await reply.text()).toContain("ended by somebody who runs the server");
    await page.getByText("The request was canceled.").waitFor();
  });

  test("Ollama is restarted from the page, and its last words are there", async () => {
    const { page } = watched;
    await panel("Ollama").getByText("Listening on").waitFor();
    await panel("Ollama").getByRole("button", { name: "Restart" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restart Ollama" }).click();
    await page.getByText("Ollama was restarted.").waitFor();
    await panel("Ollama").getByText("1 restart since Corral’s start").waitFor();
  });

  test("every view has its address and its keys, ? lists them, and the theme is kept", async () => {
    const { page } = watched;
    for (const [letter, name] of ["requests", "history", "models", "chat", "data", "now"].map((n) => [
      n[0],
      n,
    ])) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter ?? "");
      await page.waitForURL(`${corral.url}/#/${name}`);
      await page
        .locator("nav [aria-current=page]")
        .getByText(new RegExp(`^${name}$`, "i"))
        .waitFor();
      if (name !== "chat") continue;
      // It begins in its field.
      await page.locator("textarea:focus").waitFor();
      await page.keyboard.press("Escape");
    }
    await page.goto(`${corral.url}/#/models/%E0%A4%A`);
    await page.getByRole("heading", { name: "%E0%A4%A" }).waitFor();
    await page.goto(`${corral.url}/#/now`);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).getByText("Go to History").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    await page.reload();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await page.keyboard.press("t");
  });

  test("nobody complained in the meantime, nobody but the server was asked, and it was quick", async () => {
    // While Ollama is restarted health is a 503, of which the browser tells.
    expect(watched.complaints.filter((text) => !text.includes("status of 503"))).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
    await watched.page.reload();
    await watched.page.getByRole("heading", { name: /^All is well/ }).waitFor();
    const times = await watched.page.evaluate(() => {
      const [paint] = performance.getEntriesByName("first-contentful-paint");
      const [load] = performance.getEntriesByType("navigation");
      return { painted: paint?.startTime, loaded: load?.duration };
    });
    console.log("the page, in ms:", times);
  });

  test("it says when it is not connected, connects again by itself, and asks for the key once", async () => {
    const { page } = watched;
    await corral.stop();
    await page.getByText(/^Not connected since/).waitFor();
    await page.getByRole("heading", { name: /^Corral does not answer since/ }).waitFor({ timeout: 20_000 });
    corral = await startCorral({ environment: { CORRAL_PORT: String(corral.port), CORRAL_ADMIN_KEY: key } });
    const dialog = page.getByRole("dialog", { name: "This needs the admin key" });
    await dialog.waitFor({ timeout: 20_000 });
    expect(await violations(page)).toEqual([]);
    await dialog.getByLabel("Admin key").fill("not-the-admin-key");
    await dialog.getByRole("button", { name: "Enter" }).click();
    await dialog.getByText("This is not Corral’s admin key.").waitFor();
    await dialog.getByLabel("Admin key").fill(key);
    await dialog.getByRole("button", { name: "Enter" }).click();
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
});
