/** Connections to an engine that is slow to be there, or never is. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { Connections, NoConnection } from "../../../src/engine/http/connections";
import { eventually } from "../../support/corral";

/** Takes connections, and says nothing to whoever begins a handshake. */
const open = new Set<Socket>();
let came = 0;
const mute = await listening(
  createServer((socket) => {
    came++;
    open.add(socket);
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
  }),
);
beforeEach(() => {
  came = 0;
});
afterAll(() => {
  for (const socket of open) socket.destroy();
  mute.server.close();
});

const asking = { method: "GET", path: "/", header: "", body: null, length: null };

test("a handshake that never ends is left when the request is, and its connection is closed", async () => {
  const connections = new Connections();
  const leaving = new AbortController();
  const asked = connections.ask(`https://localhost:${mute.port}`, { ...asking, signal: leaving.signal });
  await eventually(
    async () => came,
    (count) => count > 0,
  );
  leaving.abort("the client left");
  expect(await asked.catch((error: unknown) => error)).toBeInstanceOf(Error);
  await eventually(
    async () => open.size,
    (count) => count === 0,
  );
});

test("a handshake that never ends is given up, and its connection is closed", async () => {
  const connections = new Connections(20);
  const { signal } = new AbortController();
  const asked = connections.ask(`https://localhost:${mute.port}`, { ...asking, signal });
  expect(await asked.catch((error: unknown) => error)).toBeInstanceOf(NoConnection);
  await eventually(
    async () => open.size,
    (count) => count === 0,
  );
});

async function listening(server: Server): Promise<{ server: Server; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return { server, port: address.port };
}
