/** Serves the page: a document, a script and a style, compressed once and named by their content. */
import { Elysia } from "elysia";
import { failure } from "../errors";
import { type Encoding, type PageFile, pageFiles } from "./files";

/** Nothing from outside and nothing inline: a model's text that found its way into the page could do nothing there. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function webRoutes() {
  const files = createFiles();
  return new Elysia({ name: "web" })
    .get("/", ({ request }) => home(request, files), { detail: { hide: true } })
    .get("/page/:file", async ({ request, params }) => send(request, await files(params.file)), {
      detail: { hide: true },
    });
}

type Files = (name: string) => Promise<PageFile>;

/** The page for whoever asks for HTML; for all others what Ollama says, so that clients who look for one find it. */
async function home(request: Request, files: Files): Promise<Response> {
  if (request.headers.get("accept")?.includes("text/html")) return send(request, await files("/"));
  return new Response("Ollama is running", {
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}

/** @returns what finds one of them; it throws Failure 404 for a name that is none */
function createFiles(): Files {
  let loaded: Promise<readonly PageFile[]> | null = null;
  return async (name) => {
    loaded ??= pageFiles();
    const file = (await loaded).find((one) => one.name === name);
    if (!file) throw failure.notFound(`/page/${name}`);
    return file;
  };
}

function send(request: Request, file: PageFile): Response {
  const isDocument = file.name === "/";
  const headers = new Headers({
    etag: `"${file.hash}"`,
    vary: isDocument ? "Accept, Accept-Encoding" : "Accept-Encoding",
    "cache-control": isDocument ? "no-cache" : "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
  });
  if (isDocument) {
    headers.set("content-security-policy", policy);
    headers.set("referrer-policy", "no-referrer");
  }
  if (request.headers.get("if-none-match")?.includes(file.hash)) {
    return new Response(null, { status: 304, headers });
  }
  const encoding = encodingOf(request.headers.get("accept-encoding") ?? "");
  if (encoding !== "identity") headers.set("content-encoding", encoding);
  headers.set("content-type", file.type);
  return new Response(Buffer.from(file[encoding], "base64"), { headers });
}

/** The best of what a client takes; `q=0` refuses one. */
function encodingOf(accepted: string): Encoding {
  const taken = accepted
    .toLowerCase()
    .split(",")
    .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
    .map((one) => one.split(";")[0]?.trim());
  return (["br", "zstd", "gzip"] as const).find((one) => taken.includes(one)) ?? "identity";
}
