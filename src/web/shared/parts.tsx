/** Small parts that every view uses. */
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { ApiError } from "./api";
import * as say from "./format";
import { enterKey } from "./session";

/** A local time, UTC on hover. @param exact with seconds */
export function Time({ at, exact = false }: { readonly at: string | Date; readonly exact?: boolean }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={say.utc(date)}>
      {say.time(date, exact)}
    </time>
  );
}

interface PanelProps {
  readonly title: string;
  /** Beside the title, such as how many there are. */
  readonly note?: ComponentChildren;
  /** At the title's other end: buttons, links. */
  readonly actions?: ComponentChildren;
  /** Where it stands in the view's grid. */
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A titled part of a view, which scrolls by itself where there is more than fits. */
export function Panel({ title, note, actions, class: place = "", children }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${place}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span class="muted">{note}</span>}
        <span class="actions">{actions}</span>
      </header>
      <div class="scroll" ref={reachable}>
        {children}
      </div>
    </section>
  );
}

/** What scrolls must be reached by the keyboard; not every browser sees to that. */
export function reachable(element: HTMLElement | null): void {
  if (element) element.tabIndex = 0;
}

/** Lines in the place of what has not been answered yet; as many as are expected, so that nothing jumps. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

/** Why something could not be had, what to do, and the way to do it. */
export function Trouble({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  const needsKey = error instanceof ApiError && error.status === 401;
  return (
    <div class="trouble" role="alert">
      <p>{needsKey ? "This needs the admin key." : error.message}</p>
      <button type="button" class="button" onClick={needsKey ? enterKey : retry}>
        {needsKey ? "Enter the key" : "Try again"}
      </button>
    </div>
  );
}

/** What can be said while there is nothing: what would be here, and a line that makes the first of it. */
export function Empty({
  children,
  command,
}: {
  readonly children: ComponentChildren;
  readonly command?: string;
}) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command && <Command text={command} />}
    </div>
  );
}

/** A line that makes a first request, and is answered: a chat needs its messages. @param flags of curl */
export function firstRequest(flags = ""): string {
  const messages = `"messages": [{"role": "user", "content": "Why is the sky blue?"}]`;
  return `curl ${flags}${location.origin}/api/chat -d '{"model": "llama3.2", ${messages}}'`;
}

/** A line for the terminal, to copy. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <Copy text={text} />
    </div>
  );
}

/** Copies a text, and says so in its own place. */
export function Copy({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [state, setState] = useState<"" | "copied" | "failed">("");
  const copy = async () => {
    // The clipboard is there on https and on localhost alone.
    const done = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
      () => "copied" as const,
      () => "failed" as const,
    );
    setState(done);
    setTimeout(() => setState(""), 2000);
  };
  return (
    <button type="button" class="button small copy" onClick={copy} aria-live="polite">
      {state === "copied" ? "Copied" : state === "failed" ? "Select it" : label}
    </button>
  );
}

/** Whether a click is the second of a double one, of which the first was meant for the button that was there before. */
export function isSecondClick(event: MouseEvent): boolean {
  return event.detail > 1;
}
