-- The feed of events: who came and went in which room, for the site's owner. One file, DATA/events.db,
-- made by the first event and only where the configuration says `events = on`; where it says off, the
-- sweep deletes it. Only events.c writes here.
--
-- A room's events are written into its own file with the transaction that brings them about (table event
-- of schema.sql) and moved here after its commit. What was moved, but not yet taken out there, comes a
-- second time and is passed over: event_once.

PRAGMA application_id = 1265395062; -- "Klev"
PRAGMA user_version = 1;

-- The one row of the feed itself.
--   epoch   64 random bits of this file, the first half of every event's id
--   pruned  the highest id that was deleted; who reads from below has missed something
CREATE TABLE feed (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch INTEGER NOT NULL,
    pruned INTEGER NOT NULL
);
INSERT INTO feed (only_row, epoch, pruned) VALUES (1, random(), 0);

-- One row for each event. Deleted after a day, or when there are too many after it. The columns are
-- those of table event in schema.sql; room and room_epoch say of which room's file.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    room TEXT NOT NULL,
    room_epoch INTEGER NOT NULL,
    event_order INTEGER NOT NULL,
    type TEXT NOT NULL,
    peer TEXT,
    sub TEXT,
    reason TEXT,
    time_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX event_once ON event (room_epoch, event_order);
