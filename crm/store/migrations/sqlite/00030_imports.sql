-- +goose Up
-- One row an import: what was asked for and how far it has come. Progress is written in the transaction of the rows that it counts,
-- so that a killed import goes on where its last commit left it. generation fences off a worker that somebody else has taken over from.
create table imports (
    id integer primary key,
    state text not null,
    object text not null,
    file_name text not null,
    sha256 text not null,
    dry_run integer not null,
    generation integer not null,
    started_by integer not null,
    created_at integer not null,
    finished_at integer,
    request text not null, -- JSON: mapping, detected format, readers
    progress text not null -- JSON: counts, notes, cursors, error
) strict;

-- What goes on after a restart.
create index imports_active on imports (id) where state in ('waiting', 'running', 'undoing');

-- A stored file is dropped when no import needs it any more.
create index imports_of_file on imports (sha256);

-- Rows that were refused, and records that an undo kept (those have a negative place, in the order they were met).
create table import_refusals (
    import integer not null,
    place integer not null, -- row of the file, as a spreadsheet counts
    refusal text not null, -- JSON: reason, field, remedy, cells
    primary key (import, place)
) strict;

-- +goose Down
select 'migrations only move forward';
