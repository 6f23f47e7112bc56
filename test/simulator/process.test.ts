import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postUpToBreak } from "../gateway/asking";
import { freePort, simulatorBinary, startSimulator } from "../support/simulator";

/** Runs the binary as a supervisor would, and hands it to `use`. */
async function withBinary<Result>(
  environment: Record<string, string>,
  use: (child: Bun.Subprocess<"ignore", "pipe", "pipe">, address: string) => Promise<Result>,
  words = ["serve"],
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "corral-simulator-"));
  const host = `127.0.0.1:${await freePort()}`;
  const child = Bun.spawn([await simulatorBinary(folder), ...words], {
    cwd: folder,
    env: { ...process.env, OLLAMA_HOST: host, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    return await use(child, `http://${host}`);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await rm(folder, { recursive: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a second engine on the same port gives up with Ollama's words", async () => {
  const engine = await startSimulator();
  try {
    const words = `Error: listen tcp 127.0.0.1:${engine.port}: bind: address already in use`;
    await withBinary({ OLLAMA_HOST: `127.0.0.1:${engine.port}` }, async (child) => {
      expect(await child.exited).toBe(1);
      expect(await new Response(child.stderr).text()).toContain(words);
    });
    expect(engine.log()).toContain(`msg="Listening on 127.0.0.1:${engine.port} (version 0.0.0-simulator)"`);
  } finally {
    await engine.stop();
  }
  expect(engine.process.exitCode).toBe(0);
});

test("it says its version as ollama does", async () => {
  await withBinary(
    {},
    async (child) =>
      expect(await new Response(child.stdout).text()).toBe("ollama version is 0.0.0-simulator\n"),
    ["--version"],
  );
});

test("a crash takes the process with it after so many tokens, with no time to end its runner", async () => {
  const engine = await startSimulator({ CORRAL_SIMULATOR_RUNNER: "1" });
  const body = { model: "sim-tokens9-crash2", messages: [{ role: "user", content: "hi" }] };
  await fetch(`${engine.address}/api/chat`, { method: "POST", body: '{"model":"sim-tokens9-crash2"}' });
  const { runners } = await (await fetch(`${engine.address}/simulator/state`)).json();
  try {
    const { text, broken } = await postUpToBreak(`${engine.address}/api/chat`, body);
    expect([broken, text.split("\n").length - 1]).toEqual([true, 2]);
    await engine.process.exited;
    expect(engine.process.signalCode).toBe("SIGKILL");
    expect(runners).toHaveLength(1);
  } finally {
    await engine.stop();
    // bunfig's noOrphans may have been first.
    for (const pid of runners.filter(isAlive)) process.kill(pid, "SIGKILL");
  }
});

test("a start can fail, hang, be slow or deaf, or flood its output", async () => {
  const answers = (address: string, patienceMs: number) =>
    fetch(address, { signal: AbortSignal.timeout(patienceMs) }).then(
      (response) => response.ok,
      () => false,
    );
  const fails = withBinary({ CORRAL_SIMULATOR_START: "exit" }, async (child) => {
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toStartWith("Error: ");
  });
  const hangs = withBinary({ CORRAL_SIMULATOR_START: "hang" }, async (child, address) => {
    await Bun.sleep(500);
    expect(await answers(address, 200)).toBe(false);
    expect(child.exitCode).toBeNull();
  });
  const deaf = withBinary({ CORRAL_SIMULATOR_START: "deaf" }, async (child, address) => {
    for await (const chunk of child.stderr) if (new TextDecoder().decode(chunk).includes("Listening")) break;
    const error = await fetch(address, { signal: AbortSignal.timeout(100) }).catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: "TimeoutError" });
  });
  const floods = withBinary({ CORRAL_SIMULATOR_START: "flood" }, async (child, address) => {
    let bytes = 0;
    const drain = async (stream: ReadableStream<Uint8Array>) => {
      for await (const chunk of stream) bytes += chunk.length;
    };
    const draining = [drain(child.stdout), drain(child.stderr)];
    while (!(await answers(address, 200))) await Bun.sleep(20);
    child.kill();
    await Promise.all(draining);
    expect(bytes).toBeGreaterThan(50_000_000);
  });
  const dies = withBinary({ CORRAL_SIMULATOR_CRASH_AFTER: "300" }, async (child) => {
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
  });
  await Promise.all([fails, hangs, deaf, floods, dies]);
});
