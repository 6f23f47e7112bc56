/** What the page is made of, as it is served. */
import { join } from "node:path";
import { compiledPage } from "./files.macro" with { type: "macro" };

/** How a file can be sent, best first. */
export type Encoding = "br" | "zstd" | "gzip" | "identity";

/** A file of the page; its content, in base64, in each encoding. */
export interface PageFile extends Readonly<Record<Encoding, string>> {
  /** Made of its hash; `/` for the document. */
  readonly name: string;
  readonly hash: string;
  readonly type: string;
}

/**
 * Part of a compiled program; from source they are made, which takes most of a second.
 * @throws Error with the bundler's words
 */
export async function pageFiles(): Promise<readonly PageFile[]> {
  const compiled: readonly PageFile[] | null = compiledPage();
  if (compiled) return compiled;
  // Beside the server, which may have streams to carry meanwhile.
  const making = Bun.spawn([process.execPath, join(import.meta.dir, "build.ts")], { stderr: "pipe" });
  const [made, complaint, code] = await Promise.all([
    new Response(making.stdout).text(),
    new Response(making.stderr).text(),
    making.exited,
  ]);
  if (code !== 0) throw new Error(`the page can't be built: ${complaint}`);
  return JSON.parse(made);
}
