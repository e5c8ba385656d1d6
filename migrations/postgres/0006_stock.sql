-- What an order took is kept, a number of goods never means a second thing, and whoever changes a stock by hand leaves a
-- trace: so that stock, orders and changes can be proved against each other (`shopbell check`).

-- Pieces that this line took out of a counted stock: all of it, or nothing while the stock was not counted.
alter table order_items add column taken bigint not null default 0 check (taken in (0, quantity));

-- Pieces that went back when the order was canceled: what it took, or nothing when the goods were gone or no longer
-- counted.
alter table order_items add column returned bigint not null default 0 check (returned in (0, taken));

-- Numbers of goods that are no longer sold. They are not given again.
create table gone_goods (
    goods_id bigint primary key
);
