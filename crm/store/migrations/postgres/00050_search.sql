-- +goose Up
-- One row an object that is searched: how its table of terms was made, and through which record those that were there before have theirs.
create table search_tables (
    object text primary key,
    form text not null,
    filled_through bigint not null,
    is_filled boolean not null
);

-- +goose Down
select 'migrations only move forward';
