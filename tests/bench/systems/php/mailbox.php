<?php
// The mailbox of the usual PHP answer to signaling: one SQLite file, one table.
function mailbox(): PDO
{
    $db = new PDO('sqlite:' . getenv('MAILBOX'));
    $db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $db->exec('PRAGMA busy_timeout = 5000');
    $db->exec('CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT, body TEXT)');
    $db->exec('CREATE INDEX IF NOT EXISTS by_recipient ON message (recipient, id)');
    return $db;
}
