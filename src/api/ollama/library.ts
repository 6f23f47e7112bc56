/**
 * The library of models that can be pulled. ollama.com is asked where it can be reached within three seconds; it has no
 * API for this, so its search page is read. The list that is shipped with the program answers when it can't, or when
 * the page has changed beyond reading: an error is never an empty list. An answer from that list says of which day it is.
 */
import { messageOf } from "../../errors";
import type { Log } from "../../log";
import shipped from "./library.json";

interface LibraryModel {
  name: string;
  description: string;
  /** Parameters, such as "3b". */
  sizes: string[];
  /** What can follow the name in a pull. */
  tags: string[];
  capabilities: string[];
}

interface LibraryPage {
  models: LibraryModel[];
  total: number;
  source: "ollama.com" | "shipped";
  /** The day the shipped list tells of; null where ollama.com answered. */
  as_of: string | null;
}

export interface Library {
  search(query: string, limit: number, offset: number): Promise<LibraryPage>;
  /** A shipped model's description, "" for others. */
  describe(name: string): string;
}

const WITHIN_MS = 3000;
const KEPT_MS = 3_600_000;
/** While ollama.com can't be reached, each search would wait three seconds for nothing. */
const FAILURE_KEPT_MS = 60_000;
const MOST_KEPT = 200;

const shippedModels: readonly LibraryModel[] = shipped.models;
const shippedByName = new Map(shippedModels.map((model) => [model.name, model]));
/** What the words of a search are compared with, made once. */
const shippedWords = new Map(
  shippedModels.map((model) => {
    const { name, description, capabilities, sizes, tags } = model;
    const text = [name, description, ...capabilities, ...sizes, ...tags].join(" ").toLowerCase();
    return [model, { text, words: text.split(/[^a-z0-9.]+/) }];
  }),
);

/** @param site such as https://ollama.com */
export function createLibrary(site: string, log: Log): Library {
  const kept = new Map<string, { at: number; models: LibraryModel[] }>();
  let failedAt: number | null = null;

  async function online(query: string): Promise<LibraryModel[] | null> {
    const now = performance.now();
    const known = kept.get(query);
    if (known && now - known.at < KEPT_MS) return known.models;
    if (failedAt !== null && now - failedAt < FAILURE_KEPT_MS) return null;
    try {
      const response = await fetch(`${site}/search?q=${encodeURIComponent(query)}`, {
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const models = await readSearchPage(response);
      // A page without models to an empty question is a page that can't be read any more.
      if (models.length === 0 && query === "") throw new Error("its page can't be read");
      if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value ?? "");
      kept.set(query, { at: now, models });
      failedAt = null;
      return models;
    } catch (error) {
      log.debug({ site, error: messageOf(error) }, "the library can't be asked: the shipped list answers");
      failedAt = now;
      return null;
    }
  }

  return {
    async search(query, limit, offset) {
      const asked = query.trim().toLowerCase();
      // The site's search knows names, and no tag behind them.
      const found = await online(asked.replace(/(?<=\S):\S*/g, ""));
      // Nothing found may also mean that the page has changed: the shipped list then knows better.
      const useOnline = found !== null && (found.length > 0 || shippedFor(asked).length === 0);
      const models = useOnline ? found : shippedFor(asked);
      return {
        models: models.slice(offset, offset + limit),
        total: models.length,
        source: useOnline ? "ollama.com" : "shipped",
        as_of: useOnline ? null : shipped.date,
      };
    },
    describe: (name) => shippedByName.get(name.split(":")[0] ?? "")?.description ?? "",
  };
}

/** By popularity, but a model of exactly the name that was asked for comes first. */
function shippedFor(query: string): LibraryModel[] {
  const asked = query.split(/\s+/).filter(Boolean);
  const names = new Set(asked.map((word) => modelAndTag(word).name));
  const found = shippedModels.filter((model) => asked.every((word) => matches(model, word)));
  return [
    ...found.filter((model) => names.has(model.name)),
    ...found.filter((model) => !names.has(model.name)),
  ];
}

function matches(model: LibraryModel, word: string): boolean {
  const { name, tag } = modelAndTag(word);
  // Nearly every quantisation of a model is a tag, and no list holds them all: its name is enough.
  if (model.name === name) return true;
  if (tag !== "") return model.name.includes(name) && hasWord(model, tag);
  return hasWord(model, name || word);
}

function hasWord(model: LibraryModel, word: string): boolean {
  const { text = "", words = [] } = shippedWords.get(model) ?? {};
  // "8b" is not a part of "1.8b".
  return isSize(word) ? words.some((one) => one.startsWith(word)) : text.includes(word);
}

/** Such as 8b, 1.5b, 270m, 8x7b. */
function isSize(word: string): boolean {
  return /^\d[\dx.]*[bm]$/.test(word);
}

/** "registry.ollama.ai/library/llama3.2:3b" is llama3.2 with the tag 3b. */
function modelAndTag(word: string): { name: string; tag: string } {
  const [name = "", tag = ""] = (word.split("/").findLast(Boolean) ?? "").split(":");
  return { name, tag };
}

/** The models of ollama.com's search page, by the marks that its own tests use. It shows no tags: the shipped list does. */
async function readSearchPage(response: Response): Promise<LibraryModel[]> {
  const models: LibraryModel[] = [];
  const append = (put: (model: LibraryModel, text: string) => void) => ({
    text: ({ text }: { text: string }) => {
      const model = models.at(-1);
      if (model && text) put(model, text);
    },
  });
  const begin = (list: "sizes" | "capabilities") => ({
    element: () => {
      models.at(-1)?.[list].push("");
    },
    ...append((model, text) => {
      model[list][model[list].length - 1] += text.trim();
    }),
  });
  const page = new HTMLRewriter()
    .on("[x-test-model]", {
      element: () => {
        models.push({ name: "", description: "", sizes: [], tags: [], capabilities: [] });
      },
    })
    .on(
      "[x-test-model] [x-test-search-response-title]",
      append((model, text) => {
        model.name += text.trim();
      }),
    )
    .on(
      "[x-test-model] p.max-w-lg",
      append((model, text) => {
        model.description += text;
      }),
    )
    .on("[x-test-model] [x-test-size]", begin("sizes"))
    .on("[x-test-model] [x-test-capability]", begin("capabilities"))
    .transform(response);
  await page.text();
  return models
    .filter((model) => model.name !== "")
    .map((model) => ({
      ...model,
      description: model.description.replace(/\s+/g, " ").trim(),
      tags: shippedByName.get(model.name)?.tags ?? [],
    }));
}
