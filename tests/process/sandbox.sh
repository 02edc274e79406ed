#!/usr/bin/env bash
# ctest-timeout: 120
# A node serves from within its sandbox: every thread is under the filter, the
# process can leave no core file, its keys are in locked memory and may come
# from credentials.  A build with a sanitizer says that it has no sandbox.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly could_not_start=1 wrong_usage=3

# sandbox WORD: as the node's configuration says from now on.
sandbox() {
    sed -i -e '/^sandbox/d' -e "/^\[node\]/a sandbox = $1" "$node/defterd.conf"
}

# refuses STATUS WORDS: the node must end with it and say them.
refuses() {
    local status
    timeout 20 "$DEFTER_BIN/defterd" --config "$node/defterd.conf" \
        >"$cluster/node.txt" 2>&1
    status=$?
    [ $status -eq "$1" ] && grep -q -- "$2" "$cluster/node.txt" && return
    cat "$cluster/node.txt" >&2
    fail "ended with $status, not $1: $2"
}

# every_thread FIELD VALUE: in /proc of each thread of the node.
every_thread() {
    local task
    for task in /proc/"$cluster_pid"/task/*; do
        grep -q "^$1:[[:space:]]*$2$" "$task/status" ||
            fail "a thread has not $1 $2: $(grep "^$1:" "$task/status")"
    done
}

says() {
    grep -q -- "$1" "$cluster/node.txt" || {
        cat "$cluster/node.txt" >&2
        fail "does not say: $1"
    }
}

is_sanitized() {
    grep -q 'sandbox: none in a build with a sanitizer' "$cluster/node.txt"
}

# About secrets at rest and in memory, sandbox or not.
keeps_secrets() {
    every_thread Umask 0077
    grep -q '^Max core file size *0  *0 ' "/proc/$cluster_pid/limits" ||
        fail 'it may leave a core file'
    # A sanitizer takes the call that locks for nothing.
    if [ "$(ulimit -H -l)" != 0 ] && ! is_sanitized; then
        grep -q '^VmLck:[[:space:]]*[1-9]' "/proc/$cluster_pid/status" ||
            fail 'nothing is locked in memory'
    fi
}

# Lays the node's keys where a service manager would, and takes them away from
# the node.
credentials() {
    export CREDENTIALS_DIRECTORY=$cluster/credentials
    mkdir -m 0700 "$CREDENTIALS_DIRECTORY"
    mv "$node"/*.key "$CREDENTIALS_DIRECTORY"
    chmod 0400 "$CREDENTIALS_DIRECTORY"/*.key
}

cluster_make
cluster_start
must as operator system.ping
keeps_secrets
if is_sanitized; then
    cluster_stop || fail "ended with $?"
    sandbox required
    refuses $could_not_start 'it is required'
    exit 0
fi
says 'sandbox: .*system calls (seccomp)'
every_thread Seccomp 2
every_thread NoNewPrivs 1
cluster_stop || fail "ended with $?"

# Whoever takes the filter away says so, and a wrong word is no way to do it.
sandbox off
cluster_start
says 'sandbox: off'
every_thread Seccomp 0
cluster_stop || fail "ended with $?"
sandbox no
refuses $wrong_usage 'neither on, required nor off'
sandbox on

# Keys as credentials: in the place of those in the directory.
credentials
cluster_start
must as operator system.ping
keeps_secrets
cluster_stop || fail "ended with $?"
chmod 0404 "$CREDENTIALS_DIRECTORY/keyring.key"
refuses $could_not_start 'credentials/keyring.key'
if [ "$(id -u)" -eq 0 ]; then
    # How a file of root with an access list for one user looks.
    chmod 0440 "$CREDENTIALS_DIRECTORY/keyring.key"
    cluster_start
    cluster_stop || fail "ended with $?"
    chown 1:1 "$CREDENTIALS_DIRECTORY/keyring.key"
    refuses $could_not_start 'credentials/keyring.key'
    chown 0:0 "$CREDENTIALS_DIRECTORY/keyring.key"
fi
chmod 0420 "$CREDENTIALS_DIRECTORY/keyring.key"
refuses $could_not_start 'credentials/keyring.key'
chmod 0400 "$CREDENTIALS_DIRECTORY/keyring.key"
# What is not among them is looked for in the directory, and held to its rules.
mv "$CREDENTIALS_DIRECTORY/receipt.key" "$node"
chmod 0600 "$node/receipt.key"
cluster_start
cluster_stop || fail "ended with $?"
chmod 0640 "$node/receipt.key"
refuses $could_not_start 'node/.*receipt.key'
