-- Accounts that may not log in, and how a server learns of log-ins that another process ended.

-- Null while the account may log in.
alter table users add column banned_at bigint;

-- Other nodes and `shopbell admin ban` are processes of their own: a server asks every moment which log-ins were ended
-- lately.
create index sessions_by_revocation on sessions (revoked_at) where revoked_at is not null;
