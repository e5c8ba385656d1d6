-- What keeps a repeated request from ordering twice. The log that SQLite's twin makes here was replaced by that of 0005.

create table idempotency_keys (
    -- Keys are names that clients choose: one account's mean nothing to another.
    user_id bigint not null references users (user_id) on delete cascade,
    key text collate "C" not null,
    -- What was asked for under the key, so that another request under it is refused.
    fingerprint text collate "C" not null,
    order_id bigint not null references orders (order_id) on delete cascade,
    created_at bigint not null,
    primary key (user_id, key)
);

-- Keys are forgotten by age.
create index idempotency_keys_by_age on idempotency_keys (created_at);
