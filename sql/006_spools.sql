-- How far each server's spool has been stored, and what became of its records: moved in the transaction that stores
-- them, so nothing is stored or counted twice.
create table spools (
  server uuid primary key,
  segment bigint not null,
  "offset" bigint not null,
  stored bigint not null default 0,
  set_aside bigint not null default 0,
  full_records bigint not null default 0,
  full_texts bigint not null default 0,
  failed_records bigint not null default 0,
  failed_texts bigint not null default 0
);

comment on column spools."offset" is 'in bytes: all before it is stored, set aside or counted as shed';
comment on column spools.stored is 'records since the first start: neither forgetting nor deleting lowers it';
comment on column spools.full_records is 'shed, since the spool was full';
comment on column spools.failed_records is 'shed, since the spool could not be written';
