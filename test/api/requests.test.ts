/** What is running now: listed, followed live, canceled, and ended by limits that somebody set. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { asking, contract, engineState, events, lines, native, post, record } from "../gateway/asking";
import { describeCorral, eventually, getJson, startCorral } from "../support/corral";

setDefaultTimeout(60_000);

type Active = Record<string, unknown> & { id: string; model: string; phase: string; tokens: number };

describeCorral("what is running now", (corral) => {
  const active = async () =>
    ((await getJson(`${corral().url}/api/requests/active`)) as { requests: Active[] }).requests;
  const find = (model: string) =>
    eventually(
      async () => (await active()).find((one) => one.model === model),
      (one) => one !== undefined && one.tokens > 1,
    );
  const cancel = (id: string) => fetch(`${corral().url}/api/requests/active/${id}`, { method: "DELETE" });

  test("is listed with who asks, phase and tokens so far, and is gone when it has ended", async () => {
    const told = post(`${corral().url}/api/chat`, native("sim-delay20-tokens40:listed"), {
      headers: { "user-agent": "somebody/1", "x-openwebui-user-email": "ada%40example.org" },
    });
    expect(await find("sim-delay20-tokens40:listed")).toEqual({
      id: expect.stringMatching(/^req_/),
      started_at: expect.any(String),
      model: "sim-delay20-tokens40:listed",
      dialect: "ollama.chat",
      operation: "chat",
      stream: true,
      client_ip: "127.0.0.1",
      user_agent: "somebody/1",
      user: "ada@example.org",
      phase: "generating",
      seconds: expect.any(Number),
      tokens: expect.any(Number),
    });
    await told;
    expect((await active()).filter((one) => one.model.endsWith(":listed"))).toEqual([]);
    expect(await record(corral(), "sim-delay20-tokens40:listed")).toMatchObject({ user: "ada@example.org" });
  });

  test("can be canceled: the engine stops, the client is told in its dialect, and the record says so", async () => {
    const slow = "sim-delay20-tokens1000";
    const asked = {
      contract: post(`${corral().url}/api/chat`, contract(`${slow}:cancel-contract`)),
      native: post(`${corral().url}/api/chat`, native(`${slow}:cancel-native`)),
    };
    for (const name of ["contract", "native"] as const) {
      const { id } = (await find(`${slow}:cancel-${name}`)) ?? { id: "" };
      const answer = await cancel(id);
      expect([answer.status, await answer.json()]).toEqual([
        200,
        { success: true, message: `Request '${id}' canceled successfully` },
      ]);
    }
    const words = "this request was ended by somebody who runs the server";
    expect(events((await asked.contract).text).at(-1)).toEqual({
      error: words,
      detail: "The request was canceled",
    });
    expect(lines((await asked.native).text).at(-1)).toEqual({ error: words });
    await eventually(
      async () => (await engineState(corral())).active,
      (count) => count === 0,
    );
    for (const name of ["contract", "native"])
      expect(await record(corral(), `${slow}:cancel-${name}`)).toMatchObject({
        outcome: "canceled",
        status: "aborted",
        error: words,
      });
  });

  test("that is not there can't be canceled", async () => {
    const answer = await cancel("req_nothing");
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { detail: "Not found", error: 'no request "req_nothing" is running: it may have ended' },
    ]);
  });

  test("is told live: begins, moves on, ends; a reader that leaves is forgotten", async () => {
    const leave = new AbortController();
    const response = await fetch(`${corral().url}/api/stats/live`, { signal: leave.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let said = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) said += decoder.decode(chunk, { stream: true });
    })().catch(() => undefined);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await post(`${corral().url}/api/chat`, native("sim-delay20-tokens60:live"), { headers: { traceparent } });
    await eventually(
      async () => said,
      (text) => text.includes("event: ended"),
    );
    const told = [...said.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)]
      .map((match): [string, Record<string, unknown>] => [match[1] ?? "", JSON.parse(match[2] ?? "")])
      .filter(([, data]) => data.model === "sim-delay20-tokens60:live");
    expect(told[0]).toEqual(["active", expect.objectContaining({ tokens: 0 })]);
    expect(told.some(([event, data]) => event === "active" && data.phase === "generating")).toBe(true);
    expect(told.at(-1)).toEqual([
      "ended",
      expect.objectContaining({ outcome: "complete", tokens_out: 60, traceparent }),
    ]);
    expect(said).not.toContain('"prompt"');
    leave.abort();
    await reading;
  });
});

describe("a stream that is silent for longer than somebody allowed", () => {
  test("is ended with 504 before its first token, and with an error after it, in every dialect; a busy one and a whole one are not", async () => {
    const corral = await startCorral({
      environment: { CORRAL_FIRST_TOKEN_TIMEOUT: "1500ms", CORRAL_IDLE_TIMEOUT: "400ms" },
    });
    try {
      const url = `${corral.url}/api/chat`;
      const inEachDialect = (behaviour: string) =>
        Promise.all(
          Object.entries(asking).map(async ([dialect, [path, body]]) => {
            const model = `${behaviour}:${dialect}`;
            const { status, text } = await post(corral.url + path, body(model, { stream: true }));
            return { model, status, text };
          }),
        );
      const [silent, stuck, busy, whole] = await Promise.all([
        inEachDialect("sim-silent9999-tokens3"),
        inEachDialect("sim-delay800-tokens5"),
        post(url, native("sim-delay100-tokens12:busy")),
        post(url, native("sim-delay100-tokens12:whole", { stream: false })),
      ]);
      const noToken =
        "Ollama sent no first token within 1.5 s, which is the limit of CORRAL_FIRST_TOKEN_TIMEOUT";
      const nothingMore = "Ollama sent nothing more within 0.4 s, which is the limit of CORRAL_IDLE_TIMEOUT";
      for (const { model, status, text } of silent) {
        expect([model, status, text]).toEqual([model, 504, expect.stringContaining(noToken)]);
        expect(() => JSON.parse(text)).not.toThrow();
      }
      for (const { model, status, text } of stuck) {
        expect([model, status, text]).toEqual([model, 200, expect.stringContaining(nothingMore)]);
        expect(text).not.toContain("[DONE]");
      }
      expect(lines(busy.text).at(-1)).toMatchObject({ done: true });
      expect(JSON.parse(whole.text)).toMatchObject({ done: true });
      for (const { model } of [...silent, ...stuck])
        expect(await record(corral, model)).toMatchObject({ outcome: "timeout", status: "error" });
    } finally {
      await corral.stop();
    }
  });
});
