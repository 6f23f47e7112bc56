/** What the API says of the settings, and the admin key's trade for a session. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readSettings, settingsInForce } from "../../src/settings";
import { describeCorral } from "../support/corral";

setDefaultTimeout(60_000);

const key = "sesame-open-sesame";

test("a key is never shown, and neither is a password in a URL", () => {
  const shown = (environment: Record<string, string>) =>
    Object.fromEntries(
      settingsInForce(readSettings({ HOME: "/home/one", ...environment })).map((s) => [s.name, s.value]),
    );
  expect(shown({})).toMatchObject({ adminKey: "", databaseUrl: "", keepContent: "30d", spoolLimit: "1GB" });
  expect(shown({ CORRAL_ADMIN_KEY: key }).adminKey).toBeNull();
  for (const url of [
    "postgres://me:hidden@box:5432/corral",
    "postgres://box/corral?user=me&password=hidden&sslmode=require",
  ]) {
    const value = shown({ DATABASE_URL: url }).databaseUrl;
    expect(value).not.toContain("hidden");
    expect(value).toContain("box");
  }
});

describeCorral(
  "settings and sessions",
  (corral) => {
    const ask = (path: string, init: RequestInit = {}) => fetch(corral().url + path, init);
    const bearer = { authorization: `Bearer ${key}` };

    test("each setting is told with where it comes from, to who has the key", async () => {
      expect((await ask("/api/settings")).status).toBe(401);
      const { settings } = (await (await ask("/api/settings", { headers: bearer })).json()) as {
        settings: { name: string }[];
      };
      const of = (name: string) => settings.find((setting) => setting.name === name);
      expect(of("adminKey")).toMatchObject({ value: null, source: "CORRAL_ADMIN_KEY", flag: null });
      expect(of("port")).toMatchObject({
        value: String(corral().port),
        source: "CORRAL_PORT",
        flag: "--port",
      });
      expect(of("keepContent")).toMatchObject({ value: "30d", source: "default", default: "30d" });
      expect(JSON.stringify(settings)).not.toContain(key);
    });

    test("the key is traded for a cookie that is as good, from this server's own page, until it is given back", async () => {
      expect((await ask("/api/session", { method: "POST" })).status).toBe(401);
      const begun = await ask("/api/session", { method: "POST", headers: bearer });
      expect(await begun.json()).toEqual({
        success: true,
        message: "Session begun",
        ends_at: expect.any(String),
      });
      const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
      const status = async (headers: Record<string, string>) =>
        (await ask("/api/settings", { headers: { cookie, ...headers } })).status;
      expect(await status({})).toBe(200);
      expect(await status({ origin: corral().url })).toBe(200);
      expect(await status({ origin: "http://localhost:3000" })).toBe(401);
      expect((await ask("/api/session", { method: "POST", headers: { cookie } })).status).toBe(401);
      const ended = await ask("/api/session", { method: "DELETE", headers: { cookie } });
      expect(ended.headers.get("set-cookie")).toMatch(/^corral_session=; Path=\/; Max-Age=0;/);
    });
  },
  { environment: { CORRAL_ADMIN_KEY: key } },
);
