/** `corral demo`: the server on the simulator, with a week that never was, in a folder that is gone at the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillDemo } from "../demo/fill";
import { makeHistory } from "../demo/history";
import { installedModels } from "../demo/models";
import { failure, messageOf } from "../errors";
import { selfCommand } from "../self";
import type { Settings } from "../settings";
import { type RunningServer, type ServerParts, startServer } from "./server";

const SEED = 1;

/**
 * Starts a server that touches nothing of anybody's: a database, a data folder and an Ollama that the settings name are
 * left alone. It answers as soon as this returns; its history is written behind it, the latest first.
 * @throws Failure as `startServer`
 */
export async function startDemo({
  settings,
  environment,
  say,
}: Omit<ServerParts, "engineCommand">): Promise<RunningServer> {
  // Fresh each time: a history that ends a week ago is no demo.
  const folder = makeFolder();
  const remove = () => rmSync(folder, { recursive: true, force: true });
  say(
    `This is a demo: its history is made up, and a simulator stands in for Ollama. All of it is in ${folder}`,
  );
  try {
    const running = await startServer({
      settings: ownSettings(settings, folder),
      environment: {
        ...environment,
        CORRAL_SIMULATOR_MODELS: installedModels,
        CORRAL_SIMULATOR_PARENT: String(process.pid),
      },
      say,
      engineCommand: selfCommand("simulator", "serve"),
    });
    let stopping = false;
    const { database, serverId: server, log } = running;
    const now = new Date();
    const history = makeHistory(SEED, now, -now.getTimezoneOffset());
    const keepContents = settings.values.content === "full";
    fillDemo({ database, server, keepContents }, history).then(
      () => say(`  History   ${history.length} made-up requests of the last seven days`),
      (error: unknown) => {
        if (!stopping) log.error({ error: messageOf(error) }, "the demo's history could not be written");
      },
    );
    const stop = async () => {
      stopping = true;
      await running.stop();
      remove();
    };
    return { ...running, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @throws Failure `folder_unusable` */
function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "corral-demo-"));
  } catch (error) {
    throw failure.start(
      "folder_unusable",
      `the demo can't have a folder in ${tmpdir()} (${messageOf(error)}): set TMPDIR to a folder that this user can write to`,
    );
  }
}

function ownSettings(settings: Settings, dataDir: string): Settings {
  const own = { dataDir, databaseUrl: "", ollamaUrl: "", ollamaHost: "127.0.0.1", ollamaPort: freePort() };
  const sources = Object.fromEntries(Object.keys(own).map((name) => [name, "demo"]));
  return {
    ...settings,
    values: { ...settings.values, ...own },
    sources: { ...settings.sources, ...sources },
  };
}

/** One that nobody listens on, so that the simulator is started and no Ollama of somebody's is found. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
