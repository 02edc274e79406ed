#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 600
# T-P-7.1.4: what a timer calls makes the units of the log's archive records,
# each once, while the node runs; killed at any instant, the next run goes on;
# what lies there and is another unit is refused; a sealed unit that is missing
# is named, and holds up no other.
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
units=$cluster/units

due() {
    "$DEFTER_BIN/defter" archive make --due "$@" "$node" "$units"
}
records() {
    must as keeper --json archive.list "as=${duty_of[keeper]}" after=0 limit=9
    grep -o '"unit":' "$cluster/last.txt" | wc -l
}
have_records() {
    [ "$(records)" -ge "$1" ]
}

# Nothing is due: that is no error, however often.
covered() {
    [ -f "$node/checkpoint" ] && [ "$(sed -n 2p "$node/checkpoint")" -gt "$1" ]
}
wait_for 30 covered 1 || fail 'no checkpoint'
must due
grep -q '^0 units made' "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"

must as head --json config.change "as=${duty_of[head]}" setting=15 value=1 \
    note=soon "basis=$basis"
# A slow machine does less of a bench in its time.
filled() {
    have_records 2 || {
        must as operator bench --commands 4000 --sessions 8
        false
    }
}
wait_for 150 filled || fail 'no units were prepared'
count=$(records)
last=$(sed 's/.*"last":\([0-9]*\),"bytes".*/\1/' "$cluster/last.txt")
# Only what is attested and below a checkpoint counts.
made_all() {
    rm -rf "$cluster/other"
    "$DEFTER_BIN/defter" archive make --due "$node" "$cluster/other" \
        >"$cluster/last.txt" 2>&1 &&
        [ -f "$cluster/other/unit-$(printf %06d "$count")/manifest" ]
}
wait_for 90 covered "$last" || fail 'no checkpoint covers the units'
wait_for 60 made_all || fail "$(cat "$cluster/last.txt")"
cluster_stop || fail "the node ended with $?"

# Killed in the midst, again and again, a little later each time.
# In its own group timeout would kill itself too, and not see it end.
killed_after() {
    (timeout --foreground -s KILL "$(printf '0.%03d' "$1")" \
        "$DEFTER_BIN/defter" archive make --due "$node" "$units" \
        >"$cluster/last.txt" 2>&1)
} 2>/dev/null
wait_ms=1
until killed_after "$wait_ms"; do
    wait_ms=$((wait_ms + wait_ms / 3 + 1))
    [ $wait_ms -lt 999 ] || {
        must due # The machine is slow: without a limit.
        break
    }
done
# What a killed run leaves: a part without its manifest, with too much in it.
rm -rf "$units/unit-000002"
cp -r "$units/unit-000001" "$units/unit-000002.part"
rm "$units/unit-000002.part/manifest"
mkdir -p "$units/unit-000002.part/tile/x"
echo more >"$units/unit-000002.part/tile/x/y"
must due
grep -q '^1 units made' "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"
for unit in $(seq "$count"); do
    name=unit-$(printf %06d "$unit")
    # Its record: the range, root and leaf hashes; its checkpoint is newer.
    for line in number first last entries bytes leaf-before leaf-after root; do
        [ "$(grep "^$line " "$units/$name/manifest")" = \
            "$(grep "^$line " "$cluster/other/$name/manifest")" ] ||
            fail "the $line of $name"
    done
done
[ "$(find "$units" -maxdepth 1 -name '*.part' | wc -l)" -eq 0 ] ||
    fail 'a part is left'
must "$DEFTER_BIN/defter" archive verify "$units"

# Never twice: not one byte of what is there is touched.
before=$(find "$units" -type f -printf '%p %T@ %i\n' | sort)
must due
grep -q "^0 units made, $count there already" "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
[ "$(find "$units" -type f -printf '%p %T@ %i\n' | sort)" = "$before" ] ||
    fail 'a unit was made again'
# One run at a time.
flock -n "$units" "$DEFTER_BIN/defter" archive make --due "$node" "$units" \
    >"$cluster/last.txt" 2>&1 && fail 'two runs at a time'
grep -q 'another run' "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"
due --from 3 >"$cluster/last.txt" 2>&1 && fail 'a range and what is due'

# What lies there and is another unit: said, and left alone.
mv "$units/unit-000002" "$cluster/aside"
cp -r "$units/unit-000001" "$units/unit-000002"
due >"$cluster/last.txt" 2>&1 && fail 'another unit is taken for the second'
grep -q 'unit 2 was not made' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
rm -rf "$units/unit-000002"
mkdir "$units/unit-000002"
echo mine >"$units/unit-000002/file"
due >"$cluster/last.txt" 2>&1 && fail 'what somebody put there is overwritten'
[ "$(cat "$units/unit-000002/file")" = mine ] || fail 'it is gone'
rm -rf "$units/unit-000002"
mv "$cluster/aside" "$units/unit-000002"

# A sealed unit is in its checkpoint's words: lost, it is named with its
# manifest, and no unit behind it waits for it.
cp "$units/unit-000001/checkpoint" "$cluster/sealed.checkpoint"
sealed=$(sha256sum "$units/unit-000001/manifest" | cut -d' ' -f1)
cluster_start
must as keeper archive.seal "as=${duty_of[keeper]}" unit=1 "manifest=$sealed"
attested=$(sed -n 2p "$node/checkpoint")
wait_for 30 covered "$((attested + 2))" || fail 'no checkpoint behind the seal'
cluster_stop || fail "the node ended with $?"
must due
mv "$units/unit-000001" "$cluster/aside"
rm -rf "$units/unit-000002"
mkdir "$units/unit-000001.part"
due >"$cluster/last.txt" 2>&1
[ $? -eq 2 ] || fail 'the exit status of what lacks a sealed unit'
grep -q "unit 1 is sealed, and is not in .* $sealed" "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
grep -q '^1 units made.* 1 sealed and not there' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
[ -f "$units/unit-000002/manifest" ] || fail 'a later unit was not made'
[ "$(find "$units" -maxdepth 1 -name '*.part' | wc -l)" -eq 0 ] ||
    fail 'a part is left'
due --json >"$cluster/last.txt" 2>/dev/null
grep -q "^{\"number\":1,.*\"$sealed\",\"missing\":true}$" "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
# Another checkpoint than its own: as without one.
due --checkpoint "$node/checkpoint" >"$cluster/last.txt" 2>&1
[ $? -eq 2 ] || fail 'the exit status with another checkpoint'
[ "$(find "$units" -maxdepth 1 -name 'unit-000001*' | wc -l)" -eq 0 ] ||
    fail 'what was made by another checkpoint is left'
# Its own: the same unit again.
must due --checkpoint "$cluster/sealed.checkpoint"
[ "$(sha256sum "$units/unit-000001/manifest" | cut -d' ' -f1)" = "$sealed" ] ||
    fail 'another manifest was made'
must due
