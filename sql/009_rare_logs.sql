-- What is rare among requests. The first costs a success nothing; the others hold each value once, with where its rows
-- are: about seven bytes a row.

create index requests_outcome on requests (outcome, started_at, id) where outcome <> 'complete';
create index requests_dialect on requests (dialect);
create index requests_operation on requests (operation);
create index requests_server on requests (server);
