/** What is around every view: navigation, connection, dialogs, news. */
import { useEffect } from "preact/hooks";
import { goTo, hrefOf, view, viewNames } from "./shared/address";
import { ConfirmDialog } from "./shared/dialog";
import * as say from "./shared/format";
import { type Keys, KeysDialog, showKeys, useKeys } from "./shared/keys";
import { connection, lostSince } from "./shared/live";
import { enterKey, KeyDialog } from "./shared/session";
import { switchTheme, theme } from "./shared/theme";
import { Toasts } from "./shared/toasts";
import { views } from "./views";

const keys: Keys = {
  ...Object.fromEntries(
    viewNames.map((name) => [
      `g ${name[0]}`,
      [`Go to ${views[name].title}`, () => goTo(hrefOf(name))] as const,
    ]),
  ),
  t: ["Dark or light", switchTheme],
  "?": ["Show these keys", showKeys],
};

export function Frame() {
  useKeys(keys);
  const { title, Show } = views[view.value];
  useEffect(() => {
    document.title = `${title} – Corral`;
  }, [title]);
  return (
    <>
      <button type="button" class="button skip" onClick={focusMain}>
        Skip to the view
      </button>
      <header class="bar">
        <a class="brand" href={hrefOf("now")}>
          Corral
        </a>
        <nav aria-label="Views">
          {viewNames.map((name) => (
            <a key={name} href={hrefOf(name)} aria-current={name === view.value ? "page" : undefined}>
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={views[name].icon} />
              </svg>
              {views[name].title}
            </a>
          ))}
        </nav>
        <div class="bar-end">
          <Connection />
          <button type="button" class="button plain" onClick={switchTheme} title="Dark or light (t)">
            {theme.value === "dark" ? "Light" : "Dark"}
          </button>
          <button
            type="button"
            class="button plain keys-button"
            onClick={showKeys}
            aria-label="Keys"
            title="Keys (?)"
          >
            ?
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1} class={`view ${view.value}`} aria-label={title}>
        <Show key={view.value} />
      </main>
      <Toasts />
      <KeysDialog />
      <ConfirmDialog />
      <KeyDialog />
    </>
  );
}

/** A link would change the address, which is the view. */
function focusMain(): void {
  document.getElementById("main")?.focus();
}

/** Whether what is seen is live. */
function Connection() {
  const words = {
    connecting: "Connecting",
    open: "Live",
    lost: `Not connected${lostSince.value ? ` since ${say.time(lostSince.value, true)}` : ""}`,
    refused: "Not live",
  };
  return (
    <span class={`connection ${connection.value}`} role="status">
      <i class="dot" aria-hidden="true" />
      {words[connection.value]}
      {connection.value === "refused" && (
        <button type="button" class="button small" onClick={enterKey}>
          Enter the key
        </button>
      )}
    </span>
  );
}
