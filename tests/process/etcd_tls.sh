#!/usr/bin/env bash
# ctest-timeout: 120
# The register over mutual TLS: the right certificates work, and no others.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
: "${DEFTER_BIN:?the folder of the programs}"

command -v openssl >/dev/null ||
    fail 'openssl is not installed (Debian: apt-get install openssl)'
ETCD_TLS=1 etcd_start 1
[ "$etcd_scheme" = https ] || fail 'etcd has no TLS'
tls=("ca=$etcd/ca.pem" "certificate=$etcd/node.pem" "key=$etcd/node.key")

register_open a aa "${tls[@]}"
hears a ready
says a 'cas 1 0 1 C1'
hears a 'answered 1 won [0-9]+ C1'
register_close a

# Signed by another authority of the same name: etcd does not let it in.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority \
    -keyout "$etcd/other.key" -out "$etcd/other.pem" 2>/dev/null
register_open b bb "ca=$etcd/ca.pem" "certificate=$etcd/other.pem" \
    "key=$etcd/other.key"
hears b 'reached 0 .*'
register_close b

# And the node does not believe an etcd that another authority signed.
register_open c cc "ca=$etcd/other.pem" "certificate=$etcd/node.pem" \
    "key=$etcd/node.key"
hears c 'reached 0 .*certificate.*'
register_close c
grep -q ready "$etcd/b.txt" "$etcd/c.txt" && fail 'a stranger was believed'

# Nor plain words to a port that wants TLS.
etcd_endpoints=${etcd_endpoints/https/http}
register_open d dd
hears d 'reached 0 .*'
register_close d
echo 'etcd_tls: the right certificates, and no others'
