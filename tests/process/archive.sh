#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# T-P-7.1.4, T-R-8.2.8, T-P-3.5: entries that pass a size become a unit without
# a human; it is made, sealed, shipped, checked; and from the archive alone,
# with the node's keys, the log and the state are what they were.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make 'commands_per_second_person = 1000000' \
    'commands_per_second_body = 1000000'
cluster_start
cluster_actors
enrol head staff 1
duty head DIR
enrol keeper staff 1
duty keeper ARC
"$DEFTER_BIN/fixture" --subjects 60 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
feed "$cluster/records.jsonl" >"$cluster/last.txt" 2>&1 ||
    fail "$(cat "$cluster/last.txt")"

units() {
    must as keeper --json archive.list "as=${duty_of[keeper]}" after=0 limit=9
}
have_units() {
    units
    [ "$(grep -o '"unit":' "$cluster/last.txt" | wc -l)" -ge "$1" ]
}

must as head --json config.change "as=${duty_of[head]}" setting=15 value=1 \
    note=soon "basis=$basis"
have_units 1 && fail 'a unit was made before there was a reason'
# A slow machine does less of a bench in its time.
filled() {
    have_units 2 || {
        must as operator bench --commands 4000 --sessions 8
        false
    }
}
wait_for 120 filled || fail 'no unit was prepared'
units
cp "$cluster/last.txt" "$cluster/units.txt"
last=$(sed 's/.*"unit":2,\(.*\)/\1/; s/.*"last":\([0-9]*\),"bytes".*/\1/' \
    "$cluster/units.txt")
[ $(((last + 1) % 256)) -eq 0 ] || fail "a unit ends at $last"

covered() {
    [ "$(sed -n 2p "$node/checkpoint")" -gt "$1" ]
}
wait_for 30 covered "$last" || fail 'no checkpoint covers the units'

# What is in a unit, the archive record says.
mkdir "$cluster/archive"
first=0
for unit in 1 2; do
    end=$(sed "s/.*\"unit\":$unit,/ /; s/\"unit\":.*//" "$cluster/units.txt" |
        sed -n 's/.*"last":\([0-9]*\).*/\1/p')
    "$DEFTER_BIN/defter" archive make --number "$unit" --from "$first" \
        --to "$end" --json "$node" "$cluster/archive/unit-$unit" \
        >"$cluster/made.txt" || fail "$(cat "$cluster/made.txt")"
    manifest=$(sed -n 's/.*"manifest":"\([0-9a-f]*\)".*/\1/p' \
        "$cluster/made.txt")
    for name in leaf-after root; do
        grep -q "$(sed -n "s/^$name //p" \
            "$cluster/archive/unit-$unit/manifest")" "$cluster/units.txt" ||
            fail "the $name of unit $unit is not that of the archive record"
    done
    must as keeper archive.seal "as=${duty_of[keeper]}" "unit=$unit" \
        "manifest=$manifest"
    must as keeper archive.ship "as=${duty_of[keeper]}" "unit=$unit" \
        medium=tape label="T-$unit" 'place=vault 2'
    must "$DEFTER_BIN/defter" archive verify "$cluster/archive/unit-$unit"
    must as keeper archive.verify "as=${duty_of[keeper]}" "unit=$unit" copy=1 \
        good=yes "manifest=$manifest"
    first=$((end + 1))
done
must as keeper --json archive.copies "as=${duty_of[keeper]}" unit=2 after=0 \
    limit=9
grep -q '"label":"T-2"' "$cluster/last.txt" || fail 'the copy is not listed'

must as auditor --json chain.head "as=${duty_of[auditor]}"
cluster_stop || fail "the node ended with $?"
must "$DEFTER_BIN/defter" archive make --number 3 --from "$first" "$node" \
    "$cluster/archive/unit-3"

# What the log says of its units is held against them, by two implementations:
# the same entries under a later checkpoint are another manifest than the sealed
# one; a unit given twice is named.
both() {
    PYTHONPATH=tests/process:tests/second python3 tests/process/_units.py \
        both "$@" >"$cluster/last.txt" 2>&1 ||
        fail "$*: $(cat "$cluster/last.txt")"
}
named() {
    grep -q "$1" "$cluster/last.txt" || fail "no $1: $(cat "$cluster/last.txt")"
}
both 0 "$cluster/archive"/unit-{1,2,3}
must "$DEFTER_BIN/defter" archive verify "$cluster/archive"
cp -r "$cluster/archive" "$cluster/other"
rm -r "$cluster/other/unit-1"
end=$(sed -n 's/^last //p' "$cluster/archive/unit-1/manifest")
must "$DEFTER_BIN/defter" archive make --number 1 --from 0 --to "$end" "$node" \
    "$cluster/other/unit-1"
both 1 "$cluster/other"/unit-{1,2,3}
named 'that an archivist sealed.*unit-1/manifest'
sealed=$(sed -n 's/.* index \([0-9]*\) .*/\1/p' "$cluster/last.txt")
# Nor does another number, which nobody signed, make it another unit.
sed -i '/^end /d; s/^number 1$/number 91/' "$cluster/other/unit-1/manifest"
echo "end $(sha256sum <"$cluster/other/unit-1/manifest" | cut -d' ' -f1)" \
    >>"$cluster/other/unit-1/manifest"
both 1 "$cluster/other"/unit-{1,2,3}
named 'gives these entries another number'
cp -r "$cluster/archive/unit-2" "$cluster/other/unit-2b"
both 2 "$cluster/archive"/unit-{1,2} "$cluster/other/unit-2b"
named 'it is there twice.*unit-2b/manifest'
# Units whose log ends before anybody sealed them may be of another rule.
for unit in 7 1; do
    rm -rf "$cluster/early"
    must "$DEFTER_BIN/defter" archive make --number $unit --from 0 \
        --to "$((sealed - 1))" "$node" "$cluster/early"
    both 2 "$cluster/early"
    named 'gives this unit other entries'
done

# A directory of units should be all of them: one without its manifest, and a
# first one that is missing, are named.
mv "$cluster/other/unit-2b" "$cluster/aside"
rm -r "$cluster/other"
cp -r "$cluster/archive" "$cluster/other"
mkdir "$cluster/other/unit-4.part" "$cluster/other/lost+found"
must "$DEFTER_BIN/defter" archive verify "$cluster/other"
incomplete() {
    "$DEFTER_BIN/defter" archive "${@:2}" >"$cluster/last.txt" 2>&1
    [ $? -eq 2 ] && grep -q "$1" "$cluster/last.txt" ||
        fail "$*: $(cat "$cluster/last.txt")"
}
for unit in 1 2 3; do
    mv "$cluster/other/unit-$unit/manifest" "$cluster/aside/manifest"
    incomplete 'has no manifest' verify "$cluster/other"
    incomplete 'nothing was restored' restore "$cluster/other" "$cluster/new"
    incomplete "unit-$unit: it has no manifest" list "$cluster/other"
    mv "$cluster/aside/manifest" "$cluster/other/unit-$unit/manifest"
done
rm -r "$cluster/other/unit-1"
incomplete 'do not begin at entry 0' verify "$cluster/other"
incomplete 'do not begin at entry 0' restore "$cluster/other" "$cluster/new"
must "$DEFTER_BIN/defter" archive verify "$cluster/other/unit-2" \
    "$cluster/other/unit-3"

# The disk is gone; what is left are the units, and what was kept with the keys.
mkdir -m 700 "$cluster/kept"
cp -p "$node"/*.key "$node"/*.cert "$node"/*.conf "$node"/*.entry \
    "$node"/keyring.db "$node/meta" "$node/mark" "$cluster/kept/"
cp -rp "$node/log" "$cluster/log.before"
mv "$node" "$cluster/lost"
cp -rp "$cluster/kept" "$node"
must "$DEFTER_BIN/defter" archive restore "$cluster/archive" "$node"
for segment in "$node"/log/*.seg; do
    cmp "$segment" "$cluster/log.before/$(basename "$segment")" ||
        fail "$segment is another"
done
leaf=$(sed -n 's/^ *leaf //p' "$cluster/last.txt")
cluster_start
grep -q 'replaying entries 0 to' "$cluster/node.txt" ||
    fail 'the state was not made anew'
must as keeper --json archive.restore_test "as=${duty_of[keeper]}" unit=2 \
    good=yes "size=$first" "leaf=$(sed -n 's/^leaf-after //p' \
    "$cluster/archive/unit-2/manifest")"
units
grep -q '"restore_tests":1' "$cluster/last.txt" || fail 'no test is noted'
[ ${#leaf} -eq 64 ] || fail 'restore says no leaf'
cluster_stop || fail "the restored node ended with $?"
must "$DEFTER_BIN/defter" verify "$node"
