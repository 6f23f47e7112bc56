/** What a request asks for, however its Host and its path are written. */

/** The path that is asked for, as it stands in the URL; "" where there is none. */
export function pathOf(request: Request): string {
  return urlOf(request)?.pathname ?? "";
}

/** What is asked for; null where it is no URL of this server: a Host such as `[::1`, or CONNECT's `x:@elsewhere/`. */
export function urlOf(request: Request): URL | null {
  const known = urls.get(request);
  if (known !== undefined) return known;
  const url = readUrl(request);
  urls.set(request, url);
  return url;
}

/** Asked for several times a request, of which reading it anew would be a good part. */
const urls = new WeakMap<Request, URL | null>();

function readUrl(request: Request): URL | null {
  // Without a Host, or with an odd one, Bun gives a path alone, and `//a` in one is no other host.
  const text = request.url.startsWith("/") ? `http://localhost${request.url}` : request.url;
  const url = URL.parse(text);
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : null;
}

/** What Elysia 1.4's router takes for the path of a URL: it looks for the slash behind a Host of four characters or more. */
export function routedPath(url: string): string {
  const from = url.indexOf("/", 11);
  const query = url.indexOf("?", from + 1);
  return from === -1 ? "" : url.slice(from, query === -1 ? undefined : query);
}
