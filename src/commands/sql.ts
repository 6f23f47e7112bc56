/** `corral sql`: read-only questions to the embedded database, from the command line, from stdin, or at a prompt. */
import { createInterface } from "node:readline/promises";
import { Value } from "@sinclair/typebox/value";
import { askedElsewhere, transferModels } from "../api/data/transfer";
import { csvField } from "../csv";
import { type Answer, answerTo } from "../database/transfer/reading";
import { Failure, failure } from "../errors";
import type { Settings } from "../settings";
import { reach } from "./reach";

type Ask = (statement: string) => Promise<Answer>;

/**
 * Answers a statement, or each of a prompt's.
 * @param given statement of the command line; else stdin is one, or the prompt of a terminal
 * @throws Failure for a statement that is refused, outside a prompt
 */
export async function sql(settings: Settings, given: string): Promise<void> {
  if (settings.values.databaseUrl !== "") throw askedElsewhere();
  const talk = async (ask: Ask) => {
    if (given === "" && process.stdin.isTTY) return prompt(ask);
    show(await ask(given || (await Bun.stdin.text())));
  };
  await reach(
    settings,
    "corral sql",
    (server) =>
      talk(async (statement) => {
        const body = JSON.stringify({ statement });
        const answer: unknown = await (await server.ask("/api/data/query", { method: "POST", body })).json();
        if (!Value.Check(transferModels.Answer, answer))
          throw failure.invalid("the server's answer can't be read");
        return answer;
      }),
    (database) => talk((statement) => answerTo(database, statement)),
  );
}

/** Until its end (Ctrl-D). A statement ends with a semicolon, and may have several lines. */
async function prompt(ask: Ask): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: "corral=> " });
  console.log(
    "Read-only; a statement ends with ;  Ctrl-D ends. Tables: requests, contents, metrics, histograms, events, repository, spools",
  );
  terminal.prompt();
  let statement = "";
  for await (const line of terminal) {
    statement += `${line}\n`;
    if (statement.trimEnd().endsWith(";")) {
      try {
        show(await ask(statement));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        console.error(error.message);
      }
      statement = "";
    }
    terminal.setPrompt(statement.trim() === "" ? "corral=> " : "corral-> ");
    terminal.prompt();
  }
}

/** Aligned in a terminal, else CSV (RFC 4180), where null is an empty field and an empty text is "". */
function show({ columns, rows, more }: Answer): void {
  console.log(process.stdout.isTTY ? tableOf(columns, rows) : csvOf(columns, rows));
  if (more)
    console.error(
      `These are the first ${rows.length} rows: ask for fewer, or take \`corral backup\` for all.`,
    );
}

const WIDEST = 60;

function tableOf(columns: readonly string[], rows: Answer["rows"]): string {
  const cell = (value: string | null) => {
    const line = (value ?? "null").replace(/\s+/g, " ");
    return line.length > WIDEST ? `${line.slice(0, WIDEST - 1)}…` : line;
  };
  const lines = [columns.map(cell), ...rows.map((row) => row.map(cell))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const [head = "", ...rest] = lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd(),
  );
  return [head, widths.map((width) => "-".repeat(width)).join("-+-"), ...rest].join("\n");
}

function csvOf(columns: readonly string[], rows: Answer["rows"]): string {
  const field = (value: string | null) => (value === null ? "" : csvField(value) || '""');
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n");
}
