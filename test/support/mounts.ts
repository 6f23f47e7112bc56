/** Small file systems of the tests' own: a disk that can be filled. */
import { rmSync } from "node:fs";
import { scratchFolder } from "./scratch";

/**
 * Mounts a file system in memory on a folder.
 * @param options mount's own, such as `size=256k`; `remount,size=20m` changes one that is there
 * @throws where that is not allowed: it needs root
 */
export async function mountMemory(folder: string, options: string): Promise<void> {
  const mount = Bun.spawn(["mount", "-t", "tmpfs", "-o", options, "none", folder], { stderr: "ignore" });
  if ((await mount.exited) !== 0) throw new Error(`nothing was mounted on ${folder}`);
}

/** Takes it away again, whoever still has a file open in it. @returns whether there was one */
export async function unmount(folder: string): Promise<boolean> {
  return (await Bun.spawn(["umount", "--lazy", folder], { stderr: "ignore" }).exited) === 0;
}

export async function canMount(): Promise<boolean> {
  const folder = scratchFolder("corral-mount-");
  try {
    await mountMemory(folder, "size=64k");
    return await unmount(folder);
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
