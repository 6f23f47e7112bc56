/** What an earlier version left is opened by this one. */
import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ownMigrations } from "../src/database/migrations";
import { runCommand } from "./support/command";
import { eventually, getJson, startCorral } from "./support/corral";
import { describeServer } from "./support/databases";
import { scratchFolder } from "./support/scratch";

/** The migration that the fixtures were made at, by test/support/make-data-folder.ts. */
const state = "006";
const fixture = (name: string) => join(import.meta.dir, "fixtures", name);

test("a data folder of an earlier version opens, with all that was in it, and new records come in", async () => {
  const folder = scratchFolder("corral-upgrade-test-");
  try {
    const packed = await Bun.file(fixture(`data-folder-${state}.tar.zst`)).arrayBuffer();
    await new Bun.Archive(await Bun.zstdDecompress(packed)).extract(folder);
    const corral = await startCorral({ folder });
    try {
      const current = () => getJson(`${corral.url}/api/stats/current`);
      expect(await current()).toMatchObject({ total_requests: 3 });
      const logs = await getJson(`${corral.url}/api/stats/logs`);
      expect(logs).toMatchObject({ total: 3 });
      for (const prompt of ["the first", "the second: ünïcödé 🐎", "the third"])
        expect(JSON.stringify(logs)).toContain(prompt);
      expect(await getJson(`${corral.url}/api/models/repository`)).toMatchObject({
        models: [{ description: "kept", is_default: true, tags: ["a"] }],
      });
      const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "new" }] });
      await (await fetch(`${corral.url}/api/chat`, { method: "POST", body })).text();
      await eventually(current, (answer) => JSON.stringify(answer).includes('"total_requests":4,'));
      expect(await getJson(`${corral.url}/api/ledger`)).toMatchObject({ accepted: 4, stored: 4 });
      expect(existsSync(join(folder, `database-at-${state}`))).toBe(ownMigrations().length > Number(state));
    } finally {
      await corral.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);

describeServer("a backup of an earlier version", (server) => {
  test("whose tables were other ones is refused, with what to do", async () => {
    const folder = scratchFolder("corral-upgrade-test-");
    try {
      const environment = { DATABASE_URL: await (await server()).createDatabase() };
      const restored = await runCommand(["restore", fixture(`backup-${state}.zst`)], { folder, environment });
      expect(restored.code).toBe(1);
      expect(restored.stderr).toContain("restore it with the version that made it");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);
});
