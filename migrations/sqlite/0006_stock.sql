-- What an order took is kept, a number of goods never means a second thing, and whoever changes a stock by hand leaves a
-- trace: so that stock, orders and changes can be proved against each other (`shopbell check`).

-- Pieces that this line took out of a counted stock: all of it, or nothing while the stock was not counted.
alter table order_items add column taken integer not null default 0 check (taken in (0, quantity));

-- Pieces that went back when the order was canceled: what it took, or nothing when the goods were gone or no longer
-- counted.
alter table order_items add column returned integer not null default 0 check (returned in (0, taken));

-- What old orders took is not known. The best guess: goods that are counted now were counted then. Goods that are
-- younger than the order got the number of others, from which it was taken.
update order_items
set
    taken = quantity,
    returned = case (select status from orders where orders.order_id = order_items.order_id)
        when 'canceled' then quantity else 0
    end
where exists (
    select 1
    from goods join orders on orders.order_id = order_items.order_id
    where
        goods.goods_id = order_items.goods_id
        and goods.stock is not null
        and goods.created_at <= orders.created_at
);

-- Numbers of goods that are no longer sold. They are not given again.
create table gone_goods (
    goods_id integer primary key
) strict;

-- Those that orders remember; what was never ordered left no trace.
insert into gone_goods (goods_id)
select goods_id from order_items
union
select goods_id from order_events
except
select goods_id from goods;
