/** What a query is written with: postgres.js's tag, as it is both outside and inside a transaction. */
import postgres from "postgres";
import type { Sockets } from "./sockets";
import { arrays, int8 } from "./types";

type Types = { bigint: number | bigint };

export type Sql = postgres.ISql<Types>;
/** A client of postgres.js's own. */
export type Client = postgres.Sql<Types>;

/** Where a database answers. */
export type Address =
  | { readonly kind: "server"; readonly url: string }
  | { readonly kind: "embedded"; readonly socketPath: string };

export interface Ears {
  /** The connection is gone. */
  readonly onclose: () => void;
  readonly onnotice: (message: string) => void;
  /** What opens its socket. */
  readonly sockets: Sockets;
}

/**
 * A client with a single connection, opened at its first query.
 * @throws TypeError for a URL that can't be read; its message may hold the password
 */
export function connect(address: Address, { onclose, onnotice, sockets }: Ears): Client {
  const options = {
    max: 1,
    // We decide when a connection ends: postgres.js would renew each after 30 to 60 minutes.
    max_lifetime: null,
    fetch_types: false,
    types: { ...arrays, bigint: int8 },
    connection: { application_name: "corral", TimeZone: "UTC" },
    socket: sockets.open,
    onclose,
    onnotice: (notice: postgres.Notice) => onnotice(notice.message ?? ""),
  };
  // Everything is named for the embedded one: what is not would come from PGHOST and its like.
  return address.kind === "server"
    ? postgres(address.url, options)
    : postgres({
        ...options,
        host: "localhost",
        path: address.socketPath,
        user: "postgres",
        password: "",
        database: "postgres",
        ssl: false,
      });
}
