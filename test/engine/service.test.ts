import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ConnectionError,
  HealthCheckError,
  NetworkConfig,
  OllamaService,
  OllamaServiceError,
  ServiceStartError,
  ServiceStopError,
} from "corral";
import { isAlive, until, withService } from "../support/service";
import { freePort, simulatorBinary, startSimulator } from "../support/simulator";

test("it starts Ollama, asks it, and stops it with nothing left", () =>
  withService({ onMetrics: () => {} }, async ({ service, port }) => {
    expect(service).toMatchObject({ isRunning: false, uptimeSeconds: 0, metricsEnabled: true });
    await service.start();
    expect(service.isRunning).toBe(true);
    expect(service.baseUrl).toBe(`http://127.0.0.1:${port}`);
    expect(await service.healthCheck()).toBe(true);
    expect((await service.getModels()).map(({ name }) => name)).toContain("llama3.2:latest");
    expect((await service.generate("llama3.2", "hello")).response.length).toBeGreaterThan(0);
    await Bun.sleep(20);
    expect(service.uptimeSeconds).toBeGreaterThan(0.01);
    expect(service.uptimeSeconds).toBeLessThan(60);
    const pid = service.pid ?? 0;
    await service.stop();
    expect(isAlive(pid)).toBe(false);
    expect(service).toMatchObject({ isRunning: false, uptimeSeconds: 0, pid: null });
    await service.start();
    expect(service).toMatchObject({ isRunning: true, run: 2, restarts: 1 });
  }));

test("what goes wrong is an error of its kind, with a stable code and words", () =>
  withService({}, async ({ service }) => {
    const health = await service.healthCheck(1).catch((error: unknown) => error);
    expect(health).toBeInstanceOf(HealthCheckError);
    expect(health).toMatchObject({ code: "health_check_error" });
    expect(String(health)).toContain("nothing answers there (asked 2 times)");
    const models = await service.getModels().catch((error: unknown) => error);
    expect(models).toBeInstanceOf(ConnectionError);
    expect(models).toMatchObject({ code: "connection_error" });
    expect(String(models).match(/Ollama at/g)).toHaveLength(1);
    expect(await service.generate("llama3.2", "x").catch((error: unknown) => error)).toBeInstanceOf(
      ConnectionError,
    );
    await service.start();
    const unknown = await service.generate("nosuch", "x").catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(OllamaServiceError);
    expect(String(unknown)).toContain("(status 404): model 'nosuch' not found");
  }));

test("started twice at once it is one Ollama, and a stop in the middle of a start leaves none", () =>
  withService({}, async ({ service }) => {
    await Promise.all([service.start(), service.start()]);
    expect(service.run).toBe(1);
    await service.stop();
    const started = service.start().catch((error: unknown) => error);
    await service.stop();
    expect(await started).toBeInstanceOf(ServiceStartError);
    await Bun.sleep(100);
    expect(service).toMatchObject({ pid: null, run: 1, state: "down" });
  }));

test("start waits no longer than it was told, and goes on behind it", () =>
  withService({ simulator: { CORRAL_SIMULATOR_START: "slow2000" } }, async ({ service }) => {
    await service.start(0.1);
    expect(service).toMatchObject({ isRunning: false, state: "starting" });
    await until(() => service.isRunning);
  }));

test("an Ollama of somebody else's is used, never stopped, and its end is seen", async () => {
  const theirs = await startSimulator();
  await withService({ port: theirs.port }, async ({ service }) => {
    await service.start();
    expect(service).toMatchObject({ isRunning: true, owned: false, pid: null, run: 1 });
    const refused = await service.restart("a test").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ServiceStopError);
    await service.stop();
    expect(isAlive(theirs.pid)).toBe(true);
    await service.start();
    await theirs.stop();
    await until(() => service.state === "down");
    expect(service.why).toContain("is gone: nothing answers there. Start it where it was started");
  });
});

test("an Ollama of somebody else's that is silent once or twice is no less ready: three times, and it is down", async () => {
  let toBreak = 0;
  let heard = 0;
  const front = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      data(socket, bytes) {
        const isProbe = bytes.toString().startsWith("GET / HTTP");
        if (isProbe) heard++;
        if (!isProbe || toBreak-- > 0) socket.terminate();
        else
          socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 17\r\n\r\nOllama is running");
      },
    },
  });
  await withService({ url: `http://127.0.0.1:${front.port}` }, async ({ service }) => {
    await service.start();
    await until(() => service.isRunning);
    const states = new Set<string>();
    service.onChange(() => states.add(service.state));
    heard = 0;
    toBreak = 2;
    await until(() => heard > 4);
    expect([...states]).not.toContain("down");
    toBreak = Number.POSITIVE_INFINITY;
    await until(() => service.state === "down");
    toBreak = 0;
    await until(() => service.isRunning);
  });
  front.stop(true);
});

test("what answers where an Ollama was, and is none any more, is named, and nobody is told to start it", async () => {
  let says = "Ollama is running";
  const front = Bun.serve({ port: 0, fetch: () => new Response(says) });
  await withService({ url: `http://127.0.0.1:${front.port}` }, async ({ service }) => {
    await service.start();
    await until(() => service.isRunning);
    says = "moved";
    await until(() => service.why?.includes("but is not Ollama") ?? false);
    expect(service.why).toStartWith(`no Ollama at http://127.0.0.1:${front.port}: bun`);
    expect(service.why).not.toContain("Start it");
  });
  await front.stop(true);
});

test("OLLAMA_URL: none is started; it may be away, come, go and come back", async () => {
  const port = await freePort();
  const theirs = (folder: string) =>
    Bun.spawn([join(folder, "ollama"), "serve"], {
      env: { OLLAMA_HOST: `127.0.0.1:${port}` },
      stdio: ["ignore", "ignore", "ignore"],
    });
  await withService({ url: `http://127.0.0.1:${port}/` }, async ({ service, folder }) => {
    await service.start();
    expect(service).toMatchObject({ state: "down", owned: false, baseUrl: `http://127.0.0.1:${port}` });
    const first = theirs(folder);
    await until(() => service.isRunning);
    first.kill("SIGKILL");
    await until(() => service.state === "down");
    const second = theirs(folder);
    try {
      await until(() => service.isRunning);
      expect(service).toMatchObject({ run: 2, restarts: 1 });
    } finally {
      second.kill("SIGKILL");
      await second.exited;
    }
  });
});

test("a stranger on the port is named with its pid, and Ollama starts once the port is free", async () => {
  const stranger = Bun.serve({ port: 0, fetch: () => new Response("hello") });
  await withService({ port: stranger.port ?? 0 }, async ({ service }) => {
    const refused = await service.start().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ServiceStartError);
    expect(refused).toMatchObject({ code: "service_start_error" });
    expect(String(refused)).toMatch(
      new RegExp(`port ${stranger.port} is held by bun(\\.exe)? \\(pid ${process.pid}\\).*OLLAMA_PORT`),
    );
    await stranger.stop(true);
    await until(() => service.isRunning);
  });
});

test("an address that is ourselves, or another Corral's, or no machine's, is refused", async () => {
  const corral = Bun.serve({
    port: 0,
    fetch: () => new Response("Ollama is running", { headers: { "x-corral-instance": "one" } }),
  });
  const own = `http://127.0.0.1:${corral.port}`;
  const words = (options: object) =>
    withService({ port: corral.port ?? 0, ...options }, ({ service }) =>
      service.start().then(
        () => "started",
        (error) => String(error),
      ),
    );
  expect(await words({ ourselves: () => [own] })).toContain("is Corral's own. OLLAMA_HOST is often exported");
  expect(await words({})).toContain(`a Corral answers at ${own} (instance one)`);
  const nowhere = new NetworkConfig({ host: "nosuch.invalid" }, {});
  expect(await words({ network: nowhere })).toContain(
    "no Ollama can be started at http://nosuch.invalid:11434",
  );
  await corral.stop(true);
});

test("without an ollama program it says how to get one, and starts it when it appears", () =>
  withService({ binary: "" }, async ({ service: _, folder, port }) => {
    const service = new OllamaService({
      network: new NetworkConfig({ host: "127.0.0.1", port }, {}),
      binary: join(folder, "later"),
      environment: { PATH: process.env.PATH },
      probeEveryMs: 50,
    });
    const refused = await service.start().catch((error: unknown) => error);
    expect(String(refused)).toContain(`OLLAMA_BIN is "${join(folder, "later")}", and there is no program`);
    expect(service.state).toBe("missing");
    writeFileSync(join(folder, "later"), await Bun.file(await simulatorBinary(folder)).text());
    chmodSync(join(folder, "later"), 0o755);
    try {
      await until(() => service.isRunning);
    } finally {
      await service.stop();
    }
    const none = new OllamaService({ environment: { PATH: folder }, binary: "" });
    await Bun.$`rm ${join(folder, "ollama")}`.quiet();
    const missing = String(await none.start().catch((error: unknown) => error));
    expect(missing).toMatch(/Install it from https:\/\/ollama.com\/download|systemctl start ollama|held by/);
    await none.stop();
  }));

test("after it was given up, a restart looks at the port again", () =>
  withService({ simulator: { CORRAL_SIMULATOR_START: "exit" }, backoffMs: 1 }, async ({ service, port }) => {
    await service.start(0);
    await until(() => service.why?.includes("5 times in a row") === true);
    expect(service.why).toContain("POST /api/engine/restart");
    expect(service.lastOutput(1)[0]).toContain("permission denied");
    const stranger = Bun.serve({ port, fetch: () => new Response("hello") });
    const refused = await service.restart("a test").catch((error: unknown) => error);
    expect(String(refused)).toContain(`port ${port} is held by`);
    await stranger.stop(true);
    expect(service.run).toBe(5);
  }));
