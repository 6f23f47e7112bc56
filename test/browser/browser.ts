/** A real browser for tests. */

import { describe } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

export const browserProgram = "/usr/bin/chromium";

/** Runs the suite where there is a browser; skips it aloud where not, and fails instead in CI. */
export function describeBrowser(name: string, suite: () => void): void {
  if (existsSync(browserProgram)) {
    describe(name, suite);
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
