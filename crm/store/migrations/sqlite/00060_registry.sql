-- +goose Up
-- Approved changes of the registry, in order, on top of the standard objects. version counts from 1 without gaps. definition is
-- the JSON of models.Definition; request is the number of the field_request that asked for it, 0 where none did.
create table registry_changes (
    version integer primary key,
    definition text not null,
    request integer not null,
    recorded_at integer not null
) strict;

-- +goose Down
select 'migrations only move forward';
