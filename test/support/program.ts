/** The program as tests start it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const checkout = join(import.meta.dir, "../..");
const binary = join(checkout, "dist/corral");

/** From source, as `bun run server` starts it: without a command. */
export const sourceProgram = [process.execPath, join(checkout, "src/main.ts")];

/**
 * The single binary, which starts in half of the time; built where it is missing or older than the source.
 * @returns its path
 */
export function builtProgram(): string {
  const built = statSync(binary, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ["src", "sql", "package.json", "bun.lock"].flatMap((name) => {
    const path = join(checkout, name);
    if (!statSync(path).isDirectory()) return [path];
    // The folders, too, for what was taken out of them.
    return [
      path,
      ...readdirSync(path, { recursive: true, encoding: "utf8" }).map((file) => join(path, file)),
    ];
  });
  if (sources.every((path) => statSync(path).mtimeMs < built)) return binary;
  const { success, stderr } = Bun.spawnSync([process.execPath, "run", "build"], { cwd: checkout });
  if (!success) throw new Error(`bun run build failed: ${stderr.toString()}`);
  return binary;
}
