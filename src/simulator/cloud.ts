/** What Ollama answers about ollama.com where its cloud is switched off, as OLLAMA_NO_CLOUD does: nobody is signed in. */
import { Refusal } from "./body";
import { jsonResponse } from "./faults";

/** POST /api/me */
export function me(): never {
  throw new Refusal(503, "account unavailable");
}

/** POST /api/signout, DELETE /api/user/keys/:key */
export function signOut(): never {
  throw new Refusal(500, "there was an error signing out");
}

/** POST /api/experimental/web_search */
export function webSearch(): never {
  throw new Refusal(403, "ollama cloud is disabled: web search is unavailable");
}

/** POST /api/experimental/web_fetch */
export function webFetch(): never {
  throw new Refusal(403, "ollama cloud is disabled: web fetch is unavailable");
}

/** GET /api/experimental/model-recommendations */
export function recommendations(): Response {
  const far = { model: "far:cloud", description: "Far", context_length: 262_144, max_output_tokens: 32_768 };
  const near = { model: "llama3.2", description: "Near", vram_bytes: 3_000_000_000 };
  return jsonResponse({ recommendations: [far, near] });
}
