-- Accounts end when their owners want it: the row stays, because orders refer to it, and says nothing of anyone.

-- Null while there is an account. What is left has no address, no name, no password and no log-ins, and its keys are ones
-- that nobody can type.
alter table users add column erased_at bigint;

-- What one account did: for its owner who asks what is kept, and for its erasure.
create index sessions_of_user on sessions (user_id);
create index stock_changes_by_user on stock_changes (user_id) where user_id is not null;
