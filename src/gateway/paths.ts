/**
 * Whose a request is. Asked once, with the path decoded and normalised, and everything that decides policy asks this:
 * routing alone can be dodged with `/api//pull` or `/api/%70ull` (traps.md).
 */
import { failure } from "../errors";
import type { Dialect } from "./dialects/dialect";

export type Place =
  | { readonly owner: "corral"; readonly path: string; readonly methods: readonly string[] }
  /** `inference` is recorded; `pass` goes through unseen. The first dialect that claims a body has it. */
  | { readonly owner: "engine"; readonly kind: "inference"; readonly dialects: readonly Dialect[] }
  | { readonly owner: "engine"; readonly kind: "pass" };

export interface Route {
  readonly method: string;
  /** A literal path, or one that ends in `/:name`: a name takes the rest, slashes included. */
  readonly path: string;
}

interface OwnPath {
  /** The part that must be there to the letter. */
  readonly literal: string;
  readonly named: boolean;
  readonly path: string;
  readonly methods: Set<string>;
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

  return (method, pathname) => {
    // A slash at the end makes no other path: Ollama redirects to the one without it.
    const spelt = pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
    const normal = normalise(spelt);
    const found = paths.find((path) => matches(path, spelt));
    if (!found && (normal === null || (normal !== spelt && paths.some((path) => matches(path, normal))))) {
      throw failure.ambiguousPath(pathname);
    }
    const spoken = dialects.get(normal ?? "");
    if (spoken && method === "POST" && !found?.named)
      return { owner: "engine", kind: "inference", dialects: spoken };
    if (found) {
      if (found.named) readName(spelt.slice(found.literal.length));
      return { owner: "corral", path: found.path, methods: [...found.methods] };
    }
    if (/^\/(api|v1)(\/|$)/.test(normal ?? "")) return { owner: "engine", kind: "pass" };
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
  if (!modelName.test(name) || name.split("/").some((part) => part === ".." || part === ".")) {
    throw failure.invalid(
      `${JSON.stringify(name.slice(0, 200))} is not a model's name: it takes 1 to 350 letters, digits and ._-:/ such as llama3.2 or hf.co/owner/model:Q4_K_M`,
    );
  }
}

/** Ollama's own rule: host/namespace/model:tag of these characters, at most 350 long. */
const modelName = /^(?!\/)[A-Za-z0-9_][A-Za-z0-9._:/-]{0,349}(?<![/:])$/;

function ownPaths(routes: readonly Route[]): OwnPath[] {
  const paths = new Map<string, OwnPath>();
  for (const { method, path } of routes) {
    const named = path.includes("/:");
    const literal = named ? path.slice(0, path.indexOf("/:") + 1) : path;
    const known = paths.get(path) ?? { literal, named, path, methods: new Set<string>() };
    paths.set(path, known);
    known.methods.add(method);
    if (method === "GET") known.methods.add("HEAD");
    known.methods.add("OPTIONS");
  }
  // Literal paths first: /api/models/repository/sync is no model called "sync".
  return [...paths.values()].sort((a, b) => Number(a.named) - Number(b.named));
}

function matches(path: OwnPath, pathname: string): boolean {
  return path.named
    ? pathname.startsWith(path.literal) && pathname.length > path.literal.length
    : pathname === path.literal;
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
