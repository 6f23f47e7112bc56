/**
 * Corral as a library: Ollama as a process that is kept running.
 *
 * @example
 * import { NetworkConfig, OllamaService } from "corral";
 *
 * const service = new OllamaService({ network: new NetworkConfig({ host: "127.0.0.1" }) });
 * await service.start();
 * console.log((await service.generate("llama3.2", "Why is the sky blue?")).response);
 * await service.stop();
 */
export { NetworkConfig, type NetworkValues } from "./engine/network";
export { OllamaService, type OllamaServiceOptions } from "./engine/service";
export type { GenerateReply, Model } from "./engine/wire";
export {
  ConnectionError,
  HealthCheckError,
  OllamaServiceError,
  ServiceStartError,
  ServiceStopError,
} from "./errors";
