import { serve } from "../simulator/index";

/** `corral simulator serve`: a stand-in engine that is called like Ollama. */
export async function simulator(args: string[]): Promise<void> {
  await serve(args);
}
