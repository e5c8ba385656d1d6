-- Goods may be those of another shop: known by a number of its own, with a page there, and not sold here.

-- The number that the shop's other systems know them by.
alter table goods add column sku text;
create unique index goods_by_sku on goods (sku) where sku is not null;

alter table goods add column description text not null default '';

-- Where they have a page of their own, if that is not this shop's.
alter table goods add column url text;

-- 0: orders of them alert nobody.
alter table goods add column announce integer not null default 1 check (announce in (0, 1));

-- 0: known, so that what was bought elsewhere has a name and a picture, and not sold here.
alter table goods add column listed integer not null default 1 check (listed in (0, 1));

-- Of the price; null is the shop's.
alter table goods add column currency text;

-- Categories and their lists are those of what is sold.
drop index goods_of_category;
create index goods_of_category on goods (category) where listed = 1;
