/** The view Chat, as people see it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { send } from "../api/calls";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { comesTo, fits, openView, patienceMs, violations, type Watched, watch } from "./page";

describeBrowser("the view Chat", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;

  const message = () => watched.page.getByLabel("Message");
  const turns = () => watched.page.getByRole("article");
  const lastReply = () => turns().last();
  const button = (name: string) => watched.page.getByRole("button", { name, exact: true });
  /** Until the view would ask the model. */
  const isChosen = (model: string) =>
    watched.page.getByPlaceholder(`Message ${model}`, { exact: true }).waitFor();
  const openChat = async (model: string): Promise<Page> => {
    const page = await openView(watched, `${corral.url}/#/chat?model=${model}`);
    await isChosen(model);
    return page;
  };
  const choose = async (model: string) => {
    await watched.page.goto(`${corral.url}/#/chat?model=${model}`);
    await isChosen(model);
  };
  const say = async (text: string) => {
    await message().fill(text);
    await message().press("Enter");
  };
  const recordLink = () => lastReply().getByRole("link", { name: "Record" });
  /** The record that the last reply links to. */
  const record = async () => {
    const href = await recordLink().getAttribute("href");
    const id = href?.replace("#/requests/", "");
    return eventually(
      () => getJson(`${corral.url}/api/requests/${id}`) as Promise<Record<string, unknown>>,
      (answer) => answer.id === id,
      patienceMs,
    );
  };

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startCorral(), startBrowser()]);
    watched = watch(browser);
    await send("POST", `${corral.url}/api/models/repository`, { name: "mistral", is_default: true });
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("the default model is chosen, and only models that chat are offered", async () => {
    const page = await openView(watched, `${corral.url}/#/chat`);
    const models = page.getByLabel("Model", { exact: true });
    await page.getByText("Write something below.").waitFor();
    await comesTo(() => models.locator("option").allTextContents(), ["mistral (default)", "llama3.2"]);
    await isChosen("mistral");
    expect(await violations(page)).toEqual([]);
  });

  test("a reply streams in, its thinking folded, with what it took and its record, which has the settings", async () => {
    const page = await openChat("sim-think-delay5-tokens30000");
    await say("Think for long.");
    await lastReply().getByText("Thinking…").waitFor();
    await message().press("Escape");
    await choose("sim-think-delay5-tokens40");
    await page.getByLabel("System prompt").fill("Be brief.");
    await page.getByLabel("Temperature").fill("0.3");
    await button("Clear").click();
    await say("Why is the sky blue?");
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
    const page = await openChat("sim-echo");
    await say("See <b>this</b>:\n```ts\nconst cow = 1;\n```\nThat is all.");
    await lastReply().getByText("That is all.").waitFor();
    await lastReply().getByText("See <b>this</b>:").waitFor();
    await comesTo(() => lastReply().locator("pre").textContent(), "const cow = 1;");
    await lastReply().locator("figure").getByRole("button", { name: "Copy" }).waitFor();
    await recordLink().waitFor();
    await fits(page, "chat");
  });

  test("the last message is edited, and answered again", async () => {
    const page = await openChat("sim-echo");
    for (const text of ["The first.", "The second."]) {
      await say(text);
      await lastReply().getByText(text).waitFor();
      await recordLink().waitFor();
    }
    await comesTo(() => turns().count(), 4);
    await page.locator("h1").click();
    await page.keyboard.press("e");
    await comesTo(() => message().inputValue(), "The second.");
    await message().fill("Only this.");
    await message().press("Enter");
    await lastReply().getByText("Only this.").waitFor();
    await recordLink().waitFor();
    await comesTo(() => turns().count(), 4);
    const first = await recordLink().getAttribute("href");
    await lastReply().getByRole("button", { name: "Again" }).click();
    await lastReply().locator(`a[href^="#/requests/"]:not([href="${first}"])`).waitFor();
    await comesTo(() => turns().count(), 4);
    await button("Clear").click();
    await comesTo(() => turns().count(), 0);
  });

  test("who reads further up stays there while a reply grows; Escape stops it, and the text so far stays", async () => {
    const page = await openChat("sim-delay5-tokens30000");
    await say("Tell me everything.");
    const log = page.getByRole("log");
    const room = () => log.evaluate((element) => element.scrollHeight - element.clientHeight);
    const top = () => log.evaluate((element) => element.scrollTop);
    const rest = () =>
      log.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
    await eventually(room, (pixels) => pixels > 60, patienceMs);
    // At the end one follows it.
    await eventually(rest, (pixels) => pixels < 40, patienceMs);
    const before = await log.evaluate((element) => {
      element.scrollTo(0, 0);
      return element.scrollHeight - element.clientHeight;
    });
    await eventually(room, (pixels) => pixels > before + 40, patienceMs);
    expect(await top()).toBe(0);
    await message().press("Escape");
    await lastReply()
      .getByText(/^stopped · first token/)
      .waitFor();
    expect(await record()).toMatchObject({ outcome: "client_abort" });
  });

  test("Stop ends the reply, and does not send what is half typed", async () => {
    await openChat("sim-delay5-tokens30000");
    await say("Tell me everything.");
    await message().fill("And then");
    await button("Stop").click();
    await lastReply()
      .getByText(/^stopped · /)
      .waitFor();
    await comesTo(() => turns().count(), 2);
    expect(await message().inputValue()).toBe("And then");
  });

  test("a double click on Send sends, and its second click does not stop the reply that began under it", async () => {
    const page = await openChat("sim-delay5-tokens30000");
    await message().fill("Tell me everything.");
    await button("Send").click();
    await button("Stop").hover();
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    await lastReply().locator(".text").waitFor();
    expect(await button("Stop").count()).toBe(1);
    await button("Stop").click();
    await lastReply()
      .getByText(/^stopped · /)
      .waitFor();
  });

  test("an error is said in words with what to do, before the reply and in the middle of it", async () => {
    const page = await openChat("sim-tokens9-error3");
    await say("Hello?");
    await lastReply().getByRole("alert").waitFor();
    await lastReply().getByRole("button", { name: "Try again" }).waitFor();
    expect(await record()).toMatchObject({ outcome: "engine_error" });
    await choose("nobody-has-this");
    await say("Hello?");
    await lastReply().getByText("model 'nobody-has-this' not found").waitFor();
    await lastReply().getByRole("link", { name: "See whether to pull it" }).click();
    await page.getByRole("heading", { name: "nobody-has-this" }).waitFor();
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    expect(watched.complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
    for (const url of watched.asked) expect(url).toMatch(/^data:|^http:\/\/127\.0\.0\.1/);
  });
});
