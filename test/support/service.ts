/** `OllamaService` on the simulator, for tests that need no server: impatient, and ended by its own handle. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkConfig, OllamaService, type OllamaServiceOptions } from "corral";
import { freePort, simulatorBinary } from "./simulator";

export interface Service {
  readonly service: OllamaService;
  readonly port: number;
  readonly folder: string;
}

/** Makes a service on a free port, hands it to `use`, and stops it whatever happens. */
export async function withService<T>(
  options: OllamaServiceOptions & { readonly simulator?: Record<string, string>; readonly port?: number },
  use: (made: Service) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "corral-service-"));
  const port = options.port ?? (await freePort());
  const { simulator, port: _, ...rest } = options;
  const service = new OllamaService({
    network: new NetworkConfig({ host: "127.0.0.1", port, timeout: 5, maxRetries: 0 }, {}),
    binary: await simulatorBinary(folder),
    environment: { PATH: process.env.PATH, HOME: folder, ...simulator },
    probeEveryMs: 50,
    probeWithinMs: 300,
    backoffMs: 5,
    ...rest,
  });
  try {
    return await use({ service, port, folder });
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until it is so. */
export async function until(isIt: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isIt())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await Bun.sleep(10);
  }
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  const stat = Bun.spawnSync(["cat", `/proc/${pid}/stat`]).stdout.toString();
  return stat !== "" && !/\) Z /.test(stat);
}
