/** The demo's models: installed in its simulator, used in its history, and noted in its repository. */

interface NotedModel {
  /** Canonical. */
  readonly name: string;
  /** What people wrote down about it. */
  readonly notes: {
    readonly description: string;
    readonly tags: string[];
    readonly is_favorite: boolean;
    readonly is_default: boolean;
  };
}

export interface DemoModel extends NotedModel {
  /** How long it takes into memory. */
  readonly loadMs: number;
  /** Tokens a second that it reads, and that it writes. */
  readonly prefillRate: number;
  readonly decodeRate: number;
  /** Whether it thinks before it answers. */
  readonly thinks: boolean;
}

export const demoModels: readonly DemoModel[] = [
  {
    name: "llama3.2",
    loadMs: 1600,
    prefillRate: 2400,
    decodeRate: 96,
    thinks: false,
    notes: {
      description: "Quick all-rounder. Take this one unless you know why not.",
      tags: ["fast", "chat"],
      is_favorite: true,
      is_default: true,
    },
  },
  {
    name: "gemma3",
    loadMs: 2200,
    prefillRate: 1800,
    decodeRate: 71,
    thinks: false,
    notes: {
      description: "Best of ours at German, French and Japanese.",
      tags: ["languages", "chat"],
      is_favorite: false,
      is_default: false,
    },
  },
  {
    name: "mistral",
    loadMs: 3100,
    prefillRate: 1100,
    decodeRate: 48,
    thinks: false,
    notes: {
      description: "Sorts and summarises the support tickets at night.",
      tags: ["batch"],
      is_favorite: false,
      is_default: false,
    },
  },
  {
    name: "qwen3",
    loadMs: 3700,
    prefillRate: 950,
    decodeRate: 42,
    thinks: true,
    notes: {
      description: "Thinks first: slow to begin, good with plans and numbers.",
      tags: ["thinking", "careful"],
      is_favorite: true,
      is_default: false,
    },
  },
  {
    name: "qwen2.5-coder",
    loadMs: 5600,
    prefillRate: 620,
    decodeRate: 27,
    thinks: false,
    notes: {
      description: "For the editors. Knows our languages: TypeScript, Python, SQL.",
      tags: ["code"],
      is_favorite: true,
      is_default: false,
    },
  },
];

/** Installed to be tried; the history holds chats and completions alone. */
export const embeddingModel: NotedModel = {
  name: "nomic-embed-text",
  notes: {
    description: "Makes vectors for the search in our manuals. Does not chat.",
    tags: ["embeddings"],
    is_favorite: false,
    is_default: false,
  },
};

/** Noted, and no longer installed. */
export const formerModel: NotedModel = {
  name: "phi4-mini",
  notes: {
    description: "Tried in summer. Removed: too weak in German.",
    tags: ["retired"],
    is_favorite: false,
    is_default: false,
  },
};

/** What the demo's simulator has installed, in the form of CORRAL_SIMULATOR_MODELS. */
export const installedModels: string = [...demoModels, embeddingModel]
  .map((model) => `${model.name}:latest`)
  .join(",");

/** Names that nobody has installed, as people ask for them. */
export const unknownModels: readonly string[] = [
  "llama3.1",
  "llama3.2:1b",
  "qwen3:32b",
  "mistral-nemo",
  "gemma3:27b",
];
