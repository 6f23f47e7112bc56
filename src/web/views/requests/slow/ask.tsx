/** Whose requests, of what time. */
import { useMemo } from "preact/hooks";
import { setFilters } from "../../../shared/address";
import * as say from "../../../shared/format";
import { useKeys } from "../../../shared/keys";
import type { Question } from "./address";
import type { Found } from "./load";

const lengths = [
  [60_000, "1 minute"],
  [300_000, "5 minutes"],
  [900_000, "15 minutes"],
  [3_600_000, "1 hour"],
  [14_400_000, "4 hours"],
] as const;

export function Ask({ question, found }: { readonly question: Question; readonly found: Found | null }) {
  const { user, client_ip, model, operation, server } = question;
  const [from, to] = [question.from.getTime(), question.to.getTime()];
  const length = to - from;
  const move = useMemo(() => mover(from, to), [from, to]);
  useKeys(move.keys);
  const people = new Set([...(found?.theirs ?? []), ...(found?.others ?? [])].flatMap(namesOf));
  const only = Object.entries({ model, operation, server }).filter(([, value]) => value !== null);
  return (
    <form class="ask" onSubmit={(event) => event.preventDefault()}>
      <label class="field">
        User or client
        <input
          list="people"
          placeholder="Anyone"
          value={user ?? client_ip ?? ""}
          onChange={(event) => setFilters(whoseOf(event.currentTarget.value.trim()))}
        />
        <datalist id="people">
          {[...people].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label class="field">
        From
        <input
          type="datetime-local"
          step="1"
          max="9999-12-31T23:59:59"
          value={say.localField(new Date(from), true)}
          onChange={(event) => {
            const at = Date.parse(event.currentTarget.value);
            if (!Number.isNaN(at)) setTime(at, at + length);
          }}
        />
      </label>
      <label class="field">
        For
        <select value={length} onChange={(event) => setTime(from, from + Number(event.currentTarget.value))}>
          {!lengths.some(([ms]) => ms === length) && <option value={length}>{say.duration(length)}</option>}
          {lengths.map(([ms, words]) => (
            <option key={ms} value={ms}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <div class="choices">
        {move.buttons.map(({ words, key, run }) => (
          <button key={words} type="button" class="button" title={`${words} (${key})`} onClick={run}>
            {words}
          </button>
        ))}
      </div>
      {only.length > 0 && (
        <p class="choices">
          {only.map(([name, value]) => (
            <button
              key={name}
              type="button"
              class="button small"
              aria-label={`Not only ${value}`}
              onClick={() => setFilters({ [name]: null })}
            >
              only {value} ✕
            </button>
          ))}
        </p>
      )}
    </form>
  );
}

/** The ways to another time, for buttons and keys. */
function mover(from: number, to: number) {
  const half = (to - from) / 2;
  const ways = [
    ["Earlier", "[", () => setTime(from - half, to - half)],
    ["Later", "]", () => setTime(from + half, to + half)],
    ["Closer", "+", () => setTime(from + half / 2, to - half / 2)],
    ["Wider", "-", () => setTime(from - half, to + half)],
    ["Now", "n", () => setTime(Date.now() - 2 * half, Date.now())],
  ] as const;
  return {
    buttons: ways.map(([words, key, run]) => ({ words, key, run })),
    keys: Object.fromEntries(ways.map(([words, key, run]) => [key, [words, run] as const])),
  };
}

function setTime(from: number, to: number): void {
  setFilters({ from: new Date(from).toISOString(), to: new Date(Math.max(to, from + 100)).toISOString() });
}

/** Addresses are digits, dots and colons; nobody is called that. */
function whoseOf(name: string): { user: string | null; client_ip: string | null; request: null } {
  const isAddress = /^[\d.]+$|^[0-9a-f]*:[0-9a-f:.]*$/i.test(name);
  return { user: isAddress ? null : name || null, client_ip: isAddress ? name : null, request: null };
}

function namesOf({ user, client_ip }: { user: string | null; client_ip: string | null }): string[] {
  return [user, client_ip].filter((name) => name !== null);
}
