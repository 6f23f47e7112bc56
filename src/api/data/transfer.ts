/** Backups, their way back, and a person's own questions: what `corral backup`, `restore` and `sql` ask of a running server. */
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import { ownMigrations } from "../../database/migrations";
import { backupStream } from "../../database/transfer/backup-stream";
import { answerTo } from "../../database/transfer/reading";
import { restoreBackup } from "../../database/transfer/restore";
import { failure } from "../../errors";
import type { Ledger } from "../../ledger/ledger";
import { keptTables, liveTables } from "../../ledger/tables";
import type { Log } from "../../log";
import { about, errorModels, errors, jsonBody, nullable, streamed } from "../common";

export const transferModels = {
  Restored: Type.Object(
    {
      tables: Type.Array(
        Type.Object({
          table: Type.String({ examples: ["requests"] }),
          rows: Type.Integer({ examples: [42] }),
          checksum: Type.String({
            description: "Sum of the xxHash64 of the rows' lines, modulo 2^64, in hexadecimal digits",
            examples: ["9c2f01d45ab0e377"],
          }),
        }),
      ),
    },
    { description: "What was restored" },
  ),
  Answer: Type.Object(
    {
      columns: Type.Array(Type.String(), { examples: [["model", "count"]] }),
      rows: Type.Array(Type.Array(nullable(Type.String())), {
        description: "Values as PostgreSQL writes them",
        examples: [[["llama3.2", "42"]]],
      }),
      more: Type.Boolean({ description: "Whether there are more rows than these", examples: [false] }),
    },
    { description: "What the statement answers" },
  ),
  Question: Type.Object(
    {
      statement: Type.String({
        minLength: 1,
        maxLength: 100_000,
        description: "A single SELECT, VALUES or TABLE statement",
        examples: ["select model, count(*) from requests group by model"],
      }),
    },
    { description: "A question to the database" },
  ),
};

const example =
  '{"corral_backup":"header","version":1,…}\n{"corral_backup":"part","table":"requests",…}\n{"id":"…",…}\n{"corral_backup":"end","tables":[…]}\n';

/** A PostgreSQL server has a prompt of its own, and people who may use it. */
export function askedElsewhere() {
  return failure.invalid("the records are in a PostgreSQL server: ask it with psql and DATABASE_URL");
}

export interface TransferParts {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly version: string;
}

export function transferRoutes({ database, ledger, log, version }: TransferParts) {
  return new Elysia({ name: "transfer" })
    .model({ ...transferModels, ...errorModels })
    .get(
      "/api/data/backup",
      async ({ request, server }) => {
        server?.timeout(request, 0);
        const stream = await backupStream(database, keptTables, version, log);
        return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
      },
      {
        detail: {
          ...about(
            "Data",
            "Back up everything",
            "The whole database as it is at one moment, a row a line, while the server goes on. The last line says how much there is: without it the backup was cut off. `corral backup FILE` writes it to a file, compressed.",
            "reads texts",
          ),
          responses: {
            200: streamed("application/x-ndjson", "The backup", example),
          },
        },
      },
    )
    .post(
      "/api/data/restore",
      async ({ request, server }) => {
        server?.timeout(request, 0);
        const { body } = request;
        if (body === null) throw failure.invalid("there is no body: it takes a backup");
        const terms = { names: keptTables, live: liveTables, migrations: ownMigrations() };
        const tables = await ledger.pause(() =>
          database.hold((run) => restoreBackup(run, textOf(body), terms)),
        );
        log.info({ tables }, "a backup was restored");
        return { tables: [...tables] };
      },
      {
        parse: "none",
        response: { 200: "Restored", ...errors.invalid, ...errors.conflict, ...errors.server },
        detail: {
          ...about(
            "Data",
            "Restore a backup",
            "Puts a backup, sent as the body, into a database that is empty: whole or not at all. What ends meanwhile is kept, and stored after it.",
            "changes",
          ),
          requestBody: streamed("application/x-ndjson", "A backup's lines", example),
        },
      },
    )
    .post(
      "/api/data/query",
      ({ body }) => {
        if (database.kind === "server") throw askedElsewhere();
        return answerTo(database, body.statement);
      },
      {
        body: "Question",
        parse: jsonBody(transferModels.Question),
        response: { 200: "Answer", ...errors.invalid, ...errors.tooLarge, ...errors.server },
        detail: about(
          "Data",
          "Ask the embedded database",
          "A read-only SQL statement. At most 1,000 rows; one that takes longer than 10 s is ended, and the embedded database started anew.",
          "reads texts",
        ),
      },
    );
}

/** @throws Failure 400 for what is no text */
async function* textOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of body) yield decoded(() => decoder.decode(chunk, { stream: true }));
  yield decoded(() => decoder.decode());
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw failure.invalid("the body is no text: a backup's file is to be decompressed first (zstd)");
  }
}
