-- +goose Up
-- Approved changes of the registry, in order, on top of the standard objects. version counts from 1 without gaps. definition is
-- the JSON of models.Definition; request is the number of the field_request that asked for it, 0 where none did.
create table registry_changes (
    version bigint primary key,
    definition text collate "C" not null,
    request bigint not null,
    recorded_at timestamptz not null
);

-- +goose Down
select 'migrations only move forward';
