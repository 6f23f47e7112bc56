import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../support/command";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeServer } from "../support/databases";
import { embeddedTemplate } from "../support/embedded-template";
import { scratchFolder } from "../support/scratch";

function chat(corral: RunningCorral): Promise<string> {
  const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "hello" }] });
  return fetch(`${corral.url}/api/chat`, { method: "POST", body }).then((response) => response.text());
}

describeServer("corral move", (server) => {
  test("takes every record along, those that still wait in the spool too, each once, and shows no password", async () => {
    const folder = scratchFolder("corral-move-test-");
    cpSync(await embeddedTemplate(), join(folder, "database"), { recursive: true });
    const url = await (await server()).createDatabase();
    try {
      const first = await startCorral({ folder });
      for (let count = 0; count < 3; count++) await chat(first);
      await eventually(
        () => getJson(`${first.url}/api/ledger`),
        (answer) => JSON.stringify(answer).includes('"stored":3'),
      );
      const busy = await runCommand(["move", url], { folder });
      expect(busy).toMatchObject({ code: 1, stderr: expect.stringContaining(`in use by pid ${first.pid}`) });
      // Killed before they can be stored.
      await Promise.all([chat(first), chat(first)]);
      process.kill(first.pid, "SIGKILL");
      await first.ended();

      const moved = await runCommand(["move"], { folder, environment: { DATABASE_URL: url } });
      expect(moved.stderr).toBe("");
      expect(moved.code).toBe(0);
      expect(moved.stdout).toMatch(/ requests +[345] rows {2}checksum [0-9a-f]{16}\n/);
      expect(moved.stdout).toContain("start Corral with DATABASE_URL=postgres://***@127.0.0.1:");
      expect(moved.stdout).not.toContain("not-to-be-seen");

      const second = await startCorral({ folder, databaseUrl: url });
      await chat(second);
      const ledger = await eventually(
        () => getJson(`${second.url}/api/ledger`),
        (answer) => JSON.stringify(answer).includes('"stored":6'),
      );
      expect(ledger).toMatchObject({ accepted: 6, spooled: 0, set_aside: 0 });
      expect(await getJson(`${second.url}/api/stats/current`)).toMatchObject({ total_requests: 6 });
      expect(await getJson(`${second.url}/api/stats/logs`)).toMatchObject({ total: 6 });
      await second.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);
});
