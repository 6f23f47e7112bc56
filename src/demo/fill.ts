/** Puts the demo's history and notes where real ones are, by the ways that real ones go. */
import { addModel, changeModel, syncModels } from "../api/models/repository";
import type { Database } from "../database/database";
import { type RequestRecord, withoutTexts } from "../ledger/record";
import { storeRecords } from "../ledger/rows";
import { demoModels, embeddingModel, formerModel } from "./models";

export interface FillParts {
  readonly database: Database;
  /** The server that the records name as theirs. */
  readonly server: string;
  readonly keepContents: boolean;
}

const RECORDS_A_BATCH = 200;
/** A batch takes the embedded database a part of a second; this is for a machine that is busy. */
const STORE_WITHIN_MS = 120_000;

/**
 * Waits for the database and writes the records and the notes.
 * @throws Failure when the database never comes up, or goes away meanwhile
 */
export async function fillDemo(
  { database, server, keepContents }: FillParts,
  history: readonly RequestRecord[],
): Promise<void> {
  await database.firstAttempt;
  await noteModels(database);
  // Straight to where the ledger stores: nobody is told of three thousand requests of the past, and the server's own
  // counts are of requests of today alone.
  const partitions = new Set<string>();
  // The latest first: what people look at is there after the first batch.
  const records = history.toReversed().map((record) => (keepContents ? record : withoutTexts(record)));
  for (let from = 0; from < records.length; from += RECORDS_A_BATCH) {
    const batch = records.slice(from, from + RECORDS_A_BATCH);
    await database.transaction((sql) => storeRecords(sql, batch, server, partitions), STORE_WITHIN_MS);
  }
}

async function noteModels(database: Database): Promise<void> {
  const notes = [...demoModels, embeddingModel].map(({ name, notes }) => ({ name, ...notes }));
  const names = notes.map((model) => model.name);
  await syncModels(database, names, () => "");
  for (const { name, ...changes } of notes) await changeModel(database, name, changes);
  await addModel(database, formerModel.name, formerModel.notes);
}
