#!/bin/bash
# Pack what `make dist` gives away, so that the same tree gives the same bytes: sorted, one time for
# all files, owner and modes from here and not from this machine.
#
#   deploy/dist/pack.sh zip FILE.zip BINARY         what layout.sh lays out, and licences
#   deploy/dist/pack.sh source FILE.tar.xz FOLDER   the source, in one folder
#   deploy/dist/pack.sh files                       names of the source's files
#
# The time is SOURCE_DATE_EPOCH, else that of the last commit, which the source tarball keeps in a file.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
export LC_ALL=C TZ=UTC
umask 022
kept_epoch=deploy/dist/EPOCH

from_git() { [[ -e .git ]]; }

epoch() {
    if [[ -n ${SOURCE_DATE_EPOCH:-} ]]; then
        printf '%s\n' "$SOURCE_DATE_EPOCH"
    elif from_git; then
        git log -1 --format=%ct
    else
        cat $kept_epoch
    fi
}

# Outside of git: all but what is built and what `make` puts beside the sources.
files() {
    if from_git; then
        git ls-files --deduplicate | while IFS= read -r file; do
            if [[ -e $file ]]; then printf '%s\n' "$file"; fi
        done
    else
        find . \( -path ./build -o -path ./public_html/vendor -o -path ./tests/node_modules \) -prune -o \
            -type f ! -path ./$kept_epoch ! -name '.ht-klatch*' ! -path './cgi-bin/*.?cgi' \
            ! -path './cgi-bin/*.cgi' ! -path ./cgi-bin/klatch.conf -printf '%P\n'
    fi | sort
}

zip_up() {
    local file binary work
    mkdir -p "$(dirname "$1")"
    file=$(realpath "$1") binary=$(realpath "$2")
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # now, not then
    trap "rm -rf '$work'" EXIT
    deploy/dist/layout.sh "$work" "$binary"
    cat LICENSE build/dist-src/LICENSES.txt >"$work/LICENSES.txt"
    find "$work" -exec touch --date="@$(epoch)" {} +
    rm -f "$file"
    (cd "$work" && find . -mindepth 1 -printf '%P\n' | sort | zip -q -9 -X "$file" -@)
}

source_up() {
    local file work
    mkdir -p "$(dirname "$1")"
    file=$(realpath "$1")
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # now, not then
    trap "rm -rf '$work'" EXIT
    files | tar --no-recursion -c -T - | tar -x -C "$work"
    epoch >"$work/$kept_epoch"
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --mtime="@$(epoch)" --format=ustar --transform="s,^\.,$2," -c . |
        xz -6 -T1 >"$file"
}

case ${1:-} in
zip) zip_up "$2" "$3" ;;
source) source_up "$2" "$3" ;;
files) files ;;
*)
    printf 'usage: deploy/dist/pack.sh zip FILE BINARY | source FILE FOLDER | files\n' >&2
    exit 1
    ;;
esac
