/**
 * Makes docs/*.webp, the README's pictures of the page: six views of a demo, with requests under way. To be run by hand
 * when a view has changed.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { startBrowser } from "../browser/browser";
import { eventually, getJson } from "./corral";
import { freePort } from "./simulator";

const docs = join(import.meta.dir, "../../docs");
const port = await freePort();
const url = `http://localhost:${port}`;
const demo = Bun.spawn(["bun", join(import.meta.dir, "../../src/main.ts"), "demo"], {
  env: { ...process.env, CORRAL_PORT: String(port), OLLAMA_PORT: String(await freePort()) },
  stdout: "pipe",
  stderr: "inherit",
});
const browser = await startBrowser();
try {
  for await (const said of demo.stdout.pipeThrough(new TextDecoderStream()))
    if (said.includes("History")) break;
  await eventually(
    () => getJson(`${url}/api/engine`),
    (engine) => JSON.stringify(engine).includes('"state":"ready"'),
  );
  const ended = [0, 1, 2].map((at) =>
    chat("gemma3", at === 2 ? "carl" : "ada", "Summarise the week in five lines."),
  );
  await Promise.all(ended);
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  await page.goto(`${url}/#/now`);
  await page.getByText("Live", { exact: true }).waitFor();
  const running = [
    chat("sim-delay100-tokens300:lighthouse", "ada", "Write a story of a lighthouse."),
    chat("sim-delay60-tokens500:garden", "bob", "Plan a garden."),
    chat("sim-load9000-tokens9:tale", "carl", "Tell a long tale."),
  ];
  // What is asked for again when requests have ended.
  await page.waitForTimeout(7000);
  await take(page, "now");
  await Promise.all(running);
  await page.goto(`${url}/#/requests?operation=chat`);
  await page.locator("tbody tr a").nth(6).click();
  await page.locator(".request section").first().waitFor();
  await take(page, "requests");
  await page.goto(`${url}/#/history?hours=168`);
  await page.locator(".figures-shown").waitFor();
  await take(page, "history");
  await page.goto(`${url}/#/models`);
  await page.locator("tbody tr").nth(2).waitFor();
  await take(page, "models");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}/#/requests?show=phases`);
  await page.locator("h2").first().waitFor();
  await page.getByRole("button", { name: "Zoom to it" }).click();
  await take(page, "slow");
  await page.goto(`${url}/#/data`);
  await page.locator("tbody tr").nth(2).waitFor();
  await take(page, "data");
} finally {
  await browser.close();
  demo.kill();
  await demo.exited;
}

async function chat(model: string, user: string, prompt: string): Promise<void> {
  const response = await fetch(`${url}/api/chat`, {
    method: "POST",
    headers: { "user-agent": "open-webui/0.6", "x-openwebui-user-id": user },
    body: JSON.stringify({ model, messages: [{ role: "user", content: prompt }] }),
  });
  await response.text();
}

/** As WebP, which Chromium itself makes. */
async function take(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(1000);
  const picture = (await page.screenshot()).toString("base64");
  const blank = await browser.newPage();
  const packed = await blank.evaluate(async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.7 });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, picture);
  await blank.close();
  mkdirSync(docs, { recursive: true });
  await Bun.write(join(docs, `${name}.webp`), new Uint8Array(packed));
  console.log(name, packed.length);
}
