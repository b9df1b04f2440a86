-- +goose Up
-- Secrets that Canopy signs and verifies with: never in the change log, never in an answer, never in ClickHouse.
create table secrets (
    name        text collate "C" not null primary key,
    value       bytea            not null,
    replaced_at timestamptz      not null
);
