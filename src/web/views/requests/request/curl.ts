/** A line for a shell that makes a request again, as far as it is on record. */
import type { WholeRequest } from "../../../shared/api";
import { field, keptFile } from "./json";

export interface Curl {
  readonly command: string;
  /** What it can't have, in words; null where it is all there. */
  readonly lacks: string | null;
}

const paths: Readonly<Record<string, string>> = {
  "contract.chat": "/api/chat",
  "ollama.chat": "/api/chat",
  "ollama.generate": "/api/generate",
  "ollama.embed": "/api/embed",
  "ollama.embeddings": "/api/embeddings",
  "openai.chat": "/v1/chat/completions",
  "openai.completions": "/v1/completions",
  "openai.responses": "/v1/responses",
  "openai.embeddings": "/v1/embeddings",
  "openai.transcriptions": "/v1/audio/transcriptions",
  "anthropic.messages": "/v1/messages",
};

/** Systems take no longer argument; longer bodies come by the standard input. */
const LONGEST_ARGUMENT = 100_000;

/** @returns null where too little of it is on record */
export function curlOf(request: WholeRequest, origin: string): Curl | null {
  const { dialect, messages, prompt } = request;
  const path = paths[dialect];
  if (path === undefined || typeof messages === "string" || (messages === null && prompt === null)) {
    if (dialect !== "openai.transcriptions" || request.options === null) return null;
  }
  const url = quoted(origin + path);
  if (dialect === "openai.transcriptions") return { command: `curl ${url} ${formOf(request)}`, lacks: sound };
  const lost: unknown[] = [];
  const body = JSON.stringify(withoutFiles(bodyOf(request), lost)).replace(
    // A terminal may take these for commands.
    /[\u007f-\u009f]/g,
    (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
  );
  const head = `curl${request.stream ? " -N" : ""} ${url} -H 'Content-Type: application/json' -d`;
  return {
    command:
      body.length > LONGEST_ARGUMENT
        ? `${head} @- <<'END_OF_BODY'\n${body}\nEND_OF_BODY`
        : `${head} ${quoted(body)}`,
    lacks: lacksOf(request, lost.length),
  };
}

const sound = "The sound is not kept: put a file of yours in its place.";

function lacksOf({ dialect }: WholeRequest, files: number): string | null {
  if (files > 0)
    return `curl goes without ${files === 1 ? "one file, which is" : `${files} files, which are`} not kept.`;
  return dialect === "ollama.embed" || dialect === "openai.embeddings"
    ? "Several inputs are on record as one text, a line each, and are one here."
    : null;
}

/** For a POSIX shell: between single quotes nothing means anything, but the quote that ends them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bodyOf(request: WholeRequest): object {
  const { dialect, model, messages, prompt, system, options, stream } = request;
  const name = model === null ? {} : { model };
  const told = system === null ? {} : { system };
  const rest = typeof options === "object" ? options : {};
  const isNative = dialect.startsWith("ollama.");
  // Ollama's own endpoints stream unless told otherwise, the others if asked to.
  const streamed = stream === isNative ? {} : { stream };
  switch (dialect) {
    case "contract.chat":
      return { ...name, prompt, ...told, ...rest };
    case "ollama.generate": {
      const [sent] = Array.isArray(messages) ? messages : [];
      return { ...name, prompt, ...Object(sent), ...told, ...streamed, ...rest };
    }
    case "ollama.embed":
    case "openai.embeddings":
      return { ...name, input: prompt, ...rest };
    case "ollama.embeddings":
      return { ...name, prompt, ...rest };
    case "openai.completions":
      return { ...name, prompt, ...streamed, ...rest };
    case "openai.responses": {
      const said = JSON.stringify(messages)?.includes(JSON.stringify(system));
      const instructions = system === null || said ? {} : { instructions: system };
      return { ...name, ...instructions, input: messages ?? prompt, ...streamed, ...rest };
    }
    case "anthropic.messages":
      return { ...name, ...told, messages, ...streamed, ...rest };
    default:
      return { ...name, messages, ...streamed, ...rest };
  }
}

/** A form's fields; the file is one of the person's own. */
function formOf({ model, prompt, options }: WholeRequest): string {
  const fields = Object.entries({ ...(model === null ? {} : { model }), ...Object(options), prompt });
  const given = fields.flatMap(([name, value]) =>
    typeof value === "string" && name !== "file" ? `--form-string ${quoted(`${name}=${value}`)}` : [],
  );
  return [...given, "-F 'file=@sound.wav'"].join(" ");
}

/** Leaves out what is kept of files, which is no file. @param lost gets what is left out */
function withoutFiles(value: unknown, lost: unknown[]): unknown {
  if (Array.isArray(value)) {
    const kept = value.filter((one) => keptFile(one) === null);
    lost.push(...value.filter((one) => keptFile(one) !== null));
    return kept.map((one) => withoutFiles(one, lost));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((name) => [name, withoutFiles(field(value, name), lost)]));
}
