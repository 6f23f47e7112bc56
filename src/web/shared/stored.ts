/** What a browser remembers of the page. */
import { effect, type Signal, signal } from "@preact/signals";

/** A choice among words, the first unless another was made; kept in this browser. */
export function stored<const T extends string>(name: string, words: readonly [T, ...T[]]): Signal<T> {
  const kept = localStorage.getItem(name);
  const choice = signal(words.find((word) => word === kept) ?? words[0]);
  effect(() => {
    if (choice.value === words[0]) localStorage.removeItem(name);
    else localStorage.setItem(name, choice.value);
  });
  return choice;
}
