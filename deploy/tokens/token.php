<?php
// A token for one person and one room, good for ten minutes. By hand:
// KLATCH_SECRET=... php token.php KEY-ID ROOM SUB NAME [ROLE [NOW]]
function klatch_token($key, $secret, $room, $sub, $name, $role = 'member', $now = null) {
    $claims = ['iss' => $key, 'sub' => $sub, 'room' => $room, 'name' => $name, 'role' => $role, 'exp' => ($now ?? time()) + 600];
    $json = json_encode($claims, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
    $encode = fn($bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $text = $encode('{"alg":"HS256","typ":"JWT"}') . '.' . $encode($json);
    return $text . '.' . $encode(hash_hmac('sha256', $text, $secret, true));
}
if (realpath($argv[0] ?? '') === __FILE__) echo klatch_token($argv[1], getenv('KLATCH_SECRET'), ...array_slice($argv, 2)), "\n";
