/** What is left of a Corral: processes that name its data folder in their command line or their environment. */
import { readdirSync, readFileSync } from "node:fs";

/** Process ids, ours excepted. */
export function leftOf(folder: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && namesFolder(pid, folder));
}

function namesFolder(pid: number, folder: string): boolean {
  try {
    return ["cmdline", "environ"].some((file) =>
      readFileSync(`/proc/${pid}/${file}`, "utf8").includes(folder),
    );
  } catch {
    return false;
  }
}
