-- +goose Up
-- One row an export or a bulk edit: what was asked for and how far it has come. Progress is written in the transaction of the records
-- that it counts, so that a killed job goes on where its last commit left it. generation fences off a worker that another has taken over from.
create table jobs (
    id integer primary key,
    kind text not null,
    state text not null,
    place text not null, -- the data directory that holds its file; empty where any server may do the job
    generation integer not null,
    started_by integer not null,
    created_at integer not null,
    finished_at integer,
    request text not null, -- JSON: what was asked for
    progress text not null -- JSON: who asked, counts, notes, cursors, error
) strict;

-- What goes on after a restart.
create index jobs_active on jobs (kind, id) where state in ('waiting', 'running', 'undoing');

-- The records of a bulk edit, fixed at its start: record number place + n (from 0) of the job is the n-th of numbers.
create table job_records (
    job integer not null,
    place integer not null,
    numbers blob not null, -- ascending; differences as variable-length integers
    primary key (job, place)
) strict;

-- Records that were refused, and records that an undo kept, in the order they were met.
create table job_refusals (
    id integer primary key,
    job integer not null,
    refusal text not null -- JSON: record, reason, field, remedy
) strict;

create index job_refusals_of on job_refusals (job, id);

-- +goose Down
select 'migrations only move forward';
