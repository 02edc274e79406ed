#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 240
# Every member is gone: of three nodes two are destroyed, the third has lost the
# end of its log.  It is forced, leads a new lineage by itself, takes commands,
# and goes on after a restart; the log verifies and names what was lost.  The
# old primary's disk comes back, and is kept apart; an empty disk joins.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/forced.sh
. tests/lib/forced.sh

cluster3_make manual
cluster3_begin
for text in 1 2 3 4 5; do
    ping $text
done
cluster3_await 60 || fail 'not all hold the same'
first_lineage=$(cluster3_figure B lineage)
for name in "${cluster3_nodes[@]}"; do
    cluster3_kill "$name"
done
mv "$(cluster3_dir A)" "$cluster/kept-A"
mv "$(cluster3_dir Z)" "$cluster/kept-Z"
# The last entry rots on the only disk that is left.
python3 - "$(cluster3_dir B)"/log <<'END'
import os, sys
folder = sys.argv[1]
path = max(os.path.join(folder, name) for name in os.listdir(folder)
           if name.endswith(".seg"))
with open(path, "r+b") as file:
    data = file.read()
    end = len(data.rstrip(b"\0"))
    file.seek(end - 40)
    file.write(bytes([data[end - 40] ^ 1]))
END

# ---- Forced ------------------------------------------------------------------

cluster3_start B
said_in_time B 'is now lost'
wait_for 60 test "$(cluster3_figure B role)" = lost
cluster3_operator_exits 1 promote "${cluster3_id[B]}"
says 'lacks entries that it had acknowledged'
force B 'a wrong name' --minimum 1
[ $? -eq 1 ] || fail 'forced on a wrong name'
says 'leads alone, with the'
says 'LOST for certain: the committed entries from'
says 'No node of the old lineage is ever spoken with again'
[ -z "$(find "$cluster/c" -name '*-*.certificate' -newer "$cluster/B.txt")" ] ||
    fail 'signed on a wrong name'
force B "$(sed -n 's/.*name, \(.*\), to sign.*/\1/p' "$cluster/said.txt")" \
    --minimum 1 || {
    cat "$cluster/said.txt" >&2
    fail 'not forced'
}
says 'took it'
forced=$(sed -n 's/^The certificate: //p' "$cluster/said.txt")
forced=$cluster/c/${forced##*/}
said_in_time B 'begins anew in its new lineage'
serves after
[ "$(cluster3_primary)" = B ] || fail 'not the forced one leads'
lineage=$(cluster3_figure B lineage)
[ -n "$lineage" ] && [ "$lineage" != "$first_lineage" ] ||
    fail 'the status shows no other lineage'
[ "$(cluster3_figure B epoch)" -gt 4096 ] || fail 'not an epoch of the grant'

cluster3_kill B
cluster3_start B
serves 'after a restart'
[ "$(cluster3_figure B lineage)" = "$lineage" ] || fail 'the lineage is gone'
cluster3_operator_exits 0 certificate deliver "$forced" # The same once more.

# ---- The log -----------------------------------------------------------------

verify B
says 'FORCED       entry'
says 'lost         entries'
says "lineage      $lineage"
verify B --json
python3 - "$cluster/said.txt" "$lineage" <<'END' || fail 'the JSON is another'
import json, sys
said = json.load(open(sys.argv[1], encoding="utf-8"))
(forced,) = said["forced"]
assert forced["lineage"] == sys.argv[2] and forced["lost"] >= 1
assert said["first_bad"] is None and forced["index"] < said["entries"]
END

# ---- The old primary's disk comes back ---------------------------------------

mv "$cluster/kept-A" "$(cluster3_dir A)"
cluster3_start A
said_in_time A "node ${cluster3_id[B]} is of another lineage (${lineage:0:16}"
said_in_time B "node ${cluster3_id[A]} is of another lineage"
[ "$(cluster3_figure A lineage)" = "$first_lineage" ] ||
    fail 'the old primary is of another lineage than it was'
cp "$forced" "$cluster/half"
mv "$cluster/half" "$(cluster3_dir A)/incoming.certificate"
wait_for 60 test -e "$(cluster3_dir A)/refused.certificate" ||
    fail 'the old primary takes the certificate'
said_in_time A 'is refused: this node leads in its lineage'
cluster3_stop A

# ---- An empty disk joins -----------------------------------------------------

mkdir -m 0700 "$(cluster3_dir Z)"
cp -a "$cluster/new-Z/." "$(cluster3_dir Z)"
cp "$cluster/kept-Z/defterd.conf" "$(cluster3_dir Z)"
cp "$forced" "$(cluster3_dir Z)/incoming.certificate"
cluster3_start Z
said_in_time Z 'begins anew in its new lineage'
wait_for 60 test -e "$(cluster3_dir Z)/taken.certificate" ||
    fail 'the certificate is not said to be taken'
wait_for 60 cluster3_added Z || {
    cat "$cluster/add-Z.txt" "$cluster/Z.txt" >&2
    fail 'the empty disk does not join'
}
ping 'with a second copy'
same_size() {
    [ "$(cluster3_figure Z committed)" = "$(cluster3_figure B committed)" ]
}
wait_for 60 same_size || fail 'the empty disk does not hold the same'
cluster3_stop B || fail 'B does not drain'
cluster3_stop Z || fail 'Z does not drain'
verify Z
says 'FORCED       entry'
exit 0
