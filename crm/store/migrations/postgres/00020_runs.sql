-- +goose Up
-- One row a computation of a room: what it depends on and how far it has come. worker holds it until lease_until; a run whose lease
-- ran out is taken up by another, which computes the weeks that are not stored yet.
create table runs (
    id bigint generated always as identity primary key,
    room text collate "C" not null,
    status text collate "C" not null,
    cause text collate "C" not null,
    tracks boolean not null, -- once done, room_states moves to its position
    worker text collate "C" not null, -- '' while nobody has it
    lease_until timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    details text collate "C" not null -- JSON: definition, parameters, position, weeks, progress, hash, error
);

-- What goes on after a restart, in the order in which it was asked for.
create index runs_active on runs (id) where status in ('waiting', 'running');

-- One run at a time brings a room up to the log.
create unique index runs_tracking on runs (room) where tracks = true and status in ('waiting', 'running');

-- The stored result of a subject (a tree and a split) and a week: the last run's.
create table run_results (
    room text collate "C" not null,
    subject text collate "C" not null,
    definition text collate "C" not null,
    week text collate "C" not null, -- first day, YYYY-MM-DD
    run bigint not null,
    position bigint not null,
    hash text collate "C" not null,
    is_empty boolean not null,
    body bytea not null,
    primary key (room, subject, definition, week)
);

-- Which weeks a run has stored already.
create index run_results_of_run on run_results (run, week);

-- Up to which position of the log a room's stored results are told.
create table room_states (
    room text collate "C" primary key,
    definition text collate "C" not null,
    position bigint not null,
    watermark timestamptz not null
);

-- +goose Down
select 'migrations only move forward';
