/** What the view has asked for, and how it is apart. */
import { call, type History, type Summary } from "../../shared/api";
import { type Range, readRange } from "./range";

export type Point = History["metrics"][number];

export const percentileNames = ["p50", "p95", "p99"] as const;
export type PercentileName = (typeof percentileNames)[number];

export interface Asked extends Range {
  readonly model: string | null;
  readonly operation: string | null;
  readonly server: string | null;
  readonly group_by: string | null;
}

export interface Figures {
  /** What they answer, as text. */
  readonly key: string;
  readonly asked: Asked;
  /** All points of the range, of everything that was asked for together. */
  readonly all: History;
  /** Points with requests, apart; null where they are not. */
  readonly apart: History | null;
  readonly summary: Summary;
}

const stepsMs: Readonly<Record<History["bucket"], number>> = {
  "1m": 60_000,
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "1d": 86_400_000,
};
const stepWords: Readonly<Record<History["bucket"], string>> = {
  "1m": "1 minute",
  "5m": "5 minutes",
  "15m": "15 minutes",
  "1h": "1 hour",
  "1d": "1 day",
};
/** More than of one kind. */
const operationWords: Readonly<Record<string, string>> = {
  chat: "chats",
  completion: "completions",
  embedding: "embeddings",
  transcription: "transcriptions",
};

export const operations = Object.entries(operationWords);

export function readAsked(query: URLSearchParams): Asked {
  const [model, operation, server, group_by] = ["model", "operation", "server", "group_by"].map(
    (name) => query.get(name) || null,
  );
  return {
    ...readRange(query),
    model: model ?? null,
    operation: operation ?? null,
    server: server ?? null,
    group_by: group_by ?? null,
  };
}

export async function loadFigures(asked: Asked, signal: AbortSignal): Promise<Figures> {
  const query = { ...asked };
  const [all, apart, summary] = await Promise.all([
    call("GET /api/stats/history", { query: { ...query, group_by: null, fill: true }, signal }),
    asked.group_by === null ? null : call("GET /api/stats/history", { query, signal }),
    call("GET /api/stats/summary", { query, signal }),
  ]);
  return { key: JSON.stringify(asked), asked, all, apart, summary };
}

export function stepMsOf({ bucket }: History): number {
  return stepsMs[bucket];
}

export function sayStep({ bucket }: History): string {
  return stepWords[bucket];
}

/** What percentiles are of, such as "chats"; null where each kind of work has its own. */
export function percentilesOf({ summary }: Figures): string | null {
  const { percentiles_of: operation } = summary;
  return operation && (operationWords[operation] ?? operation);
}

type Group = Pick<Point, "model" | "operation" | "server">;

/** Whose a figure is, where figures are apart. */
export function groupOf({ model, operation, server }: Group): string {
  if (model === null) return "unknown models";
  return model ?? (operation && (operationWords[operation] ?? operation)) ?? shortServer(server ?? "");
}

/** The end of a server's id tells it from others: ids begin with the time. */
export function shortServer(id: string): string {
  return `…${id.slice(-6)}`;
}
