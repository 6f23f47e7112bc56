/** What the page costs with a month of records behind it: Chromium's own times, from the click to what was drawn. */
import { existsSync } from "node:fs";
import type { Page } from "playwright-core";
import { browserProgram, startBrowser } from "../browser/browser";

const TIMES = 9;

/** Medians; empty where there is no browser. @param url of a Corral */
export async function measurePage(url: string): Promise<Record<string, string>> {
  if (!existsSync(browserProgram)) return {};
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const opening = async (view: string) => {
      await page.goto("about:blank");
      await page.goto(`${url}/#/${view}`);
      await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
      return page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    };
    await opening("now");
    const figures = {
      "page: first paint": await median(() => opening("now")),
      "page: newest requests, from nothing": await median(async () => {
        await opening("requests");
        await page.locator(firstRow).first().waitFor();
        return page.evaluate(() => performance.now());
      }),
      "page: a request is opened": await median(async (time) => {
        const took = await clicked(page, `tbody tr:nth-of-type(${time + 2}) a`, ".request section");
        await page.keyboard.press("Escape");
        await page.locator(".request").waitFor({ state: "detached" });
        return took;
      }),
    };
    await opening("history?hours=720");
    await page.locator(shown).waitFor();
    // Of unlike numbers of requests, which is how the new one is told from the old.
    const ranges = ["7 days", "30 days"];
    return {
      ...figures,
      "page: another range, 7 or 30 days": await median((time) =>
        clicked(page, `button:text-is("${ranges[time % 2]}")`, shown),
      ),
    };
  } finally {
    await browser.close();
  }
}

const firstRow = "tbody tr a";
/** What the charts are of, in words; not of the last range still. */
const shown = ".figures-shown:not(.old) .about";

async function median(once: (time: number) => Promise<number>): Promise<string> {
  const samples: number[] = [];
  for (let time = 0; time < TIMES; time++) samples.push(await once(time));
  samples.sort((a, b) => a - b);
  return `${Math.round(samples[Math.floor(TIMES / 2)] ?? Number.NaN)} ms`;
}

/** Milliseconds from a click until what it leads to is drawn, and says something else than before. */
async function clicked(page: Page, what: string, then: string): Promise<number> {
  const button = await page.locator(what).first().elementHandle();
  return page.evaluate(
    async ([button, then]) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const said = () => document.querySelector(then)?.textContent ?? null;
      const before = said();
      const began = performance.now();
      if (button instanceof HTMLElement) button.click();
      while (said() === null || said() === before) {
        if (performance.now() - began > 30_000) throw new Error(`nothing new in ${then} within 30 s`);
        await frame();
      }
      await frame();
      return performance.now() - began;
    },
    [button, then] as const,
  );
}
