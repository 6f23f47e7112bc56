/** What was said, as people read it. */
import { useState } from "preact/hooks";
import type { WholeRequest } from "../../../shared/api";
import * as say from "../../../shared/format";
import { Copy } from "../../../shared/parts";
import { NotKept } from "./not-kept";
import { Json, Text } from "./text";
import { type Part, replyOf, type Turn, turnsOf } from "./turns";

/** Of a long talk the begin and the end are shown first. */
const FIRST = 1;
const LAST = 6;

export function Conversation({ request }: { readonly request: WholeRequest }) {
  const [isWhole, setWhole] = useState(false);
  const turns = turnsOf(request);
  const reply = replyOf(request);
  if (!isKept(request)) return <NotKept request={request} />;
  const hidden = isWhole ? 0 : Math.max(turns.length - FIRST - LAST, 0);
  const shown = hidden > 1 ? [...turns.slice(0, FIRST), ...turns.slice(FIRST + hidden)] : turns;
  return (
    <ol class="turns">
      {shown.map((turn, at) => (
        <li key={at} class={`turn ${turn.role.toLowerCase()}`}>
          {hidden > 1 && at === FIRST && (
            <button type="button" class="button small between" onClick={() => setWhole(true)}>
              Show {say.count(hidden)} messages in between
            </button>
          )}
          <Said turn={turn} />
        </li>
      ))}
      <li class="turn assistant reply">
        <h4>
          Reply
          {request.response && <Copy text={request.response} label="Copy reply" />}
        </h4>
        {reply.length > 0 ? <Parts parts={reply} /> : <p class="muted">{noReply(request)}</p>}
      </li>
    </ol>
  );
}

/** Whether any text of it is on record. */
export function isKept(request: WholeRequest): boolean {
  const { prompt, system, messages, options, response, thinking, tool_calls } = request;
  return [prompt, system, messages, options, response, thinking, tool_calls].some((text) => text !== null);
}

function noReply({ operation, status }: WholeRequest): string {
  if (status !== "success") return "None came before it ended.";
  return operation === "embedding" ? "Vectors. They pass, and are not kept." : "It is empty.";
}

function Said({ turn: { role, parts } }: { readonly turn: Turn }) {
  return (
    <>
      <h4>{role}</h4>
      {parts.length > 0 ? <Parts parts={parts} /> : <p class="muted">Nothing</p>}
    </>
  );
}

function Parts({ parts }: { readonly parts: readonly Part[] }) {
  return (
    <>
      {parts.map((part, at) => (
        <One key={at} part={part} />
      ))}
    </>
  );
}

function One({ part }: { readonly part: Part }) {
  switch (part.kind) {
    case "text":
      return <Text text={part.text} />;
    case "thinking":
      return (
        <details class="thinking">
          <summary>Thinking, {say.plural(part.text.length, "character")}</summary>
          <Text text={part.text} />
        </details>
      );
    case "call":
      return (
        <div class="tool">
          <p>
            Calls <code>{part.name}</code>
          </p>
          <Json value={part.value} />
        </div>
      );
    case "result":
      return (
        <div class="tool">
          <p>
            <code>{part.name}</code> answered
          </p>
          <Parts parts={part.parts} />
        </div>
      );
    case "file": {
      const { type, bytes, sha256 } = part.file;
      return (
        <p class="file">
          {type ?? "a file"}, {say.bytes(bytes)}
          <code title="SHA-256">{sha256}</code>
        </p>
      );
    }
    case "json":
      return <Json value={part.value} />;
  }
}
