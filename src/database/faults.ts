/** Whether an error is about one statement, which is its caller's, or about the database, which is everybody's. */
import postgres from "postgres";
import { Failure, failure, messageOf } from "../errors";

/**
 * away: the connection is no good any more. refused: the server is there and can't do it now (disk full, too many
 * connections, canceled). own: the statement's fault, or not the database's at all.
 */
export type Fault = "away" | "refused" | "own";

/** SQLSTATE classes: connection, not let in. Errors: no such database, a standby, shut down or not yet up. */
const awayStates = /^(08...|28...|3D000|25006|57P0[1-5])$/;
/** SQLSTATE classes: insufficient resources, operator intervention, system error. */
const refusedStates = /^(53|57|58)...$/;
/** postgres.js's own codes, and the system's (ECONNREFUSED, ENOENT, EPIPE). */
const connectionCodes = /^(CONNECTION_[A-Z]+|CONNECT_TIMEOUT|E(?!RR_)[A-Z_]+)$/;

/** What kind of error was thrown by a query. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof postgres.PostgresError) {
    if (awayStates.test(thrown.code)) return "away";
    return refusedStates.test(thrown.code) ? "refused" : "own";
  }
  return thrown instanceof Error && "code" in thrown && connectionCodes.test(String(thrown.code))
    ? "away"
    : "own";
}

/** Whether postgres.js raised it because we ended the connection. */
export function isOurDoing(thrown: unknown): boolean {
  return codeOf(thrown) === "CONNECTION_DESTROYED" || codeOf(thrown) === "CONNECTION_ENDED";
}

/** The database is busy with other work: nothing is wrong with it. */
export function busy(waitedMs: number): Failure {
  return failure.database(`it is busy: no free connection within ${seconds(waitedMs)}`);
}

/** A query took longer than its caller allows. */
export function late(deadlineMs: number): Failure {
  return failure.database(`no answer within ${seconds(deadlineMs)}`);
}

/** Why the database is away, in words for a person. Never a password: no message of postgres.js holds one. */
export function whyOf(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message.replace(/^Database connection failed: /, "");
  const message = messageOf(thrown);
  return codeOf(thrown) === "ECONNREFUSED" ? `nothing answers there (${message || "ECONNREFUSED"})` : message;
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : null;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
