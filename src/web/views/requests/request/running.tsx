/** A request of which there is no record yet: it runs. */
import type { ActiveRequest } from "../../../shared/api";
import * as say from "../../../shared/format";
import { Time } from "../../../shared/parts";
import { CancelButton, phaseWords, whoOf } from "../../../shared/running";

interface RunningProps {
  readonly request: ActiveRequest;
  /** It has, and its record is on its way. */
  readonly hasEnded: boolean;
}

export function Running({ request, hasEnded }: RunningProps) {
  return (
    <>
      <header class="request-head">
        <h2>{request.model ?? "A request without a model"}</h2>
        <p class="muted">
          {request.operation}, {request.dialect}, since <Time at={request.started_at} exact />
        </p>
      </header>
      <p class="running" role="status">
        <span class={`phase ${request.phase}`}>
          {hasEnded ? "It has just ended" : phaseWords[request.phase]}
        </span>
        {!hasEnded && <CancelButton request={request} />}
      </p>
      <dl class="pairs">
        <div>
          <dt>Running for</dt>
          <dd>{say.duration(Math.floor(request.seconds) * 1000)}</dd>
        </div>
        <div>
          <dt>Pieces of the reply</dt>
          <dd>{say.count(request.tokens)}</dd>
        </div>
        <div>
          <dt>From</dt>
          <dd>{whoOf(request)}</dd>
        </div>
      </dl>
      <p class="muted">What was said, and where its time went, is here when it has ended.</p>
    </>
  );
}
