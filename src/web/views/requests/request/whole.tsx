/** A request that is on record. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { WholeRequest } from "../../../shared/api";
import * as say from "../../../shared/format";
import { Ended, outcomeWords } from "../../../shared/outcomes";
import { Command, Copy, Time } from "../../../shared/parts";
import { hrefOfSlow } from "../slow/address";
import { Conversation, isKept } from "./conversation";
import { curlOf } from "./curl";
import { Numbers, Options, Who } from "./facts";
import { Waterfall } from "./waterfall";

export function Whole({ request }: { readonly request: WholeRequest }) {
  const curl = curlOf(request, location.origin);
  return (
    <>
      <header class="request-head">
        <h2>{request.model ?? "No model was named"}</h2>
        <p>
          <Ended {...request} />
          <span class="muted">
            {say.duration(request.latency_ms)}, {request.operation} through {request.dialect}
            {request.stream ? ", streamed" : ""}, <Time at={request.timestamp} exact />
          </span>
        </p>
        <p>
          {curl && <Copy text={curl.command} label="Copy as curl" />}
          <a class="button small" href={hrefOfSlow(request)}>
            Why is it slow?
          </a>
          {curl?.lacks && <span class="muted">{curl.lacks}</span>}
        </p>
      </header>
      {request.error && (
        <div class="request-error" role="note">
          <strong>{outcomeWords[request.outcome]}</strong>
          <p>{request.error}</p>
        </div>
      )}
      <Flags request={request} />
      <Part title="Where its time went">
        <Waterfall request={request} />
      </Part>
      <Part title="What was said">
        <Conversation request={request} />
      </Part>
      <Part title="Figures">
        <Numbers request={request} />
      </Part>
      <Part title="What it asked for">
        {isKept(request) ? <Options request={request} /> : <p class="muted">Not kept.</p>}
      </Part>
      <Part title="Who and where">
        <Who request={request} />
      </Part>
      {curl && (
        <Part title="With curl">
          <details>
            <summary>The same request again</summary>
            <Command text={curl.command} />
          </details>
        </Part>
      )}
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

/** What the text of the reply does not tell: that something was cut. */
function Flags({ request }: { readonly request: WholeRequest }) {
  const { truncated, tokens_in, context_length, outcome, tokens_out } = request;
  const of = `${say.plural(tokens_in ?? 0, "token")} of it${context_length === null ? "" : `, in a context of ${say.count(context_length)},`}`;
  return (
    <>
      {truncated && (
        <p class="warn-text">
          A part of what was sent {truncated === "truncated" ? "never" : "in all likelihood never"} reached
          the model: {of} did. A larger <code>num_ctx</code> holds more.
        </p>
      )}
      {outcome === "length" && (
        <p class="warn-text">
          The reply was cut at the limit of tokens
          {tokens_out === null ? "" : `, after ${say.count(tokens_out)}`}.
        </p>
      )}
    </>
  );
}
