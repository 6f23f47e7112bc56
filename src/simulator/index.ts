/**
 * A stand-in for Ollama: a process that speaks its API, gives the same reply to the same request, and
 * misbehaves on demand. Tests and the demo run Corral on it. It knows nothing of the rest of Corral, so
 * that a mistake there cannot hide by being made here as well.
 *
 * `behaviour.ts` lists what a model's name can ask for, `settings.ts` what the environment can.
 */
export { serve } from "./serve";
