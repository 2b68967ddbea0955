#!/bin/bash
# Lay out what is uploaded to a web host, as the zip holds it, from this tree and any binary:
#
#   deploy/dist/layout.sh DEST BINARY
#
# DEST is made when it isn't there; over an older layout it does what uploading does: files of the
# same name are replaced (a program that runs keeps its own), others stay. Needs what make has put
# below build/ for the tests.
set -euo pipefail

fail() {
    printf 'layout: %s\n' "$*" >&2
    exit 1
}

(($# == 2)) || fail 'usage: deploy/dist/layout.sh DEST BINARY'
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/deploy/dist
vendor=$root/build/vendor
esbuild=$root/build/node_modules/esbuild/bin/esbuild
[[ -f $2 ]] || fail "$2 is not there: build it first"
[[ -f $vendor/lit-html/LICENSE ]] || fail 'what the page uses is not there: run make vendor first'
[[ -f $esbuild ]] || fail 'esbuild is not there: run make build/npm-test.stamp first'
binary=$(realpath "$2")
export LC_ALL=C
umask 022
mkdir -p "$1"
dest=$(realpath "$1")
stage=$(mktemp -d "$dest.XXXXXX")
chmod 755 "$stage"
web=$stage/public_html/klatch

# Copy the folder $1 to $2: files of people's making, none of their editors'.
copy_tree() {
    local file
    mkdir -p "$2"
    (cd "$1" && find . -type d -name '[!.]*' -print0) | (cd "$2" && xargs -0r mkdir -p)
    while IFS= read -r file; do
        install -m 644 "$1/$file" "$2/$file"
    done < <(cd "$1" && find . -type f -name '[!.]*' ! -name '*~' ! -name '*.d.ts' | sort)
}

lay_web() {
    local name
    mkdir -p "$web"
    for name in "$root"/public_html/*; do
        case ${name##*/} in
        vendor) ;;
        *.*) install -m 644 "$name" "$web/" ;;
        *) copy_tree "$name" "$web/${name##*/}" ;;
        esac
    done
    copy_tree "$vendor" "$web/vendor"
}

# What is loaded later stays a file of its own, named by its content.
bundle() {
    node "$esbuild" --bundle --minify --format=esm --target=es2022 --sourcemap --splitting \
        --sources-content=false --log-level=warning --outdir=. --outbase=. "$@"
}

# What stands in for ui/strings/tables.js in a bundle: English is part of it, other languages are loaded
# when somebody speaks them.
bundled_tables() {
    local file language
    printf "import en from './en.json';\nexport const languages = {\n  en: async () => en,\n"
    for file in ui/strings/*.json; do
        language=$(basename "$file" .json)
        [[ $language == en ]] || printf "  '%s': async () => (await import('./%s.json')).default,\n" "$language" "$language"
    done
    printf '};\n'
}

# Few files instead of many small ones, for the page, for sites that use the SDK and for those
# that use <klatch-room>; the modules they are made of stay. The page's is named by its content, so
# that a browser never puts together modules of two versions, whatever it has cached.
lay_bundles() (
    local page frame
    cd "$web"
    mv ui/strings/tables.js "$stage/tables.js"
    bundled_tables >ui/strings/tables.js
    bundle app/app.js --entry-names='[dir]/[name]-[hash]' --chunk-names='app/later/[name]-[hash]'
    bundle embed/embed.js --entry-names='[dir]/[name]-[hash]' --chunk-names='embed/later/[name]-[hash]'
    bundle klatch/index.js --entry-names='[dir]/klatch.min' --chunk-names='klatch/later/[name]-[hash]'
    bundle ui/klatch-room.js --entry-names='[dir]/[name].min' --chunk-names='ui/later/[name]-[hash]'
    mv "$stage/tables.js" ui/strings/tables.js
    page=$(echo app/app-*.js)
    sed -i "s|src=\"app/app\.js\"|src=\"$page\"|" index.html
    frame=$(echo embed/embed-*.js)
    sed -i "s|src=\"embed/embed\.js\"|src=\"$frame\"|" embed.html
    grep -q "src=\"$frame\"" embed.html || fail "embed.html doesn't load embed/embed.js"
    sed -i '/rel="preload" href="ui\/strings\/en\.json"/d' index.html
    grep -q "src=\"$page\"" index.html || fail "index.html doesn't load app/app.js"
)

lay_cgi_bin() {
    local cgi_bin=$web/cgi-bin name
    mkdir "$cgi_bin"
    install -m 644 "$here/cgi-bin/.htaccess" "$root/cgi-bin/klatch.conf.sample" "$cgi_bin/"
    for name in klatch.fcgi klatch-poll.fcgi klatch.cgi; do
        install -m 755 "$binary" "$cgi_bin/$name"
    done
    install -m 755 "$here/probe.cgi" "$cgi_bin/"
    mkdir "$web/cgi"
    install -m 755 "$here/cgi/klatch.cgi" "$web/cgi/"
}

lay_private() {
    mkdir -m 700 "$stage/klatch-private"
    install -m 644 "$here"/klatch-private/{.htaccess,README.txt} "$stage/klatch-private/"
}

# What was uploaded, so that the doctor page can tell half an upload from a whole one.
write_manifest() {
    local version file separator=''
    version=$(sed -n 's/^#define KLATCH_VERSION "\(.*\)"$/\1/p' "$root/src/version.h")
    cd "$web"
    printf '{\n  "version": "%s",\n  "files": [' "$version"
    while IFS= read -r file; do
        printf '%s\n    { "path": "%s", "bytes": %d, "sha256": "%s" }' "$separator" "${file#./}" \
            "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
        separator=,
    done < <(find . -type f | sort)
    printf '\n  ]\n}\n'
}

trap 'rm -rf "$stage"' EXIT
lay_web
lay_bundles
lay_cgi_bin
lay_private
install -m 644 "$here/INSTALL.txt" "$stage/"
manifest=$(write_manifest)
printf '%s\n' "$manifest" >"$web/files.json"
cp -a --remove-destination "$stage/." "$dest/"
