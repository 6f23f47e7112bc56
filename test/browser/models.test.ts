/** The view Models, as people see it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { send } from "../api/calls";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { comesTo, fits, openView, patienceMs, violations, type Watched, watch } from "./page";

const slow = "sim-delay1500-tokens8:slow";
const heavy = "sim-load100-tokens8:heavy";

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
  const openModels = async () => {
    const page = await openView(watched, `${corral.url}/#/models`);
    await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
    return page;
  };
  /** Has models installed, whatever tests before have done. */
  const have = async (...models: string[]) => {
    for (const model of models) await (await send("POST", `${corral.url}/api/ollama/pull`, { model })).text();
  };
  /** Has something noted of a model. */
  const note = async (name: string, notes: object) => {
    const url = `${corral.url}/api/models/repository`;
    const { status } = await send("PUT", `${url}/${name}`, notes);
    if (status === 404) await send("POST", url, { name, ...notes });
  };
  const pull = async (name: string) => {
    await watched.page.keyboard.press("p");
    const dialog = watched.page.getByRole("dialog", { name: "Pull a model" });
    await dialog.getByLabel("Its name").fill(name);
    await watched.page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
  };
  beforeAll(async () => {
    [corral, browser] = await Promise.all([
      startCorral({ environment: { CORRAL_SIMULATOR_MODELS: "," } }),
      startBrowser(),
    ]);
    watched = watch(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("without a model it says how to get the first", async () => {
    const page = await openModels();
    await panel("Installed").getByText("No model is installed yet.").waitFor();
    await panel("Installed").getByText(`curl -N ${corral.url}/api/ollama/pull`).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("a model is found in the library, and pulled by one of its tags", async () => {
    const page = await openModels();
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
    const page = await openModels();
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

  test("a name that nobody has fails in Ollama's words, before the list of pulls was ever answered too", async () => {
    const page = await openModels();
    const { promise: isOver, resolve: goOn } = Promise.withResolvers<void>();
    await page.route("**/api/ollama/pulls?*", async (route) => {
      await isOver;
      await route.continue();
    });
    await page.reload();
    await page.getByRole("button", { name: "Pull a model" }).waitFor();
    await pull("missing-model");
    await eventually(
      () => getJson(`${corral.url}/api/ollama/pulls`),
      (answer) => JSON.stringify(answer).includes("file does not exist"),
      patienceMs,
    );
    goOn();
    await toast("missing-model could not be pulled: pull model manifest: file does not exist").waitFor();
  });

  test("notes are changed in their place, kept, and undone when they are refused", async () => {
    await have("llama3.2:1b");
    const page = await openModels();
    const model = row("llama3.2:1b");
    const field = page.locator("input.editing:focus");
    const isPressed = (name: string) =>
      model.getByRole("button", { name: `${name}: llama3.2:1b`, pressed: true }).waitFor();
    // The first adds it to what is noted: however long that takes, the second does not come before.
    const { promise: isChangedTwice, resolve: goOn } = Promise.withResolvers<void>();
    await page.route("**/api/models/repository", async (route) => {
      if (route.request().method() === "POST") await isChangedTwice;
      await route.continue();
    });
    await model.getByRole("button", { name: "Favourite: llama3.2:1b" }).click();
    await model.getByRole("button", { name: "Default: llama3.2:1b" }).click();
    await isPressed("Default");
    expect(watched.asked.filter((url) => url.endsWith("/repository/llama3.2%3A1b"))).toEqual([]);
    goOn();
    await model.getByRole("button", { name: "Tags of llama3.2:1b: Add tags" }).click();
    await field.waitFor();
    await page.keyboard.type("fast, chat");
    await page.keyboard.press("Enter");
    await model.getByRole("button", { name: "Description of llama3.2:1b" }).click();
    await field.waitFor();
    await page.keyboard.type("Quick all-rounder. Take this one unless you know why not.");
    await page.keyboard.press("Enter");
    await eventually(
      () => getJson(`${corral.url}/api/models/repository`),
      (answer) => JSON.stringify(answer).includes("all-rounder"),
      patienceMs,
    );
    await page.reload();
    await isPressed("Favourite");
    await isPressed("Default");
    await model.getByRole("button", { name: "Tags of llama3.2:1b: fast chat" }).click();
    await field.waitFor();
    await page.keyboard.type("x".repeat(101));
    await page.keyboard.press("Enter");
    await page.locator(".toast.error").getByText("tags").waitFor();
    await model.getByRole("button", { name: "Tags of llama3.2:1b: fast chat" }).waitFor();
    await isPressed("Favourite");
    await isPressed("Default");
  });

  test("a model is loaded, which is seen while it takes its time, and unloaded", async () => {
    await have(heavy, "nomic-embed-text");
    const page = await openModels();
    const { promise: isSeen, resolve: goOn } = Promise.withResolvers<void>();
    await page.route("**/api/generate", async (route) => {
      await isSeen;
      await route.continue();
    });
    const button = (what: string) => row(heavy).getByRole("button", { name: `${what} ${heavy}` });
    await button("Load").click();
    await row(heavy).getByText("Loading,").waitFor();
    // The second click of a double click does not stop what the first began.
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    goOn();
    await toast(`${heavy} is loaded, after`).waitFor();
    await button("Unload").click();
    await button("Load").waitFor();
    await row("nomic-embed-text").getByRole("button", { name: "Load nomic-embed-text" }).click();
    await toast("nomic-embed-text is loaded, after").waitFor();
  });

  test("use is counted, columns sort, and words find", async () => {
    await have("llama3.2:1b", heavy, "nomic-embed-text");
    await note("llama3.2:1b", { is_favorite: true, tags: ["fast", "chat"] });
    for (const _ of [1, 2]) await (await chat("llama3.2:1b")).text();
    await eventually(
      () => getJson(`${corral.url}/api/models`),
      (answer) => JSON.stringify(answer).includes('"name":"llama3.2:1b","total_requests":2'),
      patienceMs,
    );
    const page = await openModels();
    await row("llama3.2:1b").getByRole("cell", { name: "2", exact: true }).waitFor();
    const names = () => panel("Installed").locator(".model > div > a").allTextContents();
    // The favourite first.
    await comesTo(names, ["llama3.2:1b", "nomic-embed-text", heavy]);
    const { models } = (await getJson(`${corral.url}/api/ollama/models`)) as {
      models: { name: string; size_bytes: number }[];
    };
    const bySize = models.toSorted((a, b) => b.size_bytes - a.size_bytes).map(({ name }) => name);
    expect(bySize.at(-1)).toBe("nomic-embed-text");
    await panel("Installed").getByRole("button", { name: "Size" }).click();
    await comesTo(names, bySize);
    await page.waitForURL(/sort=size/);
    await panel("Installed").getByRole("button", { name: "Size" }).click();
    await comesTo(names, bySize.toReversed());
    await page.keyboard.press("/");
    await page.keyboard.type("chat");
    await comesTo(names, ["llama3.2:1b"]);
    await page.getByLabel("Find among the models").fill("");
    await comesTo(names, bySize.toReversed());
    await fits(page, "models");
  });

  test("a model's page tells how it is made and how its last requests went", async () => {
    await have("llama3.2:1b");
    for (const _ of [1, 2]) await (await chat("llama3.2:1b")).text();
    const page = await openModels();
    await row("llama3.2:1b").getByRole("link", { name: "llama3.2:1b" }).click();
    await page.waitForURL(/#\/models\/llama3\.2%3A1b$/);
    await panel("How it is made").getByText("131,072 tokens").waitFor();
    await panel("Template").getByText("{{ .Prompt }}").waitFor();
    await panel("Its last requests").getByRole("row").nth(2).waitFor();
    await fits(page, "model");
    await page.keyboard.press("Escape");
    await page.waitForURL(/#\/models$/);
  });

  test("a model is deleted once that was confirmed, with what it would free", async () => {
    await have("llama3.2:1b");
    await note("llama3.2:1b", { description: "Quick all-rounder", is_default: true });
    await (await chat("llama3.2:1b")).text();
    const page = await openModels();
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
