/** `corral health`: whatever the server that answers says of itself, it is understood. */
import { afterAll, expect, test } from "bun:test";
import { runCommand } from "../support/command";
import { scratchFolder } from "../support/scratch";

const folder = scratchFolder("corral-health-");
const disk = {
  budget_bytes: null,
  used_bytes: 54_508_440,
  database_bytes: 48_586_875,
  spool_bytes: 5_921_565,
  engine_log_bytes: 0,
  free_bytes: 73_349_894_144,
  bytes_a_day: 437_283,
  full_at: "2486-03-02T23:40:54.554Z",
  texts_since: "2026-11-29T00:00:00.000Z",
  requests_since: "2026-11-01T00:00:00.000Z",
};
let answer: unknown = null;
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(answer) });
afterAll(() => server.stop(true));
const health = () => runCommand(["health", "--port", String(server.port)], { folder });

test("a server that has records, and knows since when, is well", async () => {
  answer = {
    status: "healthy",
    ollama_running: true,
    database_connected: true,
    message: "All systems operational",
    disk,
    version: "0.1.0",
  };
  expect(await health()).toMatchObject({ code: 0, stdout: "healthy: All systems operational\n" });
});

test("another program is no Corral", async () => {
  answer = { status: "ok" };
  const { code, stderr } = await health();
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("another program does"),
  });
});
