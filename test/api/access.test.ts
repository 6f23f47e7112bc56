/** Corral on an address that others reach: what is open there, and what needs the admin key. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { engineState } from "../gateway/asking";
import { describeCorral, getJson, startCorral } from "../support/corral";
import { scratchFolder } from "../support/scratch";
import { isObject } from "./schemas";

setDefaultTimeout(60_000);

const everywhere = { CORRAL_HOST: "0.0.0.0" };
const key = "sesame-open-sesame";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const noDatabase = "postgres://me:hidden@127.0.0.1:1/corral";

describeCorral(
  "where others can call",
  (corral) => {
    /** Each operation of the document, and whether it says that it needs the key. */
    const operations = async () => {
      const document = await getJson(`${corral().url}/swagger/json`);
      if (!isObject(document) || !isObject(document.paths)) throw new Error("no document");
      return Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(isObject(methods) ? methods : {}).map(([method, operation]) => ({
          method: method.toUpperCase(),
          path,
          guarded: isObject(operation) && operation.security !== undefined,
          says401: isObject(operation) && isObject(operation.responses) && "401" in operation.responses,
        })),
      );
    };
    const call = (method: string, path: string, headers: Record<string, string> = {}) =>
      fetch(corral().url + path.replace(/\{\w+\}/, "nosuch"), {
        method,
        headers,
        ...(method === "GET" || method === "HEAD" ? {} : { body: "{}" }),
      });

    test("whatever changes, deletes or reads texts is guarded, and the document says so", async () => {
      for (const { method, path, guarded, says401 } of await operations()) {
        const harmless =
          method === "GET" || path === "/api/chat" || (method === "DELETE" && path === "/api/session");
        const readsTexts = [
          "/api/stats/logs",
          "/api/stats/logs/export",
          "/api/requests/{id}",
          "/api/stats/live",
          "/api/requests/active",
          "/api/engine/log",
          "/api/events",
          "/api/settings",
          "/api/data/backup",
          "/api/requests/{id}",
          "/api/stats/logs/export",
        ].includes(path);
        expect([method, path, guarded, says401]).toEqual([
          method,
          path,
          !harmless || readsTexts,
          !harmless || readsTexts,
        ]);
      }
    });

    test("what is guarded answers 401 with how to get the key, and takes the right one alone", async () => {
      for (const { method, path, guarded } of await operations()) {
        // The one is a restart, the other a whole backup.
        if (path === "/api/engine/restart" || path === "/api/data/backup") continue;
        const without = await call(method, path);
        const wrong = await call(method, path, bearer("sesame-close-sesame"));
        const right = await call(method, path, bearer(key));
        if (!guarded) {
          expect([method, path, without.status]).not.toEqual([method, path, 401]);
          continue;
        }
        expect([method, path, without.status, wrong.status]).toEqual([method, path, 401, 401]);
        expect([method, path, right.status]).not.toEqual([method, path, 401]);
        expect(without.headers.get("www-authenticate")).toBe('Bearer realm="Corral"');
        expect(wrong.headers.get("www-authenticate")).toContain('error="invalid_token"');
        const body: unknown = await without.json();
        expect(body).toMatchObject({
          detail: "Unauthorized",
          error: expect.stringContaining("CORRAL_ADMIN_KEY"),
        });
      }
    });

    test("inference, figures and what clients ask first are open", async () => {
      for (const path of [
        "/",
        "/healthz",
        "/readyz",
        "/api/health",
        "/api/stats/current",
        "/api/models",
        "/swagger",
      ]) {
        const answer = await call("GET", path);
        expect([path, answer.status, answer.ok ? "" : await answer.text()]).toEqual([path, 200, ""]);
      }
      for (const path of ["/api/version", "/api/tags", "/api/ps", "/v1/models"])
        expect([path, (await call("GET", path)).status]).toEqual([path, 200]);
      const chat = { model: "llama3.2", messages: [{ role: "user", content: "hello" }], stream: false };
      for (const path of ["/api/chat", "/v1/chat/completions"]) {
        const body = JSON.stringify({ ...chat, max_tokens: 3 });
        const answer = await fetch(corral().url + path, { method: "POST", body });
        expect([path, answer.status]).toEqual([path, 200]);
      }
    });

    test("Ollama's own paths that change something are guarded in any spelling, in the words of their API", async () => {
      for (const path of [
        "/api/pull",
        "/api/%70ull",
        "/api//pull",
        "/api/pull/",
        "/api/create",
        "/api/tomorrow",
      ]) {
        const answer = await call("POST", path);
        expect([path, answer.status]).toEqual([path, 401]);
        expect(await answer.json()).toMatchObject({
          error: expect.stringContaining("Authorization: Bearer KEY"),
        });
      }
      expect((await call("DELETE", "/api/delete")).status).toBe(401);
      const openai = await call("DELETE", "/v1/models/llama3.2");
      expect(openai.status).toBe(401);
      expect(await openai.json()).toMatchObject({ error: { code: "unauthorized", type: "api_error" } });
      const copy = { source: "llama3.2", destination: "llama3.2-copy" };
      const copied = await fetch(`${corral().url}/api/copy`, {
        method: "POST",
        headers: bearer(key),
        body: JSON.stringify(copy),
      });
      expect(copied.status).toBe(200);
    });

    test("Ollama's command line is told in a way that it shows to people", async () => {
      const answer = await call("POST", "/api/pull", {
        "user-agent": "ollama/0.33.0 (amd64 linux) Go/go1.24.1",
      });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toEqual({
        error: expect.stringContaining("this needs Corral's admin key"),
      });
    });

    test("the key goes no further than Corral", async () => {
      const body = JSON.stringify({ model: "sim-tokens1:headers", messages: [] });
      for (const path of ["/v1/chat/completions", "/api/chat"]) {
        for (const [token, kept] of [
          [key, false],
          ["a-key-of-the-clients-own", true],
        ] as const) {
          await fetch(corral().url + path, { method: "POST", headers: bearer(token), body });
          const { headers = {} } = (await engineState(corral())).last ?? {};
          expect([path, "authorization" in headers]).toEqual([path, kept]);
        }
      }
    });

    test("a Host that is no loopback name is welcome there, a foreign Origin is not", async () => {
      expect((await call("GET", "/api/health", { host: "gpu-box:8000" })).status).toBe(200);
      expect((await call("GET", "/api/health", { origin: "https://elsewhere.example" })).status).toBe(403);
    });

    test("the log says who used what, and never the key", async () => {
      await call("GET", "/api/stats/logs?q=MARKER", bearer(key));
      await call("DELETE", "/api/data/logs", bearer("MARKER-of-a-wrong-key"));
      const lines = corral().logged().trimEnd().split("\n");
      const parsed = lines.map((line): unknown => JSON.parse(line));
      const client = "127.0.0.1";
      expect(parsed).toContainEqual(
        expect.objectContaining({
          level: "info",
          msg: "admin use",
          use: "reads texts",
          method: "GET",
          path: "/api/stats/logs",
          client,
        }),
      );
      expect(parsed).toContainEqual(
        expect.objectContaining({ level: "warn", use: "deletes", path: "/api/data/logs", client }),
      );
      expect(corral().logged()).not.toContain("MARKER");
      expect(corral().logged()).not.toContain(key);
      expect(corral().said()).not.toContain(key);
    });
  },
  { environment: { ...everywhere, CORRAL_ADMIN_KEY: key } },
);

describe("the admin key", () => {
  test("is made at the first start on another address, said once, and holds from then on", async () => {
    const folder = scratchFolder("corral-key-");
    const options = { folder, databaseUrl: noDatabase, environment: everywhere, until: "listening" } as const;
    try {
      const first = await startCorral(options);
      const made = /^ {2}Admin key (corral_\S+) \(shown this once, kept in .*admin-key\)$/m.exec(
        first.said(),
      )?.[1];
      if (made === undefined) throw new Error(`no key in: ${first.said()}`);
      const ask = (url: string, headers = {}) => fetch(`${url}/api/engine/log`, { headers });
      expect((await ask(first.url)).status).toBe(401);
      expect((await ask(first.url, bearer(made))).status).toBe(200);
      await first.stop();
      expect(first.logged()).not.toContain(made);
      const second = await startCorral(options);
      expect(second.said()).toContain(`  Admin key in ${join(folder, "admin-key")}\n`);
      expect(second.said()).not.toContain(made);
      expect((await ask(second.url, bearer(made))).status).toBe(200);
      await second.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("is not made by a start that fails, since nobody would be told", async () => {
    const taken = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data: () => undefined } });
    const folder = scratchFolder("corral-key-");
    try {
      const environment = { ...everywhere, CORRAL_PORT: String(taken.port) };
      const corral = await startCorral({ folder, databaseUrl: noDatabase, environment, until: "ended" });
      expect(await corral.ended()).toBe(1);
      expect(existsSync(join(folder, "admin-key"))).toBe(false);
    } finally {
      taken.stop(true);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("is not needed on loopback, unless one is set", async () => {
    const environment = { CORRAL_ADMIN_KEY: key };
    const corral = await startCorral({ databaseUrl: noDatabase, environment, until: "listening" });
    try {
      expect((await fetch(`${corral.url}/api/engine/log`)).status).toBe(401);
      expect((await fetch(`${corral.url}/api/engine/log`, { headers: bearer(key) })).status).toBe(200);
    } finally {
      await corral.stop();
    }
  });
});
