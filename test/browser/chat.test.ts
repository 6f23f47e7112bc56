/** The view Chat, as people see it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { send } from "../api/calls";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { fits, openPage, violations, type Watched } from "./page";

describeBrowser("the view Chat", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const message = () => watched.page.getByLabel("Message");
  const turns = () => watched.page.getByRole("article");
  const lastReply = () => turns().last();
  const button = (name: string) => watched.page.getByRole("button", { name, exact: true });
  const choose = (model: string) => watched.page.goto(`${corral.url}/#/chat?model=${model}`);
  const say = async (text: string) => {
    await message().fill(text);
    await message().press("Enter");
  };
  /** The record that the last reply links to. */
  const record = async () => {
    const href = await lastReply().getByRole("link", { name: "Record" }).getAttribute("href");
    const id = href?.replace("#/requests/", "");
    return eventually(
      () => getJson(`${corral.url}/api/requests/${id}`) as Promise<Record<string, unknown>>,
      (answer) => answer.id === id,
    );
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startCorral(), startBrowser()]);
    await send("POST", `${corral.url}/api/models/repository`, { name: "mistral", is_default: true });
    watched = await openPage(browser, `${corral.url}/#/chat`);
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("the default model is chosen, and only models that chat are offered", async () => {
    const { page } = watched;
    const models = page.getByLabel("Model", { exact: true });
    await page.getByText("Write something below.").waitFor();
    await eventually(
      () => models.locator("option").allTextContents(),
      (names) => names.length === 2,
    );
    expect(await models.locator("option").allTextContents()).toEqual(["mistral (default)", "llama3.2"]);
    expect(await violations(page)).toEqual([]);
  });

  test("a reply streams in, its thinking folded, with what it took and its record, which has the settings", async () => {
    const { page } = watched;
    await choose("sim-think-delay30-tokens40");
    await page.getByLabel("System prompt").fill("Be brief.");
    await page.getByLabel("Temperature").fill("0.3");
    await say("Why is the sky blue?");
    await lastReply().getByText("Thinking…").waitFor();
    await lastReply()
      .getByText(/tokens\/s · first token .+ · load .+ · total .+ · .+ in · .+ out/)
      .waitFor();
    expect(await lastReply().locator("details").getAttribute("open")).toBeNull();
    expect(await record()).toMatchObject({
      dialect: "ollama.chat",
      system: "Be brief.",
      prompt: "Why is the sky blue?",
      options: { options: { temperature: 0.3 } },
      outcome: "complete",
    });
  });

  test("text is text, with code set apart and to be copied, and never HTML", async () => {
    const { page } = watched;
    await choose("sim-echo");
    await say("See <b>this</b>:\n```ts\nconst cow = 1;\n```\nThat is all.");
    await lastReply().getByText("That is all.").waitFor();
    await lastReply().getByText("See <b>this</b>:").waitFor();
    expect(await lastReply().locator("pre").textContent()).toBe("const cow = 1;");
    await lastReply().locator("figure").getByRole("button", { name: "Copy" }).waitFor();
    await lastReply().getByRole("link", { name: "Record" }).waitFor();
    await fits(page, "chat");
  });

  test("the last message is edited, and answered again", async () => {
    const { page } = watched;
    expect(await turns().count()).toBe(4);
    await lastReply()
      .focus()
      .catch(() => undefined);
    await page.locator("h1").click();
    await page.keyboard.press("e");
    await message().fill("Only this.");
    await message().press("Enter");
    await lastReply().getByText("Only this.").waitFor();
    await lastReply().getByRole("link", { name: "Record" }).waitFor();
    expect(await turns().count()).toBe(4);
    await lastReply().getByRole("button", { name: "Again" }).click();
    await lastReply()
      .getByText(/ total /)
      .waitFor();
    expect(await turns().count()).toBe(4);
    await button("Clear").click();
    expect(await turns().count()).toBe(0);
  });

  test("who reads further up stays there while a reply grows; Escape stops it, and the text so far stays", async () => {
    const { page } = watched;
    await choose("sim-delay5-tokens3000");
    await say("Tell me everything.");
    const log = page.getByRole("log");
    const room = () => log.evaluate((element) => element.scrollHeight - element.clientHeight);
    const top = () => log.evaluate((element) => element.scrollTop);
    await eventually(room, (pixels) => pixels > 60);
    // At the end one follows it.
    await eventually(
      async () => (await room()) - (await top()),
      (rest) => rest < 40,
    );
    await log.evaluate((element) => element.scrollTo(0, 0));
    const before = await room();
    await eventually(room, (pixels) => pixels > before + 40);
    expect(await top()).toBe(0);
    await message().press("Escape");
    await lastReply()
      .getByText(/^stopped · first token/)
      .waitFor();
    expect(await record()).toMatchObject({ outcome: "client_abort" });
    await button("Clear").click();
  });

  test("Stop ends the reply, and does not send what is half typed", async () => {
    await say("Tell me everything.");
    await message().fill("And then");
    await button("Stop").click();
    await lastReply()
      .getByText(/^stopped · /)
      .waitFor();
    expect(await turns().count()).toBe(2);
    expect(await message().inputValue()).toBe("And then");
    await button("Clear").click();
  });

  test("an error is said in words with what to do, before the reply and in the middle of it", async () => {
    await choose("sim-tokens9-error3");
    await say("Hello?");
    await lastReply().getByRole("alert").waitFor();
    await lastReply().getByRole("button", { name: "Try again" }).waitFor();
    expect(await record()).toMatchObject({ outcome: "engine_error" });
    await choose("nobody-has-this");
    await say("Hello?");
    await lastReply().getByText("model 'nobody-has-this' not found").waitFor();
    await lastReply().getByRole("link", { name: "See whether to pull it" }).click();
    await watched.page.getByRole("heading", { name: "nobody-has-this" }).waitFor();
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    expect(watched.complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
    for (const url of watched.asked) expect(url).toMatch(/^data:|^http:\/\/127\.0\.0\.1/);
  });
});
