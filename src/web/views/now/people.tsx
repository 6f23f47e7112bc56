/** Who uses it: the clients and users of the last requests. */
import { useEffect, useState } from "preact/hooks";
import { call, type Entry } from "../../shared/api";
import * as say from "../../shared/format";
import { type EndedRequest, onEnded } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { Empty, Panel, Skeleton, Time, Trouble } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";

/** How many requests are looked at: they come with their texts, which can be long. */
const LOOKED_AT = 100;

interface Use {
  readonly id: string;
  readonly who: string;
  /** What it calls itself, such as ollama-python/0.6.1. */
  readonly agent: string;
  readonly at: string;
  readonly tokens: number;
}

interface Person extends Use {
  readonly requests: number;
}

const columns: readonly Column<Person>[] = [
  {
    title: "User or client",
    isWide: true,
    cell: ({ who, agent }) => (
      <>
        {who} <span class="muted minor">{agent.split(" ")[0]}</span>
      </>
    ),
  },
  { title: "Requests", isNumber: true, cell: ({ requests }) => say.count(requests) },
  { title: "Tokens", isNumber: true, isMinor: true, cell: ({ tokens }) => say.count(tokens) },
  { title: "Last", isNumber: true, cell: ({ at }) => <Time at={at} /> },
];

export function People() {
  const logs = useLoaded(
    (signal) => call("GET /api/stats/logs", { query: { limit: LOOKED_AT }, signal }),
    [],
  );
  const [ended, setEnded] = useState<readonly Use[]>([]);
  useEffect(
    () => onEnded((request) => setEnded((all) => [ofEnded(request), ...all].slice(0, LOOKED_AT))),
    [],
  );
  const known = new Map([...ended, ...(logs.value?.logs ?? []).map(ofLog)].map((use) => [use.id, use]));
  const uses = [...known.values()].slice(0, LOOKED_AT);
  return (
    <Panel
      title="Who uses it"
      note={uses.length > 0 ? `last ${say.plural(uses.length, "request")}` : undefined}
      class="people"
    >
      {uses.length > 0 ? (
        <Table
          caption="Users and clients, most requests first"
          columns={columns}
          rows={people(uses)}
          keyOf={({ who }) => who}
        />
      ) : logs.value ? (
        <Empty>Nobody yet. A client’s address and the user that it names are kept with each request.</Empty>
      ) : logs.error ? (
        <Trouble error={logs.error} retry={logs.reload} />
      ) : (
        <Skeleton />
      )}
    </Panel>
  );
}

function people(uses: readonly Use[]): Person[] {
  const byName = new Map<string, Person>();
  for (const use of uses) {
    const so = byName.get(use.who);
    byName.set(use.who, {
      ...(so ?? use),
      requests: (so?.requests ?? 0) + 1,
      tokens: (so?.tokens ?? 0) + use.tokens,
    });
  }
  return [...byName.values()].sort((a, b) => b.requests - a.requests);
}

type Asker = Pick<EndedRequest, "user" | "client_ip" | "user_agent">;

function whoOf({ user, client_ip, user_agent }: Asker): { who: string; agent: string } {
  return { who: user ?? client_ip ?? "unknown", agent: user_agent ?? "" };
}

function ofEnded(request: EndedRequest): Use {
  const tokens = (request.tokens_in ?? 0) + (request.tokens_out ?? 0);
  return { id: request.id, at: request.started_at, tokens, ...whoOf(request) };
}

function ofLog(log: Entry): Use {
  return { id: log.id, at: log.timestamp, tokens: log.tokens_used ?? 0, ...whoOf(log) };
}
