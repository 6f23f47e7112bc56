/** Pages of Corral's in a browser, that note what they should not do; for tests of views. */
import { expect } from "bun:test";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";

/** On a machine that is busy a page may take that long to come to something. */
export const patienceMs = 30_000;

export interface Watched {
  /** The page that was opened last. */
  readonly page: Page;
  /** What its pages said in the console, errors of their scripts, what their policy forbade. */
  readonly complaints: string[];
  /** Every address that they asked. */
  readonly asked: string[];
  /** Opens a page in the place of the last: as new as to somebody who was never here, so that no test goes on from another. */
  open(url: string): Promise<Page>;
}

/** The sizes and colours that every view is tried in. */
const dresses = [1440, 390].flatMap((width) =>
  (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
);

export function watch(browser: Browser): Watched {
  const complaints: string[] = [];
  const asked: string[] = [];
  let latest: Page | null = null;
  const begin = async () => {
    // Tests write days and hours into its fields.
    const page = await browser.newPage({ ...plain, timezoneId: "UTC" });
    page.setDefaultTimeout(patienceMs);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => asked.push(request.url()));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // Whoever leaves breaks off what was asked.
      if (why !== "net::ERR_ABORTED") complaints.push(`${why}: ${request.url()}`);
    });
    return page;
  };
  return {
    complaints,
    asked,
    get page() {
      if (latest === null) throw new Error("no page is open");
      return latest;
    },
    async open(url) {
      if (latest === null) latest = await begin();
      else await leave(latest);
      await latest.goto(url);
      return latest;
    },
  };
}

const plain = {
  viewport: { width: 1440, height: 900 },
  colorScheme: "light",
  reducedMotion: "reduce",
} as const;

/** Leaves a page as it was before it was anywhere. A context of its own for each test would take twice as long. */
async function leave(page: Page): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  if (page.url().startsWith("http")) await page.evaluate(() => localStorage.clear());
  await page.goto("about:blank");
  await page.mouse.move(0, 0);
  await page.setViewportSize(plain.viewport);
  await page.emulateMedia(plain);
}

/** As `watch().open`, of a view: until what is live comes in, without which a page misses what ends meanwhile. */
export async function openView(watched: Watched, url: string): Promise<Page> {
  const page = await watched.open(url);
  await page.getByText("Live", { exact: true }).waitFor();
  return page;
}

/** Expects what a page comes to a moment later: asks until it is so, and tells what it was where it never is. */
export async function comesTo(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (Bun.deepEquals(answer, expected) || Date.now() > deadline) return expect(answer).toEqual(expected);
    await Bun.sleep(20);
  }
}

/** Dresses the page; at 390 px it is as high as a telephone. */
async function dress(page: Page, { width, colorScheme }: (typeof dresses)[number]): Promise<void> {
  await page.emulateMedia({ ...plain, colorScheme });
  await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
  await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
}

/** What axe looks for: WCAG 2.2 AA. */
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Those of its rules that look at colours. */
const colourRules = ["color-contrast", "link-in-text-block"];

/** What axe finds, a line each. @param looked its tags, or its rules */
export async function violations(page: Page, looked: readonly string[] = rules): Promise<string[]> {
  // Not as a script tag, which the page's policy forbids.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(async (runOnly) => {
    const found: unknown = await Reflect.get(window, "axe").run(document, {
      runOnly,
      resultTypes: ["violations"],
    });
    const { violations } = found as { violations: { id: string; help: string; nodes: { html: string }[] }[] };
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`,
    );
  }, looked);
}

/** How far the page sticks out to the side. */
function overhang(page: Page): Promise<number> {
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
    // Charts follow the width a moment later.
    await comesTo(async () => [look, await overhang(page)], [look, 0]);
    const path = join(folder ?? "", `${name}-${look.width}-${look.colorScheme}.png`);
    if (folder) await page.screenshot({ path, fullPage: true });
    // In the dark all is where it is in the light, in other colours.
    const found = await violations(page, look.colorScheme === "dark" ? colourRules : rules);
    expect([look, found]).toEqual([look, []]);
  }
  await dress(page, { width: 1440, colorScheme: "light" });
}
