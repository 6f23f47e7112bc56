import { Elysia } from "elysia";
import { about, documented } from "../common";
import { healthModels } from "./model";
import { type HealthParts, readHealth } from "./service";

const unhealthy = {
  status: "unhealthy",
  ollama_running: false,
  database_connected: true,
  disk: null,
  message: "Ollama is being started",
  version: "0.1.0",
};

export function healthRoutes(parts: HealthParts) {
  return new Elysia({ name: "health" })
    .model(healthModels)
    .get(
      "/api/health",
      ({ set }) => {
        const health = readHealth(parts);
        set.status = health.status === "unhealthy" ? 503 : 200;
        return health;
      },
      {
        response: { 200: "Health", 503: "Health" },
        detail: {
          ...about(
            "Health",
            "Health check",
            "Whether Ollama and the database answer. 503 when Ollama is away.",
          ),
          responses: {
            200: documented(
              "Ollama answers; `degraded` while the database does not, or not everything can be kept",
              "Health",
            ),
            503: documented("Ollama is away", "Health", unhealthy),
          },
        },
      },
    )
    .get("/healthz", () => ({ status: "ok" }), {
      response: { 200: "Alive" },
      detail: about(
        "Health",
        "Liveness",
        "200 while the program answers at all: for an orchestrator's liveness probe.",
      ),
    })
    .get(
      "/readyz",
      ({ set }) => {
        const health = readHealth(parts);
        const ready = health.status !== "unhealthy";
        set.status = ready ? 200 : 503;
        return { status: ready ? "ok" : health.message };
      },
      {
        response: { 200: "Alive", 503: "Alive" },
        detail: {
          ...about(
            "Health",
            "Readiness",
            "200 when a chat would be served now, 503 with the reason when not.",
          ),
          responses: {
            200: documented("A chat would be served now", "Alive"),
            503: documented("It would not", "Alive", { status: unhealthy.message }),
          },
        },
      },
    );
}
