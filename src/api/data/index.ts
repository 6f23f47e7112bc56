import type { Server } from "bun";
import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import type { Disk } from "../../ledger/budget";
import { countClearable } from "../../ledger/clear";
import type { Ledger } from "../../ledger/ledger";
import type { Keeping } from "../../ledger/retention";
import { about, errorModels, errors } from "../common";
import { type ClearQuery, clearQuery, dataModels } from "./model";
import { readWhere, refuseOddWords, sayCleared, summary } from "./service";

export interface DataParts {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly disk: Disk;
  readonly keeping: Keeping;
}

const narrowed =
  "`before` and `model` narrow it; a word that is not understood is refused. Space is given back before the answer, which may take minutes for millions of rows; it goes on when the client leaves, and records are taken meanwhile. With several servers on one database it deletes the rows of all. While a backup reads them it is refused (409)";

export function dataRoutes({ database, ledger, disk, keeping }: DataParts) {
  // Each handler names what it takes: Elysia would read the body for one that hands its whole context on.
  const clear = async (
    what: Parameters<Ledger["clear"]>[0],
    { request, query, server }: { request: Request; query: ClearQuery; server: Server<unknown> | null },
  ) => {
    refuseOddWords(request.url);
    const where = readWhere(query);
    server?.timeout(request, 0);
    return { where, ...(await ledger.clear(what, where)) };
  };
  return new Elysia({ name: "data" })
    .model({ ...dataModels, ...errorModels })
    .get("/api/data/summary", () => summary(database, disk, keeping), {
      response: { 200: "DataSummary", ...errors.server },
      detail: about("Data", "Data summary", "How much is kept, since when, until when, and how big it is."),
    })
    .get(
      "/api/data/clearable",
      async ({ request, query, server }) => {
        const where = readWhere(query);
        server?.timeout(request, 0);
        return countClearable(database, where);
      },
      {
        query: clearQuery,
        response: { 200: "Clearable", ...errors.invalid, ...errors.server },
        detail: about(
          "Data",
          "What clearing would delete",
          "How many rows `DELETE /api/data/…` would take with the same `before` and `model`, counted: of millions of rows it takes seconds.",
        ),
      },
    )
    .delete(
      "/api/data/metrics",
      async ({ request, query, server }) => {
        const { metrics, where } = await clear("metrics", { request, query, server });
        return { success: true, message: sayCleared("metrics", where), rows_deleted: metrics };
      },
      {
        query: clearQuery,
        response: { 200: "RowsCleared", ...errors.invalid, ...errors.conflict, ...errors.server },
        detail: about(
          "Data",
          "Clear metrics",
          `Deletes metrics, for good. Requests and their texts stay. ${narrowed}. The minute, the quarter of an hour, the hour and the day that \`before\` falls into stay whole.`,
          "deletes",
        ),
      },
    )
    .delete(
      "/api/data/logs",
      async ({ request, query, server }) => {
        const { logs, where } = await clear("logs", { request, query, server });
        return { success: true, message: sayCleared("request logs", where), rows_deleted: logs };
      },
      {
        query: clearQuery,
        response: { 200: "RowsCleared", ...errors.invalid, ...errors.conflict, ...errors.server },
        detail: about(
          "Data",
          "Clear request logs",
          `Deletes requests and their texts, for good. Metrics stay, events too: they are an audit trail. Requests in flight are kept. ${narrowed}.`,
          "deletes",
        ),
      },
    )
    .delete(
      "/api/data/all",
      async ({ request, query, server }) => {
        const { logs, metrics, where } = await clear("all", { request, query, server });
        return {
          success: true,
          message: sayCleared("data", where),
          metrics_deleted: metrics,
          logs_deleted: logs,
        };
      },
      {
        query: clearQuery,
        response: { 200: "AllCleared", ...errors.invalid, ...errors.conflict, ...errors.server },
        detail: about(
          "Data",
          "Clear all data",
          `Deletes metrics, requests and texts, for good. The model repository stays, and so do events: they are an audit trail. ${narrowed}. Of metrics, the minute, the quarter of an hour, the hour and the day that \`before\` falls into stay whole.`,
          "deletes",
        ),
      },
    );
}
