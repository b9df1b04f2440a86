-- +goose Up
-- Formulas of existing records that an approved change request (its number) asks for: how far they are computed. cursor is where to go
-- on, done counts the records looked at, refused those without a value, and problem says why the last of these has none.
create table registry_work (
    request integer primary key,
    object text not null,
    cursor_at text not null,
    done integer not null,
    refused integer not null,
    problem text not null,
    is_over integer not null
) strict;

-- +goose Down
select 'migrations only move forward';
