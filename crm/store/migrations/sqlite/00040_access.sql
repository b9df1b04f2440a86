-- +goose Up
-- A user's password as a PHC string (argon2id with its parameters and salt). Users without a row cannot sign in.
create table passwords (
    user_number integer primary key,
    phc text not null,
    changed_at integer not null
) strict;

-- Signed-in browsers. hash is the SHA-256 of the cookie's secret in lower-case hex: a copy of this table opens nothing.
create table sessions (
    hash text primary key,
    user_number integer not null,
    created_at integer not null,
    used_at integer not null,
    expires_at integer not null
) strict, without rowid;

-- A new password ends the user's sessions; a login drops ended ones.
create index sessions_of_user on sessions (user_number);
create index sessions_by_end on sessions (expires_at);

-- API tokens, by the SHA-256 of their secret. Revoked ones stay, so that the list says what was once given out.
create table tokens (
    number integer primary key,
    hash text not null unique,
    user_number integer not null,
    name text not null,
    read_only integer not null,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    revoked_at integer
) strict;

create index tokens_of_user on tokens (user_number, number);

-- +goose Down
select 'migrations only move forward';
