#!/bin/sh
# A token for one person and one room, good for ten minutes:
# KLATCH_SECRET=... sh token.sh KEY-ID ROOM SUB NAME [ROLE [NOW]]
# While openssl runs, other users of this machine can see the secret in its arguments.
set -eu
text() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }
encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
claims="{\"iss\":\"$(text "$1")\",\"sub\":\"$(text "$3")\",\"room\":\"$2\",\"name\":\"$(text "$4")\""
claims="$claims,\"role\":\"${5:-member}\",\"exp\":$((${6:-$(date +%s)} + 600))}"
signed=$(printf '%s' '{"alg":"HS256","typ":"JWT"}' | encode).$(printf '%s' "$claims" | encode)
printf '%s.%s\n' "$signed" "$(printf '%s' "$signed" | openssl dgst -sha256 -hmac "$KLATCH_SECRET" -binary | encode)"
