import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, type ChildOptions } from "../../src/children/child";
import { groupMembers, processFacts } from "../../src/children/processes";
import { ChildRegistry } from "../../src/children/registry";
import { EngineOutput } from "../../src/engine/output";
import { silentLog } from "../../src/log";
import { isAlive, until, withService } from "../support/service";

async function withChild(
  options: Partial<ChildOptions>,
  use: (child: Child) => Promise<void>,
): Promise<void> {
  const child = new Child({
    name: "it",
    command: ["sleep", "60"],
    environment: { PATH: process.env.PATH },
    probe: async () => true,
    output: () => {},
    readyWithinMs: 5000,
    probeEveryMs: 20,
    probeWithinMs: 100,
    probeMisses: 3,
    stdin: "ignore",
    registry: new ChildRegistry(null, silentLog),
    log: silentLog,
    advice: "Look there",
    backoffMs: 1,
    ...options,
  });
  try {
    await use(child);
  } finally {
    await child.stop(500);
  }
}

test("a killed child is started again, and its starts are counted", () =>
  withChild({}, async (child) => {
    child.start();
    await child.ready(AbortSignal.timeout(30_000));
    const first = child.pid ?? 0;
    process.kill(first, "SIGKILL");
    await until(() => child.state === "ready" && child.run === 2);
    expect(child.pid).not.toBe(first);
    expect(child.why).toBeNull();
  }));

test("it leads a session of its own, so Ctrl-C reaches only us", () =>
  withChild({}, async (child) => {
    child.start();
    const pid = child.pid ?? 0;
    expect(processFacts(pid)).toMatchObject({ pid, group: pid, session: pid });
    expect(processFacts(process.pid)?.session).not.toBe(pid);
  }));

test("one that ends again and again is given up after five times, and tried again when asked", () =>
  withChild({ command: ["sh", "-c", "exit 3"], probe: async () => false }, async (child) => {
    child.start();
    await expect(child.ready(AbortSignal.timeout(30_000))).rejects.toThrow(
      "it ended by itself (exit code 3), 5 times in a row: no more restarts until asked. Look there",
    );
    expect(child.run).toBe(5);
    child.restart("a test");
    await until(() => child.state === "failed" && child.run === 10);
  }));

test("a restart on request forgets its crashes, also while it waits between two", () =>
  withChild({ command: ["false"], probe: async () => false, backoffMs: 40 }, async (child) => {
    child.start();
    await until(() => child.run === 4 && child.state === "waiting");
    child.restart("a test");
    await until(() => child.state === "failed");
    expect(child.run).toBe(9);
  }));

test("a program that is none, or a command that can't be made, is a crash like any other", async () => {
  await withChild({ command: ["/nowhere/ollama"] }, async (child) => {
    child.start();
    await until(() => child.state === "failed");
    expect(child.why).toContain("it can't be started");
  });
  const broken = {
    get command(): string[] {
      throw new Error("no room for its socket");
    },
  };
  const options = Object.defineProperty({}, "command", {
    ...Object.getOwnPropertyDescriptor(broken, "command"),
    enumerable: true,
  });
  await withChild({}, async (child) => {
    Object.defineProperty(
      child.options,
      "command",
      Object.getOwnPropertyDescriptor(options, "command") ?? {},
    );
    child.start();
    await until(() => child.state === "failed");
    expect(child.why).toContain("no room for its socket");
  });
});

test("one that never answers is ended and started again, whether it hangs or is deaf", async () => {
  const never = (start: string) =>
    withService({ simulator: { CORRAL_SIMULATOR_START: start }, readyWithinMs: 400 }, async ({ service }) => {
      await service.start(0);
      await until(() => service.run >= 2);
      await until(() => service.why?.includes("was not ready within") === true);
    });
  await Promise.all([never("hang"), never("deaf")]);
});

test("one that is frozen stops answering, and is started again", () =>
  withService({}, async ({ service }) => {
    await service.start();
    const frozen = service.pid ?? 0;
    process.kill(frozen, "SIGSTOP");
    await until(() => service.run === 2 && service.isRunning);
    expect(isAlive(frozen)).toBe(false);
  }));

test("what it started goes with it: when it is stopped, and when it is killed", () =>
  withService({ simulator: { CORRAL_SIMULATOR_RUNNER: "1" } }, async ({ service }) => {
    await service.start();
    await service.generate("llama3.2", "hello");
    const group = service.pid ?? 0;
    expect(groupMembers(group)).toHaveLength(2);
    process.kill(group, "SIGKILL");
    await until(() => service.isRunning && service.run === 2);
    expect(groupMembers(group)).toEqual([]);
    await service.generate("llama3.2", "hello");
    const second = service.pid ?? 0;
    expect(groupMembers(second)).toHaveLength(2);
    await service.stop();
    expect(groupMembers(second)).toEqual([]);
  }));

test("one that does not heed SIGTERM is killed when its time is over", () =>
  withChild({ command: ["sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"] }, async (child) => {
    child.start();
    await child.ready(AbortSignal.timeout(30_000));
    await Bun.sleep(50);
    const pid = child.pid ?? 0;
    await child.stop(200);
    expect(groupMembers(pid)).toEqual([]);
  }));

test("a flood of output is taken, kept in a file for this user alone, and does not stay in memory", async () => {
  const folder = mkdtempSync(join(tmpdir(), "corral-output-"));
  const path = join(folder, "ollama.log");
  const output = new EngineOutput(path, silentLog);
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  try {
    await withService({ simulator: { CORRAL_SIMULATOR_START: "flood" }, output }, async ({ service }) => {
      await service.start(10);
      expect(service.isRunning).toBe(true);
      expect(service.lastOutput(5000).length).toBeLessThanOrEqual(2001);
      expect(service.lastOutput(10)).toHaveLength(10);
      Bun.gc(true);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    });
    for (const file of [path, `${path}.1`]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(file).size).toBeLessThan(11_000_000);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a program that ends without a stop takes its child with it", async () => {
  const script = `
    const { Child } = await import(${JSON.stringify(join(import.meta.dir, "../../src/children/child.ts"))});
    const { ChildRegistry } = await import(${JSON.stringify(join(import.meta.dir, "../../src/children/registry.ts"))});
    const log = { info() {}, warn() {}, debug() {} };
    const child = new Child({ name: "it", command: ["sleep", "60"], environment: process.env, output() {}, log,
      probe: async () => true, readyWithinMs: 5000, probeEveryMs: 50, probeWithinMs: 50, probeMisses: 3,
      stdin: "ignore", registry: new ChildRegistry(null, log), advice: "" });
    child.start();
    await child.ready(AbortSignal.timeout(30_000));
    console.log(child.pid);
    setTimeout(() => { throw new Error("a mistake"); }, 10);`;
  const program = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const pid = Number(await new Response(program.stdout).text());
  expect(await program.exited).toBe(1);
  expect(pid).toBeGreaterThan(1);
  await until(() => !isAlive(pid));
});
