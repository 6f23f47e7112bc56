import { expect, test } from "bun:test";
import { join } from "node:path";
import { describeSettings } from "../src/settings";

const readme = await Bun.file(join(import.meta.dir, "../README.md")).text();

test("the README's table of settings is the program's own", () => {
  const code = (text: string) => (text === "" ? "" : `\`${text}\``);
  for (const setting of describeSettings()) {
    const variables = setting.variables.split(", ").map(code).join(", ");
    expect(readme).toContain(
      `| ${variables} | ${setting.isSecret ? "" : code(`--${setting.flag}`)} | ${code(setting.default)} | ${setting.description} |`,
    );
  }
  const rows = readme.split("\n").filter((line) => /^\| `[A-Z_`, ]+` \| (`--|\s*\|)/.test(line));
  expect(rows).toHaveLength(describeSettings().length);
});

test("the README begins with the two commands", () => {
  const [server, tests] = readme.match(/^npx .*$/gm) ?? [];
  expect(server).toStartWith("npx --yes bun@1.4.4 run server");
  expect(tests).toStartWith("npx --yes bun@1.4.4 run test");
});
