/** One model: how it is made, what people note about it, how it went lately. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { goTo, hrefOf } from "../../shared/address";
import { call, type Entry } from "../../shared/api";
import * as say from "../../shared/format";
import { useKeys } from "../../shared/keys";
import { endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import type { ShownModel } from "../../shared/ollama";
import { outcomeWords } from "../../shared/outcomes";
import { Copy, Empty, Panel, Skeleton, Time, Trouble } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";
import { Memory } from "./memory";
import type { Model } from "./models";
import { Default, Description, Favorite, Tags } from "./notes";
import { pull } from "./pulls";
import { remove, removing } from "./remove";

const LATEST = 12;
/** Of a licence so much is seen at first. */
const HEAD_LINES = 6;

interface DetailsProps {
  readonly model: Model;
  readonly models: readonly Model[];
  /** Whether it is known what is installed. */
  readonly isKnown: boolean;
  /** What is seen under its name, above all else. */
  readonly children: ComponentChildren;
}

export function Details({ model, models, isKnown, children }: DetailsProps) {
  const { name, installed, use } = model;
  useKeys(useMemo(() => ({ Escape: ["Back to the models", () => goTo(hrefOf("models"))] }), []));
  const isGone = isKnown && !installed;
  const digest = installed?.digest;
  const shown = useLoaded(
    async (signal) => (digest ? call("POST /api/show", { body: { model: name }, signal }) : null),
    [name, digest],
  );
  const logs = useLoaded(
    (signal) => call("GET /api/stats/logs", { query: { model: name, limit: LATEST }, signal }),
    [name, endedTick.value],
  );
  return (
    <>
      <div class="view-head">
        <a href={hrefOf("models")}>Models</a>
        <h1>{name}</h1>
        <Favorite name={name} />
        {installed ? (
          <>
            <Memory model={model} />
            <a class="button small" href={hrefOf("chat", { model: name })}>
              Chat
            </a>
            <button
              type="button"
              class="button small"
              disabled={removing.value.has(name)}
              onClick={() => remove(model, models)}
            >
              {removing.value.has(name) ? "Deleting…" : "Delete"}
            </button>
          </>
        ) : (
          isGone && (
            <button type="button" class="button primary" onClick={() => pull(name)}>
              Pull it
            </button>
          )
        )}
      </div>
      {isGone && <p class="muted">It is {use ? "no longer" : "not"} installed.</p>}
      {children}
      <div class="model-parts">
        <Panel title="Notes" class="notes">
          <dl class="pairs">
            <Pair name="Description">
              <Description name={name} />
            </Pair>
            <Pair name="Tags">
              <Tags name={name} />
            </Pair>
            <Pair name="Default">
              <Default name={name} />
            </Pair>
          </dl>
        </Panel>
        <Panel title="How it is made">
          {shown.value ? (
            <dl class="pairs">
              {factsOf(model, shown.value).map(([fact, value]) => (
                <Pair key={fact} name={fact}>
                  {value}
                </Pair>
              ))}
            </dl>
          ) : isGone ? (
            <Empty>Ollama does not have it.</Empty>
          ) : shown.error ? (
            <Trouble error={shown.error} retry={shown.reload} />
          ) : (
            <Skeleton lines={8} />
          )}
        </Panel>
        <Panel title="How it is used">
          {use ? (
            <dl class="pairs">
              <Pair name="Requests">{say.count(use.total_requests)}</Pair>
              <Pair name="Tokens">{say.count(use.total_tokens)}</Pair>
              <Pair name="Speed">{say.number(use.tokens_per_second)} tokens/s</Pair>
              <Pair name="Mean time to the last byte">{say.duration(use.avg_latency_ms)}</Pair>
              <Pair name="Ended in an error">{say.percent(use.error_rate)}</Pair>
              <Pair name="Did not fit the context">{say.count(use.total_truncated)}</Pair>
              <Pair name="Last used">
                <Time at={use.last_used} />
              </Pair>
            </dl>
          ) : use === null ? (
            <Empty>Not at all, as far as metrics are kept.</Empty>
          ) : (
            <Skeleton lines={7} />
          )}
        </Panel>
      </div>
      <Panel
        title="Its last requests"
        class="last-requests"
        actions={
          <a class="button small" href={hrefOf("requests", { model: name })}>
            All of them
          </a>
        }
      >
        {logs.value ? (
          logs.value.logs.length > 0 ? (
            <Table
              caption="Its last requests"
              columns={columns}
              rows={logs.value.logs}
              keyOf={({ id }) => id}
            />
          ) : (
            <Empty>None is on record.</Empty>
          )
        ) : logs.error ? (
          <Trouble error={logs.error} retry={logs.reload} />
        ) : (
          <Skeleton lines={5} />
        )}
      </Panel>
      {shown.value && <Texts model={shown.value} />}
    </>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function factsOf({ installed, loaded }: Model, shown: ShownModel): [string, ComponentChildren][] {
  const { details } = shown;
  return [
    ["Size", say.bytes(installed?.size_bytes)],
    ["Parameters", details?.parameter_size || say.unknown],
    ["Quantisation", details?.quantization_level || say.unknown],
    ["Family", details?.family || say.unknown],
    ["Format", details?.format || say.unknown],
    ["Longest context", `${say.count(infoOf(shown, "context_length"))} tokens`],
    ["Context in memory", loaded ? `${say.count(loaded.context_length)} tokens` : say.unknown],
    ["Can", shown.capabilities?.join(", ") || say.unknown],
    ["Installed", installed ? <Time at={installed.modified_at} /> : say.unknown],
    [
      "Digest",
      installed ? (
        <>
          <code title={installed.digest}>{installed.digest.slice(0, 19)}…</code>{" "}
          <Copy text={installed.digest} />
        </>
      ) : (
        say.unknown
      ),
    ],
  ];
}

/** Of what the model's file says, by the end of its name, since the front is the family's. */
function infoOf({ model_info = {} }: ShownModel, name: string): number | null {
  const found = Object.entries(model_info).find(([key]) => key.endsWith(`.${name}`))?.[1];
  return typeof found === "number" ? found : null;
}

const columns: readonly Column<Entry>[] = [
  {
    title: "Time",
    cell: ({ id, timestamp }) => (
      <a href={hrefOf("requests", {}, [id])}>
        <Time at={timestamp} exact />
      </a>
    ),
  },
  { title: "Kind", isMinor: true, cell: ({ operation }) => operation },
  {
    title: "Ended",
    isWide: true,
    cell: ({ outcome, status, error }) => (
      <span class={status === "error" ? "bad" : ""} title={error ?? undefined}>
        {outcomeWords[outcome]}
        {error && `: ${error}`}
      </span>
    ),
  },
  { title: "First token", isNumber: true, isMinor: true, cell: ({ ttft_ms }) => say.duration(ttft_ms) },
  { title: "Total", isNumber: true, cell: ({ latency_ms }) => say.duration(latency_ms) },
  { title: "Load", isNumber: true, isMinor: true, cell: ({ load_ms }) => say.duration(load_ms) },
  { title: "Tokens in", isNumber: true, isMinor: true, cell: ({ tokens_in }) => say.count(tokens_in) },
  { title: "Out", isNumber: true, isMinor: true, cell: ({ tokens_out }) => say.count(tokens_out) },
  { title: "Tokens/s", isNumber: true, cell: ({ tokens_per_second }) => say.number(tokens_per_second) },
];

/** What the model's maker wrote, as it is. */
function Texts({ model: { template, system, parameters, license = "" } }: { readonly model: ShownModel }) {
  const head = license.split("\n").slice(0, HEAD_LINES).join("\n");
  return (
    <div class="model-texts">
      {[
        ["System prompt", system],
        ["Parameters", parameters],
        ["Template", template],
      ].map(
        ([title, text]) =>
          title &&
          text && (
            <Panel key={title} title={title} actions={<Copy text={text} />}>
              <pre class="log">{text}</pre>
            </Panel>
          ),
      )}
      {license && (
        <Panel title="Licence" actions={<Copy text={license} />}>
          <pre class="log">{head}</pre>
          {head.length < license.length && (
            <details class="panel-line">
              <summary>All of it</summary>
              <pre>{license}</pre>
            </details>
          )}
        </Panel>
      )}
    </div>
  );
}
