/**
 * Whose a request is. Asked once, with the path decoded and normalised, and everything that decides policy asks this:
 * routing alone can be dodged with `/api//pull` or `/api/%70ull` (traps.md).
 */
import type { Use } from "../access";
import { failure } from "../errors";
import type { Dialect } from "./dialects/dialect";

/** `use`: what it does that not everybody may, null for what is open to all. */
export type Place =
  | {
      readonly owner: "corral";
      readonly use: Use | null;
      readonly path: string;
      readonly methods: readonly string[];
    }
  /** The first dialect that claims a body has it, and it is recorded. */
  | {
      readonly owner: "engine";
      readonly use: null;
      readonly kind: "inference";
      readonly dialects: readonly Dialect[];
    }
  /** Goes through unseen. */
  | { readonly owner: "engine"; readonly use: Use | null; readonly kind: "pass" };

export interface Route {
  readonly method: string;
  /**
   * A literal path, or one that ends in a parameter: a model's `:name` takes the rest, slashes included,
   * and any other none.
   */
  readonly path: string;
  readonly use: Use | null;
}

/**
 * What is open to all of the engine's paths: inference and what its clients ask first. Everything else needs the admin
 * key where there is one, paths of later versions included: nobody knows yet what those do.
 */
const openPaths = new Map([
  ["GET", /^\/(api\/(version|status|tags|ps|experimental\/model-recommendations)|v1\/models(\/.*)?)$/],
  [
    "POST",
    /^\/(api\/(generate|chat|embed|embeddings|show)|v1\/(chat\/completions|completions|embeddings|responses|audio\/transcriptions|messages|messages\/count_tokens))$/,
  ],
]);

interface OwnPath {
  /** The part that must be there to the letter. */
  readonly literal: string;
  readonly named: boolean;
  readonly path: string;
  readonly methods: Map<string, Use | null>;
}

/**
 * @param own Corral's routes
 * @param dialects by path, for POST
 */
export function createPaths(
  own: readonly Route[],
  dialects: ReadonlyMap<string, readonly Dialect[]>,
): (method: string, pathname: string) => Place {
  const paths = ownPaths(own);
  const inference = new Map(
    [...dialects].map(([path, spoken]) => [
      path,
      { owner: "engine", use: null, kind: "inference", dialects: spoken } as const,
    ]),
  );

  return (method, pathname) => {
    // Written as they are known, as nearly all are: nothing in them is to be decoded.
    const known = method === "POST" ? inference.get(pathname) : undefined;
    if (known) return known;
    // A slash at the end makes no other path: Ollama redirects to the one without it.
    const spelt = pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
    const normal = normalise(spelt);
    const found = paths.find((path) => matches(path, spelt));
    if (!found && (normal === null || (normal !== spelt && paths.some((path) => matches(path, normal))))) {
      throw failure.ambiguousPath(pathname);
    }
    const spoken = inference.get(normal ?? "");
    if (spoken && method === "POST" && !found?.named) return spoken;
    if (found) {
      if (found.path.endsWith("/:name")) readName(spelt.slice(found.literal.length));
      const use = found.methods.get(method) ?? null;
      return { owner: "corral", use, path: found.path, methods: [...found.methods.keys()] };
    }
    if (normal !== null && /^\/(api|v1)(\/|$)/.test(normal))
      return { owner: "engine", use: useOfEngine(method, normal), kind: "pass" };
    throw failure.notFound(pathname);
  };
}

/**
 * The model's name at the end of a path, percent-encoded or plain.
 * @throws Failure 400 when it is no name
 */
export function readName(encoded: string): string {
  let name: string;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    throw failure.invalid(`the name ${JSON.stringify(encoded)} in the path is not properly percent-encoded`);
  }
  checkName(name);
  return name;
}

/** @throws Failure 400 when a text can't be a model's name */
export function checkName(name: string): void {
  if (!isModelName(name)) {
    throw failure.invalid(
      `${JSON.stringify(name.slice(0, 200))} is not a model's name: it takes 1 to 350 letters, digits and ._-:/ such as llama3.2 or hf.co/owner/model:Q4_K_M`,
    );
  }
}

export function isModelName(name: string): boolean {
  return modelName.test(name) && !name.split("/").some((part) => part === ".." || part === ".");
}

/** Ollama's own rule: host/namespace/model:tag of these characters, at most 350 long. */
const modelName = /^(?!\/)[A-Za-z0-9_][A-Za-z0-9._:/-]{0,349}(?<![/:])$/;

function useOfEngine(method: string, path: string): Use | null {
  // A browser's question before a request does nothing by itself.
  if (method === "OPTIONS") return null;
  const asked = method === "HEAD" ? "GET" : method;
  if (openPaths.get(asked)?.test(path)) return null;
  return asked === "GET" ? "reads texts" : asked === "DELETE" ? "deletes" : "changes";
}

function ownPaths(routes: readonly Route[]): OwnPath[] {
  const paths = new Map<string, OwnPath>();
  for (const { method, path, use } of routes) {
    const named = path.includes("/:");
    const literal = named ? path.slice(0, path.indexOf("/:") + 1) : path;
    const known = paths.get(path) ?? { literal, named, path, methods: new Map<string, Use | null>() };
    paths.set(path, known);
    known.methods.set(method, use);
    if (method === "GET") known.methods.set("HEAD", use);
    known.methods.set("OPTIONS", null);
  }
  // Literal paths first, then by what is literal: /api/models/repository/sync is no model called "sync".
  return [...paths.values()].sort(
    (a, b) => Number(a.named) - Number(b.named) || b.literal.length - a.literal.length,
  );
}

function matches(path: OwnPath, pathname: string): boolean {
  if (!path.named) return pathname === path.literal;
  if (!pathname.startsWith(path.literal) || pathname.length === path.literal.length) return false;
  return path.path.endsWith("/:name") || !pathname.includes("/", path.literal.length);
}

/** Decoded, without doubled slashes and dot segments; null where it can't be decoded or holds a NUL. */
function normalise(pathname: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (decoded.includes("\u0000")) return null;
  const parts: string[] = [];
  for (const part of decoded.replaceAll("\\", "/").split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
