/** A TCP proxy: a connection that can be cut while both its ends are well. */
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  readonly port: number;
  /** Breaks every connection, and each new one at once, until `mend`. */
  cut(): void;
  mend(): void;
  stop(): void;
}

/** Starts one to a port of this machine. */
export async function startProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // What breaks on one side breaks on the other.
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const target = connect(to, "127.0.0.1");
    keep(client, target);
    keep(target, client);
    client.pipe(target).pipe(client);
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await listening;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    stop() {
      server.close();
      breakAll();
    },
  };
}
