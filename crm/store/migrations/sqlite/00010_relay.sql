-- +goose Up
-- How far the change log stands in the warehouse: one row. A batch is written down here before its first try and taken off once
-- it stands there, so that a crash in between repeats it unchanged.
create table relay (
    id integer primary key check (id = 1),
    incarnation text not null,
    batch integer not null,
    acknowledged integer not null,
    frozen_after integer,
    frozen_through integer,
    updated_at integer not null,
    check ((frozen_after is null) = (frozen_through is null))
) strict;

-- +goose Down
select 'migrations only move forward';
