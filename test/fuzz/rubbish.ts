/** Requests that no HTTP client sends, each with what a server may sensibly say to it. */
import type { Bytes, Talk } from "./socket";

export interface Rubbish extends Talk {
  readonly title: string;
  readonly bytes: Bytes | readonly Bytes[];
  /** The statuses that will do; "closed" where the connection may be closed without one. */
  readonly says: readonly (number | "closed")[];
}

const host = "Host: localhost\r\n";
/** In the names of paths that must never reach the engine. */
export const smuggled = "smuggled";

export function get(target: string, headers = host, version = "1.1"): string {
  return `GET ${target} HTTP/${version}\r\n${headers}\r\n`;
}

export function post(target: string, body: string, headers = host): string {
  return `POST ${target} HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A POST whose length is told by these headers, whatever its body is. */
function framed(headers: string, body: string): string {
  return `POST /api/show HTTP/1.1\r\n${host}${headers}\r\n\r\n${body}`;
}

const chunked = (body: string) => framed("Transfer-Encoding: chunked", body);
const hidden = get(`/api/${smuggled}`);

function all(says: Rubbish["says"], requests: Readonly<Record<string, Rubbish["bytes"]>>): Rubbish[] {
  return Object.entries(requests).map(([title, bytes]) => ({ title, bytes, says }));
}

export const hosts: readonly Rubbish[] = [
  ...all([403], {
    "one letter": get("/api/health", "Host: a\r\n"),
    "two letters": get("/api/health", "Host: ab\r\n"),
    "three letters": get("/api/health", "Host: abc\r\n"),
    "a digit": get("/api/health", "Host: 1\r\n"),
    "two of them": get("/api/health", `${host}Host: evil.example\r\n`),
    "a user before it": get("/api/health", "Host: localhost@evil.example\r\n"),
  }),
  ...all([200], {
    "an empty one": get("/api/health", "Host:\r\n"),
    "none in HTTP/1.0": get("/api/health", "", "1.0"),
    "short brackets": get("/api/health", "Host: [::]\r\n"),
  }),
  ...all([400], { "none in HTTP/1.1": get("/api/health", "") }),
  ...all([400, 403], {
    "bare colons": get("/api/health", "Host: ::1\r\n"),
    "a port alone": get("/api/health", "Host: :80\r\n"),
    "a port beyond all ports": get("/api/health", "Host: localhost:99999\r\n"),
    "a port of letters": get("/api/health", "Host: localhost:abc\r\n"),
    "a port that can't be decoded": get("/api/health", "Host: localhost:%zz\r\n"),
    "a bracket": get("/api/health", "Host: [\r\n"),
    "a bracket that does not close": get("/api/health", "Host: [::1\r\n"),
    "letters after a bracket": get("/api/tags", "Host: [::1]evil.example\r\n"),
    "a space": get("/api/health", "Host: a b\r\n"),
    "a control character": get("/api/health", "Host: localhost:\x01\r\n"),
  }),
];

/** Paths that are two when read twice. */
export const ambiguous: readonly Rubbish[] = all([400, 404], {
  "a slash in disguise": get(`/api%2f${smuggled}%2f..%2fhealth`),
  "a letter in disguise": get("/%61pi/health"),
  "a NUL": get("/api/health%00"),
  "a percent sign alone": get("/api/%"),
  "doubled slashes": get("//api//health"),
  "slashes alone": get("//"),
  "a host in the path": get(`//evil.example/api/${smuggled}`),
  "a bracket for a host": get("//["),
  "a bracket for a host, without a Host": get(`//[/api/${smuggled}`, "", "1.0"),
  "a port for a host, without a Host": get(`//:0/${smuggled}`, "", "1.0"),
  "dots out of everything": get("/../../etc/passwd"),
  "dots in disguise": get("/swagger/%2e%2e%2f%2e%2e%2fpackage.json"),
  backslashes: get("\\api\\health"),
  "no slash at all": get("api/health"),
  nothing: get(""),
  "a question alone": get("?x"),
  "an asterisk": `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  "another scheme": get("x://localhost/api/health"),
  "half a scheme": get("http:/api/health"),
  "an authority": `CONNECT localhost:80 HTTP/1.1\r\n${host}\r\n`,
  "a fragment of a path that is none": get("/nowhere#/api/health"),
});

export const methods: readonly Rubbish[] = [
  // Bun knows a list of methods, and hangs up on others.
  ...all(["closed", 400, 501], {
    "one that nobody knows": `FOO /api/health HTTP/1.1\r\n${host}\r\n`,
    "one in small letters": `get /api/health HTTP/1.1\r\n${host}\r\n`,
    "one of 5,000 letters": `${"G".repeat(5000)} / HTTP/1.1\r\n${host}\r\n`,
  }),
  ...all([405], {
    "one that a path of ours does not have": `TRACE /api/health HTTP/1.1\r\n${host}\r\n`,
    "one that a path of Ollama's does not have": `PROPFIND /api/tags HTTP/1.1\r\n${host}\r\n`,
  }),
];

export const oversized: readonly Rubbish[] = all([431], {
  "a header of 16 KB": get("/api/health", `${host}X-Big: ${"x".repeat(16 * 1024)}\r\n`),
  "a header of 1 MB": get("/api/health", `${host}X-Big: ${"x".repeat(1024 * 1024)}\r\n`),
  "a thousand headers": get(
    "/api/health",
    host + Array.from({ length: 1000 }, (_, at) => `X-${at}: ${at}\r\n`).join(""),
  ),
  "a path of 100 KB": get(`/${"x".repeat(100_000)}`),
  "a question of 1 MB": get(`/api/health?q=${"x".repeat(1024 * 1024)}`),
});

/** Two lengths, or lengths that two servers read in two ways: how a second request is smuggled past a proxy. */
export const smuggling: readonly Rubbish[] = [
  ...all([400], {
    "a length and chunks": framed("Content-Length: 5\r\nTransfer-Encoding: chunked", `0\r\n\r\n${hidden}`),
    "chunks and a length": framed("Transfer-Encoding: chunked\r\nContent-Length: 5", `0\r\n\r\n${hidden}`),
    "two lengths": framed("Content-Length: 2\r\nContent-Length: 60", `{}${hidden}`),
    "two lengths in one": framed("Content-Length: 2, 60", `{}${hidden}`),
    "a length below nothing": framed("Content-Length: -1", hidden),
    "a length with a sign": framed("Content-Length: +2", `{}${hidden}`),
    "a length in sixteens": framed("Content-Length: 0x2", `{}${hidden}`),
    "a length that is empty": framed("Content-Length:", hidden),
    "a length beyond all numbers": framed("Content-Length: 99999999999999999999999", hidden),
    "chunks of another name": framed("Transfer-Encoding: xchunked", `0\r\n\r\n${hidden}`),
    "chunks after a tab of another kind": framed("Transfer-Encoding: \x0bchunked", `0\r\n\r\n${hidden}`),
    "chunks before a colon with a space": framed("Transfer-Encoding : chunked", `0\r\n\r\n${hidden}`),
    "chunks and then none": framed("Transfer-Encoding: chunked, identity", `0\r\n\r\n${hidden}`),
    "chunks, said twice": framed(
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
      `0\r\n\r\n${hidden}`,
    ),
    "a chunk that is longer than it says": chunked(`2\r\n{}xx0\r\n\r\n${hidden}`),
    "chunks with bare line feeds": chunked(`2\n{}\n0\n\n${hidden}`),
    "a size that is none": chunked(`zz\r\n{}\r\n0\r\n\r\n${hidden}`),
    "a size below nothing": chunked(`-1\r\n{}\r\n0\r\n\r\n${hidden}`),
    "a size beyond all numbers": chunked(`ffffffffffffffffff\r\n{}\r\n0\r\n\r\n${hidden}`),
    "a size that is too small": chunked(`1\r\n{}\r\n0\r\n\r\n${hidden}`),
  }),
  // Within HTTP's rules: the engine sees one request, and its own words come back.
  ...all([400], {
    "one length, said twice": framed("Content-Length: 2\r\nContent-Length: 2", "{}"),
    "a size with an extension": chunked("2;a=b\r\n{}\r\n0\r\n\r\n"),
  }),
];

export const lines: readonly Rubbish[] = [
  ...all([400, 505, "closed"], {
    "line feeds alone": "GET /api/health HTTP/1.1\nHost: localhost\n\n",
    "carriage returns alone": "GET /api/health HTTP/1.1\rHost: localhost\r\r",
    "empty lines before it": `\r\n\r\n${get("/api/health")}`,
    "a header over two lines": get("/api/tags", `${host}X: a\r\n b\r\n`),
    "a carriage return in a header": get("/api/tags", `${host}X: a\rb\r\n`),
    "a NUL in a header": get("/api/tags", `${host}X: a\0b\r\n`),
    "a header without a name": get("/api/tags", `${host}: b\r\n`),
    "a space in a header's name": get("/api/tags", `${host}a b: c\r\n`),
    "a header without a colon": get("/api/tags", `${host}abc\r\n`),
    "a space in the path": get("/api/hea lth"),
    "a NUL in the path": get("/api/h\0"),
    "tabs for spaces": `GET\t/api/health\tHTTP/1.1\r\n${host}\r\n`,
    "a version of tomorrow": get("/api/health", host, "2.0"),
    "no version": "GET /api/health\r\n\r\n",
  }),
  ...all([200], { "bytes that are no text in a header": get("/api/tags", `${host}X: \xff\xfe\x80\r\n`) }),
  ...all([404], { "bytes that are no text in the path": get("/api/h\xff\xfe") }),
];

export const foreign: readonly Rubbish[] = all([400, 505, "closed"], {
  TLS: Buffer.from(`16030100f1010000ed0303${"ab".repeat(236)}`, "hex"),
  "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  SSH: "SSH-2.0-OpenSSH_9.6\r\n\r\n",
  SMTP: "EHLO localhost\r\nMAIL FROM:<a@b>\r\n\r\n",
  Redis: "*1\r\n$4\r\nPING\r\n\r\n\r\n",
  rubbish: Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 7919 + (at >> 3)) % 256)),
  zeros: new Uint8Array(20_000),
});
