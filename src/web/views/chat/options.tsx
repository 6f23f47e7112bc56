/** How the model is asked: what is left empty is the model's own. */
import { signal } from "@preact/signals";
import type { ChatBody, Message } from "./stream";

const numbers = [
  ["temperature", "Temperature", "0 is the same each time, more is freer", { min: 0, max: 2, step: 0.1 }],
  ["top_p", "Top p", "Share of the likeliest words to choose from", { min: 0, max: 1, step: 0.05 }],
  ["num_ctx", "Context, tokens", "Another one than in memory loads the model anew", { min: 1, step: 1 }],
  ["num_predict", "Longest reply, tokens", "", { min: 1, step: 1 }],
  ["seed", "Seed", "The same gives the same reply", { step: 1 }],
] as const;
type NumberName = (typeof numbers)[number][0];

const system = signal("");
const values = signal<Readonly<Partial<Record<NumberName, number>>>>({});
const think = signal("");
const format = signal("");

/** What was chosen, for the body of a request. */
export function asked(): Pick<ChatBody, "think" | "format" | "options"> {
  return {
    options: values.value,
    ...(think.value === "" ? {} : { think: thinkOf(think.value) }),
    ...(format.value === "json" ? { format: "json" } : {}),
  };
}

/** The system prompt as a message; none where it is empty. */
export function systemMessage(): Message[] {
  return system.value.trim() === "" ? [] : [{ role: "system", content: system.value }];
}

function thinkOf(word: string): boolean | string {
  return word === "on" ? true : word === "off" ? false : word;
}

const isWide = matchMedia("(min-width: 1100px)").matches;

export function Options() {
  return (
    <details class="panel chat-options" open={isWide}>
      <summary>Settings</summary>
      <div class="fields">
        <label class="field">
          System prompt
          <textarea
            rows={4}
            value={system.value}
            onInput={(event) => {
              system.value = event.currentTarget.value;
            }}
          />
        </label>
        {numbers.map(([name, title, note, range]) => (
          <label key={name} class="field" title={note}>
            {title}
            <input
              type="number"
              placeholder="the model’s own"
              {...range}
              defaultValue={values.value[name]}
              onInput={(event) => {
                const { [name]: _, ...others } = values.value;
                const given = event.currentTarget.valueAsNumber;
                values.value = Number.isNaN(given) ? others : { ...others, [name]: given };
              }}
            />
          </label>
        ))}
        <label class="field">
          Thinking
          <select
            value={think.value}
            onChange={(event) => {
              think.value = event.currentTarget.value;
            }}
          >
            <option value="">the model’s own</option>
            <option value="on">on</option>
            <option value="off">off</option>
            <option value="low">low</option>
            <option value="medium">medium</option>
            <option value="high">high</option>
          </select>
        </label>
        <label class="field">
          Format
          <select
            value={format.value}
            onChange={(event) => {
              format.value = event.currentTarget.value;
            }}
          >
            <option value="">text</option>
            <option value="json">JSON</option>
          </select>
        </label>
      </div>
    </details>
  );
}
