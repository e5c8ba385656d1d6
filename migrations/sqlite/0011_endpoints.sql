-- News for systems of others: who is told what, how far each was told, and what became of each delivery.

-- What happens to goods, as far as others are told. Orders are told from `order_events`; together they are one log: a
-- goods event lies behind the newest order event that there was. Only written while there is an endpoint.
create table goods_events (
    -- Its place among them. Never given again, so that what was told is not taken for something new.
    goods_event integer primary key autoincrement,
    -- The newest order event before it.
    after_order integer not null,
    topic text not null check (topic in ('goods.updated', 'stock.low')),
    -- Not a foreign key: what is told outlives the goods.
    goods_id integer not null,
    -- What is told, as JSON: the goods may be others when it is sent.
    data text not null,
    created_at integer not null
) strict;

create table endpoints (
    endpoint_id integer primary key autoincrement,
    url text not null,
    -- Names of topics with commas between them.
    topics text not null,
    -- What deliveries are signed with; needed as it is. The older one holds until its moment.
    secret text not null,
    old_secret text,
    old_secret_until integer,
    -- Since when nothing is sent, and why.
    disabled_at integer,
    disabled_by text check (disabled_by in ('hand', 'gone', 'failing')),
    -- Since when everything has failed.
    failing_since integer,
    -- How far it was told: of the order events and of the goods events.
    place_orders integer not null,
    place_goods integer not null,
    -- How many events were pruned before they could be told.
    lost integer not null default 0,
    -- Counts its replays: how far it was told before one is not recorded over it.
    generation integer not null default 0,
    -- Counts all that administrators did to it, so that whoever works for it notices.
    revision integer not null default 0,
    created_at integer not null,
    check ((disabled_at is null) = (disabled_by is null)),
    check ((old_secret is null) = (old_secret_until is null))
) strict;

create table deliveries (
    delivery_id integer primary key autoincrement,
    endpoint_id integer not null references endpoints (endpoint_id) on delete cascade,
    -- What it tells: an order event, a goods event, or neither, a test. Not foreign keys: the log is pruned.
    order_event integer,
    goods_event integer,
    -- The `webhook-id`, and the `type` of the body.
    message text not null,
    kind text not null,
    event_at integer not null,
    status text not null check (status in ('waiting', 'delivered', 'failed')),
    -- Attempts since it was first due, or was asked for by hand.
    tries integer not null,
    -- When it is tried next. A waiting one without a moment is come to when what lies before it was told again.
    next_at integer,
    updated_at integer not null,
    check (order_event is null or goods_event is null),
    check (next_at is null or status = 'waiting')
) strict;

-- A repeat of a message belongs to the same delivery. Also lists an endpoint's.
create unique index deliveries_of_message on deliveries (endpoint_id, message);
-- An endpoint's deliveries, newest first: the index ends in the row's id by its nature.
create index deliveries_of_endpoint on deliveries (endpoint_id);
-- The few that wait for a retry.
create index deliveries_that_wait on deliveries (endpoint_id, next_at) where next_at is not null;

create table attempts (
    attempt_id integer primary key autoincrement,
    delivery_id integer not null references deliveries (delivery_id) on delete cascade,
    at integer not null,
    -- The status of the answer, or null and why there was none.
    status integer,
    error text,
    millis integer not null,
    -- Its first 1,000 bytes.
    answer text not null
) strict;

create index attempts_of_delivery on attempts (delivery_id);
