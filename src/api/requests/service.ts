import type { ActiveRequest } from "../../gateway/active";
import { requestPrefix } from "../../ids";
import { type RequestRecord, statusOf, tokensPerSecond } from "../../ledger/record";

/** A running request in the API's words. */
export function sayActive(request: ActiveRequest) {
  const { startedAt, clientAddress, userAgent, pieces, id, ...rest } = request;
  return {
    id: requestPrefix + id,
    started_at: startedAt.toISOString(),
    client_ip: clientAddress,
    user_agent: userAgent,
    tokens: pieces,
    ...rest,
  };
}

/** One that has ended, without its texts. */
export function sayEnded(record: RequestRecord) {
  return {
    id: requestPrefix + record.id,
    started_at: record.startedAt.toISOString(),
    model: record.model,
    dialect: record.dialect,
    operation: record.operation,
    stream: record.stream,
    client_ip: record.clientAddress,
    user_agent: record.userAgent,
    user: record.user,
    traceparent: record.traceparent,
    status: statusOf(record.outcome),
    outcome: record.outcome,
    http_status: record.httpStatus,
    latency_ms: record.latencyMs,
    ttft_ms: record.ttftMs,
    tokens_in: record.tokensIn,
    tokens_out: record.tokensOut,
    tokens_per_second: tokensPerSecond(record.tokensOut, record.decodeMs),
  };
}
