import { expect, test } from "bun:test";
import fc from "fast-check";
import { FOREVER_MS } from "../src/duration";
import { Failure } from "../src/errors";
import { describeSettings, readSettings } from "../src/settings";

test("without anything given the defaults hold, and are said to be defaults", () => {
  const { values, sources, warnings } = readSettings({ HOME: "/home/one", HOST: "0.0.0.0" });
  expect(values).toMatchObject({
    port: 8000,
    host: "127.0.0.1",
    dataDir: "/home/one/.local/share/corral",
    content: "full",
    keepMetrics: FOREVER_MS,
    drain: 8000,
  });
  expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  expect(warnings).toEqual([]);
});

test("flags win over the environment, CORRAL_PORT over PORT, and each value knows its source", () => {
  expect(readSettings({ PORT: "1" }).values.port).toBe(1);
  expect(readSettings({ PORT: "1", CORRAL_PORT: "2" })).toMatchObject({
    values: { port: 2 },
    sources: { port: "CORRAL_PORT" },
  });
  expect(readSettings({ CORRAL_PORT: "2" }, { port: "3" })).toMatchObject({
    values: { port: 3 },
    sources: { port: "--port" },
  });
});

test.each([
  ["CORRAL_PORT", "eighty", "a port from 0 to 65535"],
  ["CORRAL_PORT", "70000", "a port from 0 to 65535"],
  ["OLLAMA_PORT", "0", "a port from 1 to 65535"],
  ["OLLAMA_TIMEOUT", "0", "a duration above 0"],
  ["OLLAMA_MAX_RETRIES", "-1", "a whole number from 0 to 1000"],
  ["OLLAMA_URL", "localhost:11434", "a URL such as http://127.0.0.1:11434"],
  ["CORRAL_CONTENT", "some", "full or none"],
  ["CORRAL_KEEP_CONTENT", "30", "a duration such as 30d"],
  ["CORRAL_DRAIN", "soon", "a duration such as 8s"],
  ["CORRAL_SPOOL_LIMIT", "1MB", "a size of 10MB or more"],
  ["CORRAL_DISK_BUDGET", "220MB", "a size from 1GB, such as 20GB, or 0 for no limit"],
  ["LOG_LEVEL", "loud", "trace, debug, info, warn, error or fatal"],
  ["LOG_FORMAT", "xml", "auto, json or pretty"],
])("%s=%s is refused with the variable, what it held and what it takes", (variable, given, takes) => {
  expect(() => readSettings({ [variable]: given })).toThrow(
    `${variable} is ${JSON.stringify(given)}: it takes ${takes}`,
  );
});

test.each([
  ["DATABASE_URL", "mysql://me:sesame@host/db"],
  ["DATABASE_URL", "host=db password=sesame"],
  ["OLLAMA_URL", "http://me:sesame@host:11434"],
  ["OLLAMA_URL", "me:p@sesame@host"],
  ["CORRAL_ADMIN_KEY", "sesame"],
  ["CORRAL_ADMIN_KEY", "sesame with spaces in it"],
])("a secret is not shown when %s is wrong", (variable, given) => {
  expect(() => readSettings({ [variable]: given })).toThrow(variable);
  expect(() => readSettings({ [variable]: given })).not.toThrow("sesame");
});

test("a secret is read from the environment alone, since command lines can be read by every user of a machine", () => {
  expect(readSettings({}, { "admin-key": "sesame-open-sesame" }).values.adminKey).toBe("");
  expect(readSettings({ CORRAL_ADMIN_KEY: "sesame-open-sesame" }).values.adminKey).toBe("sesame-open-sesame");
});

test("an address is taken as it stands in a URL, and a relative XDG_DATA_HOME is ignored, as its standard says", () => {
  expect(readSettings({ CORRAL_HOST: "[::1]" }).values.host).toBe("::1");
  expect(readSettings({ HOME: "/home/one", XDG_DATA_HOME: "there" }).values.dataDir).toBe(
    "/home/one/.local/share/corral",
  );
});

test("a misspelt CORRAL_ variable is a warning with the nearest name", () => {
  expect(readSettings({ CORRAL_PROT: "1" }).warnings).toEqual([
    "CORRAL_PROT is not a setting (did you mean CORRAL_PORT?): it is ignored",
  ]);
});

test("durations take ms, s, m, h, d and forever", () => {
  const drain = (text: string) => readSettings({ CORRAL_DRAIN: text }).values.drain;
  expect(["0", "5ms", "8s", "1.5m", "2h", "1d", "forever"].map(drain)).toEqual([
    0,
    5,
    8000,
    90_000,
    7_200_000,
    86_400_000,
    FOREVER_MS,
  ]);
  expect(readSettings({ OLLAMA_TIMEOUT: "30" }).values.ollamaTimeout).toBe(30_000);
});

test("whatever the environment and the flags hold, there are frozen settings or one wrong setting that is named", () => {
  const variables = describeSettings().flatMap((row) => row.variables.split(", "));
  const flagNames = describeSettings().map((row) => row.flag);
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.nat().map(String),
    fc.constantFrom("8s", "none", ""),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...variables, "CORRAL_X", "HOST"), text),
      fc.dictionary(fc.constantFrom(...flagNames), text, { maxKeys: 2 }),
      (environment, flags) => {
        try {
          const { values, sources } = readSettings(environment, flags);
          expect(Object.isFrozen(values)).toBe(true);
          expect(Object.keys(sources)).toEqual(Object.keys(values));
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          expect(error.code).toBe("wrong_setting");
          const named = [...variables, ...flagNames.map((name) => `--${name}`)];
          expect(named).toContain(error.message.split(" is ")[0] ?? "");
        }
      },
    ),
    { numRuns: 1000 },
  );
});
