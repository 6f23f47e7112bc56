import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createAccess, keptAdminKey } from "../src/access";

function inFolder(use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "corral-access-"));
  try {
    use(join(folder, "admin-key"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("the admin key is made once, kept so that nobody else can read it, and found again", () => {
  inFolder((path) => {
    const made = keptAdminKey(path);
    expect(made).toMatchObject({ source: "made", key: expect.stringMatching(/^corral_[\w-]{43}$/) });
    // Not before it will be said: a start may yet fail.
    expect(existsSync(path)).toBe(false);
    made.keep();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(keptAdminKey(path)).toMatchObject({ key: made.key, source: "kept" });
  });
});

test("a key file of one's own is taken, and closed to others", () => {
  inFolder((path) => {
    writeFileSync(path, "a-key-of-my-own-choice\n");
    chmodSync(path, 0o644);
    expect(keptAdminKey(path)).toMatchObject({ key: "a-key-of-my-own-choice", source: "kept" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

test("a key file that holds no key stops the start, and is left as it is", () => {
  inFolder((path) => {
    for (const text of ["", "short", "with spaces in the middle of it"]) {
      writeFileSync(path, text);
      expect(() => keptAdminKey(path)).toThrow(
        `the admin key in ${path} can't be had (it holds no key of 16 or more characters): delete the file`,
      );
      expect(readFileSync(path, "utf8")).toBe(text);
    }
  });
});

test("the key is taken as a bearer token, in any case of the word, and nothing else is", () => {
  const access = createAccess("sesame-open-sesame");
  for (const right of ["Bearer sesame-open-sesame", "bearer  sesame-open-sesame "])
    expect([right, access.allows(right)]).toEqual([right, true]);
  for (const wrong of [
    null,
    "",
    "Bearer",
    "Bearer ",
    "sesame-open-sesame",
    "Basic sesame-open-sesame",
    "Bearer sesame",
  ])
    expect([wrong, access.allows(wrong)]).toEqual([wrong, false]);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (text.trim() !== "sesame-open-sesame") expect(access.allows(`Bearer ${text}`)).toBe(false);
    }),
  );
});

test("the key is withheld in whatever header it came, and what is the client's own is not", () => {
  const headers = new Headers({
    authorization: "Bearer mine, Bearer sesame-open-sesame",
    "x-api-key": "sesame-open-sesame",
    cookie: "a=b; key=sesame-open-sesame",
    "x-kept": "sesame",
  });
  createAccess("sesame-open-sesame").withhold(headers);
  expect(Object.fromEntries(headers)).toEqual({ "x-kept": "sesame" });
});

test("without a key everybody may, and nothing is withheld", () => {
  const access = createAccess(null);
  const headers = new Headers({ authorization: "Bearer x" });
  access.withhold(headers);
  expect([access.allows(null), access.allows("Bearer x"), headers.get("authorization")]).toEqual([
    true,
    true,
    "Bearer x",
  ]);
});
