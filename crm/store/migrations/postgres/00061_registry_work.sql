-- +goose Up
-- Formulas of existing records that an approved change request (its number) asks for: how far they are computed. cursor is where to go
-- on, done counts the records looked at, refused those without a value, and problem says why the last of these has none.
create table registry_work (
    request bigint primary key,
    object text collate "C" not null,
    cursor_at text collate "C" not null,
    done bigint not null,
    refused bigint not null,
    problem text collate "C" not null,
    is_over boolean not null
);

-- +goose Down
select 'migrations only move forward';
