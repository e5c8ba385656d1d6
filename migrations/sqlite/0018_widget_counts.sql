-- What visitors did with the widget, added up by day and by nobody: no person, no page, no address.
create table widget_counts (
    -- The day where the server is: `2026-11-26`.
    day text primary key,
    shown integer not null,
    clicked integer not null,
    closed integer not null
) strict, without rowid;
