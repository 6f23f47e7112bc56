/** Who may talk to Ollama: only certain host names when it listens on loopback, and only certain web pages. */
import { hostname } from "node:os";
import type { Settings } from "./settings";

const localOrigins = ["localhost", "127.0.0.1", "0.0.0.0"].flatMap((host) =>
  ["http", "https"].flatMap((scheme) => [`${scheme}://${host}`, `${scheme}://${host}:*`]),
);
const appOrigins = ["app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*"];

const allowedHeaders =
  "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout";

/** Makes the gate. `refuse` answers what is not let in; `mark` adds the headers that a browser wants to see. */
export function gate(settings: Settings) {
  const patterns = [...settings.origins, ...localOrigins, ...appOrigins].map(toPattern);
  const onLoopback = /^(127\.|::1$|localhost$)/.test(settings.hostname);
  const foreign = (request: Request): string | undefined => {
    const origin = request.headers.get("origin");
    const host = request.headers.get("host") ?? "";
    // A page of the server's own is no foreign page.
    return origin === null || origin === `http://${host}` || origin === `https://${host}`
      ? undefined
      : origin;
  };
  return {
    refuse(request: Request): Response | undefined {
      const origin = foreign(request);
      if (origin !== undefined) {
        if (!patterns.some((pattern) => pattern.test(origin))) return new Response(null, { status: 403 });
        if (request.method === "OPTIONS") {
          return new Response(null, {
            status: 204,
            headers: {
              "access-control-allow-headers": allowedHeaders,
              "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
              "access-control-allow-origin": origin,
              "access-control-max-age": "43200",
              vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            },
          });
        }
      }
      if (onLoopback && !isAllowedHost(request.headers.get("host") ?? ""))
        return new Response(null, { status: 403 });
      return undefined;
    },

    mark(request: Request, response: Response): Response {
      const origin = foreign(request);
      if (origin !== undefined && response.status !== 403) {
        response.headers.set("access-control-allow-origin", origin);
        if (!response.headers.has("vary")) response.headers.set("vary", "Origin");
      }
      return response;
    },
  };
}

function toPattern(origin: string): RegExp {
  return new RegExp(`^${origin.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i");
}

function isAllowedHost(header: string): boolean {
  const host = header
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
  if (host === "" || host === "localhost" || host === hostname().toLowerCase()) return true;
  if (/^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)[\d.]+$/.test(host)) return true;
  return host === "0.0.0.0" || host === "::1" || /\.(localhost|local|internal)$/.test(host);
}
