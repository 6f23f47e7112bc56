-- What happened, kept. A request's row and its texts live apart, since texts are forgotten sooner: forgetting is
-- dropping a partition. The writer makes the partitions as records come.

create table requests (
  id uuid not null,
  started_at timestamptz not null,
  server uuid not null,
  key text,
  dialect text not null,
  operation text not null,
  model text,
  stream boolean not null,
  outcome text not null,
  http_status integer,
  client_address text,
  user_agent text,
  queued_ms double precision,
  latency_ms double precision not null,
  ttft_ms double precision,
  longest_gap_ms double precision,
  tokens_in bigint,
  tokens_out bigint,
  tokens_cached bigint,
  load_ms double precision,
  prefill_ms double precision,
  decode_ms double precision,
  finish_reason text,
  error text,
  engine_version text,
  engine_run integer,
  in_flight integer,
  primary key (id, started_at)
) partition by range (started_at);

create index requests_time on requests (started_at, id);
create index requests_model on requests (model, started_at, id);

create table contents (
  request_id uuid not null,
  started_at timestamptz not null,
  prompt text,
  system text,
  messages text,
  options text,
  response text,
  thinking text,
  tool_calls text,
  primary key (request_id, started_at)
) partition by range (started_at);

-- Sums and counts by minute, hour and day. A row names its server, so that several never wait for one another.
create table metrics (
  step text not null check (step in ('minute', 'hour', 'day')),
  time timestamptz not null,
  model text not null,
  operation text not null,
  server uuid not null,
  requests bigint not null,
  successes bigint not null,
  aborts bigint not null,
  errors bigint not null,
  latency_ms double precision not null,
  tokens_in bigint not null,
  tokens_out bigint not null,
  decoded_tokens bigint not null,
  decode_ms double precision not null,
  last_used timestamptz not null,
  primary key (step, time, model, operation, server)
);

comment on column metrics.latency_ms is 'sum over successes';
comment on column metrics.decoded_tokens is 'tokens_out of those requests whose decode_ms the engine told';
comment on column metrics.model is 'empty for requests of models that the engine does not know';

-- Counts by bucket = ceil(ln x / ln 1.02) (DDSketch, Masson et al. 2019: 1 % relative error).
create table histograms (
  metric text not null check (metric in ('latency_ms', 'ttft_ms', 'tokens_per_second')),
  step text not null check (step in ('minute', 'hour', 'day')),
  time timestamptz not null,
  model text not null,
  operation text not null,
  server uuid not null,
  bucket integer not null,
  count bigint not null,
  primary key (metric, step, time, model, operation, server, bucket)
);
