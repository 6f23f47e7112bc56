-- The models that people keep notes on. At most one is the default.
create table repository (
  name text primary key,
  description text not null default '',
  is_favorite boolean not null default false,
  is_default boolean not null default false,
  is_installed boolean not null default false,
  tags text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create unique index repository_default on repository (is_default) where is_default;
