-- Every change of a stock that is not an order's or a cancellation's: those are kept with their lines (`taken` and
-- `returned`), so that an order writes nothing here.

create table stock_changes (
    change_id integer primary key autoincrement,
    -- Not a foreign key: the history of goods outlives them.
    goods_id integer not null,
    -- Who did it. Null is the program itself, or an account that was erased.
    user_id integer references users (user_id) on delete set null,
    -- `opening`: what there was when this table was made. `set`: counted anew, also the first count and the last one.
    -- `change`: so many more or less.
    kind text not null check (kind in ('opening', 'set', 'change')),
    -- By how many pieces. The stock is always the sum of the changes, less what orders took and did not return; a stock
    -- that is not counted is 0 in that sum.
    change integer not null,
    -- Why, in the words of who did it.
    reason text,
    -- What it came to; null is not counted.
    stock integer,
    created_at integer not null
) strict;

-- The history of goods, newest first: the index ends in the row's id by its nature.
create index stock_changes_of_goods on stock_changes (goods_id);

-- What the orders of old took comes on top of what is left.
insert into stock_changes (goods_id, kind, change, stock, created_at)
select
    goods_id,
    'opening',
    stock + coalesce(
        (select sum(taken - returned) from order_items where order_items.goods_id = goods.goods_id), 0
    ),
    stock,
    updated_at
from goods
where stock is not null;
