#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 600
# From archive units, the escrow and the recovery key alone a new node reaches
# the same head and the same state digest, and opens what was sealed; also where
# keys were destroyed since, and an older escrow revives none of them.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

readonly secret=authority/recovery.key

# The first node is alone; the list of nodes is there for those to come.
escrow_found() {
    cluster=$(mktemp -d "${TMPDIR:-/tmp}/defter.XXXXXX") || exit 1
    trap cluster_end EXIT
    trap 'exit 1' INT TERM
    "$DEFTER_BIN/defter" init "$cluster/c" \
        --listen "127.0.0.1:$(free_port)" \
        --peer-listen "127.0.0.1:$(free_port)" >"$cluster/init.txt" ||
        fail 'the cluster was not made'
    node=$cluster/c/node
    keys=$cluster/keys
    mkdir "$keys"
    mkdir -m 700 "$cluster/escrow"
    cp "$cluster/c/operator.key" "$keys/operator.key"
    sed -i '/^\[cluster\]/,$d' "$node/defterd.conf"
    sed -i '/^\[net\]/a handshakes_per_source_burst=10000' "$node/defterd.conf"
    printf '[escrow]\ndirectory = %s\nperiod_s = 1\n' "$cluster/escrow" \
        >>"$node/defterd.conf"
}

# new_node NAME: files of a node that never ran, and the log of the archive.
new_node() {
    new=$cluster/new-$1
    "$DEFTER_BIN/defter" node new "$new" --role backup \
        --cluster "$cluster/c" --listen "127.0.0.1:$(free_port)" \
        --peer-listen "127.0.0.1:$(free_port)" >"$cluster/new.txt" ||
        fail 'no new node was made'
    must "$DEFTER_BIN/defter" archive restore "$cluster/archive" "$new"
}

# restore ESCROW [KEY]: into the new node; what it says in $cluster/said.txt.
restore() {
    "$DEFTER_BIN/defterd" --restore "$new/defterd.conf" --from "$1" \
        --recovery-key "${2:-$cluster/c/$secret}" >"$cluster/end.txt" \
        2>"$cluster/said.txt"
}
# refused WORDS ESCROW [KEY]
refused() {
    local before
    before=$(find "$new" | sort)
    restore "${@:2}" && fail "restored with $1"
    grep -q "$1" "$cluster/said.txt" ||
        fail "not '$1': $(cat "$cluster/said.txt")"
    [ "$(find "$new" | sort)" = "$before" ] ||
        fail "with '$1' it wrote something"
}
# The head and the state digest are those of the stopped node.
same_end() {
    cmp "$cluster/end.txt" "$cluster/end.before" || {
        cat "$cluster/said.txt" >&2
        fail "another end $1"
    }
}
only_zeros() {
    [ -s "$1" ] && cmp -s -n "$(stat -c %s "$1")" "$1" /dev/zero
}
# The keys that the new node has are those of the lost one.
same_keys() {
    "$DEFTER_BIN/key_search" keys "$1" | awk '{ $4 = ""; print }' | sort
}

escrow_found
cluster_start
cluster_actors
erasure_actors
"$DEFTER_BIN/fixture" --subjects 40 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
escrow_covers() {
    [ -f "$cluster/escrow/escrow" ] &&
        [ "$("$DEFTER_BIN/defter" archive escrow show "$cluster/escrow/escrow" |
            sed -n 's/^size *//p')" -ge "$1" ]
}
must as auditor --json chain.head "as=${duty_of[auditor]}"
wait_for 30 escrow_covers "$(got size)" || fail 'a running node keeps no escrow'
cluster_stop || fail "the node ended with $?"
must "$DEFTER_BIN/defter" archive escrow show \
    --recovery-key "$cluster/c/$secret" "$cluster/escrow/escrow"
# shown CODE VERDICT WORDS OPTION...: what is said of an escrow, in text and as
# one object.
shown() {
    local want=$1 verdict=$2 words=$3 got json
    shift 3
    for json in '' --json; do
        # shellcheck disable=SC2086
        "$DEFTER_BIN/defter" archive escrow show $json "$@" \
            >"$cluster/shown.txt" 2>"$cluster/said.txt"
        got=$?
        [ $got -eq "$want" ] || fail "$*: $got, not $want"
        cat "$cluster/said.txt" "$cluster/shown.txt" | grep -q "$words" ||
            fail "$*: $(cat "$cluster/said.txt" "$cluster/shown.txt")"
    done
    python3 -c 'import json, sys
sys.exit(json.load(open(sys.argv[1]))["verdict"] != sys.argv[2])' \
        "$cluster/shown.txt" "$verdict" || fail "$(cat "$cluster/shown.txt")"
}
recovery=$cluster/c/$secret
shown 0 good 'all of it opens' --recovery-key "$recovery" \
    "$cluster/escrow/escrow"
shown 2 incomplete 'nothing was checked' "$cluster/escrow/escrow"
shown 3 unjudged 'it is not there' --recovery-key "$recovery" "$cluster/none"
shown 3 unjudged 'no plain file' --recovery-key "$recovery" "$cluster/escrow"
shown 3 unjudged '' --recovery-key "$cluster/none" "$cluster/escrow/escrow"
must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    archive escrow key "$cluster/other.key"
shown 3 unjudged 'sealed to another' --recovery-key "$cluster/other.key" \
    "$cluster/escrow/escrow"
head -c -1 "$cluster/escrow/escrow" >"$cluster/shorter"
shown 1 tampered 'cut off' --recovery-key "$recovery" "$cluster/shorter"
{
    cat "$cluster/escrow/escrow"
    echo
} >"$cluster/longer"
shown 1 tampered 'stands behind it' --recovery-key "$recovery" "$cluster/longer"
erasure_find_keys "$node" "$subject"
python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$cluster/escrow" \
    >/dev/null || fail 'a key stands in escrow as it is'

# What the stopped node comes to, and has in escrow.
must "$DEFTER_BIN/defterd" --escrow "$node/defterd.conf"
grep -E '^(size|leaf|digest) ' "$cluster/last.txt" >"$cluster/end.before"
[ "$(wc -l <"$cluster/end.before")" -eq 3 ] || fail 'it does not say its end'
cp -a "$cluster/escrow" "$cluster/older"
mkdir "$cluster/archive"
must "$DEFTER_BIN/defter" archive make "$node" "$cluster/archive/unit-1"
size=$(sed -n 's/^size *//p' "$cluster/end.before")
[ "$(sed -n 's/^last //p' "$cluster/archive/unit-1/manifest")" -eq \
    $((size - 1)) ] || fail 'the unit is not all of the log'

# Wrong in every way: it says so, and writes nothing.
new_node first
must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    archive escrow key "$cluster/period.key"
[ "$(stat -c %a "$cluster/period.key")" = 600 ] || fail 'the mode of the key'
refused 'sealed to another recovery key' "$cluster/escrow" "$cluster/period.key"
refused 'not of this format' "$cluster/escrow" "$cluster/c/operator.key"
cp -a "$cluster/escrow" "$cluster/bad"
head -c -1 "$cluster/escrow/escrow" >"$cluster/bad/escrow"
refused 'cut off' "$cluster/bad"
python3 - "$cluster/escrow/escrow" "$cluster/bad/escrow" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
END
refused 'was changed' "$cluster/bad"
rm "$cluster/bad/escrow"
refused 'no file "escrow"' "$cluster/bad"
mv "$new/log" "$new/aside"
refused 'restore the log first' "$cluster/escrow"
mv "$new/aside" "$new/log"

# Archive, escrow and key alone; under the name that an end between two renames
# leaves it, as well.
new_node former
cp -a "$cluster/escrow" "$cluster/cut"
mv "$cluster/cut/escrow" "$cluster/cut/escrow.former"
restore "$cluster/cut" || fail "$(cat "$cluster/said.txt")"
same_end 'of an escrow under its former name'
new=$cluster/new-first
restore "$cluster/escrow" || fail "$(cat "$cluster/said.txt")"
same_end 'of a new node'
[ "$(same_keys "$new")" = "$(same_keys "$node")" ] || fail 'other keys'
refused 'a keyring or a state already' "$cluster/escrow"

# A node that served gets its meta and mark back, or it is none.
mv "$node" "$cluster/lost"
mkdir -m 700 "$node"
cp -p "$cluster/lost"/*.key "$cluster/lost"/*.cert "$cluster/lost"/*.conf \
    "$cluster/lost"/*.entry "$node/"
must "$DEFTER_BIN/defter" archive restore "$cluster/archive" "$node"
new=$node
refused 'this node served' "$cluster/escrow"
cp -p "$cluster/lost/meta" "$cluster/lost/mark" "$node/"
restore "$cluster/escrow" || fail "$(cat "$cluster/said.txt")"
same_end 'of the node itself'

# It opens what was sealed.  From now on only an act has the escrow written.
# What a write that was cut off left is overwritten: another name shows it.
sed -i 's/^period_s = .*/period_s = 100000/' "$node/defterd.conf"
head -c 5000 "$cluster/older/escrow" >"$cluster/cut-part"
ln "$cluster/cut-part" "$cluster/escrow/escrow.part"
cluster_start
wait_for 30 only_zeros "$cluster/cut-part" || fail 'the part is still there'
line=$(grep -m 1 "\"subject\":\"$subject\",\"section\":\"S01\"" \
    "$cluster/records.jsonl")
enrol registrar staff 1
duty registrar REG 255
must as registrar --json section.get "subject=$subject" sections=all \
    file_number=1 "as=${duty_of[registrar]}" purpose=7
grep -q "$(member surname "$line")" "$cluster/last.txt" ||
    fail 'his name does not come out'

# No act is confirmed while the escrow has its keys; it is, once it has not.
head -c 5000 "$cluster/older/escrow" >"$cluster/cut-former"
ln "$cluster/cut-former" "$cluster/escrow/escrow.former"
ln "$cluster/escrow/escrow" "$cluster/before"
mkdir "$cluster/escrow/escrow.part" # Nothing can be written there.
destroy "$subject" record+evidence
wait_for 3 destroy_is_confirmed && fail 'confirmed with the keys in escrow'
node_has_said 'escrow: it cannot be written' || fail 'it does not say why'
rmdir "$cluster/escrow/escrow.part"
wait_for 60 destroy_is_confirmed || fail "$(cat "$cluster/act.txt")"
only_zeros "$cluster/before" || fail 'confirmed with the former bytes there'
only_zeros "$cluster/cut-former" || fail 'confirmed with what was left there'
[ "$(ls "$cluster/escrow")" = escrow ] || fail 'more than the escrow is there'
cp -a "$cluster/escrow" "$cluster/confirmed"
cluster_stop || fail "the node ended with $?"
must "$DEFTER_BIN/defterd" --escrow "$node/defterd.conf"
grep -E '^(size|leaf|digest) ' "$cluster/last.txt" >"$cluster/end.before"
must "$DEFTER_BIN/defter" archive make --number 2 --from "$size" "$node" \
    "$cluster/archive/unit-2"
numbers=$(awk -v owner="$subject" '$1 <= 2 && $2 == owner { print $3 }' \
    "$cluster/keys.txt")
buried_there() {
    local number
    "$DEFTER_BIN/key_search" keys "$1" >"$cluster/there.txt"
    for number in $numbers; do
        grep -q "^buried $number\$" "$cluster/there.txt" || return 1
    done
}
buried_there "$node" || fail 'the node did not bury the keys'
new_node second
restore "$cluster/escrow" || fail "$(cat "$cluster/said.txt")"
grep -q 'from the snapshot' "$cluster/said.txt" || fail 'without a snapshot'
same_end 'after an act'
buried_there "$new" || fail 'the escrow still had the keys'

# So had the one that was there when the act was confirmed.
new_node confirmed
restore "$cluster/confirmed" || fail "$(cat "$cluster/said.txt")"
grep -q 'were destroyed by acts' "$cluster/said.txt" &&
    fail 'the act was confirmed with the keys in escrow'
same_end 'of the escrow of that moment'

# One that is newer than the units does not reach their end; nothing stays, and
# the one of their time goes in afterwards.
mv "$cluster/archive/unit-2" "$cluster/aside-unit"
new_node early
refused "this escrow is of entry .*, the units end at $size" "$cluster/escrow"
restore "$cluster/older" || fail "$(cat "$cluster/said.txt")"
mv "$cluster/aside-unit" "$cluster/archive/unit-2"

# An older escrow has them: the log's act destroys them anew.
new_node third
restore "$cluster/older" || fail "$(cat "$cluster/said.txt")"
same_end 'of an older escrow'
grep -q '2 keys of the escrow were destroyed by acts' "$cluster/said.txt" ||
    fail 'it had none of them'
nothing_left "$new"
buried_there "$new" || fail 'an older escrow revives what an act destroyed'
