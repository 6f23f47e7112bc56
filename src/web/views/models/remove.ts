/** Deleting a model, with what that would free. */
import { signal } from "@preact/signals";
import { call } from "../../shared/api";
import { confirmed } from "../../shared/dialog";
import { during } from "../../shared/during";
import * as say from "../../shared/format";
import { say as tell } from "../../shared/toasts";
import { installedTick, type Model } from "./models";

export const removing = signal<ReadonlySet<string>>(new Set());

/** @param models all that there are: one under another name may be the same */
export async function remove(model: Model, models: readonly Model[]): Promise<void> {
  const { name } = model;
  const yes = await confirmed({
    title: `Delete ${name}?`,
    text: [freed(model, models), usedBy(model), "To have it again is to pull it again; its records stay."]
      .filter(Boolean)
      .join(" "),
    action: `Delete ${name}`,
  });
  if (!yes) return;
  await during(removing, name, async () => {
    await call("DELETE /api/ollama/models/:name", { params: { name } });
    tell(`${name} was deleted.`);
  });
  installedTick.value += 1;
}

function freed({ name, installed }: Model, models: readonly Model[]): string {
  const same = models.find((other) => other.name !== name && other.installed?.digest === installed?.digest);
  if (same) return `This frees nothing: ${same.name} is the same model under another name.`;
  return `This frees ${say.bytes(installed?.size_bytes)} of disk, less what other models share with it.`;
}

function usedBy({ use, notes, loaded }: Model): string {
  return [
    notes.is_default && "It is the default.",
    loaded && "It is in memory.",
    use && `It was used last at ${say.time(new Date(use.last_used))}.`,
  ]
    .filter(Boolean)
    .join(" ");
}
