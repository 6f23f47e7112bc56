import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFolder } from "../src/folder";

function inFolder(use: (root: string) => void | Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "corral-folder-"));
  return (async () => use(join(home, "deep/data")))().finally(() =>
    rmSync(home, { recursive: true, force: true }),
  );
}

test("the data folder is made, for this user alone, and its server keeps one id", () =>
  inFolder((root) => {
    const first = openFolder(root, "http://127.0.0.1:8000");
    expect(statSync(root).mode & 0o777).toBe(0o700);
    first.release();
    const second = openFolder(root, "http://127.0.0.1:8000");
    expect(second.serverId).toBe(first.serverId);
    expect(second.serverId).toMatch(/^[0-9a-f-]{36}$/);
    second.release();
  }));

test("a second server is refused, and told who has the folder", () =>
  inFolder((root) => {
    const first = openFolder(root, "http://127.0.0.1:8000");
    expect(() => openFolder(root, "http://127.0.0.1:8001")).toThrow(
      `is in use by pid ${process.pid}, http://127.0.0.1:8000`,
    );
    first.release();
    openFolder(root, "http://127.0.0.1:8001").release();
  }));

test("a folder that can't be used is named, with what to do", () =>
  inFolder((root) => {
    const file = join(root, "../../file");
    writeFileSync(file, "");
    for (const impossible of ["/proc/corral", join(file, "data")]) {
      expect(() => openFolder(impossible, "me")).toThrow(`the data folder ${impossible} can't be used`);
    }
  }));

test("an empty folder is taken and closed; one in which others have theirs is refused, and left as it is", () =>
  inFolder((root) => {
    mkdirSync(root, { recursive: true });
    chmodSync(root, 0o755);
    openFolder(root, "me").release();
    expect(statSync(root).mode & 0o777).toBe(0o700);
    const shared = `${root}-shared`;
    mkdirSync(shared);
    writeFileSync(join(shared, "somebody's"), "");
    chmodSync(shared, 0o1777);
    expect(() => openFolder(shared, "me")).toThrow(
      `the data folder ${shared} holds other things ("somebody's") and is open to others`,
    );
    expect([statSync(shared).mode & 0o7777, readdirSync(shared)]).toEqual([0o1777, ["somebody's"]]);
  }));
