/**
 * The library of models that can be pulled. ollama.com is asked where it can be reached within three seconds; it has no
 * API for this, so its search page is read. The list that is shipped with the program answers when it can't, or when
 * the page has changed beyond reading: an error is never an empty list.
 */
import { messageOf } from "../../errors";
import type { Log } from "../../log";
import shipped from "./library.json";

interface LibraryModel {
  name: string;
  description: string;
  /** Parameters, such as "3b". */
  sizes: string[];
  capabilities: string[];
}

interface LibraryPage {
  models: LibraryModel[];
  total: number;
  source: "ollama.com" | "shipped";
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
      const found = await online(asked);
      // Nothing found may also mean that the page has changed: the shipped list then knows better.
      const useOnline = found !== null && (found.length > 0 || shippedFor(asked).length === 0);
      const models = useOnline ? found : shippedFor(asked);
      return {
        models: models.slice(offset, offset + limit),
        total: models.length,
        source: useOnline ? "ollama.com" : "shipped",
      };
    },
    describe: (name) => shipped.models.find((model) => model.name === name.split(":")[0])?.description ?? "",
  };
}

function shippedFor(query: string): LibraryModel[] {
  const words = query.split(/\s+/).filter(Boolean);
  return shipped.models.filter((model) => {
    const text = `${model.name} ${model.description} ${model.capabilities.join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The models of ollama.com's search page, by the marks that its own tests use. */
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
        models.push({ name: "", description: "", sizes: [], capabilities: [] });
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
    .map((model) => ({ ...model, description: model.description.replace(/\s+/g, " ").trim() }));
}
