import type { Database } from "../../database/database";
import { canonicalModel } from "../../engine/models";
import type { Pull, PullView } from "../../engine/pull";
import type { Pulls } from "../../engine/pulls";
import { Failure, failure, quote } from "../../errors";
import { type ModelEvent, outcomeOf } from "../../ledger/event";
import { type EventRow, hasEnded, readPulls } from "../../ledger/read/events";
import { statusOf } from "../../ledger/record";

export interface PullsParts {
  readonly pulls: Pulls;
  readonly database: Database;
  readonly server: string;
}

/** What its events say that a pull came by. */
const pullPath = "/api/ollama/pull";
const prefix = "pull_";

/** Pulls that run, then those that are over, the newest first each; of the latter `limit` at most. */
export async function listPulls({ pulls, database, server }: PullsParts, limit: number) {
  const { running, past } = pulls;
  const kept = await readPulls(database, { server, path: pullPath, limit }).catch((error: unknown) => {
    // While the database is away what runs is still to be seen, and what ended since the start.
    if (error instanceof Failure && error.code === "database_away") return [];
    throw error;
  });
  const known = new Set(past.map(({ id }) => id));
  const over = [...past.map(sayPull), ...kept.filter(({ id }) => !known.has(id)).map(sayKept)];
  over.sort((a, b) => (a.id < b.id ? 1 : -1));
  return { pulls: [...running.map(sayPull), ...over.slice(0, limit)] };
}

/** @throws Failure 404 for a pull that never was, 409 for one that is over */
export async function cancelPull({ pulls, database }: PullsParts, id: string): Promise<void> {
  const bare = id.startsWith(prefix) ? id.slice(prefix.length) : id;
  if (pulls.cancel(bare)) return;
  if (pulls.past.some((pull) => pull.id === bare) || (await hasEnded(database, bare)))
    throw failure.conflict(`the pull ${quote(id)} is over: there is nothing to cancel`);
  throw failure.noSuch("pull_not_found", `there is no pull ${quote(id)}`);
}

/** A pull that is over, for the record. */
export function eventOf(pull: Pull): ModelEvent {
  const { id, model, insecure, startedAt, who } = pull.asked;
  return {
    id,
    at: new Date(startedAt),
    action: "pull",
    model: canonicalModel(model),
    source: null,
    insecure,
    path: pullPath,
    ...who,
    outcome: pull.failure ? outcomeOf(pull.failure) : "complete",
    error: pull.failure?.message ?? null,
    bytes: pull.layers.completed,
    durationMs: pull.durationMs,
  };
}

function sayPull(pull: PullView) {
  return {
    id: prefix + pull.id,
    model: canonicalModel(pull.model),
    insecure: pull.insecure,
    status: pull.state,
    step: pull.step,
    started_at: pull.startedAt.toISOString(),
    ended_at: pull.endedAt?.toISOString() ?? null,
    total: pull.total,
    completed: pull.completed,
    rate_bytes_per_second: pull.rate,
    seconds_left: pull.secondsLeft,
    error: pull.error,
  };
}

/** A pull of an earlier start, as far as its event tells. */
function sayKept(row: EventRow): ReturnType<typeof sayPull> {
  const isComplete = row.outcome === "complete";
  const isCanceled = statusOf(row.outcome) === "aborted";
  return {
    id: prefix + row.id,
    model: row.model ?? "",
    insecure: row.insecure ?? false,
    status: isComplete ? "complete" : isCanceled ? "canceled" : "error",
    step: isComplete ? "complete" : "error",
    started_at: row.at.toISOString(),
    ended_at: new Date(row.at.getTime() + row.duration_ms).toISOString(),
    total: isComplete ? row.bytes : null,
    completed: row.bytes,
    rate_bytes_per_second: null,
    seconds_left: null,
    error: row.error,
  };
}
