-- The log becomes one of order events: each order and each cancellation has a row, announced or not. What the audience
-- sees is the view `notifications`, with the offsets that it has always had.

create table order_events (
    -- Its place in the log, without holes: the newest one's plus one, in the transaction of its order. There is one
    -- writer at a time, and what is rolled back takes its number along.
    sequence integer primary key,
    -- Its offset in what the audience sees, without holes either. Null is not announced: the buyer hides purchases, or
    -- there is no alert to withdraw.
    announced_as integer,
    kind text not null check (kind in ('placed', 'canceled')),
    order_id integer not null references orders (order_id),
    -- The first goods of the order. Not a foreign key: goods may be deleted.
    goods_id integer not null,
    -- The buyer's name at that moment, whole: whether it is masked is decided when it is shown. Nobody's business
    -- where it is not announced.
    nickname text check (nickname is null or announced_as is not null),
    first_goods_name text,
    other_goods integer,
    -- Pieces of all goods.
    quantity integer,
    -- The offset of the alert that no longer holds. Not a foreign key: the oldest events are pruned, and an alert may
    -- go before its withdrawal.
    withdraws integer,
    created_at integer not null,
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
) strict;

-- The audience reads by offset. Events that are not announced need no place in it.
create unique index order_events_by_offset on order_events (announced_as) where announced_as is not null;

-- An order is placed once and canceled once. Also leads from an order to its alert.
create unique index order_events_of_order on order_events (order_id, kind);

-- What the log knows of itself: one row.
create table order_log (
    one integer primary key default 1 check (one = 1),
    -- Random, made with the database: it tells clients whether the offset that they kept is one of this log. In hex.
    epoch text not null,
    -- The newest event that was pruned, and the newest offset that went with it. They keep the numbers growing when
    -- everything is pruned.
    pruned_sequence integer not null,
    pruned_offset integer not null
) strict;

-- How far the log reaches: for the audience from `oldest` to `latest`, for whom all events matter up to `sequence`.
-- Two scalar queries, because two `max` in one would read the whole table; the condition is that of the index.
create view order_log_reach as
select
    epoch,
    pruned_offset + 1 as oldest,
    coalesce(
        (select max(announced_as) from order_events where announced_as is not null), pruned_offset
    ) as latest,
    coalesce((select max(sequence) from order_events), pruned_sequence) as sequence
from order_log;

-- The old log keeps its offsets. Where nothing is left of it, its sequence knows the newest.
insert into order_log (epoch, pruned_sequence, pruned_offset)
values (
    lower(hex(randomblob(8))),
    0,
    coalesce(
        (select min(id) - 1 from notifications),
        (select seq from sqlite_sequence where name = 'notifications'),
        0
    )
);

-- Orders without an alert are those of shoppers who hide their purchases, or their alert was pruned: the latter are
-- older than the oldest alert that is kept, and are left out. Order ids grow with time, hence the place of a hidden
-- order is before the alert of the next higher id. Nobody knows when a hidden order was canceled: right after.
with hidden as (
    select orders.order_id, status, created_at, count(*) - 1 as other_goods, sum(quantity) as quantity
    from orders join order_items using (order_id)
    where
        orders.order_id not in (select order_id from notifications where kind = 'purchase')
        and (
            (select pruned_offset from order_log) = 0
            or orders.order_id > (select min(order_id) from notifications where kind = 'purchase')
        )
    group by orders.order_id
),
hidden_with_goods as (
    select hidden.*, goods_id, name
    from hidden join order_items using (order_id)
    where line = 0
),
events as (
    select
        max(case kind when 'purchase' then order_id end) over (order by id) as newest_order,
        id as announced_as,
        case kind when 'purchase' then 'placed' else 'canceled' end as kind,
        order_id, goods_id, nickname, first_goods_name, other_goods, quantity,
        canceled as withdraws,
        created_at
    from notifications
    union all
    select order_id, null, 'placed', order_id, goods_id, null, name, other_goods, quantity, null, created_at
    from hidden_with_goods
    union all
    select order_id, null, 'canceled', order_id, goods_id, null, null, null, null, null, created_at
    from hidden_with_goods
    where status = 'canceled'
)
insert into order_events
select
    row_number() over (order by newest_order, announced_as, kind desc),
    announced_as, kind, order_id, goods_id, nickname, first_goods_name, other_goods, quantity, withdraws, created_at
from events;

drop table notifications;

-- What the audience sees.
create view notifications as
select
    announced_as as id,
    kind, goods_id, nickname, first_goods_name, other_goods, quantity, withdraws, created_at
from order_events
where announced_as is not null;
