/** The settings as they are in force, and where each comes from. */
import { useMemo, useRef } from "preact/hooks";
import { filters, setFilters } from "../../shared/address";
import type { Settings } from "../../shared/api";
import { type Keys, useKeys } from "../../shared/keys";
import type { Loaded } from "../../shared/loaded";
import { Empty, Panel, Skeleton, Trouble } from "../../shared/parts";

type Setting = Settings["settings"][number];

export function SettingsInForce({
  settings: { value, error, reload },
}: {
  readonly settings: Loaded<Settings>;
}) {
  const search = useRef<HTMLInputElement>(null);
  const keys = useMemo<Keys>(() => ({ "/": ["Search the settings", () => search.current?.focus()] }), []);
  useKeys(keys);
  const wanted = filters.value.get("setting") ?? "";
  const found = value?.settings.filter((setting) => holds(setting, wanted)) ?? [];
  return (
    <Panel
      title="Settings in force"
      class="settings"
      note={
        value &&
        `${value.settings.filter(({ source }) => source !== "default").length} of ${value.settings.length} are set`
      }
      actions={
        <input
          ref={search}
          type="search"
          aria-label="Search the settings"
          placeholder="Search (/)"
          value={wanted}
          onInput={(event) => setFilters({ setting: event.currentTarget.value })}
        />
      }
    >
      {found.length > 0 ? (
        <dl>
          {found.map((setting) => (
            <div key={setting.name}>
              <dt>
                <code>{setting.variables}</code>
                {setting.flag && <code class="muted">{setting.flag}</code>}
              </dt>
              <dd class="value">
                {setting.value === null ? (
                  "set, not shown"
                ) : setting.value === "" ? (
                  <span class="muted">not set</span>
                ) : (
                  <code>{setting.value}</code>
                )}
                <span class={setting.source === "default" ? "muted" : ""}>
                  {setting.source === "default" ? "by default" : `from ${setting.source}`}
                </span>
              </dd>
              <dd class="muted">{setting.description}</dd>
            </div>
          ))}
        </dl>
      ) : value ? (
        <Empty>No setting has “{wanted}” in its name, value or description.</Empty>
      ) : error ? (
        <Trouble error={error} retry={reload} />
      ) : (
        <Skeleton lines={8} />
      )}
      <p class="panel-line">
        They are read at the start: set the variable, or the flag, and start Corral again.
      </p>
    </Panel>
  );
}

function holds(setting: Setting, wanted: string): boolean {
  const { name, variables, flag, value, source, description } = setting;
  const text = [name, variables, flag, value, source, description].join("\n").toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
