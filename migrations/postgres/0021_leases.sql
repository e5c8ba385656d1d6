-- Which node works for what: endpoints are told news and sources are polled by one node at a time. SQLite has no such table.

create table leases (
    -- `endpoint:7`, `source:src_…`
    name text collate "C" primary key,
    -- A node, from its start to its end.
    holder text collate "C" not null,
    -- In milliseconds of the database's clock; from then on anyone may take it.
    until bigint not null
);
