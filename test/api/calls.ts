/** Calls of the API as people make them: through curl. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: unknown;
}

/** Runs a real curl with these words, as they stand in the contract. */
export async function curl(...words: readonly string[]): Promise<Answer> {
  const child = Bun.spawn(["curl", "--silent", "--show-error", "--include", "--max-time", "20", ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`curl ${words.join(" ")} ended with ${code}: ${error}`);
  // An interim "100 Continue" comes before the head that counts.
  const [, head = "", text = ""] = /^(?:HTTP\/1\.1 100.*\r\n\r\n)?(HTTP.*?)\r\n\r\n(.*)$/s.exec(out) ?? [];
  const [first = "", ...lines] = head.split("\r\n");
  return {
    status: Number(first.split(" ")[1]),
    headers: new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 2),
      ]),
    ),
    text,
    json: readJson(text),
  };
}

/** Sends JSON, as a client in a program does. */
export function send(method: string, url: string, body?: unknown): Promise<Response> {
  return fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
}

/** The data of each event of a stream. */
export function events(text: string): unknown[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => readJson(event.replace(/^data: /, "")));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
