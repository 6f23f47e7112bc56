/** Short news at the edge of the page: what was done, and what went wrong with what to do. */
import { signal } from "@preact/signals";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const toasts = signal<readonly Toast[]>([]);
const SHOWN_MS = 6000;
let last = 0;

/** Says that something was done; it goes by itself. */
export function say(text: string): void {
  const id = add(text, false);
  setTimeout(() => remove(id), SHOWN_MS);
}

/** Says what went wrong; it stays until it is closed. */
export function sayError(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  add(error instanceof Error ? error.message : String(error), true);
}

function add(text: string, isError: boolean): number {
  last += 1;
  toasts.value = [...toasts.value.filter((toast) => toast.text !== text), { id: last, text, isError }];
  return last;
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Part of the frame. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isError }) => (
        <div key={id} class={isError ? "toast error" : "toast"}>
          <span>{text}</span>
          <button type="button" class="button plain" aria-label="Close" onClick={() => remove(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
