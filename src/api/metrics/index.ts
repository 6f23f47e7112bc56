import { Elysia } from "elysia";
import { about } from "../common";
import { createMetrics, type MetricsParts } from "./families";

const example = `# HELP corral_requests_total Requests, by how they ended
# TYPE corral_requests_total counter
corral_requests_total{model="llama3.2",operation="chat",dialect="ollama.chat",outcome="complete"} 42
`;

export function metricsRoutes(parts: MetricsParts) {
  const registry = createMetrics(parts);
  return new Elysia({ name: "metrics" }).get(
    "/metrics",
    async () => new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } }),
    {
      detail: {
        ...about(
          "Statistics",
          "Metrics for Prometheus",
          "Counts since Corral's start: `corral_*`, and under the names that dashboards for Ollama expect, `ollama_*`. Models that Ollama does not know are counted as `other`.",
        ),
        responses: {
          200: {
            description: "Prometheus' text format",
            content: { "text/plain": { schema: { type: "string" as const }, example } },
          },
        },
      },
    },
  );
}
