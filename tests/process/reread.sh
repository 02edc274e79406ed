#!/usr/bin/env bash
# ctest-timeout: 120
# SIGHUP: the configuration is read and judged whole before any of it is used.
# Whatever is wrong with it (a line, a key, no file, no free descriptor), the
# former one stays whole (D121), and the node serves on.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

declare -i heard=0

# hup WORDS: the node must say them, once more than before.
hup() {
    heard=$(grep -c -- "$1" "$cluster/node.txt")
    kill -HUP "$cluster_pid"
    wait_for 20 says_again "$1" || {
        cat "$cluster/node.txt" >&2
        fail "does not say: $1"
    }
    kill -0 "$cluster_pid" || fail 'the node ended'
}

says_again() {
    [ "$(grep -c -- "$1" "$cluster/node.txt")" -gt $heard ]
}

# stays WORDS: it must say them, keep what it had, and serve.
stays() {
    hup "$1.*the former configuration stays"
    is_limited || fail "after '$1' the former limit is gone"
}

# set_to KEY=VALUE...: the file as it was at first, with these in its [net].
set_to() {
    cp "$cluster/good" "$cluster/next"
    printf '%s\n' '[net]' "$@" >>"$cluster/next"
    # As editors do it: another file in the place of the former one.
    mv "$cluster/next" "$node/defterd.conf"
}

# Whether the node refuses some of sixty commands of one person.
is_limited() {
    for _ in $(seq 60); do
        echo 'system.ping text=again'
    done | timeout 60 "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
        --key "$keys/operator.key" --role staff shell >"$cluster/said" 2>&1
    grep -q 'rate limit (605)' "$cluster/said" && return
    [ "$(grep -c '^OK' "$cluster/said")" -eq 60 ] || {
        cat "$cluster/said" >&2
        fail 'the node neither serves nor refuses'
    }
    return 1
}

readonly few='commands_per_second_person = 1'
readonly many=${few}000

cluster_make "$many"
cp "$node/defterd.conf" "$cluster/good"
cluster_start
is_limited && fail 'a limit holds that is not configured'

set_to "$few"
hup 'defterd.conf: taken'
is_limited || fail 'what was taken does not hold'

# A limit that would be taken stands before the line that is wrong.
set_to "$many" 'neither this nor that'
stays 'neither \[section\] nor key = value'
set_to "$many" 'colour = red'
stays 'no such key'
set_to "$many" 'commands_per_second_body = 0'
stays 'out of range'
set_to "$many" 'loops = 3'
stays '\[net\] loops cannot change'
set_to "$many" "listen = 127.0.0.1:$(free_port)"
stays '\[net\] listen cannot change'
set_to "$many" '[node]' 'sandbox = off'
stays '\[node\] sandbox cannot change'
head -c 70000 /dev/zero | tr '\0' '#' >"$node/defterd.conf"
stays 'over the limit'
rm "$node/defterd.conf"
stays 'no such file'
mkdir "$node/defterd.conf"
stays 'no plain file'
rmdir "$node/defterd.conf"
# Nobody writes into it: who waited for that would hear no signal any more.
mkfifo "$node/defterd.conf"
stays 'no plain file'
rm "$node/defterd.conf"
printf '[net]\n%s\n\0\n' "$many" >"$node/defterd.conf"
stays 'a zero byte in it'

# No descriptor is free for the file.
set_to "$many"
if command -v prlimit >/dev/null; then
    soft=$(prlimit --pid "$cluster_pid" --nofile --output=SOFT --noheadings)
    prlimit --pid "$cluster_pid" --nofile=3:
    hup 'Too many open files.*the former configuration stays'
    prlimit --pid "$cluster_pid" --nofile="${soft// /}:"
    set_to "$few"
    hup 'defterd.conf: taken'
    is_limited || fail 'without a descriptor the limit was lost'
fi

set_to "$many"
hup 'defterd.conf: taken'
is_limited && fail 'the limit was not lifted'
cluster_stop || fail "the node ended with $?"
