#!/bin/sh
# Why doesn't klatch.fcgi run? Says it as JSON to the doctor page. Takes nothing from the request,
# tells no path and no user; of a program that runs it tells the version and nothing else.
PATH=/usr/local/bin:/usr/bin:/bin
export PATH LC_ALL=C
# Asked by a browser the program answers a request whatever its arguments are, as it must.
unset REQUEST_METHOD GATEWAY_INTERFACE ENV IFS CDPATH
umask 077
cd "$(dirname "$0")" 2>/dev/null || :

programs='klatch.fcgi klatch-poll.fcgi klatch.cgi'
texts='.htaccess klatch.conf.sample probe.cgi'
seconds_max=5
version_pattern='^klatch [0-9][0-9A-Za-z.+~-]*$'

has() { command -v "$1" >/dev/null 2>&1; }

# What the file is by its ELF header: the machine it is for, `damaged` for a header that no kernel
# takes, `cut` when the file ends before the section headers, which stand last, or something else.
kind_of() {
    has od || { echo unknown; return; }
    size=$(wc -c <"$1" 2>/dev/null)
    # shellcheck disable=SC2046  # words on purpose
    set -- $(od -An -v -t u1 -N 64 <"$1" 2>/dev/null)
    [ $# -gt 0 ] || { echo empty; return; }
    [ "$1 $2 $3 $4" = '127 69 76 70' ] || { echo other; return; }
    [ $# -eq 64 ] || { echo damaged; return; }
    shift 18
    case $1 in
    62) elf=x86_64 ;;
    183) elf=aarch64 ;;
    3) echo i386; return ;;
    40) echo arm; return ;;
    243) echo riscv; return ;;
    *) echo other; return ;;
    esac
    # From byte 40 on: e_shoff; then e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum.
    shift 22
    end=$(($1 + 256 * ($2 + 256 * ($3 + 256 * $4)) + 64 * (${21} + 256 * ${22})))
    if [ "${13} ${14} ${15} ${16}" != '64 0 56 0' ] || [ "${17} ${18}" = '0 0' ]; then elf=damaged
    elif [ "${size:-0}" -lt "$end" ]; then elf='cut'
    fi
    echo "$elf"
}

# Shells, and timeout(1) too, read a program that the kernel refuses as if it were a script; so only
# what the kernel takes is tried.
run_version() {
    case $(kind_of "$1") in
    unknown|"$(machine_name)") ;;
    *) echo 'Exec format error'; return 126 ;;
    esac
    if has timeout; then
        timeout "$seconds_max" "./$1" --version 2>&1 </dev/null
    else
        "./$1" --version 2>&1 </dev/null
    fi
}

# A code for what the shell said of a try. Its exit status first: 126 found but not run, 127 not
# found, 124 out of time, 128 and more a signal.
try_code() {
    case $2 in
    *[Ee]xec\ format*|*annot\ execute\ binary*|*yntax\ error*|*nexpected*) echo exec-format ;;
    *[Pp]ermission\ denied*|*peration\ not\ permitted*) echo permission ;;
    *annot\ execute:\ required\ file*|*not\ found*|*[Nn]o\ such\ file*) echo not-found ;;
    *) case $1 in
        124) echo silent ;;
        126) echo permission ;;
        127) echo not-found ;;
        13[0-9]|14[0-9]|15[0-9]) echo killed ;;
        *) echo other ;;
        esac ;;
    esac
}

mode_digits() {
    # -rwxr-sr-t: three triplets; set-id and sticky bits count for the x beneath them.
    m=${1#?}
    out=
    while [ ${#out} -lt 3 ]; do
        rest=${m#???}
        bits=${m%"$rest"}
        m=$rest
        n=0
        case $bits in r??) n=4 ;; esac
        case $bits in ?w?) n=$((n + 2)) ;; esac
        case $bits in ??[xst]) n=$((n + 1)) ;; esac
        out=$out$n
    done
    echo "$out"
}

sha256_of() {
    if has sha256sum; then set -- "$(sha256sum <"$1" 2>/dev/null)"
    elif has openssl; then set -- "$(openssl dgst -sha256 -r <"$1" 2>/dev/null)"
    else set -- ''
    fi
    set -- "${1%% *}"
    case $1 in
    *[!0-9a-f]*|'') echo null ;;
    *) echo "\"$1\"" ;;
    esac
}

machine_name() {
    case $(uname -m 2>/dev/null) in
    x86_64|amd64) echo x86_64 ;;
    aarch64|arm64) echo aarch64 ;;
    i?86) echo i386 ;;
    arm*) echo arm ;;
    riscv*) echo riscv ;;
    *) echo other ;;
    esac
}

is_ours() { [ -O "$1" ] 2>/dev/null || [ "$2" = "$(id -u 2>/dev/null)" ]; }

yes_no() { if "$@" 2>/dev/null; then echo true; else echo false; fi; }

# Is this folder on a file system that runs no programs? The longest mount point above it counts.
is_noexec() {
    here=$(pwd -P)
    longest=0
    found=
    while read -r _ point _ options _; do
        case $point in
        *\\*) continue ;;
        /) length=1 ;;
        *) case $here/ in "$point"/*) length=${#point} ;; *) continue ;; esac ;;
        esac
        if [ "$length" -ge "$longest" ]; then
            longest=$length
            found=$options
        fi
    done </proc/mounts
    case ,$found, in *,noexec,*) return 0 ;; esac
    return 1
}

has_crlf() {
    cr=$(printf '\r')
    grep -q "$cr\$" "$1"
}

tell_program() {
    if ! [ -f "$1" ]; then
        printf '{"name":"%s","present":false}' "$1"
        return
    fi
    # shellcheck disable=SC2046,SC2012  # words on purpose; the names are ours
    set -- "$1" $(ls -lnd "$1")
    printf '{"name":"%s","present":true,"bytes":%d,"mode":"%s","owner_same":%s,"executable":%s,"elf":"%s",' \
        "$1" "$6" "$(mode_digits "$2")" "$(yes_no is_ours "$1" "$4")" "$(yes_no test -x "$1")" "$(kind_of "$1")"
    said=$(run_version "$1")
    status=$?
    if [ "$status" -eq 0 ] && echo "$said" | grep -q "$version_pattern"; then
        printf '"try":"runs","version":"%s"}' "${said#klatch }"
    else
        printf '"try":"%s","sha256":%s}' "$(try_code "$status" "$said")" "$(sha256_of "$1")"
    fi
}

tell_all() {
    # shellcheck disable=SC2046,SC2012
    set -- $(ls -lnd .)
    printf '{"runs":false,"machine":"%s","noexec":%s,"folder":{"mode":"%s","owner_same":%s},"crlf":[' \
        "$(machine_name)" "$(yes_no is_noexec)" "$(mode_digits "$1")" "$(yes_no is_ours . "$3")"
    separator=
    for text in $texts; do
        if [ -f "$text" ] && has_crlf "$text" 2>/dev/null; then
            printf '%s"%s"' "$separator" "$text"
            separator=,
        fi
    done
    printf '],"programs":['
    separator=
    for program in $programs; do
        printf '%s' "$separator"
        tell_program "$program"
        separator=,
    done
    printf ']}\n'
}

printf 'Status: 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\n'
version=
for program in $programs; do
    if ! [ -x "$program" ] || ! said=$(run_version "$program") || ! echo "$said" | grep -q "$version_pattern"; then
        tell_all
        exit 0
    fi
    version=${version:-${said#klatch }}
done
printf '{"runs":true,"version":"%s"}\n' "$version"
