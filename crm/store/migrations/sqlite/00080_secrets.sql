-- +goose Up
-- Secrets that Canopy signs and verifies with: never in the change log, never in an answer, never in ClickHouse.
create table secrets (
    name        text    not null primary key,
    value       blob    not null,
    replaced_at integer not null -- milliseconds
) strict, without rowid;
