/** The contract's examples, call by call and field by field. Read it beside api-contract.md: the order is the same. */
import { describe, expect, test } from "bun:test";
import { eventually, getJson, type RunningCorral } from "../support/corral";
import { curl, events } from "./calls";
import { figures, furtherFigures, type Log } from "./figures";

const text = expect.any(String);
const number = expect.any(Number);
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const json = ["-H", "Content-Type: application/json", "-d"] as const;

/** What the engine of a Corral needs for it. */
export const contractEnvironment = {
  CORRAL_SIMULATOR_MODELS: "llama3.2:latest,mistral:latest,sim-error3:latest",
};

export function contract(corral: () => RunningCorral): void {
  const url = (path: string) => corral().url + path;

  describe("Health & Stats", () => {
    test("GET /api/health", async () => {
      const { status, json } = await eventually(
        () => curl(url("/api/health")),
        (answer) => (answer.json as { disk: unknown }).disk !== null,
      );
      expect(status).toBe(200);
      expect(json).toEqual({
        status: "healthy",
        ollama_running: true,
        database_connected: true,
        disk: expect.anything(),
        message: "All systems operational",
        version: text,
      });
    });

    figures(corral);
    furtherFigures(corral);

    test("GET /api/stats/logs?limit=5&model=llama3.2", async () => {
      const { status, json } = await curl(url("/api/stats/logs?limit=5&model=llama3.2"));
      expect(status).toBe(200);
      expect(json).toEqual({
        logs: expect.anything(),
        total: 5,
        total_is_exact: true,
        next: null,
        searched_to: null,
      });
      const { logs } = json as { logs: (Log & Record<string, unknown>)[] };
      expect(logs).toHaveLength(5);
      expect(logs[0]).toEqual({
        id: expect.stringMatching(/^req_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
        timestamp: time,
        model: "llama3.2",
        prompt: "What is Python?",
        response: text,
        tokens_used: number,
        latency_ms: number,
        status: "success",
        client_ip: "127.0.0.1",
        outcome: "complete",
        dialect: "contract.chat",
        operation: "chat",
        stream: true,
        http_status: 200,
        ttft_ms: number,
        tokens_in: number,
        tokens_out: number,
        tokens_per_second: number,
        finish_reason: "stop",
        thinking: null,
        error: null,
        user_agent: expect.stringMatching(/^curl\//),
        user: null,
        upstream_status: 200,
        longest_gap_ms: number,
        client_wait_ms: number,
        tokens_cached: null,
        load_ms: number,
        prefill_ms: number,
        decode_ms: number,
        cold: expect.any(Boolean),
        context_length: number,
        truncated: null,
        model_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        traceparent: null,
        in_flight: number,
        server: text,
      });
      const times = logs.map((row) => row.timestamp);
      expect(times).toEqual(times.toSorted().reverse());
    });
  });

  describe("Chat", () => {
    test("POST /api/chat", async () => {
      const { status, headers, text } = await curl(
        ...["-X", "POST", url("/api/chat"), ...json],
        '{"model": "llama3.2","prompt": "Explain quantum computing","temperature": 0.7,"top_p": 0.9,"seed":7}',
      );
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("text/event-stream");
      const all = events(text) as { token: string; latency_ms: number; total_tokens?: number }[];
      for (const event of all.slice(0, -1))
        expect(event).toEqual({ token: expect.any(String), latency_ms: number });
      expect(all.at(-1)).toEqual({ token: "[DONE]", latency_ms: 0, total_tokens: number });
      expect(all.filter((event) => event.token === "[DONE]")).toHaveLength(1);
      const native = await (
        await fetch(`${corral().engine}/api/chat`, {
          method: "POST",
          body: JSON.stringify({
            model: "llama3.2",
            messages: [{ role: "user", content: "Explain quantum computing" }],
            options: { temperature: 0.7, top_p: 0.9, seed: 7 },
            stream: false,
          }),
        })
      ).json();
      expect(
        all
          .slice(0, -1)
          .map((event) => event.token)
          .join(""),
      ).toBe(native.message.content);
      expect(all.at(-1)?.total_tokens).toBe(native.prompt_eval_count + native.eval_count);
    });
  });

  describe("Ollama Proxy", () => {
    test("GET /api/ollama/models", async () => {
      const { status, json } = await curl(url("/api/ollama/models"));
      expect(status).toBe(200);
      expect(json).toEqual({ models: expect.anything() });
      for (const model of (json as { models: unknown[] }).models) {
        expect(model).toEqual({
          name: text,
          size: expect.stringMatching(/^\d+(\.\d)? [KMGT]?B$/),
          modified_at: time,
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          size_bytes: number,
          family: text,
          parameter_size: text,
          quantization_level: text,
          capabilities: expect.arrayContaining([text]),
        });
      }
      expect((json as { models: { name: string }[] }).models.map((model) => model.name)).toContain(
        "llama3.2",
      );
    });

    test("POST /api/ollama/pull", async () => {
      const { status, headers, text } = await curl(
        ...["-X", "POST", url("/api/ollama/pull"), ...json],
        '{"model": "neural-chat"}',
      );
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("text/event-stream");
      const all = events(text) as { status: string }[];
      expect(all[0]).toEqual({ status: "pulling manifest" });
      expect(all).toContainEqual({
        status: "downloading",
        digest: expect.stringMatching(/^sha256:/),
        total: number,
        completed: number,
      } as never);
      expect(all).toContainEqual({ status: "verifying checksum" });
      expect(all.at(-1)).toEqual({
        status: "complete",
        message: "Successfully pulled neural-chat",
      } as never);
      expect(all.some((event) => /sha256 digest|success/.test(event.status))).toBe(false);
    });

    test("DELETE /api/ollama/models/neural-chat", async () => {
      const { status, json } = await curl("-X", "DELETE", url("/api/ollama/models/neural-chat"));
      expect(status).toBe(200);
      expect(json).toEqual({ success: true, message: "Model 'neural-chat' deleted successfully" });
    });
  });

  describe("Model Repository", () => {
    const model = {
      name: "llama3.2",
      description: "A fast and capable LLM",
      is_favorite: true,
      is_default: true,
      tags: ["fast", "capable"],
      created_at: time,
      updated_at: time,
      is_installed: false,
    };

    test("POST /api/models/repository", async () => {
      const { status, json: answer } = await curl(
        ...["-X", "POST", url("/api/models/repository"), ...json],
        '{"name":"llama3.2:latest","description":"A fast and capable LLM","is_favorite":true,"is_default":true,"tags":["fast","capable"]}',
      );
      expect(status).toBe(201);
      expect(answer).toEqual(model);
    });

    test("GET /api/models/repository", async () => {
      const { status, json } = await curl(url("/api/models/repository"));
      expect(status).toBe(200);
      expect(json).toEqual({ models: [model] });
    });

    test("GET /api/models/repository/llama3.2", async () => {
      const { status, json } = await curl(url("/api/models/repository/llama3.2"));
      expect(status).toBe(200);
      expect(json).toEqual({ ...model, stats: { total_requests: 6, avg_latency_ms: number } });
    });

    test("PUT /api/models/repository/llama3.2", async () => {
      const { status, json: answer } = await curl(
        ...["-X", "PUT", url("/api/models/repository/llama3.2"), ...json],
        '{"is_favorite": true,"is_default": true,"description": "My preferred model"}',
      );
      expect(status).toBe(200);
      expect(answer).toEqual({ success: true, message: "Model updated successfully" });
      expect(await getJson(url("/api/models/repository/llama3.2"))).toMatchObject({
        ...model,
        description: "My preferred model",
      });
    });

    test("POST /api/models/repository/sync", async () => {
      const { status, json } = await curl("-X", "POST", url("/api/models/repository/sync"));
      expect(status).toBe(200);
      expect(json).toMatchObject({ success: true, message: text, updated: ["llama3.2"], removed: [] });
      expect((json as { added: string[] }).added.toSorted()).toEqual(["mistral", "sim-error3"]);
    });
  });

  describe("Error Responses", () => {
    test("400", async () => {
      const { status, json: answer } = await curl(
        "-X",
        "POST",
        url("/api/chat"),
        ...json,
        '{"prompt": "Hi"}',
      );
      expect(status).toBe(400);
      expect(answer).toEqual({
        detail: "Invalid request parameters",
        error: "model parameter is required",
      });
    });

    test("404", async () => {
      for (const call of [
        ["-X", "POST", url("/api/chat"), ...json, '{"model": "unknown_model", "prompt": "Hi"}'],
        ["-X", "DELETE", url("/api/ollama/models/unknown_model")],
        [url("/api/models/repository/unknown_model")],
      ]) {
        const { status, json: answer } = await curl(...call);
        expect(status).toBe(404);
        expect(answer).toEqual({ detail: "Model not found", error: text, model: "unknown_model" });
      }
    });
  });

  describe("Data Management", () => {
    // Clears what the others count, so it comes last.
    test("GET /api/data/summary, and what is deleted is what it counted", async () => {
      const { json } = await eventually(
        () => curl(url("/api/data/summary")),
        ({ json }) => (json as { total_requests: number }).total_requests === 12,
      );
      expect(json).toEqual({
        total_requests: 12,
        total_logs_entries: 12,
        metric_points: number,
        oldest_timestamp: time,
        newest_timestamp: time,
        database_size_mb: number,
        kept: expect.anything(),
        disk: expect.anything(),
      });
      const summary = json as { metric_points: number; oldest_timestamp: string; newest_timestamp: string };
      const { logs } = (await getJson(url("/api/stats/logs"))) as { logs: Log[] };
      expect(summary.newest_timestamp).toBe(logs[0]?.timestamp ?? "");
      expect(summary.oldest_timestamp).toBe(logs.at(-1)?.timestamp ?? "");

      expect((await curl("-X", "DELETE", url("/api/data/metrics"))).json).toEqual({
        success: true,
        message: "All metrics cleared",
        rows_deleted: summary.metric_points,
      });
      expect(await getJson(url("/api/data/summary"))).toMatchObject({
        total_requests: 0,
        metric_points: 0,
        total_logs_entries: 12,
      });
      expect((await curl("-X", "DELETE", url("/api/data/logs"))).json).toEqual({
        success: true,
        message: "All request logs cleared",
        rows_deleted: 12,
      });
      expect((await curl("-X", "DELETE", url("/api/data/all"))).json).toEqual({
        success: true,
        message: "All data cleared",
        metrics_deleted: 0,
        logs_deleted: 0,
      });
      expect(await getJson(url("/api/data/summary"))).toMatchObject({
        oldest_timestamp: null,
        newest_timestamp: null,
      });
    });
  });
}
