-- One room: who is in it and its mailbox. Each room is a file of its own, DATA/rooms/<name>.db, made
-- by the room's first join in the same transaction and deleted when nobody's grace runs any more.
--
-- Times ending in _ms are milliseconds of CLOCK_BOOTTIME, but for sent_ms (Unix time). A seq is the
-- room's own counter, up by one for each message that was ever sent in it. Only store_rows.c writes
-- here, on behalf of room_*.c. Counters follow the rows they count (store_tally()).

-- user_version goes up with what an older program can't use. What only comes on top, a column with a
-- default at a table's end, leaves it: programs of both kinds use one file while an upgrade goes on, and
-- the newer one adds what it finds missing (store.c).

PRAGMA application_id = 1265394036; -- "Klat"
PRAGMA user_version = 1;

-- The one row of the room itself. Written by the first join, updated with each message, never deleted.
--   epoch     64 random bits of this file, the first half of every cursor
--   head      the highest seq given out
--   closed    1: the file is about to be unlinked; who sees it opens the path again. 2: the site's owner
--             has closed the room; its file stays for a grace more, to tell that to who was in it
--   boot_id   the boot whose clock the _ms columns belong to
--   messages, bytes  what the mailbox holds of the members' own mail; a message's bytes are those of
--                    its data and its type and 64
--   told_messages, told_bytes  the same of the server's own
--   opened_ms  when the file was made, Unix time; 0: not known
--   stays      1: the site's owner has opened it, so that it stays when nobody is left
--   rules      the sum of: 1, 2, 4: a host has locked it, has turned on its lobby, has set a password;
--              8: somebody has been its host, so it gets another one when that one has gone; 16: somebody
--              waits, or a host has lapsed, and the end of that is looked for as a lease's is. One column,
--              since each send reads it
--   password_salt, password_hash  PBKDF2 of the password that is asked for; NULL: none
CREATE TABLE room (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    told_messages INTEGER NOT NULL,
    told_bytes INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL DEFAULT 0,
    stays INTEGER NOT NULL DEFAULT 0,
    rules INTEGER NOT NULL DEFAULT 0,
    password_salt BLOB,
    password_hash BLOB
);

-- One row for each member: present, lapsed (its lease ended, its grace runs) or left. Written by join,
-- updated by nearly everything. Deleted by whatever writes next after until_ms of a lapsed or left
-- one; until then a repeated leave succeeds and the key is known as an expired one. With the row go
-- its retry ids and the mail to it; what it sent stays for those it was sent to.
--   join_id      SHA-256 of the client's own id of the join; NULL when it gave none or has left
--   key_hash     SHA-256 of the key; former_hash that of the key before it, which is good for `resume`
--                alone, and for that only while key_used is 0 (the new key was not yet used)
--   meta         raw JSON
--   joined       seq of the peer-joined that announced it first; of one that waits a seq of its own
--   state        0 present, 1 lapsed, 2 left, 3 waits in the lobby until a host lets it in
--   until_ms     when the state ends: of one that is present or waits the end of its lease, else the end
--                of its grace
--   hung_up      1: a hang-up at its parked poll shortened its lease; undone by whatever shows that it
--                is there, a newer poll that is parked too
--   acked        it has acknowledged everything up to this seq (as far as written down)
--   floor        mail for it up to this seq may be gone: a cursor below gets `gap`
--   held_messages, held_bytes  what the mailbox holds of its own mail, counted as in room
--   message_ids  its rows in message_id
--   sub, jti     what the token of its first join said: the site's own id of the person and the token's,
--                never told to others. sub is NULL: it joined without a token
--   role         1 for a host, 0 for a member
--   address_hash  the address it joined from as a ban hashes it; NULL when unknown, and of one with sub
--                where tokens are required
--   left_why     of one that left: 0 by itself or replaced, 1 sent out, 2 not let in, 3 the room was over
--                before it was let in
CREATE TABLE member (
    peer TEXT PRIMARY KEY,
    join_id BLOB UNIQUE,
    key_hash BLOB NOT NULL UNIQUE,
    former_hash BLOB,
    key_used INTEGER NOT NULL,
    name TEXT,
    meta BLOB,
    joined INTEGER NOT NULL,
    state INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    hung_up INTEGER NOT NULL DEFAULT 0,
    acked INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    held_messages INTEGER NOT NULL,
    held_bytes INTEGER NOT NULL,
    message_ids INTEGER NOT NULL,
    sub TEXT,
    role INTEGER NOT NULL DEFAULT 0,
    jti TEXT,
    address_hash BLOB,
    left_why INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX member_former ON member (former_hash) WHERE former_hash IS NOT NULL;
CREATE INDEX member_until ON member (state, until_ms);

-- One row for each message that somebody may still have to read. Written by send, and by whatever
-- the server tells a room. Deleted after it was acknowledged (a direct one by its addressee, one to all by
-- everybody who was there), many at once with the next lease that is renewed or when half of a bound is
-- taken; with its addressee; when it is older than the TTL; or, one of the server's, when there are too
-- many of those.
--   sender     the member that sent it; where server = 1 the member that it tells about. Either way
--              that member doesn't read it when it is to all
--   addressee  NULL: to all
--   sent_ms    Unix time; stored_ms counts for the TTL
--   data       raw JSON, as it came; last, since a long one goes on in other pages
CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    server INTEGER NOT NULL,
    addressee TEXT,
    sent_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL
);
-- Entries end in the seq: reading is a range of the mail to all merged with one of one's own.
CREATE INDEX message_addressee ON message (addressee);
CREATE INDEX message_sender ON message (sender) WHERE addressee IS NULL;
CREATE INDEX message_told ON message (server) WHERE server = 1;

-- One row for each of the latest retry ids of a sender, 1,024 at least, and the seq its message got,
-- whether that message is still held or not. Written by send; when they are 2,048, the older half is
-- deleted; all with the sender.
CREATE TABLE message_id (
    sender TEXT NOT NULL,
    id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (sender, id)
) WITHOUT ROWID;

-- One row for each event of this room that the site's feed has not got yet, where the configuration asks
-- for one (events = on); else none. Written with what brings it about, deleted after the feed has it, but
-- for the last row, which goes on counting. The first event of a room without any is its opening, then
-- one for each who is there.
--   event_order  from 1, up by one for each event of the room
--   type         room-opened, peer-joined, peer-left or room-closed
--   sub          of the member's token, if it has one
--   reason       of a peer-left
--   time_ms      Unix time
--   moved        1: the feed has it
CREATE TABLE event (
    event_order INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    peer TEXT,
    sub TEXT,
    reason TEXT,
    time_ms INTEGER NOT NULL,
    moved INTEGER NOT NULL
);

-- One row for each sub, jti or address that may not come in. Written by a host's ban; the newest 1,024
-- are kept. Deleted when nobody is in the room any more.
--   hash  SHA-256 of the room's epoch, the kind (s, j or a) and what is banned
CREATE TABLE ban (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);
