import { Elysia } from "elysia";
import type { Database } from "../../../database/database";
import type { Log } from "../../../log";
import { about, coerce, documented, errorModels, errors, streamed } from "../../common";
import { csvHead } from "./csv";
import { exportQuery, logsModels, logsQuery } from "./model";
import { exportLogs, logs } from "./service";

const example =
  '{"id":"req_019ab2c4-6f10-7000-8000-000000000001","timestamp":"2026-11-25T10:15:23.000Z","model":"llama3.2","prompt":"What is Python?"}\n';

export function logRoutes({ database, log }: { readonly database: Database; readonly log: Log }) {
  return new Elysia({ name: "logs" })
    .model({ ...logsModels, ...errorModels })
    .get("/api/stats/logs", ({ query }) => logs(database, query), {
      query: logsQuery,
      transform: coerce(logsQuery),
      response: { 200: "Logs", ...errors.invalid, ...errors.server },
      detail: about(
        "Statistics",
        "Request logs",
        "Requests with prompt and reply: filtered, sorted, searched, page by page. A page looks for a second at most: what is rare may take several, each with the `next` of the one before.",
        "reads texts",
      ),
    })
    .get(
      "/api/stats/logs/export",
      async ({ query, request, server }) => {
        // A slow reader takes its time, and what is rare is looked for in silence.
        server?.timeout(request, 0);
        const { name, contentType, body } = await exportLogs(database, query, log);
        return new Response(body, {
          headers: {
            "content-type": contentType,
            "content-disposition": `attachment; filename="${name}"`,
            "cache-control": "no-store",
          },
        });
      },
      {
        query: exportQuery,
        transform: coerce(exportQuery),
        detail: {
          ...about(
            "Statistics",
            "Export of request logs",
            "Every request that the filters let through and that began before the export did, as a file of any size. A connection that breaks means that it is not whole. In CSV a text that a spreadsheet would run as a formula has a ' in front.",
            "reads texts",
          ),
          responses: {
            200: {
              description: "A request a line",
              content: {
                ...streamed("application/x-ndjson", "", example).content,
                ...streamed("text/csv", "", csvHead).content,
              },
            },
            400: documented("The request can't be carried out as it stands", "InvalidRequest"),
            500: documented("Something behind the API does not work", "ServerError"),
          },
        },
      },
    );
}
