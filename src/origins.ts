/**
 * Who may call from a browser, and under which name this server may be called: Ollama's own rules. Without them any
 * page that a user of this machine opens could read what is kept here.
 */
import { isIP } from "node:net";

/** Ollama's own list, any port. */
const always = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"];
const schemes = [
  "app:",
  "file:",
  "tauri:",
  "vscode-webview:",
  "vscode-file:",
  "chrome-extension:",
  "moz-extension:",
  "safari-web-extension:",
];

/** What pages may send along: Ollama's list, with what OpenAI's client sends from a browser, and ours. */
export const allowedHeaders = [
  "authorization",
  "content-type",
  "user-agent",
  "accept",
  "x-requested-with",
  "openai-beta",
  "x-stainless-arch",
  "x-stainless-async",
  "x-stainless-custom-poll-interval",
  "x-stainless-helper-method",
  "x-stainless-lang",
  "x-stainless-os",
  "x-stainless-package-version",
  "x-stainless-poll-helper",
  "x-stainless-retry-count",
  "x-stainless-runtime",
  "x-stainless-runtime-version",
  "x-stainless-timeout",
  "x-api-key",
  "anthropic-version",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "x-corral-content",
  "x-corral-heartbeat",
  "traceparent",
  "tracestate",
];

/** How long a browser may remember a preflight's answer: Ollama's 12 hours, in seconds. */
export const preflightSeconds = 43_200;

/**
 * Whether pages of an origin may call.
 * @param host the Host that was called: a page of our own calls nobody else
 * @param further origins from the settings; `*` in one stands for anything
 */
export function originAllowed(origin: string, host: string | null, further: readonly string[]): boolean {
  if (isOwnOrigin(origin, host)) return true;
  if (further.some((pattern) => fits(pattern, origin))) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return (
    schemes.includes(protocol) ||
    ((protocol === "http:" || protocol === "https:") && always.includes(hostname))
  );
}

/** Whether no page asks, or one that this server has served itself under the Host that was called. */
export function isOwnOrigin(origin: string | null, host: string | null): boolean {
  return (
    origin === null ||
    (host !== null && host !== "" && [`http://${host}`, `https://${host}`].includes(origin))
  );
}

/** Whether a Host header is one of this machine's, for a server that listens on loopback: a foreign one is DNS rebinding. */
export function hostAllowed(host: string | null, machine: string): boolean {
  if (host === null || host === "") return true;
  const name = host.startsWith("[") ? host.slice(1, host.indexOf("]")) : (host.split(":")[0] ?? "");
  const lower = name.toLowerCase();
  if (isIP(lower) !== 0) return isLocalAddress(lower);
  return (
    lower === "localhost" ||
    lower === machine.toLowerCase() ||
    [".localhost", ".local", ".internal"].some((ending) => lower.endsWith(ending))
  );
}

function isLocalAddress(address: string): boolean {
  return (
    address === "::1" ||
    address === "::" ||
    address === "0.0.0.0" ||
    address.startsWith("127.") ||
    isPrivate(address)
  );
}

/** Ollama lets private addresses through as well: they can't be bound to a stranger's name. */
function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:)/.test(address);
}

function fits(pattern: string, origin: string): boolean {
  if (!pattern.includes("*")) return pattern === origin;
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(origin);
}
