-- Goods may be those of another shop: known by a number of its own, with a page there, and not sold here.

-- The number that the shop's other systems know them by.
alter table goods add column sku text collate "C";
create unique index goods_by_sku on goods (sku) where sku is not null;

alter table goods add column description text collate "C" not null default '';

-- Where they have a page of their own, if that is not this shop's.
alter table goods add column url text collate "C";

-- False: orders of them alert nobody.
alter table goods add column announce boolean not null default true;

-- False: known, so that what was bought elsewhere has a name and a picture, and not sold here.
alter table goods add column listed boolean not null default true;

-- Of the price; null is the shop's.
alter table goods add column currency text collate "C";

-- Categories and their lists are those of what is sold.
drop index goods_of_category;
create index goods_of_category on goods (category, goods_id) where listed;
