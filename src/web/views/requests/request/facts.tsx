/** The numbers of a request with who told them, what it asked for, and who asked. */
import type { ComponentChildren } from "preact";
import { hrefOf } from "../../../shared/address";
import type { WholeRequest } from "../../../shared/api";
import * as say from "../../../shared/format";
import { Copy } from "../../../shared/parts";
import { type Column, Table } from "../../../shared/table";
import { Json } from "./text";

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

const columns: readonly Column<Fact>[] = [
  { title: "Figure", cell: ({ name }) => name },
  { title: "Value", isNumber: true, cell: ({ value }) => value },
  { title: "Source", cell: ({ source }) => <span class="muted">{source}</span> },
];

export function Numbers({ request }: { readonly request: WholeRequest }) {
  return (
    <Table
      caption="Figures and who told them"
      columns={columns}
      rows={factsOf(request)}
      keyOf={({ name }) => name}
    />
  );
}

/** A figure that nobody told says so, and has no source. */
function factsOf(request: WholeRequest): Fact[] {
  const by = (source: string, name: string, value: string): Fact => ({
    name,
    value: value === say.unknown ? "not told" : value,
    source: value === say.unknown ? "" : source,
  });
  const engine = (name: string, value: string) => by("engine", name, value);
  const measured = (name: string, value: string) => by("measured", name, value);
  const { stream, operation, cold } = request;
  const writes = operation === "chat" || operation === "completion";
  return [
    ...(stream
      ? [
          measured("Time to the first piece", say.exactMs(request.ttft_ms)),
          measured("Longest wait between two pieces", say.exactMs(request.longest_gap_ms)),
        ]
      : []),
    measured("Time to the last byte", say.exactMs(request.latency_ms)),
    engine("Tokens in", say.count(request.tokens_in)),
    engine("Of these from the cache", say.count(request.tokens_cached)),
    ...(writes
      ? [
          engine("Tokens out", say.count(request.tokens_out)),
          engine("Tokens/s while writing", say.number(request.tokens_per_second)),
        ]
      : []),
    engine("Context, tokens", say.count(request.context_length)),
    measured("Model was loaded when it came", cold === null ? say.unknown : cold ? "no" : "yes"),
    measured("Other requests running then", say.count(request.in_flight)),
    engine("Reason for the end", request.finish_reason ?? say.unknown),
    engine("Ollama’s status", request.upstream_status === null ? say.unknown : `${request.upstream_status}`),
    measured("Client’s status", request.http_status === null ? say.unknown : `${request.http_status}`),
  ];
}

/** Options, format, tools and the like, as they were sent. */
export function Options({ request }: { readonly request: WholeRequest }) {
  const { options } = request;
  if (options === null || typeof options !== "object") return <p class="muted">Nothing but the text.</p>;
  return (
    <dl class="options">
      {Object.entries(options).map(([name, value]) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            {typeof value === "object" && value !== null ? (
              <Json value={value} />
            ) : (
              <code>{String(value)}</code>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** How far around a request its neighbours are looked for. */
const AROUND_MS = 15 * 60_000;

export function Who({ request }: { readonly request: WholeRequest }) {
  const { id, timestamp, latency_ms, user, client_ip, model, user_agent, engine_version, engine_run } =
    request;
  const at = Date.parse(timestamp);
  const around = {
    from: new Date(at - AROUND_MS).toISOString(),
    to: new Date(at + latency_ms + AROUND_MS).toISOString(),
  };
  const near = (filter: Readonly<Record<string, string>>, words: string) => (
    <a class="near" href={hrefOf("requests", { ...filter, ...around })}>
      {words}
    </a>
  );
  const rows: (readonly [string, ComponentChildren])[] = [
    ["User", user && [user, near({ user }, "its requests around then")]],
    ["Client", client_ip && [client_ip, near({ client_ip }, "its requests around then")]],
    ["User agent", user_agent],
    ["Model", model && [model, near({ model }, "its requests around then")]],
    ["Digest", request.model_digest && <code>{request.model_digest}</code>],
    ["Ollama", engine_version && `${engine_version}${engine_run === null ? "" : `, start ${engine_run}`}`],
    [
      "Corral",
      [<code key="id">{request.server}</code>, near({ server: request.server }, "its requests around then")],
    ],
    ["Trace", request.traceparent && <code>{request.traceparent}</code>],
    ["Key", request.key],
    ["Request", [<code key="id">{id}</code>, <Copy key="copy" text={id} />]],
  ];
  return (
    <dl class="who">
      {rows.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
