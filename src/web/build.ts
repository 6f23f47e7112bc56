/**
 * Makes the page's files out of its source and prints them as JSON: a script and a style, named by their content, and
 * the document that asks for them. A process of its own, since Bun's bundler can't be called inside a macro (traps.md).
 */
import { join } from "node:path";
import { brotliCompressSync, gzipSync, constants as zlib, zstdCompressSync } from "node:zlib";
import type { PageFile } from "./files";

const icon =
  "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23285ea7'/%3E%3Cpath d='M4.5 3.5v9M8 3.5v9M11.5 3.5v9M2.5 6.2h11M2.5 9.8h11' stroke='white' stroke-width='1.2'/%3E%3C/svg%3E";

const built = await Bun.build({
  entrypoints: [join(import.meta.dir, "main.tsx"), join(import.meta.dir, "styles/page.css")],
  minify: true,
  target: "browser",
  define: { "process.env.NODE_ENV": '"production"' },
});
const texts = await Promise.all(built.outputs.map((output) => output.text()));
const isScript = built.outputs.map((output) => output.path.endsWith(".js"));
const files = texts.map((text, at) =>
  isScript[at] ? fileOf("js", "text/javascript", text) : fileOf("css", "text/css", text),
);
console.log(JSON.stringify([...files, { ...fileOf("html", "text/html", documentOf(files)), name: "/" }]));

/** The style and the script keep the first paint waiting: without them it would be of the wrong colours, and jump. */
function documentOf(files: readonly PageFile[]): string {
  const [script, style] = ["js", "css"].map(
    (ending) => files.find(({ name }) => name.endsWith(ending))?.name,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>Corral</title>
<link rel="icon" href="data:image/svg+xml,${icon}">
<link rel="stylesheet" href="/page/${style}">
<script type="module" src="/page/${script}" blocking="render"></script>
</head>
<body>
<noscript>This page needs JavaScript. Everything on it is also at the API: see <a href="/swagger">/swagger</a>.</noscript>
</body>
</html>
`;
}

function fileOf(ending: string, type: string, text: string): PageFile {
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
  return {
    name: `${hash}.${ending}`,
    hash,
    type: `${type}; charset=utf-8`,
    identity: Buffer.from(text).toString("base64"),
    br: brotliCompressSync(text, { params: { [zlib.BROTLI_PARAM_QUALITY]: 11 } }).toString("base64"),
    zstd: zstdCompressSync(text, { params: { [zlib.ZSTD_c_compressionLevel]: 19 } }).toString("base64"),
    gzip: gzipSync(text, { level: 9 }).toString("base64"),
  };
}
