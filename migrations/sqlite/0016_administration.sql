-- What administrators look at and what they did: all orders with a search, all accounts, and the record of every change.

-- Why nobody is told of an order; null where everybody is. Beside the order, because the events of the log are pruned.
-- `hidden`: its buyer hides purchases. `goods`, `category`: these goods are never told, or their categories. `late`: it was
-- no news any more when its source told of it. `test`: its source says that it is one.
alter table orders add column silence text
check (silence in ('hidden', 'goods', 'category', 'late', 'test'));

-- When it was canceled, as far as that is known.
alter table orders add column canceled_at integer;

update orders
set canceled_at = (
    select created_at
    from order_events
    where order_events.order_id = orders.order_id and kind = 'canceled'
)
where status = 'canceled';

-- Why old orders were not told: those of sources have a receipt that says so, as long as it is kept; the buyers of all
-- others hide purchases, unless their goods are never told.
update orders
set silence = case
    when why = 'a test order' then 'test'
    when why like 'no news any more%' then 'late'
    else 'goods'
end
from receipts
where receipts.order_id = orders.order_id and outcome = 'kept';

update orders
set silence = 'late'
where
    source_id is not null and silence is null
    and order_id in (select order_id from order_events where kind = 'placed' and announced_as is null);

update orders
set silence = case
    when exists (
        select 1
        from order_items join goods using (goods_id)
        where order_items.order_id = orders.order_id and announce = 1
    ) then 'hidden'
    else 'goods'
end
where
    source_id is null
    and order_id in (select order_id from order_events where kind = 'placed' and announced_as is null);

-- All orders, newest first, from and to a moment: an index ends in the row's id by its nature. New orders are put at its end.
create index orders_by_time on orders (created_at);
-- Those of a source, which orders of this shop have no place in.
create index orders_of_source on orders (source_id, created_at) where source_id is not null;
-- The few that were canceled.
create index orders_canceled on orders (created_at) where status = 'canceled';
-- Whom sources call so. Most orders of this shop have a buyer with an account instead.
create index orders_by_buyer on orders (buyer collate nocase) where buyer is not null;
-- A source's own number, whichever source it is.
create index source_orders_by_number on source_orders (number);

-- All names that goods have had, in the form that a search compares: orders are found by what their goods are called or
-- were, also when the goods are gone. The program fills it in (`src/store/sqlite/text.rs`).
create table goods_names (
    goods_id integer not null,
    form blob not null,
    primary key (goods_id, form)
) strict, without rowid;

-- A list of accounts reads this alone, newest first, whatever it looks for.
create index users_listed on users (user_id, nickname_key, email_key, role, banned_at, erased_at);
-- The few administrators, of whom one must stay.
create index administrators on users (user_id) where role = 'admin';

-- Who of the administrators did what, written with what was done.
create table audit (
    audit_id integer primary key autoincrement,
    at integer not null,
    -- Null: the command line, or an account that was erased since.
    user_id integer references users (user_id) on delete set null,
    -- `goods.update`, `user.ban`.
    action text not null,
    -- What it was done to, in a few words.
    subject text not null,
    -- What changed, as a JSON object. Never a secret.
    details text not null
) strict;

-- An action's entries, newest first.
create index audit_of_action on audit (action);
-- What one account did: for its erasure.
create index audit_by_user on audit (user_id) where user_id is not null;
