/** The page of the API's documentation, as people see it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeBrowser, startBrowser } from "./browser";
import { comesTo, patienceMs, type Watched, watch } from "./page";

describeBrowser("the documentation's page", () => {
  let corral: RunningCorral;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    [corral, browser] = await Promise.all([startCorral(), startBrowser()]);
    watched = watch(browser);
    page = await watched.open(`${corral.url}/swagger`);
    await page.locator(".opblock").first().waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await corral?.stop();
  });

  test("shows every operation of the document", async () => {
    const { paths } = (await getJson(`${corral.url}/swagger/json`)) as { paths: Record<string, object> };
    const wanted = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = () =>
      page
        .locator(".opblock")
        .evaluateAll((blocks) =>
          blocks
            .map((block) =>
              [".opblock-summary-method", ".opblock-summary-path"]
                .map((part) => block.querySelector(part)?.textContent?.replace(/[\u200B\s]/g, ""))
                .join(" "),
            )
            .sort(),
        );
    await comesTo(shown, wanted.sort());
  });

  test("an operation can be tried out", async () => {
    const block = page.locator("#operations-Health-getApiHealth");
    await block.locator(".opblock-summary-control").click();
    await block.getByRole("button", { name: "Execute" }).click();
    await block
      .locator(".live-responses-table .microlight")
      .first()
      .filter({ hasText: '"status": "healthy"' })
      .waitFor();
    await block.locator(".opblock-summary-control").click();
  });

  test("nothing sticks out at 1440 and at 390 px, and text stands off its ground in light and in dark", async () => {
    for (const id of ["Statistics-getApiStatsHistory", "Chat-postApiChat"]) {
      await page.locator(`#operations-${id} .opblock-summary-control`).click();
      await page.locator(`#operations-${id} .responses-table`).waitFor();
    }
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        // The page follows the change a moment later.
        await eventually(
          () => page.evaluate(() => document.documentElement.scrollWidth),
          (wide) => wide <= width,
          patienceMs,
        );
        await eventually(faintest, (contrast) => contrast > 3, patienceMs);
        const folder = process.env.CORRAL_SCREENSHOTS;
        if (folder)
          await page.screenshot({
            path: join(folder, `swagger-${width}-${colorScheme}.png`),
            fullPage: true,
          });
      }
    }
  });

  test("nobody complained in the meantime, and nobody but the server was asked", () => {
    expect(watched.complaints).toEqual([]);
    expect(watched.asked.length).toBeGreaterThan(3);
    for (const url of watched.asked) expect(url).toMatch(new RegExp(`^(${corral.url}/|data:)`));
  });

  test("its policy lets nothing in from outside", async () => {
    const response = await fetch(`${corral.url}/swagger`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
  });

  /** The least contrast (WCAG) between a text and what is behind it. */
  function faintest(): Promise<number> {
    return page.evaluate(() => {
      const numbers = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
      const light = (color: string) => {
        const [r = 0, g = 0, b = 0] = numbers(color).map((part) =>
          part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
        );
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const groundOf = (element: Element | null): string => {
        if (!element) return "rgb(255, 255, 255)";
        const color = getComputedStyle(element).backgroundColor;
        // A veil of a few percent changes little.
        return (numbers(color)[3] ?? 1) < 0.5 ? groundOf(element.parentElement) : color;
      };
      const contrasts = [
        ...document.querySelectorAll(
          ".title, .opblock-tag, .opblock-summary-method, .opblock-summary-path, .opblock-summary-description, .renderedMarkdown p, .parameter__name, .response-col_status",
        ),
      ].map((element) => {
        const [a, b] = [light(getComputedStyle(element).color), light(groundOf(element))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      });
      return Math.min(...contrasts);
    });
  }
});
