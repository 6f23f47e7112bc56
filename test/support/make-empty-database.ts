/**
 * Makes the empty database that is shipped (src/database/embedded/empty-<version of PGlite>.tar.zst) anew, by PGlite's
 * own initdb. To be run, and its import in pglite.ts changed, when PGlite's version moves.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../node_modules/@electric-sql/pglite/package.json";
import { compilePglite, openPglite } from "../../src/database/embedded/pglite";

const folder = mkdtempSync(join(tmpdir(), "corral-empty-"));
try {
  process.umask(0o077);
  const { pglite } = await openPglite(folder, await compilePglite());
  await pglite.close();
  // In one order and without owners and times, so that two makings can be compared.
  const tar = Bun.spawn(
    ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-cf", "-", "."],
    { cwd: folder, stdout: "pipe" },
  );
  const packed = await Bun.zstdCompress(await new Response(tar.stdout).arrayBuffer(), { level: 19 });
  if ((await tar.exited) !== 0) throw new Error("tar failed");
  await Bun.write(join(import.meta.dir, `../../src/database/embedded/empty-${version}.tar.zst`), packed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
