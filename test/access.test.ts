import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createAccess, keptAdminKey } from "../src/access";
import { createSessions } from "../src/session";

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

const bearing = (authorization: string | null) =>
  new Headers(authorization === null ? {} : { authorization });

test("the key is taken as a bearer token, in any case of the word, and nothing else is", () => {
  const access = createAccess("sesame-open-sesame");
  for (const right of ["Bearer sesame-open-sesame", "bearer  sesame-open-sesame "])
    expect([right, access.allows(bearing(right))]).toEqual([right, true]);
  for (const wrong of [
    null,
    "",
    "Bearer",
    "Bearer ",
    "sesame-open-sesame",
    "Basic sesame-open-sesame",
    "Bearer sesame",
  ])
    expect([wrong, access.allows(bearing(wrong))]).toEqual([wrong, false]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      if (text.trim() !== "sesame-open-sesame") expect(access.allows(bearing(`Bearer ${text}`))).toBe(false);
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
  expect([access.allows(bearing(null)), access.allows(headers), headers.get("authorization")]).toEqual([
    true,
    true,
    "Bearer x",
  ]);
});

describe("a session", () => {
  const key = "sesame-open-sesame";
  const access = createAccess(key);
  const begin = (headers: Record<string, string> = {}) => {
    const session = access.begin(new Headers({ authorization: `Bearer ${key}`, ...headers }));
    if (!session) throw new Error("no session was begun");
    return session.cookie;
  };
  const pairOf = (cookie: string) => cookie.split(";")[0] ?? "";
  const allowed = (headers: Record<string, string>) => access.allows(new Headers(headers));

  test("is good in place of the key, without holding it, from the page of this server alone", () => {
    const cookie = pairOf(begin());
    expect(begin()).toMatch(/^corral_session=[\w.-]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
    expect(begin({ origin: "https://corral.example" })).toEndWith("; Secure");
    expect(cookie).not.toContain(key);
    expect(allowed({ cookie: `a=b; ${cookie}` })).toBe(true);
    expect(allowed({ cookie, host: "box:8000", origin: "http://box:8000" })).toBe(true);
    // Another program's page on this machine: the Origin rule lets it call, and the browser sends the cookie along.
    expect(allowed({ cookie, host: "localhost:8000", origin: "http://localhost:3000" })).toBe(false);
    expect(allowed({ cookie, host: "localhost:8000", origin: "null" })).toBe(false);
  });

  test("outlives a restart, and ends with its time or with another key", () => {
    const cookie = pairOf(begin());
    expect(createAccess(key).allows(new Headers({ cookie }))).toBe(true);
    expect(createAccess("another-key-than-that").allows(new Headers({ cookie }))).toBe(false);
    const [end = "", proof = ""] = cookie.replace("corral_session=", "").split(".");
    for (const wrong of [`${Number(end) + 1}.${proof}`, `${end}.`, `.${proof}`, `${end}.${proof}x`, "", "."])
      expect([wrong, allowed({ cookie: `corral_session=${wrong}` })]).toEqual([wrong, false]);
    const old = createSessions(key, () => Date.now() - 7 * 86_400_000 - 1).begin(false).cookie;
    expect(allowed({ cookie: pairOf(old) })).toBe(false);
  });

  test("is begun with the key alone, which a session is not", () => {
    expect(() => access.begin(new Headers({ cookie: pairOf(begin()) }))).toThrow(
      "this needs Corral's admin key",
    );
    expect(() => access.begin(bearing("Bearer wrong"))).toThrow("this is not Corral's admin key");
    expect(createAccess(null).begin(new Headers())).toBe(null);
  });

  test("is withheld from Ollama, and other cookies are not", () => {
    const headers = new Headers({ cookie: `a=b; ${pairOf(begin())}; c=d` });
    access.withhold(headers);
    expect(headers.get("cookie")).toBe("a=b; c=d");
    const alone = new Headers({ cookie: pairOf(begin()) });
    access.withhold(alone);
    expect(alone.has("cookie")).toBe(false);
  });
});
