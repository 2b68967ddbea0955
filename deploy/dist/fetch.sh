#!/bin/bash
# Fetch what the static binaries are linked from, into a folder of its own:
#
#   deploy/dist/fetch.sh DIR
#
# The sources are those of Debian 12's packages with Debian's patches, so that the binaries in the
# zip hold the same fixes as one that is linked on a server; glibc is Debian's for both machines. apt
# does the fetching, with lists and settings of its own in DIR, and checks signatures and sums.
# Nothing is installed. What is kept:
#
#   DIR/sqlite3 libfcgi cjson util-linux mbedtls   the few files that are compiled, and headers
#   DIR/glibc-amd64 glibc-arm64                    libc.a, *crt*.o, headers, the kernel's too
#   DIR/LICENSES.txt                               what was taken, its version, its licence
set -euo pipefail

(($# == 1)) || { printf 'usage: deploy/dist/fetch.sh DIR\n' >&2; exit 1; }
release=bookworm
export LC_ALL=C
umask 022
rm -rf "$1"
mkdir -p "$1"
cd "$1"
dir=$PWD

# The mirror that this machine is set up to use, else Debian's own.
site() {
    local found
    # shellcheck disable=SC2016  # apt fills it in
    found=$(apt-get indextargets --format '$(SITE)' "Label: $1" 2>/dev/null | head -n 1 || true)
    printf '%s' "${found:-$2}"
}

write_apt_settings() {
    local main security line
    main=$(site Debian http://deb.debian.org/debian)
    security=$(site Debian-Security http://deb.debian.org/debian-security)
    mkdir -p apt/lists/partial apt/cache/archives/partial apt/none
    for line in "$main $release" "$main $release-updates" "$security $release-security"; do
        printf 'deb [arch=amd64,arm64] %s main\ndeb-src %s main\n' "$line" "$line"
    done >apt/sources.list
    cat >apt/apt.conf <<END
Dir::Etc::SourceList "$dir/apt/sources.list";
Dir::Etc::SourceParts "$dir/apt/none";
Dir::State::Lists "$dir/apt/lists";
Dir::State::extended_states "$dir/apt/extended_states";
Dir::Cache "$dir/apt/cache";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
END
    export APT_CONFIG=$dir/apt/apt.conf
}

# The files "$@" of the source package $1, patched, in a folder of its name.
take_source() {
    local package=$1
    shift
    dpkg-source --no-copy -x "apt/$package"_*.dsc "apt/$package" >"apt/$package.log" 2>&1 ||
        { cat "apt/$package.log" >&2; exit 1; }
    mkdir "$package"
    (cd "apt/$package" && cp --parents -r "$@" "$dir/$package")
}

# SQLite as one file, as its own Makefile makes it; that takes tclsh, and a compiler for lemon.
take_sqlite() {
    take_source sqlite3 debian/copyright
    mkdir apt/amalgamation
    make -s -C apt/amalgamation -f ../sqlite3/main.mk TOP="$dir/apt/sqlite3" BCC=gcc TCC=gcc \
        NAWK=awk sqlite3.c >apt/amalgamation.log 2>&1 || { cat apt/amalgamation.log >&2; exit 1; }
    cp apt/amalgamation/sqlite3.[ch] sqlite3/
}

take_glibc() {
    local machine package
    for machine in amd64 arm64; do
        for package in libc6-dev linux-libc-dev; do
            dpkg-deb -x apt/"$package"_*_$machine.deb apt/$machine
        done
        mkdir glibc-$machine
        (cd apt/$machine && cp --parents -r usr/include usr/lib/*/libc.a usr/lib/*/{rcrt1,crti,crtn}.o \
            "$dir/glibc-$machine")
    done
    dpkg-deb -x apt/base-files_*_amd64.deb apt/base-files
}

licence() {
    printf '\n\n==== %s, from Debian'\''s package %s\n\n' "$1" \
        "$(cd apt && printf '%s' "$2"_*"$3" | sed "s/_\(.*\)$3\$/ \1/")"
    cat "$4"
}

# The LGPL asks for its own text, and for a way to the source and to linking anew.
glibc_terms() {
    local version
    version=$(dpkg-deb -f apt/libc6-dev_*_amd64.deb Version)
    cat <<END
The binaries are linked with the GNU C Library, which is covered by the GNU Lesser General Public
License, version 2.1 (below). You may change the library and link the binaries with it anew: Klatch's
source (klatch-VERSION.tar.xz) holds all that takes, its deploy/dist/README.md says how. You may also
take them apart to find what is wrong in a changed one. The library's own source is Debian's source
package glibc $version, unchanged:
https://snapshot.debian.org/package/glibc/${version//+/%2B}/

END
    cat apt/amd64/usr/share/doc/libc6-dev/copyright
    printf '\n\n'
    cat apt/base-files/usr/share/common-licenses/LGPL-2.1
}

write_licences() {
    printf 'What is linked into the binaries beside Klatch itself, and its licence.\n'
    licence SQLite sqlite3 .dsc sqlite3/debian/copyright
    licence libfcgi libfcgi .dsc libfcgi/LICENSE.TERMS
    licence cJSON cjson .dsc cjson/LICENSE
    licence libuuid util-linux .dsc <(sed '/\*\//q' util-linux/libuuid/src/unparse.c)
    licence 'Mbed TLS' mbedtls .dsc mbedtls/LICENSE
    licence glibc libc6-dev _amd64.deb <(glibc_terms)
}

write_apt_settings
apt-get -qq update
(cd apt && apt-get -qq source --download-only sqlite3 libfcgi cjson util-linux mbedtls >source.log 2>&1 &&
    apt-get -qq download {libc6,linux-libc}-dev:{amd64,arm64} base-files:amd64) || { cat apt/source.log >&2; exit 1; }
take_sqlite
take_source libfcgi LICENSE.TERMS libfcgi/{fcgiapp,os_unix}.c \
    include/{fcgiapp,fastcgi,fcgimisc,fcgios}.h
take_source cjson LICENSE cJSON.c cJSON.h
take_source util-linux libuuid/src/{unparse.c,uuid.h,uuidP.h} include
take_source mbedtls LICENSE library/{md,md5,pkcs5,ripemd160,sha1,sha256,sha512,platform_util}.c library/common.h include/mbedtls
take_glibc
write_licences >LICENSES.txt

# As the sources include them.
: >libfcgi/include/fcgi_config.h
mkdir include include/cjson include/uuid
cp cjson/cJSON.h include/cjson/
cp util-linux/libuuid/src/uuid.h include/uuid/
rm -rf apt
