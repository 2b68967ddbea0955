#!/bin/bash
# Serve Klatch from this tree in the foreground: the FastCGI workers and a private nginx. INT, TERM
# or HUP ends both; so does the end of either. What it reads from the environment:
#
#   PORT     8080
#   HOST     address to listen on; default loopback, with HTTPS=1 every address
#   HTTPS    1: TLS with a self-signed certificate, for a second device on the network
#   BIN      the binary; default build/klatch.fcgi
#   WORKERS  worker processes; default 2
#   RUN_DIR  socket, pids, logs, rendered configuration; default build/run. One server each.
#   DATA     data folder; default $RUN_DIR/data
#   CONFIG   a file with configuration lines of one's own, which win over those written here
#
# Pids are in $RUN_DIR/klatch.pid (the supervisor) and $RUN_DIR/nginx.pid, logs in klatch.log and
# nginx.log.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
start_seconds_max=20
stop_seconds_max=5

say() { printf '%s\n' "$*"; }
fail() {
    printf 'klatch: %s\n' "$*" >&2
    exit 1
}

# ---- what is asked for --------------------------------------------------------------------------

PORT=${PORT:-8080} HOST=${HOST:-} HTTPS=${HTTPS:-0} WORKERS=${WORKERS:-2}
BIN=$(realpath -m "${BIN:-$root/build/klatch.fcgi}")
RUN_DIR=$(realpath -m "${RUN_DIR:-$root/build/run}")
DATA=$(realpath -m "${DATA:-$RUN_DIR/data}")
CONFIG=${CONFIG:+$(realpath -m "$CONFIG")}
VENDOR=$root/build/vendor

check_input() {
    local tool
    if ! [[ $PORT =~ ^[0-9]{1,5}$ ]] || ((10#$PORT < 1 || 10#$PORT > 65535)); then
        fail "PORT=$PORT is no port: choose one from 1 to 65535"
    fi
    PORT=$((10#$PORT))
    [[ $WORKERS =~ ^[1-9][0-9]?$ ]] || fail "WORKERS=$WORKERS: choose from 1 to 99"
    [[ $HOST =~ ^[A-Za-z0-9.:_-]*$ ]] || fail "HOST=$HOST is neither an address nor a name"
    [[ $HTTPS =~ ^[01]?$ ]] || fail "HTTPS=$HTTPS: 1 or nothing"
    [[ -x $BIN ]] || fail "$BIN is not there: run make first"
    [[ -f $VENDOR/lit-html/lit-html.js ]] || VENDOR=$root/public_html/vendor
    [[ -f $VENDOR/lit-html/lit-html.js ]] || fail 'what the page uses is not there: run make first'
    [[ -z $CONFIG || -r $CONFIG ]] || fail "CONFIG=$CONFIG can't be read"
    for tool in nginx setpriv flock; do
        command -v "$tool" >/dev/null || fail "$tool is missing: run deploy/setup.sh run"
    done
}

# The folder, alone in it. The lock goes with this process, however that ends.
claim_run_dir() {
    local bad='*["$\\@]*'
    # shellcheck disable=SC2053  # a pattern on purpose
    if [[ $RUN_DIR$root == $bad || $RUN_DIR$root == *$'\n'* ]]; then
        fail "a path with \", \$, \\ or @ in it won't do for nginx: $RUN_DIR"
    fi
    mkdir -p "$RUN_DIR" 2>/dev/null || true
    if ! { exec 9>"$RUN_DIR/lock"; } 2>/dev/null; then
        fail "no permission to write to $RUN_DIR: choose another with RUN_DIR="
    fi
    flock --nonblock 9 || fail "another Klatch runs in $RUN_DIR: end it, or choose another RUN_DIR="
    cd "$RUN_DIR"
    rm -rf klatch.sock* klatch.pid nginx.pid klatch.log nginx.log tmp
    mkdir tmp
    if ! mkdir -p "$DATA" 2>/dev/null || ! [[ -w $DATA ]]; then
        fail "no permission to write to $DATA: choose another with DATA="
    fi
    # A Unix socket's address holds 107 bytes; every process here stands in this folder.
    socket=$RUN_DIR/klatch.sock
    ((${#socket} < 104)) || socket=klatch.sock
}

# ---- addresses ----------------------------------------------------------------------------------

has_ipv6() { grep -qs ' lo$' /proc/net/if_inet6; }

choose_addresses() {
    local both=0
    if [[ -z $HOST && $HTTPS == 1 ]]; then HOST=0.0.0.0 both=1; fi
    if [[ -z $HOST || $HOST == localhost ]]; then HOST=127.0.0.1 both=1; fi
    case $HOST in
    0.0.0.0) probe_host=127.0.0.1 other=::  ;;
    127.0.0.1) probe_host=127.0.0.1 other=::1 ;;
    ::) probe_host=::1 other='' ;;
    *) probe_host=$HOST other='' ;;
    esac
    if ! ((both)) || ! has_ipv6; then other=''; fi
    case $HOST in
    0.0.0.0 | 127.0.0.1 | :: | ::1) shown_host=localhost ;;
    *) shown_host=$(bracketed "$HOST") ;;
    esac
}

bracketed() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

listen_lines() {
    local address tls=''
    if [[ $HTTPS == 1 ]]; then tls=' ssl http2'; fi
    for address in "$HOST" $other; do
        printf 'listen %s:%s%s;\n    ' "$(bracketed "$address")" "$PORT" "$tls"
    done
    if [[ $HTTPS == 1 ]]; then
        printf 'ssl_certificate "%s/tls/cert.pem";\n    ' "$RUN_DIR"
        printf 'ssl_certificate_key "%s/tls/key.pem";\n    ' "$RUN_DIR"
    fi
}

# nginx's line for each worker's own socket; what has none (the bench's floors) is served at the one.
server_lines() {
    local own found=0
    for own in "$socket".*; do
        if [[ -S $own ]]; then
            printf 'server "unix:%s" max_fails=0;\n    ' "$own"
            found=1
        fi
    done
    if ! ((found)); then printf 'server "unix:%s" max_fails=0;\n    ' "$socket" "$socket"; fi
}

network_addresses() { hostname -I 2>/dev/null | tr ' ' '\n' | grep -v '^fe80' | grep . || true; }

# A certificate for every name under which this machine may be reached, kept until they change.
make_certificate() {
    local names address
    command -v openssl >/dev/null || fail 'openssl is missing: run deploy/setup.sh run'
    names="DNS:localhost,DNS:$(hostname),IP:127.0.0.1,IP:::1"
    for address in $(network_addresses); do names+=",IP:$address"; done
    if [[ $shown_host != localhost && $HOST != *:* && ! $HOST =~ ^[0-9.]+$ ]]; then names+=",DNS:$HOST"; fi
    mkdir -p tls && chmod 700 tls
    if [[ "$(cat tls/names 2>/dev/null)" == "$names" ]] &&
        openssl x509 -checkend 86400 -noout -in tls/cert.pem >/dev/null 2>&1; then return; fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 \
        -subj '/CN=Klatch' -addext "subjectAltName=$names" \
        -keyout tls/key.pem -out tls/cert.pem 2>tls/openssl.log ||
        fail "openssl made no certificate: see $RUN_DIR/tls/openssl.log"
    printf '%s' "$names" >tls/names
}

# ---- configuration ------------------------------------------------------------------------------

write_klatch_conf() {
    local line key
    {
        say '# Written by deploy/serve.sh.'
        for line in "data_dir = $DATA" 'joins_per_minute = 0'; do
            key=${line%% *}
            if [[ -z $CONFIG ]] || ! grep -q "^[[:space:]]*${key}[[:space:]]*=" "$CONFIG"; then
                say "$line"
            fi
        done
        if [[ -n $CONFIG ]]; then cat "$CONFIG"; fi
    } >klatch.conf
}

# The template $1 with every name between @ signs filled in.
render() {
    local text files user='' listen servers
    files=$(ulimit -Hn)
    if [[ $files == unlimited ]] || ((files > 65536)); then files=65536; fi
    if ((EUID == 0)); then user='user root;'; fi
    listen=$(listen_lines)
    servers=$(server_lines)
    text=$(<"$root/deploy/nginx/$1")
    text=${text//@SERVERS@/"${servers%"${servers##*[![:space:]]}"}"}
    text=${text//@SOCKET@/"$socket"}
    text=${text//@LISTEN@/"${listen%"${listen##*[![:space:]]}"}"}
    text=${text//@PUBLIC@/"$root/public_html"}
    text=${text//@VENDOR@/"$VENDOR"}
    text=${text//@RUN_DIR@/"$RUN_DIR"}
    text=${text//@USER@/"$user"}
    text=${text//@FILES@/"$files"}
    text=${text//@CONNECTIONS@/"$((files * 3 / 4))"}
    printf '%s\n' "$text"
}

# ---- processes ----------------------------------------------------------------------------------

klatch_pid='' nginx_pid=''

# Start "$@" with its log in $1.log; it ends when this process does, even by SIGKILL. Sets $!.
start() {
    local log=$1.log
    shift
    setpriv --pdeathsig TERM -- "$@" </dev/null >>"$log" 2>&1 9>&- &
}

alive() { [[ -n $1 ]] && kill -0 "$1" 2>/dev/null; }

# shellcheck disable=SC2317  # called by the trap
stop() {
    local deadline=$((SECONDS + stop_seconds_max)) pid
    trap '' INT TERM HUP
    # The workers first: they answer who waits, and nginx hands that on.
    if alive "$klatch_pid"; then kill -TERM "$klatch_pid" 2>/dev/null || true; fi
    while alive "$klatch_pid" && ((SECONDS < deadline)); do sleep 0.02; done
    if alive "$nginx_pid"; then kill -TERM "$nginx_pid" 2>/dev/null || true; fi
    while alive "$nginx_pid" && ((SECONDS < deadline)); do sleep 0.02; done
    for pid in $klatch_pid $nginx_pid; do
        if alive "$pid"; then kill -KILL "$pid" 2>/dev/null || true; fi
    done
    rm -rf klatch.sock* klatch.pid nginx.pid tmp
}

log_tail() {
    local text
    text=$(grep -v '^$' "$1" 2>/dev/null | tail -n "${2:-1}")
    printf '%s' "${text:-it said nothing}"
}

nginx_failed() {
    case $(log_tail nginx.log 20) in
    *'bind() to '*'Address already in use'*)
        fail "port $PORT is in use: choose another with PORT=" ;;
    *'bind() to '*'Permission denied'*)
        fail "no permission to listen on port $PORT: choose one above 1023 with PORT=" ;;
    *'bind() to '*'Cannot assign requested address'* | *'host not found'*)
        fail "HOST=$HOST is no address of this machine: choose another with HOST=" ;;
    *) fail "nginx did not start: $(log_tail nginx.log)" ;;
    esac
}

health() {
    local ask=$'GET /api/v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n'
    if [[ $HTTPS == 1 ]]; then
        printf '%s' "$ask" | timeout 5 openssl s_client -quiet -connect \
            "$(bracketed "$probe_host"):$PORT" 2>/dev/null | head -n 1
    else
        (exec 3<>"/dev/tcp/$probe_host/$PORT" && printf '%s' "$ask" >&3 &&
            timeout 5 head -n 1 <&3) 2>/dev/null
    fi
}

start_workers() {
    start klatch "$BIN" --listen "$socket" --workers "$WORKERS" --config "$RUN_DIR/klatch.conf"
    klatch_pid=$!
    say "$klatch_pid" >klatch.pid
    until [[ -S klatch.sock ]]; do
        alive "$klatch_pid" || fail "the workers did not start: $(log_tail klatch.log)"
        ((SECONDS < deadline)) || fail "the workers made no socket in $start_seconds_max s: see $RUN_DIR/klatch.log"
        sleep 0.02
    done
}

# nginx writes its pid file when it has bound its addresses; before that, whoever else listens
# there would answer in its place. It tries to bind for 2.5 s, this gives up at its first word.
start_nginx() {
    start nginx nginx -e "$RUN_DIR/nginx.log" -p "$RUN_DIR" -c "$RUN_DIR/nginx.conf" -g 'daemon off;'
    nginx_pid=$!
    until [[ -s nginx.pid ]]; do
        if ! alive "$nginx_pid" || grep -qs 'bind() to ' nginx.log; then nginx_failed; fi
        ((SECONDS < deadline)) || fail "nginx did not start in $start_seconds_max s: see $RUN_DIR/nginx.log"
        sleep 0.02
    done
    until [[ $(health) == *' 200 '* ]]; do
        alive "$nginx_pid" || nginx_failed
        alive "$klatch_pid" || fail "the workers ended: $(log_tail klatch.log)"
        ((SECONDS < deadline)) || fail "no answer from /api/v1/health in $start_seconds_max s: see the logs in $RUN_DIR"
        sleep 0.05
    done
}

show_address() {
    local scheme=http address
    if [[ $HTTPS == 1 ]]; then scheme=https; fi
    say "Klatch is at $scheme://$shown_host:$PORT/"
    if [[ $HOST == 0.0.0.0 || $HOST == :: ]]; then
        for address in $(network_addresses); do
            say "On this network: $scheme://$(bracketed "$address"):$PORT/"
        done
    fi
    if [[ $HTTPS == 1 ]]; then say 'The certificate is self-signed: the browser asks once whether to trust it.'; fi
    say "Logs: $RUN_DIR/klatch.log and nginx.log. Ctrl-C ends it."
}

check_input
choose_addresses
claim_run_dir
if [[ $HTTPS == 1 ]]; then make_certificate; fi
write_klatch_conf
ulimit -Sn "$(ulimit -Hn)" 2>/dev/null || true

trap stop EXIT
trap 'exit 0' INT TERM HUP
deadline=$((SECONDS + start_seconds_max))
start_workers
render private.conf.in >nginx.conf
render klatch.conf.in >klatch-nginx.conf
start_nginx
show_address
status=0
wait -n "$klatch_pid" "$nginx_pid" || status=$?
if ! alive "$klatch_pid"; then
    fail "the workers ended by themselves (status $status): $(log_tail klatch.log)"
fi
fail "nginx ended by itself (status $status): $(log_tail nginx.log)"
