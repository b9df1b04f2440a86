-- +goose Up
-- A user's password as a PHC string (argon2id with its parameters and salt). Users without a row cannot sign in.
create table passwords (
    user_number bigint primary key,
    phc text collate "C" not null,
    changed_at timestamptz not null
);

-- Signed-in browsers. hash is the SHA-256 of the cookie's secret in lower-case hex: a copy of this table opens nothing.
create table sessions (
    hash text collate "C" primary key,
    user_number bigint not null,
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz not null
);

-- A new password ends the user's sessions; a login drops ended ones.
create index sessions_of_user on sessions (user_number);
create index sessions_by_end on sessions (expires_at);

-- API tokens, by the SHA-256 of their secret. Revoked ones stay, so that the list says what was once given out.
create table tokens (
    number bigint generated always as identity primary key,
    hash text collate "C" not null unique,
    user_number bigint not null,
    name text collate "C" not null,
    read_only boolean not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);

create index tokens_of_user on tokens (user_number, number);

-- +goose Down
select 'migrations only move forward';
