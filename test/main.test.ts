import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";

const main = join(import.meta.dir, "../src/main.ts");

/** What a command line ends with, run where it can do no harm. */
function corral(...words: string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "corral-main-"));
  try {
    const environment = { PATH: process.env.PATH, HOME: process.env.HOME };
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, main, ...words], {
      cwd,
      env: environment,
      stdin: "ignore",
    });
    expect(readdirSync(cwd)).toEqual([]);
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

describe("the command line", () => {
  test("says its version and commit", () => {
    for (const word of ["--version", "-v", "version"]) {
      const { exitCode, stdout } = corral(word);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`^corral ${version.replaceAll(".", "\\.")}( \\([0-9a-f]+(-dirty)?\\))?\n$`),
      );
    }
  });

  test("says what there is, and each command what it takes", () => {
    const all = corral("--help");
    expect(all.exitCode).toBe(0);
    for (const word of ["server", "health", "simulator", "version", "--help"])
      expect(all.stdout).toContain(word);
    const server = corral("server", "--help");
    for (const word of ["--port <value>", "--ollama-url <value>", "CORRAL_DATA_DIR", "CORRAL_ADMIN_KEY"])
      expect(server.stdout).toContain(word);
    expect(server.stdout).not.toContain("--admin-key");
  });

  test.each([
    [["sevrer"], '"sevrer" is not a command (did you mean server?)'],
    [["--prot", "1"], "(Did you mean --port?)"],
    [["server", "--prot", "1"], "(Did you mean --port?)"],
    [["server", "--prot=1"], "(Did you mean --port?)"],
    [["--databse-url=postgres://me:sesame@host/db"], "unknown option '--databse-url'"],
    [["help", "servr"], '"servr" is not a command (did you mean server?)'],
    [["server", "--port"], "option '--port <value>' argument missing"],
    [["server", "extra"], "too many arguments"],
    [["server", "--admin-key", "sesame"], "set CORRAL_ADMIN_KEY in the environment"],
    [["server", "--database-url", "sesame"], "set DATABASE_URL in the environment"],
    [["database", "/nowhere"], "missing required argument 'socket'"],
  ])("%j ends with exit code 2 and what would do", (words, expected) => {
    const { exitCode, stdout, stderr } = corral(...words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toStartWith("corral: ");
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain("sesame");
    expect(stderr).not.toContain("    at ");
  });
});
