/** Puts the demo's history and notes where real ones are, by the ways that real ones go. */
import { addModel, changeModel, syncModels } from "../api/models/repository";
import type { Database } from "../database/database";
import { createLedger } from "../ledger/ledger";
import type { RequestRecord } from "../ledger/record";
import type { Log } from "../log";
import { demoModels, embeddingModel, formerModel } from "./models";

export interface FillParts {
  readonly database: Database;
  /** The server that the records name as theirs. */
  readonly server: string;
  readonly keepContents: boolean;
  readonly log: Log;
}

/** It takes the embedded database seconds; this is for a machine that is busy. */
const STORE_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 25;

/**
 * Waits for the database and writes the records and the notes.
 * @throws Failure when the database never comes up; Error when it did not take all records in two minutes
 */
export async function fillDemo(
  { database, server, keepContents, log }: FillParts,
  history: readonly RequestRecord[],
): Promise<void> {
  await database.firstAttempt;
  await noteModels(database);
  // A ledger of its own: nobody listens to it, so three thousand requests of the past are no lines in the log, and
  // the server's own counts requests of today alone.
  const ledger = createLedger({ database, server, keepContents, log });
  // The latest first: what people look at is there after the first batch.
  for (const record of history.toReversed()) ledger.begin(record).end(record);
  const until = performance.now() + STORE_WITHIN_MS;
  // Not by `stop`, whose timer of two minutes would outlast the work.
  while (ledger.standing().waiting > 0 && performance.now() < until) await Bun.sleep(LOOK_EVERY_MS);
  await ledger.stop(0);
  const { stored } = ledger.standing();
  if (stored < history.length)
    throw new Error(`only ${stored} of the demo's ${history.length} requests could be stored`);
}

async function noteModels(database: Database): Promise<void> {
  const notes = [...demoModels, embeddingModel].map(({ name, notes }) => ({ name, ...notes }));
  const names = notes.map((model) => model.name);
  await syncModels(database, names, () => "");
  for (const { name, ...changes } of notes) await changeModel(database, name, changes);
  await addModel(database, formerModel.name, formerModel.notes);
}
