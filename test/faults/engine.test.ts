import { expect, setDefaultTimeout, test } from "bun:test";
import { record } from "../gateway/asking";
import { eventually, getJson, startCorral } from "../support/corral";

setDefaultTimeout(60_000);

type EngineAnswer = { state: string; pid: number | null; restarts: number; why: string | null };

test.concurrent("an engine that is killed while idle is back within moments, and the restart is counted", async () => {
  const corral = await startCorral();
  try {
    const ask = async () => (await getJson(`${corral.url}/api/engine`)) as EngineAnswer;
    const { pid } = await ask();
    process.kill(pid ?? 0, "SIGKILL");
    const back = await eventually(ask, (now) => now.state === "ready" && now.pid !== pid);
    expect(back).toMatchObject({ restarts: 1, why: null });
    expect(corral.logged()).toContain("Ollama ended by itself (SIGKILL). It is being restarted");
  } finally {
    await corral.stop();
  }
});

test.concurrent("an engine that crashes at every start is given up after five times; health and chat say what to do", async () => {
  const corral = await startCorral({ until: "listening", environment: { CORRAL_SIMULATOR_START: "exit" } });
  try {
    const ask = async () => (await getJson(`${corral.url}/api/engine`)) as EngineAnswer;
    const words = "5 times in a row: no more restarts until asked";
    const given = await eventually(ask, ({ why }) => why?.includes(words) === true);
    expect(given).toMatchObject({ state: "down", restarts: 4 });
    const health = await fetch(`${corral.url}/api/health`);
    expect(health.status).toBe(503);
    expect(await health.text()).toContain("start it again with POST /api/engine/restart");
    const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "x" }] });
    const chat = await fetch(`${corral.url}/api/chat`, { method: "POST", body });
    expect(chat.status).toBe(503);
    expect(await chat.text()).toContain(words);
    expect(await record(corral, "llama3.2")).toMatchObject({ outcome: "rejected", http_status: 503 });
    expect((await fetch(`${corral.url}/api/engine/restart`, { method: "POST" })).status).toBe(200);
    await eventually(ask, ({ restarts }) => restarts >= 5);
  } finally {
    expect(await corral.stop()).toBe(0);
  }
});
