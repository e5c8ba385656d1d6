-- Text that people type has one identity. The forms that compare it are computed by the program, not by SQL: after the
-- migrations it fills in what is empty here, and again whenever its rules change.

-- What `nickname_key` is for look-alikes in any case, this is for what looks alike as it is written: a capital I looks
-- like a small L. A name is taken when either form is. `email_key` may begin with `old:` now: see the program.
alter table users add column nickname_look text collate "C";
create unique index users_by_nickname_look on users (nickname_look);

-- When the account took its name. A server asks every moment which names were taken lately, also by another process.
alter table users add column named_at bigint;
create index users_by_naming on users (named_at) where named_at is not null;

-- How a category is written: as it was first. `goods.category` holds the name.
create table categories (
    -- The same for all spellings.
    key text collate "C" primary key,
    name text collate "C" not null
);

-- What a search reads: one short row for each goods, so that all of them are read faster than any index finds the middle
-- of a word. In bytes, as in SQLite.
create table goods_search (
    goods_id bigint primary key references goods (goods_id) on delete cascade,
    form bytea not null
);
