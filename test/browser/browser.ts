/** A real browser for tests. */

import { describe, setDefaultTimeout } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

export const browserProgram = "/usr/bin/chromium";

/**
 * Of a test on a busy machine. What never comes fails before, and says what it is (page.ts); where a test's own time is up
 * Bun kills the browser and Corral, and all tests after it in the file fail, too.
 */
const LONGEST_MS = 180_000;

/** Runs the suite where there is a browser; skips it aloud where not, and fails instead in CI. */
export function describeBrowser(name: string, suite: () => void): void {
  if (existsSync(browserProgram)) {
    describe(name, () => {
      setDefaultTimeout(LONGEST_MS);
      suite();
    });
    return;
  }
  if (process.env.CI) throw new Error(`no browser at ${browserProgram}: in CI its tests are not skipped`);
  console.warn(`SKIPPED, for there is no ${browserProgram} here: ${name}`);
  describe.skip(name, suite);
}

/** A browser that asks nobody for anything by itself. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserProgram,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
