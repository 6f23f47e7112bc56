import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort, simulatorBinary } from "./support/simulator";

test("the example of the library's documentation runs as it stands, in a project that depends on it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "corral-library-"));
  try {
    const source = await Bun.file(join(import.meta.dir, "../src/index.ts")).text();
    const example = [...source.matchAll(/^ \* ?(.*)$/gm)].map(([, line]) => line).join("\n");
    const code = example.slice(example.indexOf("@example") + "@example".length, example.lastIndexOf(";") + 1);
    expect(code).toContain('from "corral"');
    // No timer of ours may keep it alive after the stop: this one alone does not.
    const late = `\nsetTimeout(() => console.log("KEPT ALIVE"), 3000).unref();\n`;
    await Bun.write(join(folder, "example.ts"), code + late);
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(import.meta.dir, ".."), join(folder, "node_modules/corral"));
    const binary = await simulatorBinary(join(folder, "bin"));
    const program = Bun.spawn([process.execPath, "example.ts"], {
      cwd: folder,
      env: {
        PATH: `${dirname(binary)}:${process.env.PATH}`,
        HOME: folder,
        OLLAMA_PORT: String(await freePort()),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [said, wrong] = await Promise.all([
      new Response(program.stdout).text(),
      new Response(program.stderr).text(),
    ]);
    expect(wrong).toBe("");
    expect(await program.exited).toBe(0);
    expect(said.trim().length).toBeGreaterThan(10);
    expect(said).not.toContain("KEPT ALIVE");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
