/** The page's frame and its view Now, as people see them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { type RunningCorral, startCorral } from "../support/corral";
import { startProxy } from "../support/proxy";
import { describeBrowser, startBrowser } from "./browser";
import { comesTo, fits, openView, violations, type Watched, watch } from "./page";

const model = "sim-delay100-tokens9000";

describeBrowser("the page", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;
  /** The way to Corral, which can be cut. */
  let way: Awaited<ReturnType<typeof startProxy>>;
  let url: string;

  const panel = (name: string) => watched.page.getByRole("region", { name, exact: true });
  /** Goes on for longer than anybody looks at it. */
  const begin = () =>
    fetch(`${corral.url}/api/chat`, {
      method: "POST",
      headers: { "user-agent": "ada-client/1.0" },
      body: JSON.stringify({ model, prompt: "Why is the sky blue?" }),
    });

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startCorral(), startBrowser()]);
    way = await startProxy(corral.port);
    url = `http://127.0.0.1:${way.port}`;
    watched = watch(browser);
  });
  afterAll(async () => {
    way?.stop();
    await browser?.close();
    await corral?.stop();
  });

  test("an empty server says that all is well, and how to begin", async () => {
    const page = await openView(watched, url);
    await page.getByRole("heading", { name: /^All is well since \d/ }).waitFor();
    const line = await panel("In flight").getByText(`curl -N ${url}/api/chat`).textContent();
    // What is sent is a chat: of a prompt Ollama's /api/chat knows nothing, and answers nothing.
    expect(JSON.parse(line?.split("'")[1] ?? "")).toHaveProperty("messages.0.role", "user");
    await panel("Models loaded").getByText("None.").waitFor();
    await panel("Who uses it").getByText("Nobody yet.").waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("a request is seen while it runs, with its model loaded, and all of it without scrolling", async () => {
    const page = await openView(watched, url);
    const reply = await begin();
    await panel("In flight")
      .getByRole("row", { name: new RegExp(`${model} Writing .* ada-client`) })
      .waitFor();
    await panel("Models loaded")
      .getByRole("row", { name: new RegExp(`${model} .* 4,096 4 min`) })
      .waitFor();
    await fits(page, "now");
    await comesTo(() => page.evaluate(() => document.documentElement.scrollHeight), 900);
    await reply.body?.cancel();
    // Its client has left: the feed says so by itself.
    await panel("In flight").getByText("Nothing is running.").waitFor();
    await panel("Who uses it")
      .getByRole("row", { name: /127\.0\.0\.1 ada-client/ })
      .waitFor();
  });

  test("a request is canceled once that was confirmed", async () => {
    const page = await openView(watched, url);
    const reply = await begin();
    const cancel = panel("In flight").getByRole("button", { name: `Cancel ${model}` });
    await cancel.click();
    const dialog = page.getByRole("dialog", { name: "Cancel this request?" });
    await dialog.getByRole("button", { name: "Leave it" }).click();
    await dialog.waitFor({ state: "detached" });
    await cancel.click();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel the request" }).click();
    expect(await reply.text()).toContain("ended by somebody who runs the server");
    await page.getByText("The request was canceled.").waitFor();
  });

  test("Ollama is restarted from the page, and its last words are there", async () => {
    const page = await openView(watched, url);
    await panel("Ollama").getByText("Listening on").waitFor();
    await panel("Ollama").getByRole("button", { name: "Restart" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restart Ollama" }).click();
    await page.getByText("Ollama was restarted.").waitFor();
    await panel("Ollama").getByText("1 restart since Corral’s start").waitFor();
  });

  test("every view has its address and its keys, ? lists them, and the theme is kept", async () => {
    const page = await openView(watched, url);
    for (const name of ["requests", "history", "models", "chat", "data", "now"]) {
      await page.keyboard.press("g");
      await page.keyboard.press(name.charAt(0));
      await page.waitForURL(`${url}/#/${name}`);
      await page
        .locator("nav [aria-current=page]")
        .getByText(new RegExp(`^${name}$`, "i"))
        .waitFor();
      if (name !== "chat") continue;
      // It begins in its field.
      await page.locator("textarea:focus").waitFor();
      await page.keyboard.press("Escape");
    }
    await page.goto(`${url}/#/models/%E0%A4%A`);
    await page.getByRole("heading", { name: "%E0%A4%A" }).waitFor();
    await page.goto(`${url}/#/now`);
    await page.keyboard.press("?");
    const list = page.getByRole("dialog", { name: "Keys" });
    await list.getByText("Go to History").waitFor();
    await page.keyboard.press("Escape");
    await list.waitFor({ state: "detached" });
    await page.keyboard.press("t");
    await page.locator("html[data-theme=dark]").waitFor();
    await page.reload();
    await page.locator("html[data-theme=dark]").waitFor();
    await page.keyboard.press("t");
    await page.locator("html[data-theme=light]").waitFor();
  });

  test("it is quick", async () => {
    const page = await openView(watched, url);
    await page.getByRole("heading", { name: /^All is well/ }).waitFor();
    const times = await page.evaluate(() => {
      const [paint] = performance.getEntriesByName("first-contentful-paint");
      const [load] = performance.getEntriesByType("navigation");
      return { painted: paint?.startTime, loaded: load?.duration };
    });
    console.log("the page, in ms:", times);
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    // While Ollama is restarted health is a 503, of which the browser tells.
    expect(watched.complaints.filter((text) => !text.includes("status of 503"))).toEqual([]);
    for (const asked of watched.asked) expect(asked).toStartWith(`${url}/`);
  });

  test("it says when it is not connected, and connects again by itself", async () => {
    const page = await openView(watched, url);
    way.cut();
    await page.getByText(/^Not connected since/).waitFor();
    await page.getByRole("heading", { name: /^Corral does not answer since/ }).waitFor();
    way.mend();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("heading", { name: /^All is well/ }).waitFor();
    await panel("Ollama").getByText("Listening on").waitFor();
  });
});
