<?php
// A site of WordPress as far as the plugin sees one, for `php -S`: a page with the short code of ?content=,
// the settings of the plugin, admin-ajax.php, and the package beside the plugin.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$package = '/wp-content/plugins/klatch/package/';
if (str_starts_with($path, $package)) {
    $file = realpath(getenv('WP_PACKAGE') . '/' . substr($path, strlen($package)));
    if ($file === false || !str_starts_with($file, realpath(getenv('WP_PACKAGE')))) {
        http_response_code(404);
        exit;
    }
    header('Content-Type: text/javascript');
    readfile($file);
    exit;
}

require __DIR__ . '/functions.php';
require __DIR__ . '/../../../../public_html/examples/wordpress/klatch.php';

/** WordPress adds slashes to what comes in. */
$_POST = array_map('addslashes', $_POST);

switch ($path) {
    case '/page/':
        $content = do_shortcode($_GET['content']);
        echo "<!doctype html><meta charset=\"utf-8\"><title>Page</title><main>$content</main>";
        do_action('wp_footer');
        break;
    case '/wp-admin/admin-ajax.php':
        $hook = (is_user_logged_in() ? 'wp_ajax_' : 'wp_ajax_nopriv_') . ($_REQUEST['action'] ?? '');
        if (isset($hooks[$hook])) {
            do_action($hook);
        }
        wp_die('0', 400);
        break;
    case '/wp-admin/options-general.php':
        do_action('admin_menu');
        [$capability, $callback] = $pages['klatch'];
        if (!current_user_can($capability)) {
            wp_die('Sorry, you are not allowed to access this page.', 403);
        }
        $callback();
        break;
    case '/wp-admin/options.php':
        do_action('admin_init');
        $group = $_POST['option_page'];
        if (!current_user_can('manage_options') || !hash_equals(nonce("$group-options"), $_POST['_wpnonce'])) {
            wp_die('Sorry, you are not allowed to manage options for this site.', 403);
        }
        foreach ($settings[$group] as $name => $clean) {
            update_option($name, $clean(wp_unslash($_POST[$name] ?? '')));
        }
        echo 'Settings saved. ', esc_html(implode(' ', $errors));
        break;
    default:
        http_response_code(404);
}
