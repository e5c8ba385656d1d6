-- Accounts that may not log in, and how the server learns of log-ins that another process ended.

-- Null while the account may log in.
alter table users add column banned_at integer;

-- `shopbell admin ban` is a process of its own: the server asks every moment which log-ins were ended lately.
create index sessions_by_revocation on sessions (revoked_at) where revoked_at is not null;
