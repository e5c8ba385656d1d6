-- Who buys. Every table is `strict`: SQLite would otherwise keep a text in an integer column without a word.
-- Times are milliseconds since 1970 in UTC, as `Timestamp` has them.

-- Small values that outlive restarts (the secret of the tokens).
create table settings (
    key text primary key,
    value text not null
) strict, without rowid;

create table users (
    -- `autoincrement` everywhere: an id that was given once never means someone or something else later.
    user_id integer primary key autoincrement,
    -- As it was typed; never compared.
    email text not null,
    -- Lower case by the rules of Unicode, which SQLite's own `collate nocase` (ASCII only) does not know.
    email_key text not null unique,
    -- As it is shown.
    nickname text not null,
    -- As above, and in NFC.
    nickname_key text not null unique,
    -- Argon2id in PHC string format.
    password_hash text not null,
    role text not null check (role in ('member', 'admin')),
    -- 1: orders of this account alert nobody.
    hide_purchases integer not null default 0 check (hide_purchases in (0, 1)),
    created_at integer not null
) strict;

-- Log-ins. A token names one, so that it can end before the token does.
create table sessions (
    -- The `sid` of the token: random, so that a row number beside it would only cost a second tree.
    session_id text primary key,
    user_id integer not null references users (user_id) on delete cascade,
    created_at integer not null,
    expires_at integer not null,
    -- Null while nobody ended it. The row stays for a while: an operator may ask when it ended.
    revoked_at integer
) strict, without rowid;

-- A new password ends someone's other log-ins. Those that ended already need no place in it.
create index sessions_that_hold on sessions (user_id) where revoked_at is null;

-- Log-ins are forgotten by the time at which they ended, the oldest first. A query uses it only when it has the
-- very same expression.
create index sessions_by_end on sessions (min(expires_at, ifnull(revoked_at, expires_at)));
