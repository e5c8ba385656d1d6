-- What visitors did with the widget, added up by day and by nobody: no person, no page, no address.
create table widget_counts (
    -- The day where the server is: `2026-11-26`.
    day text collate "C" primary key,
    shown bigint not null,
    clicked bigint not null,
    closed bigint not null
);
