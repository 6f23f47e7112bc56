/** The rows of failures.md in which the engine misbehaves. */
import { describe, expect, test } from "bun:test";
import { contract, engineState, events, lines, native, post, record, running } from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";

describeCorral("an engine", (corral) => {
  const chat = (body: unknown) => post(`${corral().url}/api/chat`, body);
  const each = <T>(cases: readonly T[], check: (one: T) => Promise<void>) => Promise.all(cases.map(check));
  const noJson = "Ollama answered with something that is no JSON";
  const stoppedShort = "Ollama ended its answer in the middle";

  describe("that answers with an error", () => {
    test("before the first token has the contract's body, with a status that says whose fault it is", async () => {
      const cases: [string, number, string][] = [
        ["sim-http400:contract", 400, "simulated bad request"],
        ["sim-http401:contract", 401, "unauthorized"],
        ["sim-http429:contract", 429, "too many concurrent requests"],
        ["sim-http500:contract", 502, "llama-server process has terminated: exit status 2"],
        ["sim-http503:contract", 503, "server busy, please try again.  maximum pending requests exceeded"],
        ["sim-error0:contract", 502, "an error was encountered while running the model: simulated failure"],
      ];
      await each(cases, async ([model, status, error]) => {
        const answer = await chat(contract(model));
        expect([answer.status, JSON.parse(answer.text)]).toEqual([
          status,
          { detail: "Ollama answered with an error", error },
        ]);
        expect(await record(corral(), model)).toMatchObject({
          outcome: "engine_error",
          http_status: status,
          error,
        });
      });
    });

    test("in mid-stream ends the stream with it, and no [DONE] follows", async () => {
      const error = "an error was encountered while running the model: simulated failure";
      const told = events((await chat(contract("sim-error3-tokens9:contract"))).text);
      expect(told).toHaveLength(4);
      expect(told.at(-1)).toEqual({ error, detail: "Ollama answered with an error" });
      const rows = lines((await chat(native("sim-error3-tokens9:native"))).text);
      expect(rows).toHaveLength(4);
      expect(rows.at(-1)).toEqual({ error });
      for (const model of ["sim-error3-tokens9:contract", "sim-error3-tokens9:native"]) {
        const kept = await record(corral(), model);
        expect(kept).toMatchObject({ outcome: "engine_error", status: "error", http_status: 200, error });
        expect(kept.response).not.toBeEmpty();
      }
    });
  });

  describe("that stops short", () => {
    test("in mid-stream ends the client's stream with an error in its dialect", async () => {
      await each(
        [
          [
            "sim-cut3-delay60-tokens9",
            "the connection to Ollama broke in the middle of its answer (ECONNRESET)",
          ],
          ["sim-end3-tokens9", stoppedShort],
        ] as const,
        async ([behaviour, words]) => {
          const [told, rows] = await Promise.all([
            chat(contract(`${behaviour}:contract`)),
            chat(native(`${behaviour}:native`)),
          ]);
          expect(events(told.text)).toHaveLength(4);
          expect(events(told.text).at(-1)).toEqual({ error: words, detail: "Ollama answered with an error" });
          expect(lines(rows.text)).toHaveLength(4);
          expect(lines(rows.text).at(-1)).toEqual({ error: words });
          for (const tag of ["contract", "native"]) {
            const kept = await record(corral(), `${behaviour}:${tag}`);
            expect(kept).toMatchObject({ outcome: "engine_error", http_status: 200, error: words });
            expect(kept.response).not.toBeEmpty();
          }
        },
      );
    });

    test("in the middle of a line leaves that line, and an error on one of its own", async () => {
      const { text } = await chat(native("sim-half:native"));
      const [half = "", error = "", ...more] = text.split("\n");
      expect(() => JSON.parse(half)).toThrow();
      expect([JSON.parse(error), more]).toEqual([{ error: noJson }, [""]]);
    });

    test("in a whole reply, or before the first byte, is a 502 and nothing else", async () => {
      const whole = { stream: false };
      await each(
        [
          [
            native("sim-cut3-tokens9:whole", whole),
            "the connection to Ollama broke before it answered (ECONNRESET)",
          ],
          [native("sim-end3-tokens9:whole", whole), stoppedShort],
          [native("sim-half:whole", whole), noJson],
          [native("sim-cut0:native"), "the connection to Ollama broke before it answered (ECONNRESET)"],
        ] as const,
        async ([body, words]) => {
          const answer = await chat(body);
          expect([body.model, answer.status, JSON.parse(answer.text)]).toEqual([
            body.model,
            502,
            { error: words },
          ]);
          expect(await record(corral(), body.model)).toMatchObject({
            outcome: "engine_error",
            http_status: 502,
            error: words,
            response: null,
          });
        },
      );
      const answer = await chat(contract("sim-cut0:contract"));
      expect([answer.status, JSON.parse(answer.text).error]).toEqual([
        502,
        expect.stringContaining("ECONNRESET"),
      ]);
    });
  });

  describe("that talks nonsense", () => {
    test("is a 502 with one body for the contract's chat", async () => {
      await each(
        [
          ["sim-html:contract", noJson],
          ["sim-garbage-tokens3:contract", noJson],
          ["sim-half:contract", noJson],
          ["sim-empty:contract", "Ollama answered with nothing"],
          ["sim-http204:contract", "Ollama answered with nothing"],
        ] as const,
        async ([model, error]) => {
          const answer = await chat(contract(model));
          expect([model, answer.status, JSON.parse(answer.text)]).toEqual([
            model,
            502,
            { detail: "Ollama answered with an error", error },
          ]);
          expect(await record(corral(), model)).toMatchObject({ outcome: "engine_error", http_status: 502 });
        },
      );
    });

    test("in a stream passes on Ollama's own paths, and an error follows", async () => {
      const garbage = (await chat(native("sim-garbage-tokens2:native"))).text.split("\n");
      expect(garbage.slice(0, 2)).toEqual(["{]this is no JSON", "{]this is no JSON"]);
      expect(JSON.parse(garbage.at(-2) ?? "")).toEqual({ error: noJson });
      expect(await record(corral(), "sim-garbage-tokens2:native")).toMatchObject({
        outcome: "engine_error",
        http_status: 200,
      });
    });

    test("or nothing at all, is a 502 in Ollama's words on Ollama's own paths, streamed or whole", async () => {
      await each(
        [
          ["sim-html:native", noJson],
          ["sim-empty:native", stoppedShort],
        ] as const,
        async ([model, error]) => {
          for (const stream of [true, false]) {
            const tag = `${model}-${stream}`;
            const answer = await chat(native(tag, { stream }));
            expect([tag, answer.status, JSON.parse(answer.text)]).toEqual([tag, 502, { error }]);
            expect(await record(corral(), tag)).toMatchObject({ outcome: "engine_error", http_status: 502 });
          }
        },
      );
    });
  });

  test("counts for a model it has, whether it answered or not; made-up names count for none", async () => {
    const used = async () =>
      ((await getJson(`${corral().url}/api/models`)) as { models: Record<string, unknown>[] }).models;
    // Installed, and refused: it can't think.
    expect((await chat(native("mistral", { think: true, stream: false }))).status).toBe(400);
    await chat(native("made-up"));
    const models = await eventually(used, (all) => all.some(({ name }) => name === "mistral"));
    expect(models.find(({ name }) => name === "mistral")).toMatchObject({ total_requests: 1 });
    expect(models.map(({ name }) => name)).not.toContain("made-up");
  });

  test("that is silent for long is waited for", async () => {
    const answer = await chat(contract("sim-silent700-tokens1"));
    expect(events(answer.text)).toHaveLength(2);
    const { outcome, ttft_ms } = await record(corral(), "sim-silent700-tokens1");
    expect(outcome).toBe("complete");
    expect(ttft_ms).toBeGreaterThan(690);
  });

  describe("that dies", () => {
    const backUp = () =>
      eventually(
        () => fetch(`${corral().url}/readyz`).then((response) => response.ok),
        (ready) => ready,
        30_000,
      );
    const words = "Ollama ended while it answered: it is being started again, try once more";

    test("in mid-stream ends every stream with an error in its dialect", async () => {
      const other = "sim-delay50-tokens100:beside";
      const beside = chat(native(other));
      await eventually(
        () => running(corral()),
        (all) => all.some(({ model, tokens }) => model === other && tokens > 0),
      );
      const told = events((await chat(contract("sim-crash2-tokens9:contract"))).text);
      expect(told).toHaveLength(3);
      expect(told.at(-1)).toEqual({ error: words, detail: "Ollama went away" });
      expect(lines((await beside).text).at(-1)).toEqual({ error: words });
      for (const model of ["sim-crash2-tokens9:contract", other])
        expect(await record(corral(), model)).toMatchObject({
          outcome: "engine_crash",
          http_status: 200,
          error: words,
        });
    });

    test("is away for a moment, which is a 503 in the dialect of who asks", async () => {
      const [told, row, openai, anthropic] = await Promise.all([
        chat(contract("sim-tokens1:away")),
        chat(native("sim-tokens1:away-native")),
        post(`${corral().url}/v1/chat/completions`, native("sim-tokens1")),
        post(`${corral().url}/v1/messages`, native("sim-tokens1")),
      ]);
      expect([told.status, row.status, openai.status, anthropic.status]).toEqual([503, 503, 503, 503]);
      expect(JSON.parse(told.text).detail).toBe("Ollama is not available");
      const error = JSON.parse(row.text).error;
      expect(JSON.parse(told.text).error).toBe(error);
      expect(error).toContain("It is being restarted");
      expect(JSON.parse(openai.text).error).toEqual({
        message: error,
        type: "api_error",
        param: null,
        code: "engine_down",
      });
      expect(JSON.parse(anthropic.text)).toEqual({
        type: "error",
        error: { type: "overloaded_error", message: error },
      });
      await backUp();
      expect(await record(corral(), "sim-tokens1:away")).toMatchObject({
        outcome: "rejected",
        http_status: 503,
      });
      expect((await chat(contract("sim-tokens1:back"))).status).toBe(200);
    });

    test("before its first byte is a 502, and is not asked a second time", async () => {
      const answer = await chat(native("sim-crash0:native"));
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        502,
        { error: "Ollama ended before it answered: it is being started again, try once more" },
      ]);
      await backUp();
      expect(await record(corral(), "sim-crash0:native")).toMatchObject({
        outcome: "engine_crash",
        http_status: 502,
      });
      expect((await engineState(corral())).requests).toBe(0);
    });

    test("leaves the record of all of it, and no request counted as under way", async () => {
      const { active } = await engineState(corral());
      expect(active).toBe(0);
      const health = await getJson(`${corral().url}/api/health`);
      expect(health).toMatchObject({ status: "healthy" });
    });
  });
});
