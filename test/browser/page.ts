/** A page of Corral's in a browser, that notes what it should not do; for tests of views. */
import { expect } from "bun:test";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";

export interface Watched {
  readonly page: Page;
  /** What it said in the console, errors of its scripts, what its policy forbade. */
  readonly complaints: string[];
  /** Every address that it asked. */
  readonly asked: string[];
}

/** The sizes and colours that every view is tried in. */
export const dresses = [1440, 390].flatMap((width) =>
  (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
);

export async function openPage(browser: Browser, url: string): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  return { page, complaints, asked };
}

/** Dresses the page; at 390 px it is as high as a telephone. */
export async function dress(page: Page, { width, colorScheme }: (typeof dresses)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
}

/** What axe finds against WCAG 2.2 AA, a line each. */
export async function violations(page: Page): Promise<string[]> {
  // Not as a script tag, which the page's policy forbids.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found: unknown = await Reflect.get(window, "axe").run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    const { violations } = found as { violations: { id: string; help: string; nodes: { html: string }[] }[] };
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`,
    );
  });
}

/** How far the page sticks out to the side. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/**
 * Expects that nothing sticks out or offends in any dress. Leaves the page in the first.
 * @param name of the pictures, which are taken where CORRAL_SCREENSHOTS names a folder
 */
export async function fits(page: Page, name: string): Promise<void> {
  const folder = process.env.CORRAL_SCREENSHOTS;
  for (const look of dresses) {
    await dress(page, look);
    const path = join(folder ?? "", `${name}-${look.width}-${look.colorScheme}.png`);
    if (folder) await page.screenshot({ path, fullPage: true });
    expect([look, await overhang(page)]).toEqual([look, 0]);
    expect([look, await violations(page)]).toEqual([look, []]);
  }
  await dress(page, { width: 1440, colorScheme: "light" });
}
