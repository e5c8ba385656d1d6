-- Keys for the pages of other shops. A key is no secret: it stands in their pages, and says from where somebody may listen.
create table listen_keys (
    -- `lk_` and 32 hexadecimal digits.
    key text collate "C" primary key,
    -- What administrators call it; null when they call it nothing.
    name text collate "C",
    -- `masked`: names as `k**`. `full`: as the shop's own audience sees them.
    display text collate "C" not null check (display in ('masked', 'full')),
    -- The origins whose pages may use it, separated by spaces, as a browser's `Origin` names them.
    origins text collate "C" not null,
    created_at bigint not null,
    -- Since when it opens nothing. Revoked keys are listed for a while.
    revoked_at bigint
);
