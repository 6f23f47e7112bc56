/** How the page is served. */
import { expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { webRoutes } from "../../src/web";

const web = webRoutes();
const get = (path: string, headers: Record<string, string> = {}) =>
  web.handle(new Request(`http://localhost${path}`, { headers }));
const asBrowser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const textOf = async (path: string) => (await get(path, asBrowser)).text();
/** What the document names: the style, and the scripts of every view. */
const named = async () => [...(await textOf("/")).matchAll(/\/page\/[\w.]+/g)].map(String);
/** The scripts that a script names in this way. */
const asked = async (path: string, way: RegExp) =>
  [...(await textOf(path)).matchAll(way)].map(([, name]) => `/page/${name}`);
const byName = /from"\.\/([\w.]+)"/g;
const later = /import\("\.\/([\w.]+)"\)/g;
/** What each view loads: the first what is there before any is shown, and all but it that and a script of their own. */
async function views(): Promise<string[][]> {
  const first = ["/", ...(await named())];
  const own = (await Promise.all(first.map((path) => asked(path, later)))).flat();
  return [
    first,
    ...(await Promise.all(
      own.map(async (path) => [...new Set([...first, path, ...(await asked(path, byName))])]),
    )),
  ];
}
const parts = async () => [...new Set((await views()).flat())].filter((path) => path !== "/");

test("who asks for HTML gets the page, and everybody else what Ollama says", async () => {
  const page = await get("/", asBrowser);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("vary")).toContain("Accept");
  for (const accept of ["*/*", "application/json"]) {
    const plain = await get("/", { accept });
    expect([accept, await plain.text()]).toEqual([accept, "Ollama is running"]);
  }
});

test("its policy lets in nothing from outside and nothing inline, and it has nothing inline", async () => {
  const page = await get("/", asBrowser);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  const html = await page.text();
  expect(html).not.toMatch(/ style=|<style|<script[^>]*>[^<]|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
});

test("each file is the same in every encoding that a client takes, and no view loads 80 KB", async () => {
  const sizes = new Map<string, Record<string, number>>();
  for (const path of ["/", ...(await parts())]) {
    const plain = Buffer.from(await (await get(path, asBrowser)).arrayBuffer());
    const size: Record<string, number> = {};
    for (const [encoding, unpack] of [
      ["br", brotliDecompressSync],
      ["zstd", zstdDecompressSync],
      ["gzip", gunzipSync],
    ] as const) {
      const packed = await get(path, { ...asBrowser, "accept-encoding": `${encoding};q=0.5, identity` });
      const bytes = Buffer.from(await packed.arrayBuffer());
      expect([path, packed.headers.get("content-encoding")]).toEqual([path, encoding]);
      expect(unpack(bytes).equals(plain)).toBe(true);
      size[encoding] = bytes.length;
    }
    sizes.set(path, size);
    const refused = await get(path, { ...asBrowser, "accept-encoding": "br;q=0, zstd;q=0.0, gzip;q=0" });
    expect(refused.headers.get("content-encoding")).toBeNull();
  }
  const sumOf = (paths: Iterable<string>, encoding: string) =>
    [...paths].reduce((sum, path) => sum + (sizes.get(path)?.[encoding] ?? 0), 0);
  const loaded = await views();
  expect(loaded).toHaveLength(6);
  for (const encoding of ["br", "zstd", "gzip"]) {
    const each = loaded.map((paths) => sumOf(paths, encoding));
    console.log(`the page by ${encoding}, bytes: all ${sumOf(sizes.keys(), encoding)}, by view ${each}`);
    for (const size of each) expect(size).toBeLessThan(80_000);
  }
});

test("a browser asks for the document each time and gets 304, and for the files never again", async () => {
  for (const path of ["/", ...(await parts())]) {
    const first = await get(path, asBrowser);
    expect(first.headers.get("cache-control")).toContain(path === "/" ? "no-cache" : "immutable");
    const again = await get(path, { ...asBrowser, "if-none-match": first.headers.get("etag") ?? "" });
    expect([path, again.status, await again.text()]).toEqual([path, 304, ""]);
  }
  expect((await get("/page/nosuch.js")).status).toBe(404);
});
