/** The row of failures.md in which a stranger has Ollama's port: nothing of anybody's may go to it. */
import { expect, test } from "bun:test";
import { startCorral } from "../support/corral";

test("a stranger on Ollama's port gets no prompt and no key: everybody is told who it is", async () => {
  const asked: string[] = [];
  const stranger = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return new Response("hello");
    },
  });
  const corral = await startCorral({
    environment: { OLLAMA_PORT: String(stranger.port) },
    until: "listening",
  });
  try {
    const calls: [string, string, string | null][] = [
      ["POST", "/api/chat", '{"model":"llama3.2","prompt":"secret"}'],
      ["POST", "/api/chat", '{"model":"llama3.2","messages":[{"role":"user","content":"secret"}]}'],
      ["POST", "/api/generate", '{"model":"llama3.2","prompt":"secret"}'],
      ["POST", "/v1/chat/completions", '{"model":"llama3.2","messages":[]}'],
      ["POST", "/api/pull", '{"model":"llama3.2"}'],
      ["GET", "/api/ollama/models", null],
      ["POST", "/api/models/repository/sync", ""],
      ["POST", "/api/ollama/pull", '{"model":"llama3.2"}'],
      ["DELETE", "/api/ollama/models/llama3.2", null],
    ];
    for (const [method, path, body] of calls) {
      const response = await fetch(corral.url + path, {
        method,
        body,
        headers: { authorization: "Bearer secret" },
      });
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.text()).toContain(`port ${stranger.port} is held by`);
    }
    // Looking who is there is all.
    expect(new Set(asked)).toEqual(new Set(["GET /"]));
  } finally {
    await corral.stop();
    await stranger.stop(true);
  }
});
