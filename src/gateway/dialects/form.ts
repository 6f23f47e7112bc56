/** What a multipart form says, for the record: what goes on to the engine is its bytes. */
import { describeBytes } from "./images";

/**
 * The fields by their names, files as type, size and digest. Of several with one name the first counts, as in Ollama.
 * @param bytes not compressed
 * @returns undefined where they are no such form
 */
export async function readForm(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string | null,
): Promise<object | undefined> {
  const fields = new Map<string, unknown>();
  try {
    const form = await new Response(bytes, { headers: { "content-type": contentType ?? "" } }).formData();
    for (const [name, value] of form) if (!fields.has(name)) fields.set(name, await described(value));
  } catch {
    // Ollama says what it thinks of it.
    return undefined;
  }
  return Object.fromEntries(fields);
}

async function described(value: FormDataEntryValue): Promise<unknown> {
  return typeof value === "string"
    ? value
    : describeBytes(Buffer.from(await value.arrayBuffer()), value.type);
}
