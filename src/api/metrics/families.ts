/**
 * What Prometheus is told: Corral's own families, and the names that dashboards made for Ollama's exporters expect.
 * Labels are bounded: models that the engine knows, at most MOST_MODELS of them, and "other" for all else.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Database } from "../../database/database";
import type { Engine } from "../../engine/service";
import type { Active } from "../../gateway/active";
import type { KnownModels } from "../../gateway/known-models";
import type { Ledger } from "../../ledger/ledger";
import { type RequestRecord, statusOf, tokensPerSecond } from "../../ledger/record";
import { shedRecords } from "../../ledger/spool-lines";

export interface MetricsParts {
  readonly engine: Engine;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly active: Active;
  readonly knownModels: KnownModels;
  readonly version: string;
}

const MOST_MODELS = 100;

/** OpenTelemetry's bounds for durations of generative AI, and what a local engine's cold load adds to them. */
const seconds = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 160, 320, 640,
];
const firstTokenSeconds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 320,
  640,
];
const speeds = [1, 2, 5, 10, 20, 30, 40, 60, 80, 120, 160, 240, 480, 960];

/** Counts from the program's start. @returns a registry that is read as text */
export function createMetrics(parts: MetricsParts): Registry {
  const registry = new Registry();
  const registers = [registry];
  const models = new Set<string>();
  const labelOf = ({ model, modelKnown }: RequestRecord): string => {
    if (model === null || !modelKnown) return "other";
    if (!models.has(model) && models.size >= MOST_MODELS) return "other";
    models.add(model);
    return model;
  };
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter<T>({ name, help, labelNames, registers });
  const histogram = <T extends string>(
    name: string,
    help: string,
    labelNames: readonly T[],
    buckets: number[],
  ) => new Histogram<T>({ name, help, labelNames, buckets, registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const requests = counter("corral_requests_total", "Requests, by how they ended", [
    "model",
    "operation",
    "dialect",
    "outcome",
  ]);
  const duration = histogram(
    "corral_request_duration_seconds",
    "From arrival to the last byte",
    ["model", "operation"],
    seconds,
  );
  const firstToken = histogram(
    "corral_time_to_first_token_seconds",
    "From arrival to the first piece of content, thinking or tool call of a stream",
    ["model", "operation"],
    firstTokenSeconds,
  );
  const phases = histogram("corral_phase_seconds", "By the engine's own count", ["model", "phase"], seconds);
  const tokens = counter("corral_tokens_total", "Tokens by the engine's own count", ["model", "direction"]);
  const speed = histogram(
    "corral_tokens_per_second",
    "Completion tokens over the engine's generation time",
    ["model"],
    speeds,
  );
  const truncated = counter(
    "corral_truncated_requests_total",
    "Requests of which a part never reached the model: truncated for sure, or truncated_likely",
    ["model", "operation", "truncated"],
  );
  gauge("corral_requests_in_flight", "Requests under way", () => parts.active.count);
  gauge("corral_engine_up", "Whether Ollama answers", () => Number(parts.engine.state === "ready"));
  gauge("corral_engine_restarts", "Restarts of Ollama since Corral's start", () => parts.engine.restarts);
  gauge("corral_database_up", "Whether the database answers", () => Number(parts.database.state === "up"));
  // Asked once a scrape, since it reads a file: by the first of its families, which are collected in this order.
  let standing = parts.ledger.standing();
  new Gauge({
    name: "corral_ledger_records",
    help: "Records since this server's first start: accepted = in_flight + stored + spooled + set_aside + shed",
    labelNames: ["state"],
    registers,
    collect() {
      standing = parts.ledger.standing();
      const { accepted, inFlight, stored, spooled, setAside, shed } = standing;
      const states = {
        accepted,
        in_flight: inFlight,
        stored,
        spooled,
        set_aside: setAside,
        shed: shedRecords(shed),
      };
      for (const [state, count] of Object.entries(states)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "corral_ledger_shed",
    help: "Records given up, and texts of records that are kept without, since this server's first start",
    labelNames: ["what", "reason"],
    registers,
    collect() {
      const { shed } = standing;
      this.set({ what: "records", reason: "spool_full" }, shed.fullRecords);
      this.set({ what: "records", reason: "write_failed" }, shed.failedRecords);
      this.set({ what: "texts", reason: "spool_full" }, shed.fullTexts);
      this.set({ what: "texts", reason: "write_failed" }, shed.failedTexts);
    },
  });
  gauge("corral_spool_bytes", "Size of the spool", () => standing.spoolBytes);
  gauge(
    "corral_spool_oldest_seconds",
    "How long the oldest record in the spool has waited for the database; 0 where none does",
    () => (standing.oldestSpooledMs ?? 0) / 1000,
  );
  gauge(
    "corral_database_lag_seconds",
    "How long the record that was stored last had waited; 0 before there was one",
    () => (standing.databaseLagMs ?? 0) / 1000,
  );
  new Gauge({ name: "corral_build_info", help: "1", labelNames: ["version"], registers }).set(
    { version: parts.version },
    1,
  );

  const theirs = {
    requests: counter("ollama_requests_total", "As corral_requests_total, by status", ["model", "status"]),
    duration: histogram(
      "ollama_request_duration_seconds",
      "As corral_request_duration_seconds",
      ["model"],
      seconds,
    ),
    prompt: counter("ollama_prompt_tokens_total", "Prompt tokens", ["model"]),
    generated: counter("ollama_generated_tokens_total", "Completion tokens", ["model"]),
    load: histogram(
      "ollama_load_duration_seconds",
      "Loading and waiting, by Ollama's own count",
      ["model"],
      seconds,
    ),
  };
  gauge("ollama_up", "As corral_engine_up", () => Number(parts.engine.state === "ready"));
  gauge("ollama_requests_in_flight", "As corral_requests_in_flight", () => parts.active.count);
  gauge(
    "ollama_loaded_models",
    "Models that are loaded, as far as Corral has seen",
    () => parts.knownModels.loadedNames().length,
  );
  new Gauge({
    name: "ollama_model_loaded",
    help: "1 for each model that is loaded, as far as Corral has seen",
    labelNames: ["model"],
    registers,
    collect() {
      this.reset();
      for (const model of parts.knownModels.loadedNames().slice(0, MOST_MODELS)) this.set({ model }, 1);
    },
  });

  parts.ledger.onEnd((record) => {
    const model = labelOf(record);
    const { operation, dialect, outcome, tokensIn, tokensOut, tokensCached, loadMs, prefillMs, decodeMs } =
      record;
    requests.inc({ model, operation, dialect, outcome });
    theirs.requests.inc({ model, status: statusOf(outcome) });
    duration.observe({ model, operation }, record.latencyMs / 1000);
    theirs.duration.observe({ model }, record.latencyMs / 1000);
    if (record.ttftMs !== null) firstToken.observe({ model, operation }, record.ttftMs / 1000);
    for (const [phase, ms] of Object.entries({ load: loadMs, prefill: prefillMs, decode: decodeMs }))
      if (ms !== null) phases.observe({ model, phase }, ms / 1000);
    for (const [direction, count] of Object.entries({ in: tokensIn, out: tokensOut, cached: tokensCached }))
      if (count !== null) tokens.inc({ model, direction }, count);
    if (record.truncated !== null) truncated.inc({ model, operation, truncated: record.truncated });
    if (tokensIn !== null) theirs.prompt.inc({ model }, tokensIn);
    if (tokensOut !== null) theirs.generated.inc({ model }, tokensOut);
    if (loadMs !== null) theirs.load.observe({ model }, loadMs / 1000);
    const perSecond = tokensPerSecond(tokensOut, decodeMs);
    if (perSecond !== null) speed.observe({ model }, perSecond);
  });
  return registry;
}
