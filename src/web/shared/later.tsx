/** Views whose scripts are loaded when they are first shown: nobody waits for what is not looked at. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { reconnects } from "./live";
import { Skeleton, Trouble } from "./parts";

/** @param load imports the view */
export function later(load: () => Promise<ComponentType>): ComponentType {
  const view = signal<ComponentType | null>(null);
  const error = signal<Error | null>(null);
  const start = () => {
    error.value = null;
    load().then(
      (loaded) => {
        view.value = loaded;
      },
      () => {
        error.value = new Error(
          "This part of the page can't be loaded: Corral does not answer, or is another version by now. Try again, or load the page anew.",
        );
      },
    );
  };
  return function Later() {
    // Not the page itself is loaded again: that would take away what is said in Chat.
    useEffect(() => {
      if (view.value === null) start();
    }, [reconnects.value]);
    const Show = view.value;
    if (Show) return <Show />;
    return error.value ? <Trouble error={error.value} retry={start} /> : <Skeleton lines={8} />;
  };
}
