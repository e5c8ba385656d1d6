-- Orders of other shops: who may say that something was bought, what each said, and what became of it.

create table sources (
    -- `src_` and 24 letters and digits: it stands in a URL.
    source_id text primary key,
    kind text not null check (kind in ('shopify', 'woocommerce', 'stripe', 'standard')),
    name text not null,
    -- How its buyers are named.
    buyer text not null check (buyer in ('none', 'masked', 'first-name')),
    -- What is bought is called so where the source does not say.
    goods_name text,
    -- Milliseconds after which an order is no news.
    announce_within integer not null check (announce_within >= 0),
    -- Receipts a second.
    rate integer not null check (rate > 0),
    -- Of the last order that said one: that of amounts that come without one.
    currency text,
    -- Where its orders are read as well, with which key, and up to where they were.
    poll_url text,
    poll_key text,
    poll_cursor text,
    created_at integer not null,
    -- Its orders stay, and refer to it; it says nothing more.
    removed_at integer
) strict, without rowid;

-- What a source signs with; needed as it is. Several hold while one replaces another.
create table source_secrets (
    source_id text not null references sources (source_id) on delete cascade,
    secret text not null,
    created_at integer not null,
    -- When it ceases to hold; null is not yet known.
    ends_at integer,
    primary key (source_id, secret)
) strict, without rowid;

-- What a source says of one order, by its own number for it. An order has its row of `orders` once it was paid.
create table source_orders (
    source_id text not null references sources (source_id),
    number text not null,
    state text not null check (state in ('unpaid', 'paid', 'withdrawn')),
    order_id integer references orders (order_id),
    updated_at integer not null,
    primary key (source_id, number),
    check (state <> 'paid' or order_id is not null),
    check (state <> 'unpaid' or order_id is null)
) strict, without rowid;

-- From an order that is canceled here to what the source says of it.
create unique index source_orders_of_order on source_orders (order_id) where order_id is not null;

-- Money that was given back in parts. The same refund told again is the same bytes.
create table source_refunds (
    source_id text not null references sources (source_id),
    number text not null,
    -- SHA-256 of what was said.
    digest text not null,
    -- Minor units of the order's currency.
    amount integer not null check (amount >= 0),
    primary key (source_id, number, digest)
) strict, without rowid;

-- Which goods a source means.
create table source_goods (
    source_id text not null references sources (source_id) on delete cascade,
    -- Its number for them, after `id:`; after `name:` what they are called where there is no number.
    named text not null,
    goods_id integer not null references goods (goods_id) on delete cascade,
    primary key (source_id, named)
) strict, without rowid;

create index source_goods_of_goods on source_goods (goods_id);

-- What came, and what became of it.
create table receipts (
    receipt_id integer primary key autoincrement,
    source_id text not null references sources (source_id),
    received_at integer not null,
    -- `hook` came to our door, `poll` was fetched.
    via text not null check (via in ('hook', 'poll')),
    topic text,
    -- Of which order.
    number text,
    outcome text not null,
    -- Why, as a sentence.
    why text not null,
    -- Which order it changed. Not a foreign key: receipts are deleted on their own.
    order_id integer,
    -- What came, to be read once more: for some days, and not if it is large. The headers that count are a JSON object.
    headers text,
    body blob
) strict;

-- A source's receipts, newest first: the index ends in the row's id by its nature.
create index receipts_of_source on receipts (source_id);
-- Bodies are forgotten by age.
create index receipts_with_body on receipts (received_at) where body is not null;

-- An order of a source has no account, a currency of its own, and a moment that may be long ago.
alter table orders add column source_id text references sources (source_id);
alter table orders add column currency text;
alter table orders add column ordered_at integer;
-- As the source's buyers are named; nothing else is kept of them.
alter table orders add column buyer text;

-- The one column that may be null from now on. SQLite cannot say that, and a copy of the table would have to leave and
-- enter all that refers to it: the documented way is to change the text
-- (https://www.sqlite.org/lang_altertable.html#otheralter), here inside the transaction of the migration.
pragma writable_schema = on;
update sqlite_schema
set sql = replace(
    sql, 'user_id integer not null references users (user_id)', 'user_id integer references users (user_id)'
)
where type = 'table' and name = 'orders';
pragma writable_schema = reset;

-- What is told of goods that have a page elsewhere, and of an order that is not of now.
alter table order_events add column goods_url text;
alter table order_events add column thumbnail_url text;
alter table order_events add column ordered_at integer;

drop view notifications;
create view notifications as
select
    announced_as as id,
    kind, goods_id, nickname, first_goods_name, other_goods, quantity, withdraws, created_at,
    goods_url, thumbnail_url, ordered_at
from order_events
where announced_as is not null;
