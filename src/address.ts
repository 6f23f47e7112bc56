/** Addresses that Corral listens on, and how they are called. */

/** Whether nobody but this machine reaches it. */
export function isLoopback(host: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(host);
}

/** A wildcard is no address to call: this machine's own name stands for it, and is what people know. */
export function calledHost(host: string): string {
  return /^(0\.0\.0\.0|::|127\.0\.0\.1|::1)$/.test(host) ? "localhost" : host;
}

/** Such as "http://[fe80::1]:8000". */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
