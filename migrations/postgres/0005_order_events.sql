-- What the world is told of orders. Each order and each cancellation has a row, announced or not; what the audience sees is
-- the view `notifications`.

-- The log: outbox, history and source of every offset. Written in the transaction of its order.
create table order_events (
    -- Its place in the log, without holes: the newest one's plus one, in the transaction of its order. There is one
    -- writer at a time, on whatever node, and what is rolled back takes its number along. That is why it is no sequence.
    sequence bigint primary key,
    -- Its offset in what the audience sees, without holes either. Null is not announced: the buyer hides purchases, or
    -- there is no alert to withdraw.
    announced_as bigint,
    kind text collate "C" not null check (kind in ('placed', 'canceled')),
    order_id bigint not null references orders (order_id),
    -- The first goods of the order. Not a foreign key: goods may be deleted.
    goods_id bigint not null,
    -- The buyer's name at that moment, whole: whether it is masked is decided when it is shown. Nobody's business
    -- where it is not announced.
    nickname text collate "C" check (nickname is null or announced_as is not null),
    first_goods_name text collate "C",
    other_goods bigint,
    -- Pieces of all goods.
    quantity bigint,
    -- The offset of the alert that no longer holds. Not a foreign key: the oldest events are pruned, and an alert may
    -- go before its withdrawal.
    withdraws bigint,
    created_at bigint not null,
    check (
        case kind
            when 'placed' then
                first_goods_name is not null and other_goods is not null and quantity is not null
                and withdraws is null
            else
                first_goods_name is null and other_goods is null and quantity is null
                and (withdraws is null) = (announced_as is null)
        end
    )
);

-- The audience reads by offset. Events that are not announced need no place in it.
create unique index order_events_by_offset on order_events (announced_as) where announced_as is not null;

-- An order is placed once and canceled once. Also leads from an order to its alert.
create unique index order_events_of_order on order_events (order_id, kind);

-- What the log knows of itself: one row.
create table order_log (
    one bigint primary key default 1 check (one = 1),
    -- Random, made with the database: it tells clients whether the offset that they kept is one of this log. In hex.
    epoch text collate "C" not null,
    -- The newest event that was pruned, and the newest offset that went with it. They keep the numbers growing when
    -- everything is pruned.
    pruned_sequence bigint not null,
    pruned_offset bigint not null
);

-- How far the log reaches: for the audience from `oldest` to `latest`, for whom all events matter up to `sequence`.
-- Scalar queries, each of which looks at one end of an index; the condition is that of the index.
create view order_log_reach as
select
    epoch,
    pruned_offset + 1 as oldest,
    coalesce(
        (select max(announced_as) from order_events where announced_as is not null), pruned_offset
    ) as latest,
    coalesce((select max(sequence) from order_events), pruned_sequence) as sequence
from order_log;

-- Eight random bytes: a UUID of version 4 has six bits that are not, in the digits that are left out.
insert into order_log (epoch, pruned_sequence, pruned_offset)
select left(digits, 12) || right(digits, 4), 0, 0
from replace(gen_random_uuid()::text, '-', '') as digits;

-- What the audience sees.
create view notifications as
select
    announced_as as id,
    kind, goods_id, nickname, first_goods_name, other_goods, quantity, withdraws, created_at
from order_events
where announced_as is not null;
