-- What is sold, what someone means to buy and what was bought.
-- Prices are integers of the minor unit of the shop's one currency, which is a setting of the program and not here.

create table goods (
    -- An administrator may choose it. The bound is JavaScript's largest exact integer (`Number.MAX_SAFE_INTEGER`).
    goods_id integer primary key autoincrement check (goods_id between 1 and 9007199254740991),
    name text not null,
    thumbnail_url text not null,
    category text not null,
    price integer not null check (price >= 0),
    -- Null is not counted. The check is the last guard against overselling; no statement of ours runs into it.
    stock integer check (stock >= 0),
    created_at integer not null,
    updated_at integer not null
) strict;

-- A page of one category, newest first: the index ends in the row's id by its nature.
create index goods_of_category on goods (category);

create table carts (
    -- Grows with every line put in, which keeps a cart in the order of its making. Nothing refers to it, hence no
    -- `autoincrement`: a number that is given again after its line went away is still the highest.
    line integer primary key,
    user_id integer not null references users (user_id) on delete cascade,
    goods_id integer not null references goods (goods_id) on delete cascade,
    quantity integer not null check (quantity between 1 and 999),
    -- A cart holds goods once. Also finds someone's cart.
    unique (user_id, goods_id)
) strict;

-- Goods that are no longer sold leave all carts: without it each deletion would read all carts.
create index carts_with_goods on carts (goods_id);

create table orders (
    order_id integer primary key autoincrement,
    user_id integer not null references users (user_id),
    status text not null check (status in ('placed', 'canceled')),
    -- The sum of the lines, kept so that a list of orders adds nothing up.
    total integer not null check (total >= 0),
    created_at integer not null
) strict;

-- Someone's orders, newest first: the index ends in the row's id by its nature.
create index orders_of_user on orders (user_id);

create table order_items (
    order_id integer not null references orders (order_id) on delete cascade,
    -- From 0, in the order in which it was asked for.
    line integer not null,
    -- Not a foreign key: goods may be deleted, orders stay as they were.
    goods_id integer not null,
    -- What the goods were called and what one piece cost when it was ordered.
    name text not null,
    price integer not null,
    quantity integer not null check (quantity between 1 and 999),
    primary key (order_id, line)
) strict, without rowid;
