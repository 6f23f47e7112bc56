/** A request that is running: its phase in words, who asks, and the button that ends it. */
import { signal } from "@preact/signals";
import { type ActiveRequest, call } from "./api";
import { confirmed } from "./dialog";
import { during } from "./during";
import { say as tell } from "./toasts";

const canceling = signal<ReadonlySet<string>>(new Set());

export const phaseWords: Readonly<Record<ActiveRequest["phase"], string>> = {
  waiting: "Waiting",
  loading: "Loading the model",
  prefill: "Reading the prompt",
  generating: "Writing",
};

export function whoOf({
  user,
  client_ip,
  user_agent,
}: Pick<ActiveRequest, "user" | "client_ip" | "user_agent">) {
  return [user ?? client_ip, user_agent?.split(" ")[0]].filter(Boolean).join(", ");
}

export function CancelButton({ request }: { readonly request: ActiveRequest }) {
  return (
    <button
      type="button"
      class="button small"
      disabled={canceling.value.has(request.id)}
      aria-label={`Cancel ${request.model ?? "the request"} of ${whoOf(request)}`}
      onClick={() => cancel(request)}
    >
      Cancel
    </button>
  );
}

async function cancel(request: ActiveRequest): Promise<void> {
  const yes = await confirmed({
    title: "Cancel this request?",
    text: `${request.model ?? "It"} stops, and ${whoOf(request) || "its client"} is told that somebody who runs the server ended it.`,
    action: "Cancel the request",
  });
  if (!yes) return;
  await during(canceling, request.id, async () => {
    await call("DELETE /api/requests/active/:id", { params: { id: request.id } });
    tell("The request was canceled.");
  });
}
