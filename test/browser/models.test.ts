/** The view Models, as people see it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { dress, dresses, openPage, overhang, violations, type Watched } from "./page";

const slow = "sim-delay1000-tokens8:slow";
const heavy = "sim-load800-tokens8:heavy";

describeBrowser("the view Models", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const panel = (name: string) => watched.page.getByRole("region", { name, exact: true });
  const row = (model: string) =>
    panel("Installed")
      .getByRole("row")
      .filter({ has: watched.page.getByRole("link", { name: model, exact: true }) });
  const toast = (text: string) => watched.page.locator(".toast").getByText(text);
  const chat = (model: string) =>
    fetch(`${corral.url}/api/chat`, { method: "POST", body: JSON.stringify({ model, prompt: "Hello?" }) });
  const pull = async (name: string) => {
    await watched.page.keyboard.press("p");
    const dialog = watched.page.getByRole("dialog", { name: "Pull a model" });
    await dialog.getByLabel("Its name").fill(name);
    await watched.page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
  };
  /** In all sizes and colours. */
  const look = async (name: string) => {
    const { page } = watched;
    for (const dressed of dresses) {
      await dress(page, dressed);
      expect([dressed, await overhang(page)]).toEqual([dressed, 0]);
      expect([dressed, await violations(page)]).toEqual([dressed, []]);
      const folder = process.env.CORRAL_SCREENSHOTS;
      const path = join(folder ?? "", `${name}-${dressed.width}-${dressed.colorScheme}.png`);
      if (folder) await page.screenshot({ path, fullPage: true });
    }
    await dress(page, { width: 1440, colorScheme: "light" });
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([
      startCorral({ environment: { CORRAL_SIMULATOR_MODELS: "," } }),
      startBrowser(),
    ]);
    watched = await openPage(browser, `${corral.url}/#/models`);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("without a model it says how to get the first", async () => {
    await panel("Installed").getByText("No model is installed yet.").waitFor();
    await panel("Installed").getByText(`curl -N ${corral.url}/api/ollama/pull`).waitFor();
    expect(await violations(watched.page)).toEqual([]);
  });

  test("a model is found in the library, and pulled by one of its tags", async () => {
    const { page } = watched;
    await page.getByRole("button", { name: "Pull a model" }).click();
    const dialog = page.getByRole("dialog", { name: "Pull a model" });
    await dialog.getByLabel("Its name").fill("llama3.2");
    await dialog.getByText("From the list that came with Corral, of").waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Pull llama3.2:1b" }).click();
    await toast("llama3.2:1b is installed.").waitFor();
    await row("llama3.2:1b").waitFor();
  });

  test("a pull is seen with its rate and time left, also after a reload; it is canceled, and goes on when asked again", async () => {
    const { page } = watched;
    await pull(slow);
    await panel("Pulling")
      .getByText(/ of .+ GB, .+\/s, .+ left$/)
      .waitFor();
    await page.reload();
    await panel("Pulling")
      .getByText(/ of .+ GB/)
      .waitFor();
    await panel("Pulling")
      .getByRole("button", { name: `Cancel the pull of ${slow}` })
      .click();
    await toast(`The pull of ${slow} was canceled.`).waitFor();
    await panel("Past pulls")
      .getByRole("row", { name: /canceled/ })
      .getByRole("button", { name: `Pull ${slow} again` })
      .click();
    await panel("Pulling")
      .getByRole("button", { name: `Cancel the pull of ${slow}` })
      .click();
    await panel("Pulling").waitFor({ state: "detached" });
  });

  test("a name that nobody has fails in Ollama's words", async () => {
    await pull("missing-model");
    await toast("missing-model could not be pulled: pull model manifest: file does not exist").waitFor();
  });

  test("notes are changed in their place, kept, and undone when they are refused", async () => {
    const { page } = watched;
    const model = row("llama3.2:1b");
    await model.getByRole("button", { name: "Favourite: llama3.2:1b" }).click();
    await model.getByRole("button", { name: "Default: llama3.2:1b" }).click();
    await model.getByRole("button", { name: "Tags of llama3.2:1b: Add tags" }).click();
    await page.keyboard.type("fast, chat");
    await page.keyboard.press("Enter");
    await model.getByRole("button", { name: "Description of llama3.2:1b" }).click();
    await page.keyboard.type("Quick all-rounder. Take this one unless you know why not.");
    await page.keyboard.press("Enter");
    await eventually(
      () => getJson(`${corral.url}/api/models/repository`),
      (answer) => JSON.stringify(answer).includes("all-rounder"),
    );
    await page.reload();
    await model.getByRole("button", { name: "Tags of llama3.2:1b: fast chat" }).click();
    await page.keyboard.type("x".repeat(101));
    await page.keyboard.press("Enter");
    await page.locator(".toast.error").getByText("tags").waitFor();
    await model.getByRole("button", { name: "Tags of llama3.2:1b: fast chat" }).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    for (const name of ["Favourite", "Default"])
      expect(await model.getByRole("button", { name: `${name}: ` }).getAttribute("aria-pressed")).toBe(
        "true",
      );
  });

  test("a model is loaded, which is seen while it takes its time, and unloaded", async () => {
    await pull(heavy);
    await row(heavy)
      .getByRole("button", { name: `Load ${heavy}` })
      .click();
    await row(heavy).getByText("Loading,").waitFor();
    await toast(`${heavy} is loaded, after`).waitFor();
    await row(heavy)
      .getByRole("button", { name: `Unload ${heavy}` })
      .click();
    await row(heavy)
      .getByRole("button", { name: `Load ${heavy}` })
      .waitFor();
    await pull("nomic-embed-text");
    await row("nomic-embed-text").getByRole("button", { name: "Load nomic-embed-text" }).click();
    await toast("nomic-embed-text is loaded, after").waitFor();
  });

  test("use is counted, columns sort, and words find", async () => {
    const { page } = watched;
    await (await chat("llama3.2:1b")).text();
    await (await chat("llama3.2:1b")).text();
    await eventually(
      () => getJson(`${corral.url}/api/models`),
      (answer) => JSON.stringify(answer).includes('"name":"llama3.2:1b","total_requests":2'),
    );
    await page.reload();
    await row("llama3.2:1b").getByRole("cell", { name: "2", exact: true }).waitFor();
    const names = () => panel("Installed").locator(".model > div > a").allTextContents();
    // The favourite first.
    expect(await names()).toEqual(["llama3.2:1b", "nomic-embed-text", heavy]);
    await panel("Installed").getByRole("button", { name: "Size" }).click();
    const bySize = await names();
    expect(bySize.at(-1)).toBe("nomic-embed-text");
    expect(page.url()).toContain("sort=size");
    await panel("Installed").getByRole("button", { name: "Size" }).click();
    expect(await names()).toEqual(bySize.toReversed());
    await page.keyboard.press("/");
    await page.keyboard.type("chat");
    expect(await names()).toEqual(["llama3.2:1b"]);
    await page.getByLabel("Find among the models").fill("");
    await look("models");
  });

  test("a model's page tells how it is made and how its last requests went", async () => {
    const { page } = watched;
    await row("llama3.2:1b").getByRole("link", { name: "llama3.2:1b" }).click();
    await page.waitForURL(/#\/models\/llama3\.2%3A1b$/);
    await panel("How it is made").getByText("131,072 tokens").waitFor();
    await panel("Template").getByText("{{ .Prompt }}").waitFor();
    await panel("Its last requests").getByRole("row").nth(2).waitFor();
    await look("model");
    await page.keyboard.press("Escape");
    await page.waitForURL(/#\/models$/);
  });

  test("a model is deleted once that was confirmed, with what it would free", async () => {
    const { page } = watched;
    await row("llama3.2:1b").getByRole("button", { name: "Delete llama3.2:1b" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete llama3.2:1b?" });
    await dialog.getByText(/^This frees [\d.]+ GB of disk.* It is the default\./).waitFor();
    await dialog.getByRole("button", { name: "Delete llama3.2:1b" }).click();
    await toast("llama3.2:1b was deleted.").waitFor();
    await panel("Not installed")
      .getByRole("row", { name: /llama3.2:1b Quick all-rounder/ })
      .waitFor();
    await page.goto(`${corral.url}/#/models/llama3.2%3A1b`);
    await page.getByText("It is no longer installed.").waitFor();
    await page.getByRole("button", { name: "Pull it" }).waitFor();
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    // The browser tells of answers that the page expects: a tag that is too long, a model that is not there.
    expect(watched.complaints.filter((text) => !/status of (400|404)/.test(text))).toEqual([]);
    for (const url of watched.asked) expect(url).toStartWith(`${corral.url}/`);
  });
});
