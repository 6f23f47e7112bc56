/**
 * The sockets of a client of postgres.js, so that they can be ended. Its own way (3.4.9) is to say goodbye and wait
 * for the other side's: a server that is frozen never says it, and each try to connect would cost a file.
 */
import { connect, type Socket } from "node:net";

/** What postgres.js hands over: the hosts of the URL, with a port for each, or a unix socket's path. */
export interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false | undefined;
}

export class Sockets {
  readonly #sockets = new Set<Socket>();
  #ended = false;
  #used = false;

  /**
   * Connects to the first of the hosts that takes it. Once only: postgres.js would try again without a pause, and
   * without an end, where something accepts and closes at once (Docker's proxy before its container is up).
   * @throws the system's error for the last of the hosts
   */
  readonly open = async ({ host, port, path }: Target): Promise<Socket> => {
    if (this.#used) throw Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
    this.#used = true;
    if (typeof path === "string") return this.#connect({ path });
    let error: unknown = new Error("no host is named");
    for (const [index, name] of host.entries()) {
      try {
        // postgres.js reads the host off its socket, for the name that TLS asks for.
        return Object.assign(await this.#connect({ host: name, port: port[index] ?? 5432 }), { host: name });
      } catch (thrown) {
        error = thrown;
      }
    }
    throw error;
  };

  /** Ends them at once, and those still being opened. */
  destroy(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(to: { path: string } | { host: string; port: number }): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const socket = connect(to);
    this.#sockets.add(socket);
    socket.once("error", reject);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      reject(new Error("the connection was closed before it was open"));
    });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    if (this.#ended) socket.destroy();
    return promise;
  }
}
