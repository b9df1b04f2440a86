-- +goose Up
-- Contents of files by the SHA-256 of their bytes in lower-case hex; the bytes lie in the data directory. What no record has ever
-- referred to (is_used) is swept a day after it was uploaded; the rest stays, since the past refers to it.
create table contents (
    sha256 text primary key,
    media_type text not null,
    size integer not null,
    uploaded_at integer not null,
    is_used integer not null
) strict;

create index contents_unused on contents (uploaded_at) where not is_used;

-- Who has uploaded which contents: only they may name them in a write, so that knowing a hash opens nothing.
create table uploads (
    sha256 text not null,
    user_number integer not null,
    uploaded_at integer not null,
    primary key (sha256, user_number)
) strict;

-- +goose Down
select 'migrations only move forward';
