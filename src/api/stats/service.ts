import type { Database } from "../../database/database";
import { canonicalModel } from "../../engine/models";
import type { OllamaService } from "../../engine/service";
import { means } from "../../ledger/read/figures";
import { type ModelFigures, readModels, readTotals } from "../../ledger/read/statistics";
import type { CurrentQuery, CurrentStatistics, ModelStatistics, ModelsQuery } from "./model";

export interface StatsParts {
  readonly database: Database;
  readonly engine: OllamaService;
  /** Seconds since Corral's start. */
  readonly uptimeSeconds: () => number;
}

export async function currentStatistics(
  { database, engine, uptimeSeconds }: StatsParts,
  { server }: CurrentQuery,
): Promise<CurrentStatistics> {
  const totals = await readTotals(database, server);
  return {
    total_requests: totals.requests,
    total_tokens: totals.tokens,
    total_errors: totals.errors,
    total_truncated: totals.truncated,
    avg_latency_ms: totals.averageLatencyMs,
    models_in_use: totals.models,
    uptime_seconds: Math.floor(engine.owned ? engine.uptimeSeconds : uptimeSeconds()),
    timestamp: new Date().toISOString(),
  };
}

export async function modelStatistics(database: Database, asked: ModelsQuery): Promise<ModelStatistics> {
  const { limit = 100, offset = 0, sort = "total_requests", order = "desc", hours, server } = asked;
  const model = asked.model === undefined ? undefined : canonicalModel(asked.model);
  const models = (await readModels(database, { hours, server }))
    .filter((row) => model === undefined || row.model === model)
    .map(sayModel);
  const direction = order === "desc" ? -1 : 1;
  models.sort((a, b) => {
    const [x, y] = [a[sort], b[sort]];
    // What has no value comes last either way.
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : x < y ? -direction : direction;
  });
  return { models: models.slice(offset, offset + limit) };
}

/** A model's figures in the contract's words. */
function sayModel(row: ModelFigures) {
  return {
    name: row.model,
    total_requests: row.requests,
    total_tokens: row.tokens,
    total_truncated: row.truncated,
    ...means(row),
    error_rate: row.requests > 0 ? row.errors / row.requests : 0,
    last_used: row.last_used.toISOString(),
  };
}
