-- What the world is told of orders, and what keeps a repeated request from ordering twice.

-- The log: outbox, history and source of every offset. Written in the transaction of its order, never changed.
create table notifications (
    -- The offset. `autoincrement` counts in a table that is rolled back like any other, and there is one writer:
    -- so the ids have no holes, whatever was refused between them, and readers may take a hole for a missed row.
    id integer primary key autoincrement,
    kind text not null check (kind in ('purchase', 'cancellation')),
    -- Never told; leads from an order that is canceled to its alert.
    order_id integer not null references orders (order_id),
    -- The first goods of the order. Not a foreign key: goods may be deleted.
    goods_id integer not null,
    -- The buyer's name at that moment, whole: whether it is masked is decided when it is shown.
    nickname text,
    first_goods_name text,
    other_goods integer,
    -- Pieces of all goods.
    quantity integer,
    -- The offset of the alert that no longer holds. Not a foreign key: the oldest of the log is pruned, and an alert
    -- may go before its withdrawal.
    canceled integer,
    created_at integer not null,
    check (
        case kind
            when 'purchase' then
                nickname is not null and first_goods_name is not null and other_goods is not null
                and quantity is not null and canceled is null
            else
                nickname is null and canceled is not null
        end
    )
) strict;

-- From an order to its alert, of which there is one at most: for cancellations, and for the answer to a repeated
-- request (which is why no other table keeps the offset).
create unique index alert_of_order on notifications (order_id) where kind = 'purchase';

-- An order is withdrawn once at most.
create unique index withdrawal_of_alert on notifications (canceled) where canceled is not null;

create table idempotency_keys (
    -- Keys are names that clients choose: one account's mean nothing to another.
    user_id integer not null references users (user_id) on delete cascade,
    key text not null,
    -- What was asked for under the key, so that another request under it is refused.
    fingerprint text not null,
    order_id integer not null references orders (order_id) on delete cascade,
    created_at integer not null,
    primary key (user_id, key)
) strict, without rowid;

-- Keys are forgotten by age.
create index idempotency_keys_by_age on idempotency_keys (created_at);
