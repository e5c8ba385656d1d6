-- Chat: who may not speak, and what was reported of what was said.

-- Accounts that may not speak. Guests have no account; they are kept silent for a time, in memory.
create table mutes (
    user_id integer primary key references users (user_id),
    muted_at integer not null
) strict;

-- Messages that were reported, the newest of them; what is not reported is not kept.
create table reports (
    report_id integer primary key autoincrement,
    room text not null,
    -- What was said, when, and under which name.
    nickname text not null,
    message text not null,
    said_at integer not null,
    -- Who said it, if that was a member.
    user_id integer references users (user_id),
    -- Else the number of the guest's cookie, in hexadecimal digits, and the guest's network.
    guest text,
    network text,
    -- Who reported it; null for a guest.
    reported_by integer references users (user_id),
    reported_at integer not null,
    -- What an administrator has done about it; null while nobody has.
    outcome text check (outcome in ('dismissed', 'muted')),
    closed_at integer
) strict;

-- A message is reported once, by whoever is first.
create unique index reports_of_message on reports (room, said_at, nickname, message);
-- What concerns one account, for its owner who asks what is kept, and for its erasure.
create index reports_of_user on reports (user_id) where user_id is not null;
create index reports_by_user on reports (reported_by) where reported_by is not null;
