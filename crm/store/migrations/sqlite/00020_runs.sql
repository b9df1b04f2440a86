-- +goose Up
-- One row a computation of a room: what it depends on and how far it has come. worker holds it until lease_until; a run whose lease
-- ran out is taken up by another, which computes the weeks that are not stored yet.
create table runs (
    id integer primary key,
    room text not null,
    status text not null,
    cause text not null,
    tracks integer not null, -- once done, room_states moves to its position
    worker text not null, -- '' while nobody has it
    lease_until integer,
    created_at integer not null,
    started_at integer,
    finished_at integer,
    details text not null -- JSON: definition, parameters, position, weeks, progress, hash, error
) strict;

-- What goes on after a restart, in the order in which it was asked for.
create index runs_active on runs (id) where status in ('waiting', 'running');

-- One run at a time brings a room up to the log.
create unique index runs_tracking on runs (room) where tracks = 1 and status in ('waiting', 'running');

-- The stored result of a subject (a tree and a split) and a week: the last run's.
create table run_results (
    room text not null,
    subject text not null,
    definition text not null,
    week text not null, -- first day, YYYY-MM-DD
    run integer not null,
    position integer not null,
    hash text not null,
    is_empty integer not null,
    body blob not null,
    primary key (room, subject, definition, week)
) strict;

-- Which weeks a run has stored already.
create index run_results_of_run on run_results (run, week);

-- Up to which position of the log a room's stored results are told.
create table room_states (
    room text primary key,
    definition text not null,
    position integer not null,
    watermark integer not null
) strict;

-- +goose Down
select 'migrations only move forward';
