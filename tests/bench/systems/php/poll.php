<?php
// Look every 100 ms until there is something, for at most 25 s.
require __DIR__ . '/mailbox.php';
set_time_limit(40);
$db = mailbox();
$look = $db->prepare('SELECT id, body FROM message WHERE recipient = ? AND id > ? ORDER BY id');
$until = microtime(true) + 25;
$last = $_GET['after'];
do {
    $look->execute([$_GET['me'], (int) $last]);
    $rows = $look->fetchAll(PDO::FETCH_ASSOC);
    if ($rows) {
        $last = end($rows)['id'];
        break;
    }
    usleep(100000);
} while (microtime(true) < $until);
header('Content-Type: application/json');
echo json_encode(['last' => (string) $last, 'messages' => array_map(fn ($row) => json_decode($row['body']), $rows)]);
