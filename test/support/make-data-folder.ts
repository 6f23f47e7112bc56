/**
 * Makes test/fixtures/data-folder-NNN.tar.zst and backup-NNN.zst of this program, NNN being its last migration: a data
 * folder with an embedded database, and its backup, for tests that a later program opens both. To be run once a release,
 * before the next migration is added; test/upgrade.test.ts names the one that is tried.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ownMigrations } from "../../src/database/migrations";
import { runCommand } from "./command";
import { eventually, getJson, startCorral } from "./corral";
import { scratchFolder } from "./scratch";

const fixtures = join(import.meta.dir, "../fixtures");
const state = String(ownMigrations().length).padStart(3, "0");
const folder = scratchFolder("corral-fixture-");
try {
  mkdirSync(fixtures, { recursive: true });
  const corral = await startCorral({ folder });
  for (const [prompt, model] of [
    ["the first", "llama3.2"],
    ["the second: ünïcödé 🐎", "llama3.2"],
    ["the third", "sim-tokens9-error2"],
  ]) {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: prompt }] });
    await (await fetch(`${corral.url}/api/chat`, { method: "POST", body })).text();
  }
  const body = JSON.stringify({ name: "llama3.2", description: "kept", tags: ["a"], is_default: true });
  await fetch(`${corral.url}/api/models/repository`, { method: "POST", body });
  await eventually(
    () => getJson(`${corral.url}/api/ledger`),
    (answer) => JSON.stringify(answer).includes('"stored":3'),
  );
  const { code, stderr } = await runCommand(["backup", join(fixtures, `backup-${state}.zst`)], { folder });
  if (code !== 0) throw new Error(stderr);
  await corral.stop();
  const tar = Bun.spawn(
    [
      "tar",
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "-cf",
      "-",
      "database",
      "server-id",
      "spool",
    ],
    { cwd: folder, stdout: "pipe" },
  );
  const packed = await Bun.zstdCompress(await new Response(tar.stdout).arrayBuffer(), { level: 19 });
  if ((await tar.exited) !== 0) throw new Error("tar failed");
  await Bun.write(join(fixtures, `data-folder-${state}.tar.zst`), packed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
