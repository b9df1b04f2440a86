-- +goose Up
-- The change log: one row a change, in commit order. seq is the position, for one writer writes at a time.
create table changes (
    seq integer primary key,
    object text not null,
    number integer not null,
    version integer not null,
    kind text not null,
    happened_at integer not null,
    happened_unknown integer not null,
    recorded_at integer not null,
    actor_kind text not null,
    actor_user integer not null,
    cause text not null,
    is_deleted integer not null,
    fields text not null,
    image text not null
) strict;

-- A record's history in order of position: timeline, back-dating, undo.
create index changes_of_record on changes (object, number, seq);

-- First outcomes of commands that carried an idempotency key.
create table idempotency (
    actor_user integer not null,
    key text not null,
    object text not null,
    number integer not null,
    seq integer not null,
    fingerprint text not null,
    created_at integer not null,
    primary key (actor_user, key)
) strict;

-- +goose Down
select 'migrations only move forward';
