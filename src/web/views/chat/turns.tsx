/** The conversation as it is read: questions, replies with their thinking folded, and what each reply took. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { hrefOf } from "../../shared/address";
import { now } from "../../shared/clock";
import * as say from "../../shared/format";
import { active } from "../../shared/live";
import { Copy, reachable } from "../../shared/parts";
import { phaseWords } from "../../shared/running";
import { Text } from "../../shared/text";
import {
  edited,
  editLast,
  isRunning,
  isUnknownModel,
  type Question,
  type Reply,
  regenerate,
  turns,
} from "./conversation";

/** Nearer than that to its end one is at the end. */
const NEAR_PX = 40;

export function Turns({ model }: { readonly model: string }) {
  const scroller = useRef<HTMLDivElement | null>(null);
  // As it was before what is drawn now: an event of scrolling would come after it.
  const wasAtEnd = !scroller.current || isAtEnd(scroller.current);
  const lastQuestion = turns.value.findLast(({ role }) => role === "user")?.id;
  const latest = turns.value.at(-1);
  // What one has just asked is seen; who reads further up is left there.
  const seen = useRef(lastQuestion);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && (wasAtEnd || seen.current !== lastQuestion)) element.scrollTop = element.scrollHeight;
    seen.current = lastQuestion;
  });
  return (
    <div
      ref={(element) => {
        scroller.current = element;
        reachable(element);
      }}
      class="messages"
      role="log"
      aria-label="Conversation"
      aria-busy={isRunning.value}
    >
      {turns.value.map((turn) =>
        turn.role === "user" ? (
          <Asked key={turn.id} turn={turn} isLast={turn.id === lastQuestion} />
        ) : (
          <Answered key={turn.id} turn={turn} isLast={turn === latest} model={model} />
        ),
      )}
    </div>
  );
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: HTMLElement): boolean {
  return scrollHeight - scrollTop - clientHeight < NEAR_PX;
}

function Asked({ turn, isLast }: { readonly turn: Question; readonly isLast: boolean }) {
  return (
    <article class={turn.id === edited.value ? "message asked edited" : "message asked"} aria-label="You">
      {turn.pictures.map(({ name, url }) => (
        <img key={url} src={url} alt={name} />
      ))}
      <div class="text">
        <Text text={turn.text} />
      </div>
      {isLast && !isRunning.value && (
        <div class="message-end">
          <button type="button" class="button small plain" onClick={editLast} title="Edit (e)">
            Edit
          </button>
        </div>
      )}
    </article>
  );
}

interface AnsweredProps {
  readonly turn: Reply;
  readonly isLast: boolean;
  /** That would answer again. */
  readonly model: string;
}

function Answered({ turn, isLast, model }: AnsweredProps) {
  const { text, thinking, state, error } = turn;
  return (
    <article class="message" aria-label={turn.model}>
      <h2>{turn.model}</h2>
      {thinking && (
        <details class="thinking">
          <summary>{text === "" && state === "running" ? "Thinking…" : "Thinking"}</summary>
          <div class="text">
            <Text text={thinking} />
          </div>
        </details>
      )}
      {text && (
        <div class="text">
          <Text text={text} />
        </div>
      )}
      {state === "running" && text + thinking === "" && <Waiting turn={turn} />}
      {error && (
        <p class="bad" role="alert">
          {error.message}{" "}
          {isUnknownModel(error) && <a href={hrefOf("models", {}, [turn.model])}>See whether to pull it</a>}
        </p>
      )}
      <div class="message-end">
        {state !== "running" && (
          <>
            <span class="muted">{figuresOf(turn)}</span>
            {turn.requestId && <a href={hrefOf("requests", {}, [turn.requestId])}>Record</a>}
            {text && <Copy text={text} />}
            {isLast && (
              <button
                type="button"
                class="button small"
                onClick={() => regenerate(model)}
                title="Ask again (r)"
              >
                {error ? "Try again" : "Again"}
              </button>
            )}
          </>
        )}
      </div>
    </article>
  );
}

/** Before the first piece: what it is at, as far as the live feed tells, and for how long. */
function Waiting({ turn }: { readonly turn: Reply }) {
  const request = active.value.findLast(
    ({ model, dialect }) => model === turn.model && dialect === "ollama.chat",
  );
  const seconds = Math.max(0, Math.floor((now.value - turn.askedAt) / 1000));
  return (
    <p class="muted">
      {request ? phaseWords[request.phase] : "Waiting"}, {say.duration(seconds * 1000)}
    </p>
  );
}

function figuresOf(turn: Reply): string {
  const { state, isCut, tokensIn, tokensOut, tokensPerSecond, firstMs, loadMs, totalMs } = turn;
  return [
    state === "stopped" && "stopped",
    isCut && "cut at its longest",
    tokensPerSecond !== null && `${say.number(tokensPerSecond)} tokens/s`,
    firstMs !== null && `first token ${say.duration(firstMs)}`,
    loadMs !== null && `load ${say.duration(loadMs)}`,
    `total ${say.duration(totalMs)}`,
    tokensIn !== null && `${say.plural(tokensIn, "token")} in`,
    tokensOut !== null && `${say.count(tokensOut)} out`,
  ]
    .filter(Boolean)
    .join(" · ");
}
