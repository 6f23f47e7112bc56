import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Ollama } from "ollama";
import { describeCorral, eventually, getJson } from "../support/corral";
import { ask, engineState, native, post, postUpToBreak, type Recorded, record } from "./asking";

describeCorral("what is Ollama's", (corral) => {
  test("an unknown path is Ollama's 404, in Ollama's words", async () => {
    const answer = await ask(`${corral().url}/api/nope`);
    expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([
      404,
      "text/plain",
      "404 page not found",
    ]);
  });

  test("GET / and HEAD / say that Ollama is running, as Ollama does", async () => {
    const get = await ask(`${corral().url}/`);
    expect([get.status, get.headers.get("content-type"), get.text]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "Ollama is running",
    ]);
    const head = await ask(`${corral().url}/`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), head.text]).toEqual([200, "17", ""]);
  });

  test("a stream that breaks off breaks off for the client too, and the log stays JSON", async () => {
    const answer = await postUpToBreak(`${corral().url}/api/push`, { model: "sim-cut2" });
    expect(answer.broken).toBe(true);
    expect(answer.text.split("\n")).toHaveLength(3);
    for (const line of corral().logged().trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });

  test("the engine sees neither the client's Host nor its Origin nor hop-by-hop headers", async () => {
    await post(`${corral().url}/v1/chat/completions`, native("sim-tokens1:headers"), {
      headers: {
        origin: "http://localhost:3000",
        connection: "x-gone",
        "x-gone": "1",
        "x-kept": "2",
        authorization: "Bearer mine",
        "user-agent": "somebody/1",
      },
    });
    const { headers = {} } = (await engineState(corral())).last ?? {};
    expect(headers).toMatchObject({
      host: corral().engine.slice("http://".length),
      "x-kept": "2",
      authorization: "Bearer mine",
      "user-agent": "somebody/1",
    });
    expect(headers).not.toContainAnyKeys(["origin", "x-gone"]);
  });

  describe("a path of Corral's own", () => {
    test("with another method is a 405 that says which ones there are", async () => {
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH"]) {
        const answer = await ask(`${corral().url}/api/chat`, { method });
        expect([method, answer.status, answer.headers.get("allow")]).toEqual([method, 405, "POST, OPTIONS"]);
      }
      expect((await ask(`${corral().url}/api/health`, { method: "POST" })).headers.get("allow")).toBe(
        "GET, HEAD, OPTIONS",
      );
    });

    test("in a spelling that can be read in two ways is refused, and nothing reaches the engine", async () => {
      const before = (await engineState(corral())).requests;
      const body = JSON.stringify(native("sim-tokens1:spelt"));
      for (const path of [
        "/api//chat",
        "/api/%63hat",
        "/api%2fchat",
        "//api/chat",
        "/api/./chat%2f",
        "/api/ch%00at",
        "/api/%zz",
        "/api//data/all",
        "/%61pi/ollama/pull",
      ]) {
        const answer = await raw(corral().port, `POST ${path} HTTP/1.1`, ["Host: localhost"], body);
        expect([path, answer.split("\r\n")[0]]).toEqual([path, "HTTP/1.1 400 Bad Request"]);
      }
      expect((await engineState(corral())).requests).toBe(before);
    });

    test("with a slash at the end, or for an old client, is the same path", async () => {
      const body = JSON.stringify({ model: "sim-tokens1:slash", prompt: "x" });
      const slash = await raw(corral().port, "POST /api/chat/ HTTP/1.1", ["Host: localhost"], body);
      expect(slash).toContain('"token":"[DONE]"');
      const old = await raw(corral().port, "POST /api/chat HTTP/1.0", [], body);
      expect(old).toContain('"token":"[DONE]"');
      expect(old.toLowerCase()).not.toContain("transfer-encoding");
      const nameless = await raw(corral().port, "POST /api/chat HTTP/1.1", ["Host:"], body);
      expect(nameless).toContain('"token":"[DONE]"');
      const health = await raw(corral().port, "GET /api/health/ HTTP/1.1", ["Host: localhost"]);
      expect(health).toContain('"status":"healthy"');
    });
  });

  describe("a page in a browser", () => {
    const from = (origin: string, host?: string) => ({ headers: { origin, ...(host ? { host } : {}) } });

    test("of a foreign origin is refused, preflight and all", async () => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        for (const path of ["/api/health", "/api/chat", "/api/tags", "/v1/models", "/"]) {
          const answer = await ask(corral().url + path, { method, ...from("http://example.com") });
          expect([method, path, answer.status]).toEqual([method, path, 403]);
          expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        }
      }
      expect((await ask(`${corral().url}/api/tags`, from("null"))).status).toBe(403);
    });

    test("of this machine, of an app or of Corral itself may ask", async () => {
      for (const origin of [
        "http://localhost:3000",
        "https://127.0.0.1",
        "http://[::1]:5173",
        "app://obsidian.md",
        "file://",
        "vscode-webview://1a2b",
      ]) {
        for (const path of ["/api/health", "/api/tags"]) {
          const answer = await ask(corral().url + path, from(origin));
          expect([origin, answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
            origin,
            200,
            origin,
          ]);
          expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
        }
      }
      const own = await ask(`${corral().url}/api/health`, from("http://box.local:8000", "box.local:8000"));
      expect(own.status).toBe(200);
    });

    test("may send what OpenAI's and Anthropic's clients send", async () => {
      const answer = await ask(`${corral().url}/v1/chat/completions`, {
        method: "OPTIONS",
        headers: {
          origin: "http://localhost:3000",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,x-stainless-os",
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
      expect(answer.headers.get("access-control-allow-methods")).toContain("DELETE");
      const allowed = answer.headers.get("access-control-allow-headers")?.split(", ");
      expect(allowed).toEqual(
        expect.arrayContaining(["authorization", "x-stainless-os", "anthropic-version"]),
      );
      expect(answer.headers.get("access-control-max-age")).toBe("43200");
    });

    test("under a name that is not this machine's is refused: DNS can be made to point here", async () => {
      for (const path of ["/api/health", "/api/tags"]) {
        expect((await ask(corral().url + path, { headers: { host: "evil.example" } })).status).toBe(403);
      }
    });
  });

  describe("the ollama client", () => {
    const client = () => new Ollama({ host: corral().url });

    test("chats, generates, lists and shows", async () => {
      let said = "";
      const model = "sim-tokens5:client";
      for await (const part of await client().chat({ ...native(model), stream: true }))
        said += part.message.content;
      expect(await record(corral(), model)).toMatchObject({ response: said, outcome: "complete" });
      const { response } = await client().generate({ model: "sim-tokens5:client-whole", prompt: "x" });
      expect(await record(corral(), "sim-tokens5:client-whole")).toMatchObject({ response });
      expect((await client().list()).models.map(({ name }) => name)).toContain("llama3.2:latest");
      expect((await client().show({ model: "llama3.2" })).capabilities).toContain("completion");
    });

    test("is told of an unknown model in Ollama's words", async () => {
      expect(client().chat(native("nope:client"))).rejects.toThrow("model 'nope:client' not found");
    });

    test("can be aborted, and the engine stops", async () => {
      const model = "sim-delay20-tokens1000:client-abort";
      const one = client();
      const stream = await one.chat({ ...native(model), stream: true });
      const read = async () => {
        for await (const part of stream) if (part.message.content) one.abort();
      };
      expect(read()).rejects.toThrow("aborted");
      expect(await record(corral(), model)).toMatchObject({ outcome: "client_abort", status: "aborted" });
      await eventually(
        () => engineState(corral()),
        ({ active }) => active === 0,
      );
    });
  });

  test("what passes is no request in the statistics", async () => {
    const { logs } = (await getJson(`${corral().url}/api/stats/logs?limit=1000`)) as { logs: Recorded[] };
    expect(logs).not.toBeEmpty();
    expect(logs.filter(({ model }) => model === "sim-cut2")).toEqual([]);
  });
});

/** Sends a request to the letter and gives what comes back, to the end of the connection. */
function raw(port: number, line: string, headers: string[], body = ""): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let got = "";
  const socket = connect(port, "127.0.0.1", () => {
    const all = [
      line,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ];
    socket.write(all.join("\r\n"));
  });
  socket.on("data", (bytes) => {
    got += bytes.toString("latin1");
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(got));
  return promise;
}
