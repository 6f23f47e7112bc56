-- What pages of logs are found by. Each index costs every insert about a fiftieth; those on what is rare cost nothing.

create index requests_aborted on requests (started_at, id) include (outcome)
  where outcome in ('client_abort', 'canceled');
create index requests_failed on requests (started_at, id) include (outcome)
  where outcome not in ('complete', 'length', 'client_abort', 'canceled');
create index requests_client on requests (client_address, started_at, id);
create index requests_user on requests (client_user, started_at, id) where client_user is not null;

-- What they are sorted by beside the time. Absent values come last, in the order of the primary key.
create index requests_latency on requests (latency_ms, id);
create index requests_ttft on requests (ttft_ms, id) where ttft_ms is not null;
create index requests_tokens
  on requests ((case when tokens_in is null then tokens_out else tokens_in + coalesce(tokens_out, 0) end), id)
  where (case when tokens_in is null then tokens_out else tokens_in + coalesce(tokens_out, 0) end) is not null;
