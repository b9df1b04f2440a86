-- +goose Up
-- One row an import: what was asked for and how far it has come. Progress is written in the transaction of the rows that it counts,
-- so that a killed import goes on where its last commit left it. generation fences off a worker that somebody else has taken over from.
create table imports (
    id bigint generated always as identity primary key,
    state text collate "C" not null,
    object text collate "C" not null,
    file_name text collate "C" not null,
    sha256 text collate "C" not null,
    dry_run boolean not null,
    generation bigint not null,
    started_by bigint not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    request text collate "C" not null, -- JSON: mapping, detected format, readers
    progress text collate "C" not null -- JSON: counts, notes, cursors, error
);

-- What goes on after a restart.
create index imports_active on imports (id) where state in ('waiting', 'running', 'undoing');

-- A stored file is dropped when no import needs it any more.
create index imports_of_file on imports (sha256);

-- Rows that were refused, and records that an undo kept (those have a negative place, in the order they were met).
create table import_refusals (
    import bigint not null,
    place bigint not null, -- row of the file, as a spreadsheet counts
    refusal text collate "C" not null, -- JSON: reason, field, remedy, cells
    primary key (import, place)
);

-- +goose Down
select 'migrations only move forward';
