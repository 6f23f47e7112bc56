/** Keys: `g` and a letter go to a view, a view adds its own, `?` lists them. They can be switched off. */
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { Dialog } from "./dialog";
import { stored } from "./stored";

/** Of keys pressed one after the other, such as "g n": what it does, in words, and does. */
export type Keys = Readonly<Record<string, readonly [words: string, run: () => void]>>;

/** How long the second key may take. */
const SECOND_WITHIN_MS = 1500;

const sets = signal<readonly Keys[]>([]);
const isListShown = signal(false);
const isOn = stored("corral-keys", ["on", "off"]);

/** Has keys while the component is shown. `keys` is made once, or with useMemo. */
export function useKeys(keys: Keys): void {
  // As soon as the component is seen: a key that is pressed then is not lost.
  useLayoutEffect(() => {
    sets.value = [...sets.value, keys];
    return () => {
      sets.value = sets.value.filter((one) => one !== keys);
    };
  }, [keys]);
}

/** Listens for them; called once, by the frame. */
export function listenForKeys(): void {
  let first = "";
  let firstAt = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape" && !event.defaultPrevented) event.target.blur();
      return;
    }
    if (isOn.value === "off" || document.querySelector("dialog[open]")) return;
    // By when they were pressed, and not by when a busy page comes to it.
    const isSecond = first !== "" && event.timeStamp - firstAt < SECOND_WITHIN_MS;
    const pressed = isSecond ? `${first} ${event.key}` : event.key;
    first = "";
    const all = sets.value.toReversed();
    const found = all.find((keys) => Object.hasOwn(keys, pressed))?.[pressed];
    if (found) {
      event.preventDefault();
      found[1]();
    } else if (all.some((keys) => Object.keys(keys).some((name) => name.startsWith(`${pressed} `)))) {
      first = pressed;
      firstAt = event.timeStamp;
    }
  });
}

function isTyping(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

export function showKeys(): void {
  isListShown.value = true;
}

/** The list; part of the frame. */
export function KeysDialog() {
  if (!isListShown.value) return null;
  const close = () => {
    isListShown.value = false;
  };
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="keys">
        {sets.value.flatMap((keys) =>
          Object.entries(keys).map(([names, [words]]) => (
            <div key={names}>
              <dt>
                {names.split(" ").map((name) => (
                  <kbd key={name}>{name}</kbd>
                ))}
              </dt>
              <dd>{words}</dd>
            </div>
          )),
        )}
        <div>
          <dt>
            <kbd>Escape</kbd>
          </dt>
          <dd>Leave a field that one writes in</dd>
        </div>
      </dl>
      <div class="dialog-buttons">
        <label class="check">
          <input
            type="checkbox"
            checked={isOn.value === "on"}
            onChange={(event) => {
              isOn.value = event.currentTarget.checked ? "on" : "off";
            }}
          />
          Use keys
        </label>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
