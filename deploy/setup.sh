#!/bin/bash
# Install what is missing from Debian's packages, and only that:
#
#   deploy/setup.sh run     what `make run` needs to build and serve
#   deploy/setup.sh test    and what `make test` needs
#   deploy/setup.sh dist    and what `make dist` needs
#   deploy/setup.sh fuzz    and what `make fuzz` needs
#   deploy/setup.sh bench   and what `make bench` needs: the servers that Klatch is measured beside
#   deploy/setup.sh check npm    install nothing; say whether npm and node will do
#
# As root or through sudo. A system-wide service that this brings along (nginx, Apache, lighttpd,
# coturn, and for the bench PHP) is neither started nor enabled; one that was there before is left alone.
set -euo pipefail

level=${1:-run}
PATH=$PATH:/usr/sbin:/sbin
node_major_min=18

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

missing=()
need_command() { command -v "$1" >/dev/null || missing+=("$2"); }
need_file() { [[ -e $1 ]] || missing+=("$2"); }

look_for_run() {
    need_command gcc gcc
    need_command make make
    need_command nginx nginx
    need_command openssl openssl
    need_command node nodejs
    need_command npm npm
    need_command setpriv util-linux
    need_file /usr/include/stdio.h libc6-dev
    need_file /usr/include/fcgiapp.h libfcgi-dev
    need_file /usr/include/sqlite3.h libsqlite3-dev
    need_file /usr/include/cjson/cJSON.h libcjson-dev
    need_file /usr/include/uuid/uuid.h uuid-dev
    need_file /usr/include/mbedtls/sha256.h libmbedtls-dev
    need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
}

look_for_test() {
    look_for_run
    need_command chromium chromium
    need_command firefox-esr firefox-esr
    need_command clang-format clang-format
    need_command clang-tidy clang-tidy
    need_command cppcheck cppcheck
    need_command shellcheck shellcheck
    need_command curl curl
    need_command sqlite3 sqlite3
    need_command perl perl
    need_command bindfs bindfs
    look_for_tokens
    need_file /usr/share/doc/libfaketime libfaketime
    need_file /usr/include/cmocka.h libcmocka-dev
    need_file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
    look_for_servers
    look_for_dist
}

# The languages that deploy/tokens signs tokens in.
look_for_tokens() {
    need_command php php-cli
    need_command python3 python3
    need_file /usr/lib/python3/dist-packages/prometheus_client python3-prometheus-client
    need_command ruby ruby
}

# The web servers and rule sets of the recipes, and a relay.
look_for_servers() {
    need_command apache2 apache2
    need_command lighttpd lighttpd
    need_command turnserver coturn
    need_command busybox busybox
    need_command systemd-analyze systemd
    need_command nft nftables
    need_command ip iproute2
    need_file /usr/lib/apache2/modules/mod_fcgid.so libapache2-mod-fcgid
    need_file /usr/lib/apache2/modules/mod_security2.so libapache2-mod-security2
    need_file /usr/share/modsecurity-crs/rules modsecurity-crs
    need_file /usr/lib/apache2/suexec-pristine apache2-suexec-pristine
}

# What `make dist` builds with and its tests run with.
look_for_dist() {
    look_for_run
    need_command aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need_command dpkg-source dpkg-dev
    need_command tclsh tcl
    need_command qemu-aarch64-static qemu-user-static
    need_command readelf binutils
    need_command zip zip
    need_command unzip unzip
    need_command xz xz-utils
}

look_for_fuzz() {
    look_for_run
    need_command clang clang
    compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' >/dev/null ||
        missing+=(libclang-rt-14-dev)
}

look_for_bench() {
    look_for_dist # what is measured is the binary that hosts get
    need_command lighttpd lighttpd
    need_command php-fpm8.2 php8.2-fpm
    need_file /usr/lib/nginx/modules/ngx_nchan_module.so libnginx-mod-nchan
    need_file /usr/share/doc/php8.2-sqlite3 php8.2-sqlite3
    need_file /usr/lib/python3/dist-packages/socketio python3-socketio
    need_file /usr/lib/python3/dist-packages/aiohttp python3-aiohttp
}

look() {
    missing=()
    case $level in
    run) look_for_run ;;
    test) look_for_test ;;
    dist) look_for_dist ;;
    fuzz) look_for_fuzz ;;
    bench) look_for_bench ;;
    *) fail "unknown level '$level': run, test, dist, fuzz or bench" ;;
    esac
}

# Starts node, so it isn't asked at every look.
check_node() {
    local version
    command -v node >/dev/null || fail 'node is missing: apt-get install nodejs'
    command -v npm >/dev/null || fail 'npm is missing: apt-get install npm'
    version=$(node --version)
    version=${version#v}
    ((${version%%.*} >= node_major_min)) ||
        fail "node $version is too old: Klatch's tools need $node_major_min or newer (node in PATH: $(command -v node))"
}

# ---- apt ----------------------------------------------------------------------------------------

as_root=()
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --quiet "$@" </dev/null
}

known_to_apt() {
    local package
    for package in "${missing[@]}"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}

# Packages that bring a service. While they are being installed, Debian's own hook keeps it from
# being started. A hook that is there already stays in charge of all else and is put back afterwards.
services=(nginx lighttpd php8.2-fpm apache2 coturn)
policy=/usr/sbin/policy-rc.d
policy_saved=$policy.before-klatch
policy_mark='# Put here by Klatch while it installs packages; may be deleted.'

policy_set() {
    if grep -qsF "$policy_mark" "$policy"; then return; fi
    if [[ -e $policy ]]; then "${as_root[@]}" mv "$policy" "$policy_saved"; fi
    # shellcheck disable=SC2016  # expanded by the hook, not here
    printf '#!/bin/sh\n%s\ncase $1 in nginx*|lighttpd*|php*|apache*|coturn*) exit 101 ;; esac\n%s\nexit 0\n' "$policy_mark" \
        "test -x $policy_saved && exec $policy_saved \"\$@\"" |
        "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
}

policy_unset() {
    grep -qsF "$policy_mark" "$policy" || return 0
    if [[ -e $policy_saved ]]; then
        "${as_root[@]}" mv "$policy_saved" "$policy"
    else
        "${as_root[@]}" rm -f "$policy"
    fi
}

install_missing() {
    apt install --yes --no-install-recommends "${missing[@]}"
}

install() {
    local wanted=" ${missing[*]} "
    say "installing from Debian's packages: ${missing[*]}"
    command -v apt-get >/dev/null ||
        fail "this is no Debian: install what these packages hold by hand, then try again: ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "no sudo: as root, run: apt-get install ${missing[*]}"
        say 'asking sudo for the right to install'
        sudo -v || fail "sudo refused: as root, run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    local service brought=()
    for service in "${services[@]}"; do
        if [[ $wanted == *" $service "* ]]; then brought+=("$service"); fi
    done
    if ((${#brought[@]})); then
        trap policy_unset EXIT
        trap 'exit 130' INT TERM HUP
        policy_set
    fi
    known_to_apt || apt update || fail "apt-get update failed: see above"
    if ! install_missing; then
        say 'once more, after apt-get update'
        if ! apt update || ! install_missing; then fail 'apt-get install failed: see above'; fi
    fi
    for service in "${brought[@]}"; do
        # Installed for its program alone: nothing on its port after the next boot either.
        "${as_root[@]}" update-rc.d "$service" disable >/dev/null 2>&1 || true
        say "the service $service is left off (update-rc.d $service enable, if you want it)"
    done
}

if [[ $level == check ]]; then
    check_node
    exit 0
fi
look
if ((${#missing[@]})); then
    install
    look
    if ((${#missing[@]})); then fail "still missing after the installation: ${missing[*]}"; fi
fi
