import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBackupFile, writeBackupFile } from "../../src/commands/backup-file";

const header = '{"corral_backup":"header","version":1,"program":"a test","migration":1,"made_at":"now"}\n';
const rows = `${'{"name":"ünï 🐎"}'}\n`.repeat(10_000);
const end = '{"corral_backup":"end","tables":[{"table":"plants","rows":10000,"checksum":"00"}]}\n';

async function* pieces(...texts: string[]) {
  yield* texts;
}

test("a backup's file is put in its place when it is whole, and reads as it was written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "corral-backup-file-"));
  const file = join(folder, "backup");
  const read = async (path: string) => (await Array.fromAsync(readBackupFile(path))).join("");
  try {
    expect(await writeBackupFile(file, pieces(header, rows, end))).toMatchObject([{ rows: 10_000 }]);
    expect(await read(file)).toBe(header + rows + end);

    const failed = '{"corral_backup":"failed","error":"the disk is full"}\n';
    await expect(writeBackupFile(file, pieces(header, rows))).rejects.toThrow("cut off");
    await expect(writeBackupFile(file, pieces(header, failed))).rejects.toThrow("the disk is full");
    // The one before is still there, and nothing half.
    expect(await read(file)).toBe(header + rows + end);
    expect(existsSync(`${file}.partial`)).toBe(false);

    const nowhere = join(folder, "nosuch", "backup");
    await expect(writeBackupFile(nowhere, pieces(header, rows, end))).rejects.toMatchObject({
      code: "no_backup",
      message: expect.stringContaining(nowhere),
    });

    const bytes = readFileSync(file);
    const spoiled = bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte));
    // What is cut off reads without its end, which the restore misses.
    writeFileSync(`${file}.wrong`, bytes.subarray(0, -50));
    expect(await read(`${file}.wrong`).catch(() => "")).not.toContain('"end"');
    for (const wrong of [spoiled, Buffer.from("no backup")]) {
      writeFileSync(`${file}.wrong`, wrong);
      await expect(read(`${file}.wrong`)).rejects.toMatchObject({ code: "no_backup" });
    }
    await expect(read(join(folder, "nosuch"))).rejects.toThrow("nosuch");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
