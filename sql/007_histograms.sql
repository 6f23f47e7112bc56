-- A histogram is one value, and all of a key are one row: a row for each of its buckets was eight times the space, and
-- twenty times the rows to read for a chart of a fortnight. A step between the minute and the hour keeps every chart at
-- a few thousand rows. Outcomes are counted one by one.

alter table metrics
  drop constraint metrics_step_check,
  add constraint metrics_step_check check (step in ('minute', 'quarter_hour', 'hour', 'day')),
  add column complete bigint not null default 0,
  add column length bigint not null default 0,
  add column client_abort bigint not null default 0,
  add column canceled bigint not null default 0,
  add column engine_error bigint not null default 0,
  add column engine_crash bigint not null default 0,
  add column timeout bigint not null default 0,
  add column rejected bigint not null default 0,
  add column server_stop bigint not null default 0,
  add column server_crash bigint not null default 0;

comment on column metrics.complete is 'requests that ended so, as the nine others; rows from before the columns hold 0';

create table new_histograms (
  step text not null check (step in ('minute', 'quarter_hour', 'hour', 'day')),
  time timestamptz not null,
  model text not null,
  operation text not null,
  server uuid not null,
  latency_ms bytea,
  ttft_ms bytea,
  tokens_per_second bytea,
  queued_ms bytea,
  load_ms bytea,
  primary key (step, time, model, operation, server)
);

-- Counts up to 127 are one byte, so larger ones go over as several.
insert into new_histograms (step, time, model, operation, server, latency_ms, ttft_ms, tokens_per_second)
select step, time, model, operation, server,
  string_agg(entry, '') filter (where metric = 'latency_ms'),
  string_agg(entry, '') filter (where metric = 'ttft_ms'),
  string_agg(entry, '') filter (where metric = 'tokens_per_second')
from (
  select histograms.*,
    int2send(bucket::int2) || substring(int2send(least(count - 127 * part, 127)::int2) from 2) as entry
  from histograms, generate_series(0, (count - 1) / 127) as part
) as entries
group by step, time, model, operation, server;

drop table histograms;
alter table new_histograms rename to histograms;
alter index new_histograms_pkey rename to histograms_pkey;
alter table histograms rename constraint new_histograms_step_check to histograms_step_check;

comment on table histograms is
  'successes by bucket = ceil(ln x / ln 1.02) (DDSketch, Masson et al. 2019: 1 % relative error): the bucket as int2, its count as LEB128, and so on; a bucket may come twice';
comment on column histograms.queued_ms is 'the wait before the model was loaded or read the prompt';
comment on column histograms.load_ms is 'of requests that had their model loaded';

insert into metrics (step, time, model, operation, server, requests, successes, aborts, errors, latency_ms, tokens_in,
  tokens_out, decoded_tokens, decode_ms, last_used, truncated)
select 'quarter_hour', date_bin('15 minutes', time, 'epoch'), model, operation, server, sum(requests), sum(successes),
  sum(aborts), sum(errors), sum(latency_ms), sum(tokens_in), sum(tokens_out), sum(decoded_tokens), sum(decode_ms),
  max(last_used), sum(truncated)
from metrics where step = 'minute' group by 1, 2, 3, 4, 5;

insert into histograms (step, time, model, operation, server, latency_ms, ttft_ms, tokens_per_second)
select 'quarter_hour', date_bin('15 minutes', time, 'epoch'), model, operation, server, string_agg(latency_ms, ''),
  string_agg(ttft_ms, ''), string_agg(tokens_per_second, '')
from histograms where step = 'minute' group by 1, 2, 3, 4, 5;
