-- Who asked, and in what state the engine was.

alter table requests
  add column client_user text,
  add column traceparent text,
  add column upstream_status integer,
  add column client_wait_ms double precision,
  add column model_digest text,
  add column cold boolean,
  add column context_length integer;

comment on column requests.client_wait_ms is 'time that the reply waited for its client to read';
comment on column requests.cold is 'whether the model had to be loaded; null where that is not known';
