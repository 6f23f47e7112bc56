/**
 * Makes the page's files out of its source and prints them as JSON: scripts and a style, named by their content, and the
 * document that asks for those that every view needs. A process of its own, since Bun's bundler can't be called inside a macro (traps.md).
 */
import { basename, join } from "node:path";
import { brotliCompressSync, gzipSync, constants as zlib, zstdCompressSync } from "node:zlib";
import type { PageFile } from "./files";

const icon =
  "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23285ea7'/%3E%3Cpath d='M4.5 3.5v9M8 3.5v9M11.5 3.5v9M2.5 6.2h11M2.5 9.8h11' stroke='white' stroke-width='1.2'/%3E%3C/svg%3E";

const types = { js: "text/javascript", css: "text/css", html: "text/html" };

const built = await Bun.build({
  entrypoints: [join(import.meta.dir, "main.tsx"), join(import.meta.dir, "styles/page.css")],
  minify: true,
  splitting: true,
  // Scripts name one another so.
  naming: { chunk: "[hash].[ext]" },
  target: "browser",
  define: { "process.env.NODE_ENV": '"production"' },
});
const files = await Promise.all(
  built.outputs.map(async (output) => {
    const { kind, path } = output;
    return fileOf(
      await output.text(),
      path.endsWith(".js") ? "js" : "css",
      kind === "chunk" ? basename(path) : null,
    );
  }),
);
console.log(JSON.stringify([...files.map(({ file }) => file), await documentOf()]));

/** The style and the script keep the first paint waiting: without them it would be of the wrong colours, and jump. */
async function documentOf(): Promise<PageFile> {
  const named = (ending: string) =>
    files.find(({ file, isEntry }) => isEntry && file.name.endsWith(ending)) ?? wrong(ending);
  const script = named("js");
  const preloads = [...script.text.matchAll(/from"\.\/([\w.]+)"/g)].map(
    ([, name]) => `<link rel="modulepreload" href="/page/${name}">\n`,
  );
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>Corral</title>
<link rel="icon" href="data:image/svg+xml,${icon}">
<link rel="stylesheet" href="/page/${named("css").file.name}">
${preloads.join("")}<script type="module" src="/page/${script.file.name}" blocking="render"></script>
</head>
<body>
<noscript>This page needs JavaScript. Everything on it is also at the API: see <a href="/swagger">/swagger</a>.</noscript>
</body>
</html>
`;
  return { ...fileOf(text, "html", "/").file };
}

function wrong(ending: string): never {
  throw new Error(`the bundler made no ${ending}`);
}

/** @param name null: made of its content */
function fileOf(text: string, ending: keyof typeof types, name: string | null) {
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
  const file: PageFile = {
    name: name ?? `${hash}.${ending}`,
    hash,
    type: `${types[ending]}; charset=utf-8`,
    identity: Buffer.from(text).toString("base64"),
    br: brotliCompressSync(text, { params: { [zlib.BROTLI_PARAM_QUALITY]: 11 } }).toString("base64"),
    zstd: zstdCompressSync(text, { params: { [zlib.ZSTD_c_compressionLevel]: 19 } }).toString("base64"),
    gzip: gzipSync(text, { level: 9 }).toString("base64"),
  };
  return { file, text, isEntry: name === null };
}
