-- +goose Up
-- The change log: one row a change. seq is handed out at insert, so commits may become visible out of its order;
-- the sequencer gives position to committed rows, without gaps, and readers see only those.
create table changes (
    seq bigint generated always as identity primary key,
    position bigint unique,
    object text collate "C" not null,
    number bigint not null,
    version bigint not null,
    kind text collate "C" not null,
    happened_at timestamptz not null,
    happened_unknown boolean not null,
    recorded_at timestamptz not null,
    actor_kind text collate "C" not null,
    actor_user bigint not null,
    cause text collate "C" not null,
    is_deleted boolean not null,
    fields text collate "C" not null,
    image text collate "C" not null
);

-- A record's history in order of position: timeline, back-dating, undo.
create index changes_of_record on changes (object, number, seq);

-- What the sequencer still has to number.
create index changes_unsequenced on changes (seq) where position is null;

-- First outcomes of commands that carried an idempotency key.
create table idempotency (
    actor_user bigint not null,
    key text collate "C" not null,
    object text collate "C" not null,
    number bigint not null,
    seq bigint not null,
    fingerprint text collate "C" not null,
    created_at timestamptz not null,
    primary key (actor_user, key)
);

-- +goose Down
select 'migrations only move forward';
