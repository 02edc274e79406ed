#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 600
# A stopped node gets another keyring.key: what was sealed opens as before, the
# former key opens nothing and stands in no file, and an end at any moment
# leaves one of both keys.  ROUNDS=N for a longer run.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly rounds=${ROUNDS:-12}
readonly could_not_start=1

# rewrap: what it says is in $cluster/said.txt.
rewrap() {
    "$DEFTER_BIN/defterd" --rewrap "$node/defterd.conf" \
        >"$cluster/said.txt" 2>&1
}
# refused WORDS: it changes nothing, and says why.
refused() {
    local before
    before=$(digests)
    rewrap
    [ $? -eq $could_not_start ] || fail "not refused: $1"
    grep -q "$1" "$cluster/said.txt" ||
        fail "not '$1': $(cat "$cluster/said.txt")"
    [ "$(digests)" = "$before" ] || fail "with '$1' it changed something"
}
digests() {
    (cd "$node" && find . -name 'keyring*' -type f -exec sha256sum {} + | sort)
}
# Class, owner, number and the key itself, of each; not how it is wrapped.
seal_keys() {
    "$DEFTER_BIN/key_search" keys "$node" >"$cluster/list.txt" &&
        awk '{ $4 = ""; print }' "$cluster/list.txt" | sort
}
# The 32 bytes of a key file, as the search wants them.
secret_of() {
    printf 'hex:'
    od -An -v -tx1 -j 32 -N 32 "$1" | tr -d ' \n'
    echo
}
beside_the_key() {
    (cd "$node" && ls -d keyring.key.* 2>/dev/null)
}
# rewrap_killed FILE: as soon as FILE is there, or else after up to 99 ms.  Its
# exit status, as a shell has it.
rewrap_killed() {
    python3 - "$DEFTER_BIN/defterd" "$node" "$1" <<'END'
import os, random, subprocess, sys, time
program, node, name = sys.argv[1:]
end = time.monotonic() + random.random() / 10 if not name else None
watched = os.path.join(node, name)
with subprocess.Popen([program, "--rewrap", node + "/defterd.conf"],
                      stderr=subprocess.DEVNULL) as process:
    while process.poll() is None:
        if time.monotonic() > end if end else os.path.exists(watched):
            process.kill()
            break
sys.exit(0 if process.returncode == 0 else 1)
END
}
# No byte of $cluster/wanted.txt is in the node's files.
nothing_left() {
    python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$node" \
        >"$cluster/left.txt" ||
        fail "left: $(head -n 3 "$cluster/left.txt")"
}
reads_him() {
    must as registrar --json section.get "subject=$subject" sections=all \
        file_number=1 "as=${duty_of[registrar]}" purpose=7
    grep -q "$surname" "$cluster/last.txt" || fail 'his name does not come out'
}
same_keys() {
    [ "$(seal_keys)" = "$(cat "$cluster/before.txt")" ] || fail "$1: other keys"
}

cluster_make
cluster_start
cluster_actors
enrol registrar staff 1
duty registrar REG 255
"$DEFTER_BIN/fixture" --subjects 60 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
surname=$(member surname "$(grep -m 1 \
    "\"subject\":\"$subject\",\"section\":\"S01\"" "$cluster/records.jsonl")")
reads_him
refused 'another process holds this directory'
cluster_stop || fail "the node ended with $?"

# Another key: the same seal keys, and nothing of the former one.
seal_keys >"$cluster/before.txt"
[ "$(wc -l <"$cluster/before.txt")" -gt 100 ] || fail 'too few keys'
awk 'NR % 8 == 1 { print "hex:" $4 }' "$cluster/list.txt" >"$cluster/wanted.txt"
secret_of "$node/keyring.key" >>"$cluster/wanted.txt"
mkdir -m 700 "$cluster/aside"
cp -p "$node/keyring.key" "$cluster/aside/keyring.key"
ln "$node/keyring.key" "$cluster/former"
python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$node" \
    >/dev/null && fail 'the search does not find what is there'
rewrap || fail "$(cat "$cluster/said.txt")"
grep -q ' seal keys are under a new keyring.key' "$cluster/said.txt" ||
    fail "$(cat "$cluster/said.txt")"
nothing_left
cmp -s -n 104 "$cluster/former" /dev/zero || fail 'its bytes are still there'
[ "$(stat -c %s-%a "$node/keyring.key")" = 104-600 ] || fail 'the key file'
[ -z "$(beside_the_key)" ] || fail "there is $(beside_the_key)"
same_keys 'after a rewrap'

# The former key opens nothing of it.
cp -p "$node"/keyring.db* "$cluster/aside"
"$DEFTER_BIN/key_search" keys "$cluster/aside" >/dev/null 2>&1 &&
    fail 'the former key opens the keyring'
mv "$node/keyring.key" "$cluster/newer"
cp -p "$cluster/aside/keyring.key" "$node/keyring.key"
"$DEFTER_BIN/defterd" --config "$node/defterd.conf" >"$cluster/said.txt" 2>&1
[ $? -eq $could_not_start ] || fail 'it starts with the former key'
grep -q 'keyring.key does not open it' "$cluster/said.txt" ||
    fail "$(cat "$cluster/said.txt")"
refused 'does not open the keyring'
mv "$cluster/newer" "$node/keyring.key"
cluster_start
reads_him
cluster_stop || fail "the node ended with $?"

# Keys that nobody made here, or that others may read; a credential; none.
cp -p "$cluster/aside/keyring.key" "$node/keyring.key.next"
refused 'was not made here'
"$DEFTER_BIN/defterd" --config "$node/defterd.conf" >"$cluster/said.txt" 2>&1
[ $? -eq $could_not_start ] || fail 'it starts beside a foreign key'
grep -q 'keyring.key.next: this key opens nothing' "$cluster/said.txt" ||
    fail "$(cat "$cluster/said.txt")"
chmod 644 "$node/keyring.key.next"
refused 'chmod 600'
rm "$node/keyring.key.next"
export CREDENTIALS_DIRECTORY=$cluster/aside
refused 'a credential cannot be replaced from here'
unset CREDENTIALS_DIRECTORY
mv "$node/keyring.key" "$cluster/newer"
refused 'must lie in the node.s directory'
mv "$cluster/newer" "$node/keyring.key"

# Killed at any moment: the next start, or the next rewrap, ends it.  No key
# that was one of the node's before stands in any file.
: >"$cluster/wanted.txt"
readonly moments=('' keyring.key.part keyring.key.next keyring.key.former)
cut=0
said=0
for i in $(seq "$rounds"); do
    secret_of "$node/keyring.key" >"$cluster/was.txt"
    rewrap_killed "${moments[i % 4]}" || cut=$((cut + 1))
    for file in "$node"/keyring.key*; do
        [ "$(stat -c %s "$file")" -eq 104 ] && secret_of "$file"
    done | grep -v '^hex:0*$' >>"$cluster/was.txt"
    if (((i + i / 4) % 2)); then
        cluster_start
        reads_him
        cluster_stop || fail "round $i: the node ended with $?"
        cp "$cluster/node.txt" "$cluster/said.txt"
    else
        rewrap || fail "round $i: $(cat "$cluster/said.txt")"
    fi
    grep -q 'a --rewrap that was cut off' "$cluster/said.txt" &&
        said=$((said + 1))
    [ -z "$(beside_the_key)" ] || fail "round $i: there is $(beside_the_key)"
    grep -vxF "$(secret_of "$node/keyring.key")" "$cluster/was.txt" \
        >>"$cluster/wanted.txt"
    seal_keys >"$cluster/now.txt" || fail "round $i: the keyring does not open"
    # A start makes keys of its own; those from before are all there.
    [ -z "$(comm -23 "$cluster/before.txt" "$cluster/now.txt")" ] ||
        fail "round $i: keys are lost"
done
nothing_left
printf '%s of %s were cut off, %s were found so\n' "$cut" "$rounds" "$said"
cluster_start
reads_him
cluster_stop || fail "the node ended with $?"
"$DEFTER_BIN/defter" verify "$node" >"$cluster/verify.txt" 2>&1 ||
    fail "$(head -n 5 "$cluster/verify.txt")"
