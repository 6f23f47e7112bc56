/** Run when the program is compiled, or started from source: its answer becomes part of the program. */

/** The commit that this is, such as "80126dd" or "80126dd-dirty"; "" where neither COMMIT nor git tells. */
export function readCommit(): string {
  // A container's build has no .git: it says COMMIT.
  if (process.env.COMMIT) return process.env.COMMIT;
  try {
    const git = ["git", "describe", "--always", "--dirty", "--exclude=*"];
    const { stdout, success } = Bun.spawnSync(git, { cwd: import.meta.dir, stderr: "ignore" });
    return success ? stdout.toString().trim() : "";
  } catch {
    return "";
  }
}
