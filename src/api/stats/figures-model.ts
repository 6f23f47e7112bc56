/** Schemas of figures over time and of a range as a whole. */
import { type Static, Type } from "@sinclair/typebox";
import { groupings, usualOperation } from "../../ledger/read/figures";
import { bucketNames } from "../../ledger/read/history";
import { operations, outcomes } from "../../ledger/record";
import { moment, nullable, oneOf, timeSchema } from "../common";
import { hours, model, ms, rate, server, speed, truncated } from "./model";

/** Whose figures, and of what time. */
const rangeQuery = {
  hours: Type.Optional(
    Type.Integer({ ...hours, description: "How far back from `to`, in hours; 24 when absent" }),
  ),
  // No example: beside that of `hours` it is refused, and Swagger's form would hold both.
  from: moment("Begin of the range, such as 2026-11-24T08:00:00Z, instead of `hours`"),
  to: moment("End of the range; now when absent", "2026-11-24T18:00:00Z"),
  model: Type.Optional(model),
  operation: Type.Optional(
    oneOf(operations, {
      description: `Only this kind of work. Percentiles are never of several: without it they are of ${usualOperation} alone, and all else of everything`,
      examples: ["chat"],
    }),
  ),
  server: Type.Optional(server),
  group_by: Type.Optional(oneOf(groupings, { description: "Figures apart for each", examples: ["model"] })),
};

export const historyQuery = Type.Object({
  ...rangeQuery,
  bucket: Type.Optional(
    oneOf(bucketNames, {
      description: "Length of a point; chosen for at most 400 points when absent",
      examples: ["5m"],
    }),
  ),
  fill: Type.Optional(
    Type.Boolean({ default: false, description: "Answer points without requests too", examples: [false] }),
  ),
});

export const summaryQuery = Type.Object(rangeQuery);

const count = (description: string, example: number) => Type.Number({ description, examples: [example] });
const percentilesOf = (description: string, p50: number, p95: number, p99: number) =>
  nullable(
    Type.Object({
      p50: Type.Number({ examples: [p50] }),
      p95: Type.Number({ examples: [p95] }),
      p99: Type.Number({ examples: [p99] }),
    }),
    { description: `${description}; within 1 % of the exact ones` },
  );
const percentiles = {
  latency_ms: percentilesOf("Of successes, to the last byte, ms", 1100, 2900, 4100),
  ttft_ms: percentilesOf("Of streamed successes, to the first piece, ms", 180, 420, 900),
};
const percentilesNamed = nullable(oneOf(operations), {
  description: "What the percentiles are of; null where operations are apart, and each has its own",
  examples: ["chat"],
});

/** Whose a figure is, where figures are apart, and what is counted. */
const figures = {
  model: Type.Optional(
    nullable(Type.String(), {
      description: "With group_by=model; null for requests of models that Ollama does not know",
      examples: ["llama3.2"],
    }),
  ),
  operation: Type.Optional(Type.String({ description: "With group_by=operation", examples: ["chat"] })),
  server: Type.Optional(
    Type.String({
      description: "With group_by=server",
      examples: ["019ab2c4-6f10-7000-8000-000000000001"],
    }),
  ),
  requests: count("All that ended", 25),
  successes: count("Those that were answered whole", 22),
  aborts: count("Those whose clients left, or that were canceled", 2),
  errors: count("All others", 1),
  outcomes: Type.Partial(Type.Object(Object.fromEntries(outcomes.map((name) => [name, Type.Number()]))), {
    description:
      "Requests by how they ended, exactly; those that did not occur are left out, and what was recorded by a version that did not count them",
    examples: [{ complete: 21, length: 1, client_abort: 2, engine_error: 1 }],
  }),
  truncated,
  tokens_in: count("Prompt tokens", 3000),
  tokens_out: count("Completion tokens", 5230),
  tokens_per_second: nullable(speed),
  avg_latency_ms: nullable(ms("Mean latency of successes", 1200)),
  error_rate: nullable(rate),
};

const rangeFigures = Type.Object({
  ...figures,
  percentiles: Type.Object({
    ...percentiles,
    tokens_per_second: percentilesOf("Completion tokens over the engine's own generation time", 45, 52, 54),
    queued_ms: percentilesOf(
      "What loading and reading the prompt leave of the time to the first piece, ms: waiting for a turn, mostly",
      3,
      800,
      2400,
    ),
    load_ms: percentilesOf("Loading, of requests that had their model loaded, ms", 2200, 5600, 6100),
  }),
  last_used: nullable(timeSchema, { description: "When the last request began" }),
});

export const figuresModels = {
  History: Type.Object(
    {
      metrics: Type.Array(
        Type.Object({
          timestamp: timeSchema,
          requests_per_minute: Type.Number({ examples: [5] }),
          ...figures,
          percentiles: Type.Object(percentiles),
        }),
      ),
      bucket: oneOf(bucketNames, { description: "Length of a point", examples: ["5m"] }),
      percentiles_of: percentilesNamed,
    },
    { description: "Points over time, oldest first" },
  ),
  Summary: Type.Object(
    {
      from: timeSchema,
      to: timeSchema,
      percentiles_of: percentilesNamed,
      total: rangeFigures,
      groups: Type.Array(rangeFigures, { description: "Most used first; empty without group_by" }),
    },
    {
      description:
        "Figures of a range as one. It is widened to whole minutes, or quarters of an hour where it begins over 14 days ago",
    },
  ),
};
export type HistoryQuery = Static<typeof historyQuery>;
export type History = Static<(typeof figuresModels)["History"]>;
export type SummaryQuery = Static<typeof summaryQuery>;
export type Summary = Static<(typeof figuresModels)["Summary"]>;
