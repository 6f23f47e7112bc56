/** The admin key: asked for once, traded for a cookie that scripts can't read. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Dialog } from "./dialog";

/** Who waits for the key; null when nobody does. */
const waiting = signal<((entered: boolean) => void)[] | null>(null);
/** Somebody said no: nobody is asked again until they want to be. */
let refused = false;

/** Asks for the key. @returns whether a session was begun */
export function askForKey(): Promise<boolean> {
  if (refused) return Promise.resolve(false);
  return new Promise((resolve) => {
    waiting.value = [...(waiting.value ?? []), resolve];
  });
}

/** Asks again after a refusal, and has everything loaded anew. */
export async function enterKey(): Promise<void> {
  refused = false;
  if (await askForKey()) location.reload();
}

function settle(entered: boolean): void {
  refused = !entered;
  for (const resolve of waiting.value ?? []) resolve(entered);
  waiting.value = null;
}

/** The dialog; part of the frame. */
export function KeyDialog() {
  const [error, setError] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  if (!waiting.value) return null;
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const key = String(new FormData(event.currentTarget).get("key"));
    setSending(true);
    const answer = await begin(key);
    setSending(false);
    setError(answer);
    if (answer === null) settle(true);
  };
  return (
    <Dialog title="This needs the admin key" onClose={() => settle(false)}>
      <form onSubmit={enter}>
        <p>
          What reads texts, changes or deletes needs it on this server. It is what{" "}
          <code>CORRAL_ADMIN_KEY</code> was set to, or else in the file <code>admin-key</code> of Corral’s
          data folder.
        </p>
        <label class="field">
          Admin key
          <input
            name="key"
            type="password"
            autocomplete="current-password"
            required
            aria-describedby="key-error"
          />
        </label>
        <p id="key-error" class="error-text" role="alert">
          {error}
        </p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={() => settle(false)}>
            Go on without
          </button>
          <button type="submit" class="button primary" disabled={isSending}>
            Enter
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** @returns what went wrong; null when a session was begun */
async function begin(key: string): Promise<string | null> {
  if (!/^[\x21-\x7e]+$/.test(key))
    return "This is no key: it has no spaces and plain letters, digits and signs only.";
  const response = await fetch("/api/session", {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
  }).catch(() => null);
  if (!response) return "Corral does not answer.";
  if (response.ok) return null;
  return response.status === 401 ? "This is not Corral’s admin key." : `Corral answered ${response.status}.`;
}
