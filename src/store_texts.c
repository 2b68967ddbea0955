/* store_texts: every statement; store_rows.c runs them. */
#include "store_internal.h"

#define MEMBER_COLUMNS                                                                               \
    "peer, state, until_ms, joined, acked, floor, held_messages, held_bytes, message_ids, key_used," \
    " hung_up, role, left_why"
/* Of messages that are about to go. */
#define HELD "SELECT server, sender, length(type) + length(data) FROM message WHERE "

const char *const store_texts[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN",
    [ST_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [ST_BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
    [ST_COMMIT] = "COMMIT",
    [ST_VERSION] = "PRAGMA user_version",
    [ST_TABLES] = "SELECT count(*) FROM sqlite_schema",
    [ST_LEARN] = "SELECT 1 FROM room",

    [ST_MEMBER_ADD_SUB] = "ALTER TABLE member ADD COLUMN sub TEXT",
    [ST_MEMBER_ADD_ROLE] = "ALTER TABLE member ADD COLUMN role INTEGER NOT NULL DEFAULT 0",
    [ST_ROOM_ADD_OPENED] = "ALTER TABLE room ADD COLUMN opened_ms INTEGER NOT NULL DEFAULT 0",
    [ST_ROOM_ADD_STAYS] = "ALTER TABLE room ADD COLUMN stays INTEGER NOT NULL DEFAULT 0",
    [ST_EVENT_ADD_TABLE] =
        "CREATE TABLE IF NOT EXISTS event (event_order INTEGER PRIMARY KEY, type TEXT NOT NULL,"
        " peer TEXT, sub TEXT, reason TEXT, time_ms INTEGER NOT NULL, moved INTEGER NOT NULL)",
    [ST_MEMBER_ADD_JTI] = "ALTER TABLE member ADD COLUMN jti TEXT",
    [ST_MEMBER_ADD_ADDRESS] = "ALTER TABLE member ADD COLUMN address_hash BLOB",
    [ST_MEMBER_ADD_LEFT_WHY] = "ALTER TABLE member ADD COLUMN left_why INTEGER NOT NULL DEFAULT 0",
    [ST_ROOM_ADD_SALT] = "ALTER TABLE room ADD COLUMN password_salt BLOB",
    [ST_ROOM_ADD_PASSWORD] = "ALTER TABLE room ADD COLUMN password_hash BLOB",
    [ST_BAN_TABLE] = "CREATE TABLE ban (number INTEGER PRIMARY KEY, hash BLOB NOT NULL)",
    [ST_ROOM_ADD_RULES] = "ALTER TABLE room ADD COLUMN rules INTEGER NOT NULL DEFAULT 0",
    [ST_ROOM_CARRY_RULES] = "UPDATE room SET rules = locked + 2 * lobby + 4 * (password_hash IS NOT"
                            " NULL) + 8 * hosted + 16 * watched",

    [ST_ROOM_INSERT] = "INSERT INTO room (only_row, epoch, head, closed, boot_id, messages, bytes,"
                       " told_messages, told_bytes, opened_ms)"
                       " VALUES (1, ?1, 0, 0, ?2, 0, 0, 0, 0, ?3)",
    [ST_ROOM_CLOSE] = "UPDATE room SET closed = ?1",
    [ST_ROOM_OPENED] = "SELECT opened_ms, stays FROM room",
    [ST_ROOM_SET_STAYS] = "UPDATE room SET stays = 1 WHERE stays = 0",
    [ST_ROOM] = "SELECT epoch, head, closed, boot_id, messages, bytes, told_messages, told_bytes,"
                " rules FROM room",
    [ST_ROOM_TALLY] = "UPDATE room SET head = ?1, messages = messages + ?2, bytes = bytes + ?3",
    [ST_ROOM_TALLY_TOLD] = "UPDATE room SET head = ?1, told_messages = told_messages + ?2,"
                           " told_bytes = told_bytes + ?3",
    [ST_ROOM_SET_BOOT] = "UPDATE room SET boot_id = ?1",
    [ST_ROOM_SET_RULES] = "UPDATE room SET rules = ?1",
    [ST_ROOM_PASSWORD] = "SELECT password_salt, password_hash FROM room"
                         " WHERE password_hash IS NOT NULL",
    [ST_ROOM_SET_PASSWORD] = "UPDATE room SET password_salt = ?1, password_hash = ?2, rules = ?3",
    [ST_MEMBERS_SET_BOOT] = "UPDATE member SET until_ms = ?1 +"
                            " CASE WHEN state = 0 OR state = 3 THEN ?2 ELSE ?3 END",
    [ST_MESSAGES_SET_BOOT] = "UPDATE message SET stored_ms = ?1",

    [ST_MEMBER_BY_PEER] = "SELECT " MEMBER_COLUMNS " FROM member WHERE peer = ?1",
    [ST_MEMBER_BY_KEY] = "SELECT " MEMBER_COLUMNS " FROM member WHERE key_hash = ?1",
    [ST_MEMBER_BY_FORMER] = "SELECT " MEMBER_COLUMNS " FROM member WHERE former_hash = ?1",
    [ST_MEMBER_BY_JOIN_ID] = "SELECT " MEMBER_COLUMNS " FROM member WHERE join_id = ?1",
    [ST_MEMBER_DUE] = "SELECT " MEMBER_COLUMNS " FROM member"
                      " WHERE state = ?1 AND until_ms <= ?2 AND peer <> ?3"
                      " ORDER BY until_ms LIMIT 1",
    [ST_MEMBER_SELF] =
        "SELECT name, meta, sub, role, jti, address_hash FROM member WHERE peer = ?1",
    [ST_MEMBERS_PRESENT] = "SELECT peer, name, meta, joined FROM member"
                           " WHERE state = 0 AND peer <> ?1 ORDER BY joined",
    [ST_MEMBERS_COUNT] = "SELECT count(*) FROM member WHERE state = ?1 AND until_ms > ?2",
    [ST_MEMBERS_NEXT_END] = "SELECT min(until_ms) FROM member INDEXED BY member_until",
    [ST_MEMBERS_NEXT_LEASE] =
        "SELECT until_ms FROM member WHERE state = 0 ORDER BY until_ms LIMIT 1",
    [ST_MEMBERS_NEXT_WATCHED] = "SELECT until_ms FROM member"
                                " WHERE state IN (0, 3) OR (state = 1 AND role = 1)"
                                " ORDER BY until_ms LIMIT 1",
    [ST_MEMBER_NEXT] = "SELECT " MEMBER_COLUMNS " FROM member WHERE state BETWEEN ?1 AND ?2"
                       " AND role >= ?3 AND joined > ?4 ORDER BY joined LIMIT 1",
    [ST_MEMBERS_OTHERS] = "SELECT 1 FROM member WHERE state <= 1 AND peer <> ?1 LIMIT 1",
    [ST_MEMBERS_LEAST_ACKED] =
        "SELECT peer, acked FROM member WHERE state <= 1 ORDER BY acked LIMIT 2",
    [ST_MEMBER_ABOVE_FLOOR] = "SELECT peer, acked FROM member WHERE state <= 1 AND acked > floor"
                              " LIMIT 1",
    [ST_MEMBERS_ANY] = "SELECT 1 FROM member LIMIT 1",

    [ST_MEMBER_INSERT] =
        "INSERT INTO member (peer, join_id, key_hash, key_used, name, meta, joined, state,"
        " until_ms, acked, floor, held_messages, held_bytes, message_ids, sub, role,"
        " jti, address_hash)"
        " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?10, ?7, ?6, ?6, 0, 0, 0, ?8, ?9, ?11, ?12)",
    [ST_MEMBER_DELETE] = "DELETE FROM member WHERE peer = ?1",
    [ST_MEMBER_SET_STATE] = "UPDATE member SET state = ?2, until_ms = ?3, hung_up = 0"
                            " WHERE peer = ?1",
    [ST_MEMBER_SET_LEFT] = "UPDATE member SET state = 2, until_ms = ?2, hung_up = 0, left_why = ?3"
                           " WHERE peer = ?1",
    [ST_MEMBER_SET_HOST] = "UPDATE member SET role = ?2 WHERE peer = ?1",
    [ST_MEMBER_SET_ADDRESS] = "UPDATE member SET address_hash = ?2 WHERE peer = ?1",
    [ST_MEMBER_ADMIT] = "UPDATE member SET state = 0, joined = ?2, until_ms = ?3, hung_up = 0,"
                        " floor = acked WHERE peer = ?1",
    [ST_MEMBER_LENGTHEN] = "UPDATE member SET until_ms = ?3 WHERE peer = ?1 AND state IN (0, 3)"
                           " AND until_ms > ?2 AND until_ms < ?3",
    [ST_MEMBER_HANG_UP] = "UPDATE member SET until_ms = ?2, hung_up = 1 WHERE peer = ?1",
    [ST_MEMBER_SET_KEY] =
        "UPDATE member SET former_hash ="
        " CASE WHEN ?3 OR key_used OR former_hash IS NULL THEN key_hash ELSE former_hash END,"
        " key_hash = ?2, key_used = 0, join_id = coalesce(?4, join_id) WHERE peer = ?1",
    [ST_MEMBER_SET_KEY_USED] = "UPDATE member SET key_used = 1 WHERE peer = ?1",
    [ST_MEMBER_FORGET_JOIN_ID] = "UPDATE member SET join_id = NULL WHERE peer = ?1",
    [ST_MEMBER_SET_SELF] = "UPDATE member SET name = ?2, meta = ?3 WHERE peer = ?1",
    [ST_MEMBER_SET_ACKED] = "UPDATE member SET acked = ?2 WHERE peer = ?1",
    [ST_MEMBER_TALLY] = "UPDATE member SET held_messages = held_messages + ?2,"
                        " held_bytes = held_bytes + ?3, message_ids = message_ids + ?4"
                        " WHERE peer = ?1",
    [ST_MEMBER_RAISE_FLOOR] = "UPDATE member SET floor = ?2 WHERE peer = ?1 AND floor < ?2",
    [ST_MEMBERS_RAISE_FLOOR] = "UPDATE member SET floor = ?2 WHERE peer <> ?1 AND floor < ?2",

    [ST_MESSAGE_INSERT] = "INSERT INTO message (seq, sender, server, addressee, type, data,"
                          " sent_ms, stored_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ST_MESSAGES_AFTER] = "SELECT seq, sender, server, addressee, type, data, sent_ms FROM message"
                          " WHERE addressee = ?1 AND seq > ?2"
                          " UNION ALL"
                          " SELECT seq, sender, server, addressee, type, data, sent_ms FROM message"
                          " WHERE addressee IS NULL AND seq > ?2 AND sender <> ?1"
                          " ORDER BY seq LIMIT ?3",
    [ST_MESSAGE_OLDEST] =
        "SELECT seq, stored_ms, sender, addressee FROM message ORDER BY seq LIMIT 1",
    [ST_MESSAGE_OLDEST_TOLD] = "SELECT seq, stored_ms, sender, addressee FROM message"
                               " WHERE server = 1 ORDER BY seq LIMIT 1",
    [ST_MESSAGE_HELD] = HELD "seq = ?1",
    [ST_MESSAGE_DELETE] = "DELETE FROM message WHERE seq = ?1",
    [ST_MESSAGES_HELD_TO] = HELD "addressee = ?1 AND seq <= ?2",
    [ST_MESSAGES_DELETE_TO] = "DELETE FROM message WHERE addressee = ?1 AND seq <= ?2",
    [ST_MESSAGES_HELD_ALL] = HELD "addressee IS NULL AND seq <= ?1",
    [ST_MESSAGES_DELETE_ALL] = "DELETE FROM message WHERE addressee IS NULL AND seq <= ?1",
    [ST_MESSAGES_HELD_BY] = HELD "sender = ?1 AND addressee IS NULL AND seq <= ?2",
    [ST_MESSAGES_DELETE_BY] =
        "DELETE FROM message WHERE sender = ?1 AND addressee IS NULL AND seq <= ?2",

    [ST_MESSAGE_ID] = "SELECT seq FROM message_id WHERE sender = ?1 AND id = ?2",
    [ST_MESSAGE_ID_INSERT] = "INSERT INTO message_id (sender, id, seq) VALUES (?1, ?2, ?3)",
    [ST_MESSAGE_IDS_DELETE] = "DELETE FROM message_id WHERE sender = ?1",
    [ST_MESSAGE_IDS_DELETE_OLDER] =
        "DELETE FROM message_id WHERE sender = ?1 AND seq <="
        " (SELECT seq FROM message_id WHERE sender = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",

    [ST_EVENT_LAST] =
        "SELECT event_order, moved, time_ms FROM event ORDER BY event_order DESC LIMIT 1",
    [ST_EVENT_ADD] = "INSERT INTO event (type, peer, sub, reason, time_ms, moved) VALUES"
                     " (?1, ?2, coalesce(?3, (SELECT sub FROM member WHERE peer = ?2)), ?4, ?5, 0)",
    [ST_EVENTS_ADD_PRESENT] =
        "INSERT INTO event (type, peer, sub, time_ms, moved)"
        " SELECT 'peer-joined', peer, sub, ?1, 0 FROM member"
        " WHERE (state = 0 AND peer <> ?2) OR (peer = ?2 AND ?3) ORDER BY joined",
    [ST_EVENTS_TRIM] = "DELETE FROM event WHERE event_order <="
                       " (SELECT max(event_order) FROM event) - ?1",
    [ST_EVENTS_UNMOVED] = "SELECT event_order, type, peer, sub, reason, time_ms FROM event"
                          " WHERE moved = 0 ORDER BY event_order",
    [ST_EVENTS_DELETE_MOVED] = "DELETE FROM event WHERE event_order < ?1",
    [ST_EVENT_SET_MOVED] = "UPDATE event SET moved = 1 WHERE event_order = ?1",
    [ST_EVENTS_DELETE_ALL] = "DELETE FROM event",
    [ST_MEMBERS_KNOWN] = "SELECT peer, name, sub, role, state FROM member"
                         " WHERE state <> 2 ORDER BY joined",
    [ST_BAN] = "SELECT 1 FROM ban WHERE hash = ?1 LIMIT 1",
    [ST_BAN_INSERT] = "INSERT INTO ban (hash) SELECT ?1"
                      " WHERE NOT EXISTS (SELECT 1 FROM ban WHERE hash = ?1)",
    [ST_BANS_TRIM] = "DELETE FROM ban WHERE number <= (SELECT max(number) FROM ban) - ?1",
    [ST_BANS_DELETE] = "DELETE FROM ban",
};
