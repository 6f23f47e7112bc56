/** The server: builds the parts, hands each what it needs, says where it is, and stops in order. */
import { type AdminKey, createAccess, keptAdminKey } from "../access";
import { calledHost, isLoopback, urlOf } from "../address";
import { createLibrary } from "../api/ollama/library";
import { eventOf } from "../api/ollama/service";
import { createApp, IDLE_SECONDS } from "../app";
import { ChildRegistry } from "../children/registry";
import { createClientAddress } from "../client-address";
import { type Database, openDatabase } from "../database/database";
import { codeOf } from "../engine/client";
import { NetworkConfig } from "../engine/network";
import { EngineOutput } from "../engine/output";
import { Pulls } from "../engine/pulls";
import { OllamaService } from "../engine/service";
import { UnfinishedPulls } from "../engine/unfinished-pulls";
import { failure, messageOf, ServiceStartError } from "../errors";
import { openFolder } from "../folder";
import { Gateway } from "../gateway/gateway";
import { isModelName } from "../gateway/paths";
import { requestPrefix } from "../ids";
import { Disk, spoolLimit } from "../ledger/budget";
import { createLedger } from "../ledger/ledger";
import { statusOf, tokensPerSecond } from "../ledger/record";
import { startRetention } from "../ledger/retention";
import { createLog, type Log } from "../log";
import { selfCommand } from "../self";
import { type Settings, secretVariables, settingsInForce } from "../settings";
import { sayVersion, version } from "../version";
import { greet } from "./greeting";

export interface ServerParts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Says a line to the person who started it. */
  readonly say: (line: string) => void;
  /** What to run instead of `ollama serve`: the demo's simulator. */
  readonly engineCommand?: readonly string[];
}

export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /**
   * Resolves when Ollama's start was tried and the database has come up for the first time.
   * Rejects with a Failure for what waiting won't mend: a database that can't be used, an Ollama address that is our own.
   */
  readonly settled: Promise<void>;
  /** What its records are kept in, and the id that they name it by: the demo writes a history. */
  readonly database: Database;
  readonly serverId: string;
  readonly log: Log;
  /** Drains and stops. A second call skips the drain. */
  stop(): Promise<void>;
}

const STORE_WITHIN_MS = 5000;

/**
 * Starts the server. It answers as soon as this returns; the engine and the database come up behind it.
 * @throws Failure for a folder or port that can't be had
 */
export async function startServer({
  settings,
  environment,
  say,
  engineCommand,
}: ServerParts): Promise<RunningServer> {
  const { values } = settings;
  const startedAt = performance.now();
  const uptimeSeconds = () => (performance.now() - startedAt) / 1000;
  const log = createLog(values.logLevel, values.logFormat);
  for (const warning of settings.warnings) log.warn(warning);

  const folder = openFolder(values.dataDir, urlOf(values.host, values.port));
  const registry = new ChildRegistry(folder.children, log);
  const database = openDatabase({
    where: values.databaseUrl
      ? { kind: "server", url: values.databaseUrl }
      : { kind: "embedded", folder: folder.database, command: selfCommand("database"), registry },
    log,
  });
  const adminKey = findAdminKey(values, folder.adminKey);
  const clientAddress = createClientAddress(values.trustedProxies);
  const instance = crypto.randomUUID();
  const network = new NetworkConfig(
    {
      host: values.ollamaHost || "127.0.0.1",
      timeout: values.ollamaTimeout / 1000,
      maxRetries: values.ollamaMaxRetries,
    },
    { OLLAMA_PORT: String(values.ollamaPort) },
  );
  const output = new EngineOutput(folder.engineLog, log);
  const unfinished = new UnfinishedPulls(folder.pulls, log);
  let ourselves: string[] = [];
  const engine = new OllamaService({
    network,
    url: values.ollamaUrl,
    binary: values.ollamaBin,
    ...(engineCommand ? { command: engineCommand } : {}),
    environment: withoutSecrets(environment),
    // Ollama deletes at its start what an unfinished pull has got so far, unless told not to.
    environmentAtStart: () => (unfinished.all.length > 0 ? { OLLAMA_NOPRUNE: "1" } : {}),
    log,
    registry,
    output,
    ourselves: () => ourselves,
  });
  say(
    `Corral ${sayVersion()}, starting: waiting for Ollama at ${engine.address} and for ${database.kind === "server" ? "PostgreSQL" : "the embedded database"}`,
  );
  await registry.endLeftBehind();

  const ledger = createLedger({
    database,
    server: folder.serverId,
    keepContents: values.content === "full",
    folder: folder.spool,
    limitBytes: spoolLimit(values.spoolLimit, values.diskBudget),
    log,
  });
  const keeping = {
    contentMs: values.keepContent,
    requestsMs: values.keepRequests,
    metricsMs: values.keepMetrics,
  };
  const disk = new Disk({
    database,
    budgetBytes: values.diskBudget,
    beside: () => ({
      spoolBytes: ledger.standing().spoolBytes,
      engineLogBytes: output.bytes,
      freeBytes: folder.freeBytes(),
    }),
    log,
  });
  ledger.onEnd((record) => {
    const speed = tokensPerSecond(record.tokensOut, record.decodeMs);
    log[statusOf(record.outcome) === "error" ? "warn" : "info"](
      {
        id: requestPrefix + record.id,
        // What is no name may be a prompt in the wrong field.
        model: record.model !== null && isModelName(record.model) ? record.model : null,
        dialect: record.dialect,
        status: record.httpStatus,
        outcome: record.outcome,
        ms: Math.round(record.latencyMs),
        ttft_ms: record.ttftMs === null ? null : Math.round(record.ttftMs),
        tokens_in: record.tokensIn,
        tokens_out: record.tokensOut,
        tokens_per_second: speed === null ? null : Math.round(speed * 10) / 10,
      },
      "request",
    );
  });
  const gateway = new Gateway({
    engine,
    ledger,
    log,
    limits: {
      firstTokenMs: values.firstTokenTimeout,
      idleMs: values.idleTimeout,
      heartbeatMs: values.heartbeat,
    },
  });
  let readRun = 0;
  engine.onChange(() => {
    if (engine.state !== "ready" || engine.run === readRun) return;
    readRun = engine.run;
    void gateway.knownModels.read();
  });
  const pulls = new Pulls({
    engine,
    unfinished,
    log,
    onEnd: (pull) => ledger.event(eventOf(pull)),
  });
  const ending = new AbortController();

  const app = createApp({
    engine,
    pulls,
    server: folder.serverId,
    library: createLibrary("https://ollama.com", log),
    database,
    ledger,
    disk,
    keeping,
    gateway,
    log,
    version,
    instance,
    access: createAccess(adminKey?.key ?? null),
    settings: settingsInForce(settings),
    clientAddress,
    loopback: isLoopback(values.host),
    origins: [values.corsOrigins, values.ollamaOrigins].flatMap((list) =>
      list
        .split(",")
        .map((one) => one.trim().replace(/\/+$/, ""))
        .filter(Boolean),
    ),
    ending: ending.signal,
    uptimeSeconds,
  });

  try {
    app.listen({
      port: values.port,
      hostname: values.host,
      // Elysia's default would let a second Corral listen on the same port, and each get some of the requests.
      reusePort: false,
      // Else Bun shows its own errors with our source in them.
      development: false,
      // For connections without a request; what may take long lifts it for itself (app.ts).
      idleTimeout: IDLE_SECONDS,
      // Uploads of models pass through; paths of ours have a limit of their own.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    });
  } catch (error) {
    folder.release();
    const advice =
      codeOf(error) === "EADDRINUSE"
        ? "another program listens there: stop it, or set CORRAL_PORT to another port"
        : `${messageOf(error)}: set CORRAL_HOST to an address of this machine, and CORRAL_PORT to a port that this user may take`;
    throw failure.start("port_taken", `Corral can't listen on ${values.host}:${values.port} (${advice})`);
  }
  // Now it will be said: one that was kept by a start that failed would never have been.
  adminKey?.keep();
  const port = app.server?.port ?? values.port;
  const address = urlOf(calledHost(values.host), port);
  folder.answersAt(urlOf(values.host, port));
  ourselves = ["127.0.0.1", "localhost", "::1", values.host].map((host) => urlOf(host, port));

  database.start();
  const retention = startRetention(database, keeping, log);
  disk.start();

  let hurried: () => void = () => {};
  const hurry = new Promise<void>((resolve) => {
    hurried = resolve;
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    if (stopped) {
      hurried();
      return stopped;
    }
    ending.abort();
    stopped = (async () => {
      log.info({ in_flight: gateway.active.count }, "stopping");
      pulls.stop();
      await gateway.stop(values.drain, hurry);
      await app.server?.stop(true);
      retention.stop();
      disk.stop();
      await engine.stop();
      await ledger.stop(STORE_WITHIN_MS);
      await database.stop();
      folder.release();
      log.info("stopped");
    })();
    return stopped;
  };

  pulls.resume();
  const engineTried = engine.start(0).catch((error: unknown) => {
    if (!(error instanceof ServiceStartError)) throw error;
    if (error.cause === "ourselves") throw failure.start("engine_is_corral", error.message);
    // Everything else works without one: the log and health say why there is none.
  });
  const settled = Promise.all([database.firstAttempt, engineTried]).then(() => {});
  // Who waits for it is told; a stop that comes first is nobody's error.
  settled.catch(() => {});
  void greet({
    say,
    engine,
    database,
    address,
    folder: folder.root,
    adminKey,
    adminKeyFile: folder.adminKey,
    stopping: () => ending.signal.aborted,
  });
  return { address, port, settled, database, serverId: folder.serverId, log, stop };
}

/** On loopback none is needed, unless one was asked for. @throws Failure */
function findAdminKey({ adminKey, host }: Settings["values"], path: string): AdminKey | null {
  if (adminKey !== "") return { key: adminKey, source: "setting", keep: () => undefined };
  return isLoopback(host) ? null : keptAdminKey(path);
}

/** What Ollama gets: it needs no key of ours, and prints part of its environment. */
function withoutSecrets(environment: ServerParts["environment"]): ServerParts["environment"] {
  const secret = secretVariables();
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.includes(name)));
}
