<?php
// The functions of WordPress that the plugin calls, as little of them as does what WordPress documents of
// them. Options lie in a file, and who is logged in stands in a cookie.

const ABSPATH = __DIR__ . '/';
const USERS = [
    'ann' => ['ID' => 7, 'display_name' => 'Ann "A" <i>O\'Neil</i>', 'can' => ['moderate_comments']],
    'ben' => ['ID' => 8, 'display_name' => 'Ben', 'can' => []],
    'long' => ['ID' => 9, 'display_name' => '茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶', 'can' => []],
    'admin' => ['ID' => 1, 'display_name' => 'Admin', 'can' => ['moderate_comments', 'manage_options']],
];
$hooks = $shortcodes = $settings = $pages = $errors = [];

// ---- hooks
function add_action($hook, $callback) {
    $GLOBALS['hooks'][$hook][$callback] = $callback;
}
function do_action($hook) {
    foreach ($GLOBALS['hooks'][$hook] ?? [] as $callback) {
        $callback();
    }
}
function register_uninstall_hook($file, $callback) {}

// ---- who is there
function user() {
    return USERS[$_COOKIE['user'] ?? ''] ?? null;
}
function is_user_logged_in() {
    return user() !== null;
}
function wp_get_current_user() {
    return (object) (user() ?? ['ID' => 0, 'display_name' => '']);
}
function current_user_can($capability) {
    return in_array($capability, user()['can'] ?? [], true);
}
function nonce($action) {
    return substr(hash_hmac('md5', $action . '|' . (user()['ID'] ?? 0), 'salt'), -12, 10);
}
function wp_create_nonce($action) {
    return nonce($action);
}
function check_ajax_referer($action) {
    if (!hash_equals(nonce($action), (string) ($_REQUEST['_ajax_nonce'] ?? ''))) {
        wp_die('-1', 403);
    }
}
function wp_die($text, $status) {
    http_response_code($status);
    exit($text);
}

// ---- options
function options() {
    return json_decode((string) @file_get_contents(getenv('WP_OPTIONS')), true) ?: [];
}
function get_option($name, $default = false) {
    return options()[$name] ?? $default;
}
function update_option($name, $value) {
    file_put_contents(getenv('WP_OPTIONS'), json_encode([$name => $value] + options()));
}
function delete_option($name) {
    file_put_contents(getenv('WP_OPTIONS'), json_encode(array_diff_key(options(), [$name => 1])));
}

// ---- text and addresses
if (!function_exists('mb_substr')) {
    function mb_substr($text, $from, $length) {
        return implode('', array_slice(preg_split('//u', $text, -1, PREG_SPLIT_NO_EMPTY), $from, $length));
    }
}
function __($text) {
    return $text;
}
function esc_attr($text) {
    return htmlspecialchars((string) $text, ENT_QUOTES);
}
function esc_html($text) {
    return htmlspecialchars((string) $text, ENT_QUOTES);
}
function esc_html__($text) {
    return esc_html($text);
}
function esc_url_raw($url, $protocols = ['http', 'https']) {
    $scheme = parse_url($url, PHP_URL_SCHEME);
    $clean = preg_replace('/[^a-z0-9-~+_.?#=!&;,\/:%@$|*\'()\[\]]/i', '', $url);
    return $scheme === null || in_array($scheme, $protocols, true) ? $clean : '';
}
function esc_url($url) {
    return str_replace(['&', "'"], ['&#038;', '&#039;'], esc_url_raw($url));
}
function sanitize_text_field($text) {
    return trim(strip_tags($text));
}
function wp_unslash($value) {
    return stripslashes($value);
}
function wp_json_encode($data, $flags = 0) {
    return json_encode($data, $flags);
}
function admin_url($path) {
    return 'http://' . $_SERVER['HTTP_HOST'] . '/wp-admin/' . $path;
}
function plugins_url($path, $file) {
    return 'http://' . $_SERVER['HTTP_HOST'] . '/wp-content/plugins/klatch/' . $path;
}
function wp_login_url($redirect) {
    return 'http://' . $_SERVER['HTTP_HOST'] . '/wp-login.php?redirect_to=' . urlencode($redirect);
}
function get_permalink() {
    return 'http://' . $_SERVER['HTTP_HOST'] . '/page/';
}

// ---- what is printed and answered
function add_shortcode($tag, $callback) {
    $GLOBALS['shortcodes'][$tag] = $callback;
}
function shortcode_atts($defaults, $attributes) {
    return array_intersect_key((array) $attributes, $defaults) + $defaults;
}
function do_shortcode($text) {
    return preg_replace_callback('/\[(\w+)((?:\s+\w+="[^"]*")*)\]/', function ($found) {
        preg_match_all('/(\w+)="([^"]*)"/', $found[2], $all);
        return isset($GLOBALS['shortcodes'][$found[1]]) ? $GLOBALS['shortcodes'][$found[1]](array_combine($all[1], $all[2])) : $found[0];
    }, $text);
}
function wp_print_inline_script_tag($script, $attributes) {
    echo '<script type="' . esc_attr($attributes['type']) . "\">\n$script\n</script>";
}
function wp_send_json_success($data) {
    send_json(['success' => true, 'data' => $data], 200);
}
function wp_send_json_error($data, $status) {
    send_json(['success' => false, 'data' => $data], $status);
}
function send_json($answer, $status) {
    http_response_code($status);
    header('Content-Type: application/json');
    exit(json_encode($answer));
}

// ---- settings
function register_setting($group, $name, $how) {
    $GLOBALS['settings'][$group][$name] = $how['sanitize_callback'];
}
function add_options_page($title, $menu, $capability, $slug, $callback) {
    $GLOBALS['pages'][$slug] = [$capability, $callback];
}
function add_settings_error($setting, $code, $message) {
    $GLOBALS['errors'][] = $message;
}
function settings_fields($group) {
    echo '<input type="hidden" name="option_page" value="' . esc_attr($group) . '"><input type="hidden" name="_wpnonce" value="' . nonce("$group-options") . '">';
}
function submit_button() {
    echo '<button type="submit">Save Changes</button>';
}
