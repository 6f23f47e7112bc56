import { expect, setDefaultTimeout, test } from "bun:test";
import { contract, native, post } from "../gateway/asking";
import { describeCorral, eventually, getJson } from "../support/corral";

setDefaultTimeout(60_000);

describeCorral("what Prometheus reads", (corral) => {
  const read = async () => (await fetch(`${corral().url}/metrics`)).text();
  /** A sample's value. */
  const value = (text: string, sample: string) => {
    const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
    return line === undefined ? null : Number(line.slice(sample.length + 1));
  };

  test("counts each request once, by model, dialect and outcome, with the engine's tokens", async () => {
    const url = `${corral().url}/api/chat`;
    for (const _ of [1, 2]) await post(url, contract("sim-tokens5:counted"));
    await post(url, native("sim-tokens9-error2:counted"));
    const sample = (dialect: string, model: string, outcome: string) =>
      `corral_requests_total{model="${model}",operation="chat",dialect="${dialect}",outcome="${outcome}"}`;
    const text = await eventually(read, (found) => found.includes('outcome="engine_error"'));
    expect(value(text, sample("contract.chat", "sim-tokens5:counted", "complete"))).toBe(2);
    expect(value(text, sample("ollama.chat", "sim-tokens9-error2:counted", "engine_error"))).toBe(1);
    expect(value(text, 'corral_tokens_total{model="sim-tokens5:counted",direction="out"}')).toBe(10);
    expect(value(text, 'ollama_generated_tokens_total{model="sim-tokens5:counted"}')).toBe(10);
    expect(
      value(text, 'corral_request_duration_seconds_count{model="sim-tokens5:counted",operation="chat"}'),
    ).toBe(2);
    expect(
      value(text, 'corral_time_to_first_token_seconds_count{model="sim-tokens5:counted",operation="chat"}'),
    ).toBe(2);
    for (const [sample, count] of [
      ["corral_engine_up", 1],
      ["ollama_up", 1],
      ["corral_database_up", 1],
      ["corral_requests_in_flight", 0],
      ['corral_ledger_records{state="accepted"}', 3],
    ] as const)
      expect([sample, value(text, sample)]).toEqual([sample, count]);
  });

  test("says what became of every record, and it adds up", async () => {
    const state = (text: string, name: string) => value(text, `corral_ledger_records{state="${name}"}`) ?? -1;
    const text = await eventually(read, (found) => state(found, "stored") === 3);
    const parts = ["in_flight", "stored", "spooled", "set_aside", "shed"].map((name) => state(text, name));
    expect(parts).toEqual([0, 3, 0, 0, 0]);
    expect(state(text, "accepted")).toBe(3);
    expect(value(text, "corral_spool_oldest_seconds")).toBe(0);
    expect(value(text, "corral_database_lag_seconds")).toBeGreaterThan(0);
    for (const what of ["records", "texts"])
      for (const reason of ["spool_full", "write_failed"])
        expect(value(text, `corral_ledger_shed{what="${what}",reason="${reason}"}`)).toBe(0);
    expect(await getJson(`${corral().url}/api/ledger`)).toMatchObject({
      accepted: 3,
      stored: 3,
      message: null,
    });
  });

  test("knows no label that a client made up", async () => {
    await post(`${corral().url}/api/chat`, native("nobody-has-this"));
    const text = await eventually(read, (found) => found.includes('outcome="rejected"'));
    expect(text).not.toContain("nobody-has-this");
    expect(text).toContain('model="other",operation="chat",dialect="ollama.chat",outcome="rejected"');
  });

  test("is text that Prometheus takes: each family with its help and type, no sample twice", async () => {
    const response = await fetch(`${corral().url}/metrics`);
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const lines = (await response.text()).split("\n").filter(Boolean);
    const samples = lines.filter((line) => !line.startsWith("#"));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+(\{[^}]*\})? -?[\d.e+]+$/);
    const names = samples.map((line) => line.slice(0, line.lastIndexOf(" ")));
    expect(new Set(names).size).toBe(names.length);
    for (const name of new Set(samples.map((line) => line.replace(/(_bucket|_sum|_count)?[{ ].*/, ""))))
      expect([name, lines.some((line) => line.startsWith(`# TYPE ${name} `))]).toEqual([name, true]);
  });
});
