/** What a PostgreSQL server must be like. */
import { failure } from "../errors";
import type { Work } from "./line";

const OLDEST = 14;

/**
 * Asks a server whether it is new enough and takes writes.
 * @throws Failure `database_too_old` naming its version; `database_away` for a standby
 */
export const requireServer: Work<void> = async (sql) => {
  const [row] = await sql<{ number: number; version: string; readonly: boolean }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      current_setting('transaction_read_only')::boolean as readonly`;
  if (row === undefined) throw failure.database("it does not say what it is");
  if (row.number < OLDEST * 10_000) throw tooOld(row.version);
  if (row.readonly)
    throw failure.database("it takes no writes (a standby, or default_transaction_read_only is on)");
};

/**
 * Asks whether a move into this database was broken off: what a server would write there now, the move would not expect.
 * @throws Failure `half_moved`
 */
export const requireWhole: Work<void> = async (sql) => {
  const [row] = await sql<{ half: boolean }[]>`select to_regclass('corral_move') is not null as half`;
  if (row?.half)
    throw failure.start(
      "half_moved",
      "a move into the database of DATABASE_URL was broken off: run `corral move` again, which goes on with it, or leave DATABASE_URL empty until then",
    );
};

/** The failure for a server of a version before 14. */
export function tooOld(version: string) {
  return failure.start(
    "database_too_old",
    `the PostgreSQL server of DATABASE_URL is version ${version}: Corral needs ${OLDEST} or later. Upgrade it, or leave DATABASE_URL empty to use the embedded one`,
  );
}

/**
 * Whether a URL can be read at all: the errors of those who try hold the whole of it, password and all.
 * @throws Failure `wrong_setting`, without the URL
 */
export function requireUrl(url: string): void {
  try {
    const { username, password, hostname } = new URL(url);
    decodeURIComponent(username + password + hostname);
  } catch {
    throw failure.setting(
      "DATABASE_URL",
      "(not shown: it may hold a password)",
      "a URL such as postgres://user:password@host:5432/corral, with special characters of the password written as %40 and so on",
    );
  }
}
