-- Who did what to the models, and how it ended. An audit trail: clearing requests and metrics leaves it alone.
create table events (
  id uuid primary key,
  at timestamptz not null,
  server uuid not null,
  action text not null,
  model text,
  source text,
  insecure boolean,
  path text not null,
  client_address text,
  user_agent text,
  client_user text,
  outcome text not null,
  error text,
  bytes bigint,
  duration_ms double precision not null
);

create index events_time on events (at);

comment on column events.at is 'when it began';
comment on column events.source is 'what a copy or a new model is made from';
comment on column events.insecure is 'whether a registry without TLS was allowed; null where there is none';
comment on column events.path is 'the path that it came by';
comment on column events.bytes is 'of the layers that were done, those that were there already included';
