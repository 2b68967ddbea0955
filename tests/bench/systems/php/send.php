<?php
require __DIR__ . '/mailbox.php';
$insert = mailbox()->prepare('INSERT INTO message (recipient, body) VALUES (?, ?)');
$insert->execute([$_GET['to'], file_get_contents('php://input')]);
header('Content-Type: application/json');
echo '{"ok":true}';
