/** "It is slow": somebody's requests at some time, what is usual, and what everybody else's did to the engine then. */

import { useMemo } from "preact/hooks";
import { hrefOf, setFilters } from "../../../shared/address";
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { active } from "../../../shared/live";
import { useLoaded } from "../../../shared/loaded";
import { Empty, Panel, Skeleton, Trouble } from "../../../shared/parts";
import { hrefOfTable, isAnyone, type Question, questionOf } from "./address";
import { Ask } from "./ask";
import { startOf } from "./entries";
import { Finding } from "./finding";
import { type Axis, Legend, Marks, Others, Theirs, Ticks } from "./lanes";
import { type Found, find } from "./load";
import { marksOf } from "./marks";

export function Slow() {
  // The time goes on, and what is looked at does not move under one's eyes.
  const opened = useMemo(() => Date.now(), []);
  const question = questionOf(opened);
  const asked = keyOf(question);
  const loaded = useLoaded((signal) => find(question, signal), [asked]);
  const isOld = loaded.value !== null && keyOf(loaded.value.question) !== asked;
  return (
    <div class="slow">
      <header class="slow-head">
        <h1>Why is it slow?</h1>
        <a href={hrefOfTable()}>The same requests in the table</a>
      </header>
      <Ask question={question} found={loaded.value} />
      {loaded.error ? (
        <Trouble error={loaded.error} retry={loaded.reload} />
      ) : loaded.value ? (
        <div class={isOld ? "slow old" : "slow"} aria-busy={isOld}>
          <Shown found={loaded.value} asked={question.request} />
        </div>
      ) : (
        <Skeleton lines={10} />
      )}
    </div>
  );
}

/** What the answer depends on: all but which request is chosen. */
function keyOf(question: Question): string {
  return JSON.stringify({ ...question, request: null });
}

function Shown({ found, asked }: { readonly found: Found; readonly asked: string | null }) {
  const { question, theirs, isMore, usual } = found;
  const chosen = theirs.find(({ id }) => id === asked) ?? slowest(theirs);
  if (!chosen) return <Nobody question={question} />;
  const axis: Axis = { from: question.from.getTime(), to: question.to.getTime() };
  // Only what ran on the same engine can have been in its way.
  const isThere = (entry: Entry) => entry.server === chosen.server;
  const others = found.others.filter(isThere);
  const marks = marksOf(
    [...theirs.filter(isThere), ...others].sort((a, b) => startOf(a) - startOf(b)),
    found.events,
  ).filter((mark) => mark.to >= axis.from && mark.from <= axis.to);
  return (
    <>
      <Finding entry={chosen} found={found} others={[...theirs.filter(isThere), ...others]} />
      <Panel
        title={nameOf(question)}
        note={`${say.plural(theirs.length, "request")}${isMore ? ", the newest of more: take a shorter time" : ""}`}
        class="theirs"
      >
        <Legend entries={[...theirs, ...others]} />
        <Ticks axis={axis} />
        <Theirs
          axis={axis}
          entries={theirs}
          usual={usual}
          chosen={chosen.id}
          choose={(id) => setFilters({ request: id })}
        />
      </Panel>
      <Panel
        title={isAnyone(question) ? "The engine meanwhile" : "Everybody else there"}
        note={isAnyone(question) ? undefined : `${say.plural(others.length, "request")} on the same engine`}
        class="others"
      >
        <Ticks axis={axis} />
        <Marks axis={axis} marks={marks} />
        <Others axis={axis} entries={others} />
        <StillRunning axis={axis} />
        {others.length === 0 && marks.length === 0 && (
          <Empty>Nothing else ran on that engine, and no model came or went.</Empty>
        )}
      </Panel>
    </>
  );
}

/** What has not ended has no record yet, and no phases. */
function StillRunning({ axis }: { readonly axis: Axis }) {
  const running = active.value.filter(({ started_at }) => Date.parse(started_at) < axis.to).length;
  if (running === 0) return null;
  return (
    <p class="panel-line">
      {say.plural(running, "request")} that began by then {running === 1 ? "is" : "are"} still running:{" "}
      <a href={hrefOf("now")}>see Now</a>.
    </p>
  );
}

function slowest(entries: readonly Entry[]): Entry | null {
  return entries.reduce<Entry | null>(
    (most, one) => (most && most.latency_ms >= one.latency_ms ? most : one),
    null,
  );
}

function nameOf({ user, client_ip, model }: Question): string {
  return user ?? client_ip ?? model ?? "Everybody";
}

function Nobody({ question }: { readonly question: Question }) {
  return (
    <Empty
      command={`curl "${location.origin}/api/stats/logs?from=${question.from.toISOString()}&to=${question.to.toISOString()}"`}
    >
      No request{isAnyone(question) ? "" : ` of ${nameOf(question)}`} ran from {say.time(question.from, true)}{" "}
      to {say.time(question.to, true)}. Choose another time or somebody else; the same question to the API:
    </Empty>
  );
}
