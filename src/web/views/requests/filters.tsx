/** What is looked for, as it is chosen: kept in the address bar alone, so that a view can be shared. */
import { useEffect, useRef, useState } from "preact/hooks";
import { setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { useModelNames } from "../../shared/loaded";
import { outcomeWords } from "../../shared/outcomes";
import { filtersOf, noFilters, type Query } from "./query";

/** How long a text rests before it is searched for. */
const REST_MS = 300;
export const searchId = "requests-q";

type Options = readonly (readonly [value: string, words: string])[];

const operations: Options = [
  ["chat", "Chat"],
  ["completion", "Completion"],
  ["embedding", "Embedding"],
  ["transcription", "Transcription"],
];
const statuses: Options = [
  ["status=success", "Succeeded"],
  ["status=error", "Failed"],
  ["status=aborted", "Aborted"],
  ...Object.entries(outcomeWords).map(([name, words]) => [`outcome=${name}`, words] as const),
];
const dialects: Options = [
  "contract.chat",
  "ollama.chat",
  "ollama.generate",
  "ollama.embed",
  "ollama.embeddings",
  "openai.chat",
  "openai.completions",
  "openai.embeddings",
  "openai.responses",
  "openai.transcriptions",
  "anthropic.messages",
].map((name) => [name, name]);
const durations: Options = [
  ["1000", "1 s or longer"],
  ["5000", "5 s or longer"],
  ["15000", "15 s or longer"],
  ["60000", "1 min or longer"],
  ["300000", "5 min or longer"],
];
const times: Options = [
  ["1", "Last hour"],
  ["24", "Last 24 hours"],
  ["168", "Last 7 days"],
  ["720", "Last 30 days"],
  ["between", "From … until"],
];

export function Filters({ query }: { readonly query: Query }) {
  const [isOpen, setOpen] = useState(false);
  const models = useModelNames();
  const set = filtersOf(query);
  const many = set.filter((name) => name !== "q").length;
  return (
    <search class="filters" aria-label="Requests">
      <Typed label="Search prompts and replies" name="q" value={query.q} />
      <button
        type="button"
        class="button filters-toggle"
        aria-expanded={isOpen}
        aria-controls="filter-fields"
        onClick={() => setOpen(!isOpen)}
      >
        Filters{many > 0 && ` (${many})`}
      </button>
      <div id="filter-fields" class={isOpen ? "filter-fields open" : "filter-fields"}>
        <Times query={query} />
        <Choice
          label="Model"
          any="Any model"
          value={query.model}
          options={models.map((name) => [name, name])}
          choose={(model) => setFilters({ model })}
        />
        <Choice
          label="Kind of work"
          any="Any kind"
          value={query.operation}
          options={operations}
          choose={(operation) => setFilters({ operation })}
        />
        <Choice
          label="Outcome"
          any="Any outcome"
          value={query.outcome ? `outcome=${query.outcome}` : query.status && `status=${query.status}`}
          options={statuses}
          choose={(chosen) => {
            const [name = "status", value = null] = chosen?.split("=") ?? [];
            setFilters({ status: null, outcome: null, [name]: value });
          }}
        />
        <Choice
          label="Duration"
          any="Any duration"
          value={query.min_latency_ms}
          options={durations}
          choose={(least) => setFilters({ min_latency_ms: least })}
        />
        <Choice
          label="Dialect"
          any="Any dialect"
          value={query.dialect}
          options={dialects}
          choose={(dialect) => setFilters({ dialect })}
        />
        <Typed label="User" name="user" value={query.user} />
        <Typed label="Client address" name="client_ip" value={query.client_ip} />
        {query.server && (
          <button
            type="button"
            class="button"
            title={query.server}
            onClick={() => setFilters({ server: null })}
          >
            Only server {query.server.slice(0, 8)} <span aria-hidden="true">✕</span>
            <span class="unseen">: take away</span>
          </button>
        )}
        {set.length > 0 && (
          <button type="button" class="button plain" onClick={() => setFilters(noFilters)}>
            Clear filters
          </button>
        )}
      </div>
    </search>
  );
}

interface ChoiceProps {
  readonly label: string;
  /** The choice of nothing. */
  readonly any: string;
  readonly value: string | undefined;
  readonly options: Options;
  readonly choose: (value: string | null) => void;
}

function Choice({ label, any, value = "", options, choose }: ChoiceProps) {
  // What an address asks for need not be among what is offered.
  const isOffered = value === "" || options.some(([one]) => one === value);
  return (
    <select
      aria-label={label}
      class={value ? "set" : ""}
      value={value}
      onChange={({ currentTarget }) => choose(currentTarget.value || null)}
    >
      <option value="">{any}</option>
      {!isOffered && <option value={value}>{value}</option>}
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}

interface TypedProps {
  readonly label: string;
  readonly name: "q" | "user" | "client_ip";
  readonly value: string | undefined;
}

/** A text: to search for, which is done while it is typed; or a name, which is known whole or finds nothing. */
function Typed({ label, name, value = "" }: TypedProps) {
  const [typed, setTyped] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isSearch = name === "q";
  // Such as when the filters are cleared.
  useEffect(() => setTyped((text) => (text.trim() === value ? text : value)), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const set = (text: string) => setFilters({ [name]: text.trim() || null });
  return (
    <input
      id={`requests-${name}`}
      type="search"
      class={value ? "set" : ""}
      placeholder={label}
      aria-label={label}
      title={isSearch ? "Search (/)" : undefined}
      maxLength={400}
      value={typed}
      onInput={({ currentTarget: { value: text } }) => {
        setTyped(text);
        clearTimeout(timer.current);
        if (isSearch || text === "") timer.current = setTimeout(() => set(text), REST_MS);
      }}
      onChange={({ currentTarget }) => isSearch || set(currentTarget.value)}
    />
  );
}

const DAY_MS = 86_400_000;

function Times({ query: { hours, from, to } }: { readonly query: Query }) {
  const isBetween = from !== undefined || to !== undefined;
  const choose = (chosen: string | null) =>
    setFilters(
      chosen === "between"
        ? { hours: null, from: new Date(Date.now() - DAY_MS).toISOString(), to: null }
        : { hours: chosen, from: null, to: null },
    );
  return (
    <>
      <Choice
        label="Time"
        any="Any time"
        value={isBetween ? "between" : hours}
        options={times}
        choose={choose}
      />
      {isBetween && (
        <>
          <Moment label="From" value={from} set={(at) => setFilters({ from: at })} />
          <Moment label="Until" value={to} set={(at) => setFilters({ to: at })} />
        </>
      )}
    </>
  );
}

interface MomentProps {
  readonly label: string;
  readonly value: string | undefined;
  /** @param at empty for none */
  readonly set: (at: string) => void;
}

/** A local time, as everywhere on the page; UTC in the address. */
function Moment({ label, value, set }: MomentProps) {
  return (
    <input
      type="datetime-local"
      class="set"
      aria-label={label}
      title={label}
      value={value ? say.localField(new Date(value)) : ""}
      max="9999-12-31T23:59"
      onChange={({ currentTarget: { value } }) => {
        // A year may be typed that is beyond what a Date holds.
        const at = new Date(value);
        if (value === "" || !Number.isNaN(at.getTime())) set(value && at.toISOString());
      }}
    />
  );
}
