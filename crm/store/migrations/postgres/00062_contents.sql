-- +goose Up
-- Contents of files by the SHA-256 of their bytes in lower-case hex; the bytes lie in the data directory. What no record has ever
-- referred to (is_used) is swept a day after it was uploaded; the rest stays, since the past refers to it.
create table contents (
    sha256 text collate "C" primary key,
    media_type text collate "C" not null,
    size bigint not null,
    uploaded_at timestamptz not null,
    is_used boolean not null
);

create index contents_unused on contents (uploaded_at) where not is_used;

-- Who has uploaded which contents: only they may name them in a write, so that knowing a hash opens nothing.
create table uploads (
    sha256 text collate "C" not null,
    user_number bigint not null,
    uploaded_at timestamptz not null,
    primary key (sha256, user_number)
);

-- +goose Down
select 'migrations only move forward';
