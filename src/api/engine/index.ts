import { Elysia } from "elysia";
import type { Pulls } from "../../engine/pulls";
import type { OllamaService } from "../../engine/service";
import { failure, messageOf, OllamaServiceError, ServiceStopError } from "../../errors";
import { onRecord } from "../../ledger/event";
import type { Ledger } from "../../ledger/ledger";
import { about, coerce, errorModels, errors, type WhoAsks } from "../common";
import { type EngineView, engineLogQuery, engineModels } from "./model";

export interface EngineParts {
  readonly engine: OllamaService;
  readonly pulls: Pulls;
  readonly ledger: Ledger;
  readonly who: WhoAsks;
}

export function engineRoutes({ engine, pulls, ledger, who }: EngineParts) {
  return new Elysia({ name: "engine" })
    .model({ ...engineModels, ...errorModels })
    .get("/api/engine", () => view(engine), {
      response: { 200: "Engine" },
      detail: about(
        "Engine",
        "The engine",
        "State of the Ollama behind Corral: whose it is, where, since how many restarts, and why it is not ready.",
      ),
    })
    .get("/api/engine/log", ({ query }) => ({ lines: engine.lastOutput(query.lines ?? 100) }), {
      query: engineLogQuery,
      transform: coerce(engineLogQuery),
      response: { 200: "EngineLog", ...errors.invalid },
      detail: about(
        "Engine",
        "The engine's log",
        "The last lines that Ollama printed, where Corral started it. They may hold prompts when OLLAMA_DEBUG is set.",
        "reads texts",
      ),
    })
    .post(
      "/api/engine/restart",
      ({ request, server }) => {
        const begun = {
          action: "restart" as const,
          model: null,
          source: null,
          insecure: null,
          path: "/api/engine/restart",
          ...who(request, server),
        };
        return onRecord(ledger.event, begun, () => restart(engine, pulls));
      },
      {
        response: { 200: "Engine", ...errors.conflict, 503: "EngineError" },
        detail: about(
          "Engine",
          "Restart the engine",
          "Ends Ollama and starts it anew; also after it was given up for crashing. 409 for an Ollama that Corral did not start.",
          "changes",
        ),
      },
    );
}

const READY_WITHIN_MS = 10_000;

async function restart(engine: OllamaService, pulls: Pulls): Promise<EngineView> {
  try {
    if (engine.owned) await pulls.breakOff();
    await engine.restart("asked for through the API");
    // One that takes longer goes on behind: the answer then says "starting".
    await engine.ready(AbortSignal.timeout(READY_WITHIN_MS)).catch(() => undefined);
  } catch (error) {
    if (error instanceof ServiceStopError) throw failure.conflict(messageOf(error));
    if (error instanceof OllamaServiceError) throw failure.engineDown(messageOf(error));
    throw error;
  }
  return view(engine);
}

function view(engine: OllamaService): EngineView {
  const { state, owned, address, version, pid, restarts, why } = engine;
  return { state, owned, address, version, pid, restarts, why };
}
