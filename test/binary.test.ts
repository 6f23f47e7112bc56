/** The single binary: built as people build it, and run where nothing of the source is at hand. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";
import { contract, contractEnvironment } from "./api/contract";
import { holdsThousandStreams } from "./gateway/thousand";
import { startCorral, withCorral } from "./support/corral";
import { leftOf } from "./support/left";
import { builtProgram } from "./support/program";

setDefaultTimeout(60_000);

/** Somebody who owns nothing here; who runs the tests, when that is not root. */
const nobody = process.getuid?.() === 0 ? 65_534 : null;
const asNobody =
  nobody === null ? [] : ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];

describe("the single binary", () => {
  let place: string;
  let binary: string;
  let home: string;

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "corral-binary-"));
    binary = join(place, "corral");
    home = join(place, "home");
    copyFileSync(builtProgram(), binary);
    // What would break a program that reads them.
    writeFileSync(join(place, ".env"), "CORRAL_PORT=nonsense\n");
    writeFileSync(join(place, "bunfig.toml"), 'preload = ["./missing.ts"]\n');
    writeFileSync(join(place, "ollama"), `#!/bin/sh\nexec '${binary}' simulator "$@"\n`);
    mkdirSync(home);
    for (const path of [place, binary, join(place, "ollama")]) chmodSync(path, 0o755);
    if (nobody !== null) chownSync(home, nobody, nobody);
  });
  afterAll(() => {
    expect(leftOf(place)).toEqual([]);
    rmSync(place, { recursive: true, force: true });
  });
  const run = (...words: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...asNobody, binary, ...words], {
      cwd: place,
      env: {},
    });
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  };

  test("says which version and commit it is", () => {
    expect(run("--version").stdout).toMatch(
      new RegExp(`^corral ${version.replaceAll(".", "\\.")} \\([0-9a-f]+(-dirty)?\\)\n$`),
    );
    expect(run("--help").exitCode).toBe(0);
    expect(run("--prot", "1")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--port") });
  });

  describe("started in a folder where nothing else is", () =>
    withCorral(
      (corral) => {
        contract(corral);

        test("shows the API's page and all that it loads", async () => {
          for (const path of [
            "/swagger",
            "/swagger/swagger-ui-bundle.js",
            "/swagger/swagger-ui.css",
            "/swagger/json",
          ]) {
            const answer = await fetch(corral().url + path);
            expect([path, answer.status, (await answer.bytes()).length > 300]).toEqual([path, 200, true]);
          }
        });

        test("shows the page and all that it loads", async () => {
          const page = await (await fetch(corral().url, { headers: { accept: "text/html" } })).text();
          const paths = new Set([...page.matchAll(/\/page\/[\w.]+/g)].map(String));
          // A set gives what is added to it on the way, too: the scripts of the views, which scripts name.
          for (const path of paths) {
            const answer = await fetch(corral().url + path);
            const text = await answer.text();
            expect([path, answer.status, text.length > 200]).toEqual([path, 200, true]);
            for (const [, name] of text.matchAll(/(?:from|import\()"\.\/([\w.]+)"/g))
              paths.add(`/page/${name}`);
          }
          // The style, and scripts: the first, and one for each view behind it.
          expect(paths.size).toBeGreaterThanOrEqual(7);
        });

        test("is asked how it is by itself", () => {
          const environment = { CORRAL_PORT: String(corral().port) };
          const { exitCode, stdout } = Bun.spawnSync([binary, "health"], { env: environment });
          expect([exitCode, stdout.toString()]).toEqual([0, "healthy: All systems operational\n"]);
        });

        holdsThousandStreams(corral);
      },
      () =>
        startCorral({
          program: [...asNobody, binary],
          cwd: place,
          folder: home,
          environment: { ...contractEnvironment, OLLAMA_BIN: join(place, "ollama") },
        }),
    ));

  test("keeps its data readable by its owner alone", () => {
    expect(statSync(home).mode & 0o777).toBe(0o700);
  });

  test("answers with 1 when nobody is there to be asked", () => {
    const { exitCode, stderr } = Bun.spawnSync([binary, "health"], { env: { CORRAL_PORT: "1" } });
    expect([exitCode, stderr.toString()]).toEqual([
      1,
      expect.stringContaining("no Corral answers at http://localhost:1 "),
    ]);
  });
});
