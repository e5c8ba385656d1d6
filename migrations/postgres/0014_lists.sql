-- Lists of goods in several orders, and how often goods were ordered lately.

-- What a list is sorted and filtered by stands beside what a search reads: one short row for each goods. Triggers keep it, so
-- that no writer can forget; what the program computes of a name it writes itself.
alter table goods_search add column listed boolean not null default false;
-- A piece can be had, or pieces are not counted. Not the number: an order that leaves some changes nothing here.
alter table goods_search add column in_stock boolean not null default false;
alter table goods_search add column price bigint not null default 0;
alter table goods_search add column category text collate "C" not null default '';
-- The name as it is sorted: without regard to case and form.
alter table goods_search add column name_key text collate "C" not null default '';

create function goods_enter_lists() returns trigger
language plpgsql as $$
begin
    insert into goods_search (goods_id, form, listed, in_stock, price, category)
    values (new.goods_id, '', new.listed, new.stock is null or new.stock > 0, new.price, new.category);
    return null;
end
$$;

create trigger goods_enter_lists after insert on goods
for each row execute function goods_enter_lists();

create function goods_change_in_lists() returns trigger
language plpgsql as $$
begin
    update goods_search
    set listed = new.listed, price = new.price, category = new.category
    where goods_id = new.goods_id;
    return null;
end
$$;

create trigger goods_change_in_lists after update of listed, price, category on goods
for each row execute function goods_change_in_lists();

create function goods_run_out_in_lists() returns trigger
language plpgsql as $$
begin
    update goods_search
    set in_stock = new.stock is null or new.stock > 0
    where goods_id = new.goods_id;
    return null;
end
$$;

create trigger goods_run_out_in_lists after update of stock on goods
for each row
when ((new.stock is null or new.stock > 0) <> (old.stock is null or old.stock > 0))
execute function goods_run_out_in_lists();

-- The orders of a list, with all that filters look at, so that goods that are left out cost no look at the table.
create index goods_by_price on goods_search (price, goods_id) include (listed, in_stock, category, form);
create index goods_by_name on goods_search (name_key, goods_id) include (listed, in_stock, price, category, form);

-- The orders of goods, newest last.
create index order_items_of_goods on order_items (goods_id, order_id);
