-- +goose Up
-- How far the change log stands in the warehouse: one row. A batch is written down here before its first try and taken off once
-- it stands there, so that a crash in between repeats it unchanged.
create table relay (
    id integer primary key check (id = 1),
    incarnation text collate "C" not null,
    batch bigint not null,
    acknowledged bigint not null,
    frozen_after bigint,
    frozen_through bigint,
    updated_at timestamptz not null,
    check ((frozen_after is null) = (frozen_through is null))
);

-- Who may do a thing that only one process does at a time. fence grows with every holder, so that one who lost the lease
-- without knowing is told so by the row that he writes.
create table leases (
    name text collate "C" primary key,
    holder text collate "C" not null,
    until timestamptz not null,
    fence bigint not null
);

-- The last position given to a committed change, and the fence of who gave it. Numbering locks this row.
create table sequencer (
    id integer primary key check (id = 1),
    position bigint not null,
    fence bigint not null
);
insert into sequencer (id, position, fence) values (1, 0, 0);

-- +goose Down
select 'migrations only move forward';
