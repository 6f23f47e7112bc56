/** Dark and light: after the system, unless chosen. */
import { computed, effect, signal } from "@preact/signals";
import { stored } from "./stored";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => {
  systemIsDark.value = system.matches;
});

const chosenTheme = stored("corral-theme", ["system", "light", "dark"]);
/** What is seen: charts are drawn anew when it changes. */
export const theme = computed(() =>
  chosenTheme.value === "system" ? (systemIsDark.value ? "dark" : "light") : chosenTheme.value,
);

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/** To the other one; back to the system's when that is the other one. */
export function switchTheme(): void {
  const other = theme.value === "dark" ? "light" : "dark";
  chosenTheme.value = other === (systemIsDark.value ? "dark" : "light") ? "system" : other;
}
