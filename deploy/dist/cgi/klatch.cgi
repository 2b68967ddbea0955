#!/bin/sh
# Klatch from a folder without a .htaccess, for a host that runs programs by itself and answers 500
# wherever a .htaccess says something about them, as the one in cgi-bin does.
case $0 in */*) cd "${0%/*}" || exit 1 ;; esac
exec ../cgi-bin/klatch.cgi
