<?php
/**
 * Plugin Name:       Klatch rooms
 * Description:       Video, voice and text rooms of your own Klatch server: write [klatch room="tea"] into a page.
 * Version:           0.1.0
 * Requires at least: 5.7
 * Requires PHP:      7.4
 * License:           MIT
 * Text Domain:       klatch
 *
 * A short code shows the element <klatch-room>. Who is logged in gets a token, signed here when the page
 * joins and good for ten minutes, under the name of the account; a guest gets none. The nonce in the page is
 * for one person and one room, so that tokens are had only for rooms whose page one was shown.
 */

defined('ABSPATH') || exit;

const KLATCH_ROOM = '/^[A-Za-z0-9_-]{1,64}$/D';
const KLATCH_HEIGHT = '/^[0-9]{1,4}(px|rem|vh)$/D';
const KLATCH_SECRET_MIN = 32;

/** The secret that tokens are signed with: wp-config.php's, else the setting. */
function klatch_secret() {
    return defined('KLATCH_SECRET') ? (string) KLATCH_SECRET : (string) get_option('klatch_secret', '');
}

/** The element's script: the setting, else the npm package beside this file. */
function klatch_script() {
    return get_option('klatch_script', '') ?: plugins_url('package/element.js', __FILE__);
}

/** As others see who is logged in; Klatch takes 256 bytes. */
function klatch_name() {
    return mb_substr(wp_get_current_user()->display_name, 0, 64);
}

/** A token for one person and one room, as Klatch's deploy/TOKENS.md has it. */
function klatch_token($key, $secret, $room, $sub, $name, $role = 'member', $now = null) {
    $claims = ['iss' => $key, 'sub' => $sub, 'room' => $room, 'name' => $name, 'role' => $role, 'exp' => ($now ?? time()) + 600];
    $json = json_encode($claims, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
    $encode = function ($bytes) {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    };
    $text = $encode('{"alg":"HS256","typ":"JWT"}') . '.' . $encode($json);
    return $text . '.' . $encode(hash_hmac('sha256', $text, $secret, true));
}

// ---- the short code ---------------------------------------------------------------------------------

/** [klatch room="tea" guests="no" height="36rem"]: guests="yes" shows the room to guests too, without a token. */
function klatch_shortcode($attributes) {
    $wanted = shortcode_atts(['room' => '', 'guests' => 'no', 'height' => ''], $attributes, 'klatch');
    if (!preg_match(KLATCH_ROOM, $wanted['room'])) {
        return '<p>' . esc_html__('The short code needs a room of 1 to 64 letters, digits, - or _: [klatch room="tea"]', 'klatch') . '</p>';
    }
    if (get_option('klatch_api', '') === '') {
        return '<p>' . esc_html__('Klatch has no server yet: see Settings, Klatch rooms.', 'klatch') . '</p>';
    }
    $known = is_user_logged_in();
    if (!$known && $wanted['guests'] !== 'yes') {
        return '<p><a href="' . esc_url(wp_login_url((string) get_permalink())) . '">' . esc_html__('Log in to join the room.', 'klatch') . '</a></p>';
    }
    add_action('wp_footer', 'klatch_footer');
    $nonce = $known ? ' data-klatch-nonce="' . esc_attr(wp_create_nonce('klatch-' . $wanted['room'])) . '"' : '';
    $name = $known ? klatch_name() : '';
    $height = preg_match(KLATCH_HEIGHT, $wanted['height']) ? $wanted['height'] : '36rem';
    return '<klatch-room api="' . esc_url(get_option('klatch_api')) . '" room="' . esc_attr($wanted['room']) . '" name="' . esc_attr($name)
        . '" style="display: block; height: ' . esc_attr($height) . '"' . $nonce . '></klatch-room>';
}
add_shortcode('klatch', 'klatch_shortcode');

/** Loads the element and lets it ask for a token whenever it joins. Added once, however many rooms there are. */
function klatch_footer() {
    $script = wp_json_encode(esc_url_raw(klatch_script()), JSON_HEX_TAG);
    $tokens = wp_json_encode(admin_url('admin-ajax.php'), JSON_HEX_TAG);
    wp_print_inline_script_tag(<<<JS
await import($script);
for (const element of document.querySelectorAll('klatch-room[data-klatch-nonce]')) {
  element.token = async () => {
    const asked = { action: 'klatch_token', room: element.getAttribute('room'), _ajax_nonce: element.dataset.klatchNonce };
    const answer = await fetch($tokens, { method: 'POST', body: new URLSearchParams(asked) });
    const { success, data } = await answer.json();
    if (!success) throw new Error(data);
    return data;
  };
}
JS, ['type' => 'module']);
}

/** Answers a token to who is logged in and was shown the room. For guests there is no such action. */
function klatch_answer_token() {
    $room = isset($_POST['room']) ? sanitize_text_field(wp_unslash($_POST['room'])) : '';
    check_ajax_referer('klatch-' . $room);
    $key = (string) get_option('klatch_key', '');
    if (!preg_match(KLATCH_ROOM, $room) || $key === '' || strlen(klatch_secret()) < KLATCH_SECRET_MIN) {
        wp_send_json_error(__('Klatch has no key yet: see Settings, Klatch rooms.', 'klatch'), 503);
    }
    // Who looks after what visitors write looks after rooms too.
    $role = current_user_can('moderate_comments') ? 'host' : 'member';
    wp_send_json_success(klatch_token($key, klatch_secret(), $room, 'wordpress-' . wp_get_current_user()->ID, klatch_name(), $role));
}
add_action('wp_ajax_klatch_token', 'klatch_answer_token');

// ---- the settings -----------------------------------------------------------------------------------

/** An address of the web, or nothing. */
function klatch_clean_address($value) {
    return esc_url_raw(trim((string) $value), ['https', 'http']);
}

/** The id of a key, as the line token_key of Klatch's configuration begins. */
function klatch_clean_key($value) {
    return preg_match(KLATCH_ROOM, trim((string) $value)) ? trim((string) $value) : '';
}

/** An empty field leaves the secret as it is, since it is never shown; one that is too short is refused. */
function klatch_clean_secret($value) {
    $value = trim((string) $value);
    if ($value === '') {
        return (string) get_option('klatch_secret', '');
    }
    if (strlen($value) < KLATCH_SECRET_MIN || strlen($value) > 255) {
        add_settings_error('klatch_secret', 'klatch_secret', __('The secret has 32 to 255 characters; the former one stays.', 'klatch'));
        return (string) get_option('klatch_secret', '');
    }
    return $value;
}

function klatch_admin_init() {
    register_setting('klatch', 'klatch_api', ['type' => 'string', 'sanitize_callback' => 'klatch_clean_address']);
    register_setting('klatch', 'klatch_key', ['type' => 'string', 'sanitize_callback' => 'klatch_clean_key']);
    register_setting('klatch', 'klatch_secret', ['type' => 'string', 'sanitize_callback' => 'klatch_clean_secret']);
    register_setting('klatch', 'klatch_script', ['type' => 'string', 'sanitize_callback' => 'klatch_clean_address']);
}
add_action('admin_init', 'klatch_admin_init');

function klatch_admin_menu() {
    add_options_page(__('Klatch rooms', 'klatch'), __('Klatch rooms', 'klatch'), 'manage_options', 'klatch', 'klatch_settings_page');
}
add_action('admin_menu', 'klatch_admin_menu');

/** @param string $type of the input; a password's value isn't shown */
function klatch_field($name, $label, $more, $type = 'text') {
    $value = $type === 'password' ? '' : (string) get_option($name, '');
    printf('<tr><th scope="row"><label for="%1$s">%2$s</label></th><td><input class="regular-text" autocomplete="off" id="%1$s" name="%1$s" type="%3$s" value="%4$s"><p class="description">%5$s</p></td></tr>',
        esc_attr($name), esc_html($label), esc_attr($type), esc_attr($value), esc_html($more));
}

function klatch_settings_page() {
    echo '<div class="wrap"><h1>' . esc_html__('Klatch rooms', 'klatch') . '</h1><form method="post" action="options.php">';
    settings_fields('klatch');
    echo '<table class="form-table" role="presentation">';
    klatch_field('klatch_api', __('Room API', 'klatch'), __('Like https://chat.example.org/api/v1. In its configuration, origins names this site.', 'klatch'), 'url');
    klatch_field('klatch_key', __('Key id', 'klatch'), __('The first word of the line token_key in its configuration.', 'klatch'));
    if (defined('KLATCH_SECRET')) {
        echo '<tr><th scope="row">' . esc_html__('Secret', 'klatch') . '</th><td>' . esc_html__('Stands in wp-config.php.', 'klatch') . '</td></tr>';
    } else {
        $state = get_option('klatch_secret', '') === '' ? __('The rest of that line.', 'klatch') : __('There is one. Leave this empty to keep it.', 'klatch');
        klatch_field('klatch_secret', __('Secret', 'klatch'), $state, 'password');
    }
    klatch_field('klatch_script', __('Script of the element', 'klatch'), __('Empty: package/element.js beside this plugin.', 'klatch'), 'url');
    echo '</table>';
    submit_button();
    echo '</form></div>';
}

function klatch_uninstall() {
    foreach (['klatch_api', 'klatch_key', 'klatch_secret', 'klatch_script'] as $name) {
        delete_option($name);
    }
}
register_uninstall_hook(__FILE__, 'klatch_uninstall');
