/** Answers of Ollama's own API that pass through Corral. */

/** `GET /api/ps`: what is loaded. Fields that versions leave out are optional. */
export interface LoadedModels {
  readonly models?: readonly LoadedModel[];
}

/** The canonical name: `llama3.2` and `llama3.2:latest` are one model everywhere. */
export function canonicalModel(name: string): string {
  return name.replace(/:latest$/, "");
}

/** `POST /api/show`: how a model is made. Versions differ in what they tell. */
export interface ShownModel {
  readonly license?: string;
  /** A line each: a name, spaces, a value. */
  readonly parameters?: string;
  readonly template?: string;
  readonly system?: string;
  readonly details?: {
    readonly format?: string;
    readonly family?: string;
    readonly parameter_size?: string;
    readonly quantization_level?: string;
  };
  /** By names such as `llama.context_length`. */
  readonly model_info?: Readonly<Record<string, unknown>>;
  readonly capabilities?: readonly string[];
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
