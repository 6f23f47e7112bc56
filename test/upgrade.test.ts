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
  const restored = "Restored, whole";

  test("goes into PostgreSQL and into a server that runs, as that version's own database would be migrated", async () => {
    const folder = scratchFolder("corral-upgrade-test-");
    const environment = { DATABASE_URL: await (await server()).createDatabase() };
    try {
      const restore = (terms: Parameters<typeof runCommand>[1]) =>
        runCommand(["restore", fixture(`backup-${state}.zst`)], terms);
      expect(await restore({ folder, environment })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(restored),
      });
      const again = await restore({ folder, environment });
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("not empty") });

      const embedded = await startCorral({ folder });
      const other = await startCorral({ environment });
      try {
        expect(await restore({ folder })).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(restored),
        });
        const figures = await Promise.all(
          [embedded, other].map(async ({ url }) => {
            expect(await getJson(`${url}/api/stats/logs`)).toMatchObject({ total: 3 });
            expect(await getJson(`${url}/api/models/repository`)).toMatchObject({
              models: [{ description: "kept", is_default: true, tags: ["a"] }],
            });
            return getJson(`${url}/api/stats/summary?hours=100000`);
          }),
        );
        for (const figure of figures)
          expect(figure).toMatchObject({
            total: { requests: 3, percentiles: { latency_ms: { p50: expect.closeTo(112.49, 1) } } },
          });
      } finally {
        await Promise.all([embedded.stop(), other.stop()]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);
});
