/** Where the page is: `#/requests?model=llama3.2`. Views keep their filters there, so that a view can be shared. */
import { computed, signal } from "@preact/signals";

export const viewNames = ["now", "requests", "history", "models", "chat", "data"] as const;
export type ViewName = (typeof viewNames)[number];

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

const parts = computed(() => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/").map(decoded);
  return { view: viewNames.find((view) => view === name) ?? "now", rest, query };
});

/** As it is where it is no encoded text: an address may come from anywhere. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const view = computed(() => parts.value.view);
/** What follows the view in the path: a request's id, a model's name. */
export const pathRest = computed(() => parts.value.rest);
/** The view's filters. */
export const filters = computed(() => new URLSearchParams(parts.value.query));

/** An address in the page, for links. Filters that are null or empty are left out. */
export function hrefOf(
  to: ViewName,
  query: Readonly<Record<string, string | number | null>> = {},
  rest: readonly string[] = [],
): string {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== "");
  const search = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#/${[to, ...rest.map(encodeURIComponent)].join("/")}${search && `?${search}`}`;
}

export function goTo(href: string): void {
  location.hash = href;
  // At once, not when the browser tells of it: a key that is pressed meanwhile is meant for where the page is now.
  hash.value = location.hash;
}

/** Changes some filters of the view and keeps the rest; null takes one away. No new entry in the browser's history. */
export function setFilters(changes: Readonly<Record<string, string | number | null>>): void {
  replaceBy(hrefOf(view.value, { ...Object.fromEntries(filters.value), ...changes }, pathRest.value));
}

/** As `goTo`, without a new entry in the browser's history. */
export function replaceBy(href: string): void {
  history.replaceState(history.state, "", href);
  hash.value = location.hash;
}
