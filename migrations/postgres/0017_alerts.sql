-- What administrators set about alerts while the program runs. What the operator's flags set wins over it.

create table alert_settings (
    name text collate "C" primary key,
    -- As JSON.
    value text collate "C" not null
);

-- Orders of goods of these categories are never told.
create table silent_categories (
    -- As that of `categories`, which need not have it.
    key text collate "C" primary key,
    -- As it was written.
    name text collate "C" not null
);
