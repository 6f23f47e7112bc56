import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, runCommand } from "../support/command";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeServer } from "../support/databases";
import { scratchFolder } from "../support/scratch";

const prompts = ["the first", "the second: ünïcödé 🐎", "the third"];

async function chat(corral: RunningCorral, content: string): Promise<void> {
  const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content }] });
  await (await fetch(`${corral.url}/api/chat`, { method: "POST", body })).text();
}

async function total(corral: RunningCorral, expected: number): Promise<void> {
  await eventually(
    () => getJson(`${corral.url}/api/stats/current`),
    (answer) => JSON.stringify(answer).includes(`"total_requests":${expected},`),
  );
}

/** The lines that say what each table holds, but for the servers' own places in their spools. */
const tablesOf = (stdout: string) =>
  stdout.split("\n").filter((line) => /checksum/.test(line) && !/spools/.test(line));

describeServer("corral backup, restore and sql", (server) => {
  test("carry everything from a running server to another, from one kind of database to the other and back", async () => {
    const home = scratchFolder("corral-backup-test-");
    const file = join(home, "corral.backup");
    // Bound elsewhere: what reads texts needs the key, which the commands find in the data folder.
    const first = await startCorral({ embedded: true, environment: { CORRAL_HOST: "0.0.0.0" } });
    const second = await startCorral({ databaseUrl: await (await server()).createDatabase() });
    try {
      const run = (words: string[], folder: string, more: Omit<CommandOptions, "folder"> = {}) =>
        runCommand(words, { folder, ...more });
      for (const prompt of prompts) await chat(first, prompt);
      await total(first, 3);

      expect((await fetch(`${first.url}/api/data/backup`)).status).toBe(401);
      const backup = await run(["backup", file], first.folder);
      expect(backup).toMatchObject({ code: 0, stderr: "" });
      expect(backup.stdout).toMatch(/ requests +3 rows {2}checksum [0-9a-f]{16}\n/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(existsSync(`${file}.partial`)).toBe(false);

      // Into PostgreSQL, through the server that runs on it: it goes on from there.
      const restored = await run(["restore", file], second.folder);
      expect(restored).toMatchObject({ code: 0, stderr: "" });
      expect(tablesOf(restored.stdout)).toEqual(tablesOf(backup.stdout));
      await total(second, 3);
      await chat(second, "the fourth");
      await total(second, 4);
      const logs = JSON.stringify(await getJson(`${second.url}/api/stats/logs`));
      for (const prompt of [...prompts, "the fourth"]) expect(logs).toContain(prompt);

      // And back into an embedded one, without a server.
      const back = await run(["backup", file], second.folder);
      const fresh = join(home, "fresh");
      mkdirSync(fresh, { mode: 0o700 });
      const whole = await run(["restore", file], fresh);
      expect(whole).toMatchObject({ code: 0, stderr: "" });
      expect(tablesOf(whole.stdout)).toEqual(tablesOf(back.stdout));
      expect(whole.stdout).toMatch(/ requests +4 rows/);

      // Questions: of the command line through a server, of stdin without one.
      const statement =
        "select prompt, null as nothing, '' as empty from contents order by request_id limit 2";
      expect(await run(["sql", statement], first.folder)).toMatchObject({
        code: 0,
        stdout: `prompt,nothing,empty\r\n${prompts[0]},,""\r\n${prompts[1]},,""\n`,
      });
      const count = await run(["sql"], fresh, { stdin: "select count(*) from requests\n" });
      expect(count.stdout).toBe("count\r\n4\n");
    } finally {
      await first.stop();
      await second.stop();
      rmSync(home, { recursive: true, force: true });
    }
  }, 180_000);
});

test("corral backup makes no database where there is none, and says where it looked", async () => {
  const folder = scratchFolder("corral-backup-test-");
  try {
    const { code, stderr } = await runCommand(["backup", join(folder, "x")], { folder });
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no database in ${folder}: set CORRAL_DATA_DIR`);
    expect(existsSync(join(folder, "database"))).toBe(false);
    expect(existsSync(join(folder, "x"))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);
