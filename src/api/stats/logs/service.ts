import type { Database, Sql } from "../../../database/database";
import { canonicalModel } from "../../../engine/models";
import { failure, messageOf, quote } from "../../../errors";
import { isUuid } from "../../../ids";
import { readEntries } from "../../../ledger/read/entry";
import { exportRequests } from "../../../ledger/read/export";
import type { LogFilter } from "../../../ledger/read/filter";
import { type LogPage, readLogs } from "../../../ledger/read/logs";
import { readWhole } from "../../../ledger/read/request";
import type { Place } from "../../../ledger/read/walk";
import type { Log } from "../../../log";
import { rangeOf } from "../../common";
import { csvHead, csvLine } from "./csv";
import type { ExportQuery, LogsFilter, LogsQuery } from "./model";

/** A page of logs. */
export function logs(database: Database, asked: LogsQuery): Promise<LogPage> {
  const { limit = 100, offset = 0, sort = "timestamp", order = "desc", q, cursor, text_length } = asked;
  return readLogs(database, {
    ...filterOf(asked),
    ...{ limit, offset, sort, order, q, cursor, textLength: text_length },
  });
}

export interface Exported {
  /** What the browser is to call the file. */
  readonly name: string;
  readonly contentType: string;
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Logs as a file. Read as it is taken; what fails on the way breaks the connection, so that half a file is never
 * taken for a whole one.
 */
export async function exportLogs(database: Database, asked: ExportQuery, log: Log): Promise<Exported> {
  const { format = "ndjson", order = "desc", q } = asked;
  const query = { ...filterOf(asked), order, q };
  const slices = <T>(read: (sql: Sql, places: readonly Place[]) => Promise<T[]>, line: (row: T) => string) =>
    linesOf(exportRequests(database, query, read), line);
  const lines =
    format === "csv"
      ? slices(readEntries, csvLine)
      : slices(readWhole, (request) => `${JSON.stringify(request)}\n`);
  // What can't be read at all is an answer with an error, and no broken file.
  const first = await lines.next();
  const head = format === "csv" ? csvHead : "";
  return {
    name: `corral-logs-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.${format}`,
    contentType: format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson",
    body: pulled(head + (first.value ?? ""), lines, log),
  };
}

async function* linesOf<T>(
  slices: AsyncGenerator<T[], void>,
  line: (row: T) => string,
): AsyncGenerator<string, void> {
  for await (const slice of slices) yield slice.map(line).join("");
}

function pulled(first: string, rest: AsyncGenerator<string, void>, log: Log): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let head = first;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = head === "" ? await rest.next() : { done: false, value: head };
          head = "";
          if (next.done || next.value === undefined) controller.close();
          else controller.enqueue(encoder.encode(next.value));
        } catch (error) {
          log.warn({ error: messageOf(error) }, "an export of logs broke off");
          // Without a reason: Bun 1.4.4 prints one with its stack.
          controller.error();
        }
      },
      cancel: async () => {
        await rest.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** @throws Failure `invalid_request` for a range or a server's id that is none */
function filterOf(asked: LogsFilter): LogFilter {
  const { model, status, outcome, dialect, operation, client_ip, user, server, min_latency_ms } = asked;
  if (server !== undefined && !isUuid(server.toLowerCase()))
    throw failure.invalid(`server is ${quote(server)}: it takes the id of a Corral, a UUID`);
  return {
    model: model === undefined ? undefined : canonicalModel(model),
    ...{ status, outcome, dialect, operation, user, server },
    client: client_ip,
    ...rangeOf(asked),
    minLatencyMs: min_latency_ms,
  };
}
