-- Whether a part of what was sent never reached the model.

alter table requests add column truncated text check (truncated in ('truncated', 'truncated_likely'));

alter table metrics add column truncated bigint not null default 0;

comment on column requests.truncated is 'null where nothing shows it, or nothing tells';
comment on column metrics.truncated is 'requests, those that are only likely included';
