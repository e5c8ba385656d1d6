-- Links by which an account without its password gets a new one.

create table password_resets (
    -- The SHA-256 of the secret in the link, in hex: who reads the database opens nothing.
    reset_id text collate "C" primary key,
    user_id bigint not null references users (user_id) on delete cascade,
    expires_at bigint not null
);

create index password_resets_of_user on password_resets (user_id);
-- The oldest are forgotten when the next is made.
create index password_resets_by_end on password_resets (expires_at);

-- A link is for the account as it was: a new password, another address or the end of the account ends all of them.
create function password_resets_end() returns trigger
language plpgsql as $$
begin
    delete from password_resets where user_id = new.user_id;
    return null;
end
$$;

create trigger password_resets_end after update of password_hash, email_key, erased_at on users
for each row
when (
    new.password_hash is distinct from old.password_hash
    or new.email_key is distinct from old.email_key
    or new.erased_at is distinct from old.erased_at
)
execute function password_resets_end();
