/** Answers of Ollama's own API that pass through Corral. */

/** `GET /api/ps`: what is loaded. Fields that versions leave out are optional. */
export interface LoadedModels {
  readonly models?: readonly LoadedModel[];
}

export interface LoadedModel {
  readonly name: string;
  /** Bytes, in all. */
  readonly size?: number;
  /** Bytes of these on the GPU. */
  readonly size_vram?: number;
  readonly expires_at?: string;
  readonly context_length?: number;
}
