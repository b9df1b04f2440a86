-- +goose Up
-- One row an object that is searched: how its table of terms was made, and through which record those that were there before have theirs.
create table search_tables (
    object text primary key,
    form text not null,
    filled_through integer not null,
    is_filled integer not null
) strict;

-- +goose Down
select 'migrations only move forward';
