#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# A-12, T_R_8_2_14: two persons hide a read from the subject by a law and until
# a date.  Its count stays visible, whoever audits sees it, and it opens by
# itself; defter verify names the persons without any key.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
readonly law='Cinayət-Prosessual Məcəllə, 177' case_number=CIN-2026/4

# accesses_of NAME WORD...: as NAME sees the list.
accesses_of() {
    local name=$1
    shift
    must as "$name" --json access.list "subject=$subject" before=0 limit=50 "$@"
}
# 0x0310, section.get.
shows_the_read() {
    grep -q '"opcode":784,' "$cluster/last.txt"
}

cluster_make
cluster_start
cluster_actors
enrol head staff 1
duty head DIR 255
enrol guard staff 1
duty guard SEC
enrol registrar staff 1
duty registrar REG 255
"$DEFTER_BIN/fixture" --subjects 20 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
person owner "$subject" "$cluster/records.jsonl"

propose() {
    as guard --json access.seal_propose "as=${duty_of[guard]}" \
        "subject=$subject" organisation=1 "file_number=$case_number" \
        "until=$1" "legal_basis=$law" "basis=$basis" >"$cluster/last.txt" 2>&1
}
reads() {
    must as registrar --json section.get "as=${duty_of[registrar]}" \
        "subject=$subject" sections=all purpose=7 "file_number=$1"
}
approve() {
    as "$1" --json access.seal_approve "as=${duty_of[$1]}" seal=1 \
        "basis=$basis" >"$cluster/last.txt" 2>&1
}

# Proposed is not hidden, and nobody does both.
until=$(date -u -d '+50 seconds' +%Y-%m-%dT%H:%M:%SZ)
propose "$until" || fail "not proposed: $(cat "$cluster/last.txt")"
approve guard && fail 'the proposer approves'
approve head || fail "not approved: $(cat "$cluster/last.txt")"
reads "$case_number"
accesses_of owner
shows_the_read && fail 'the subject sees what is hidden'
grep -q '"hidden":1' "$cluster/last.txt" || fail 'the count is not visible'
grep -q "$law" "$cluster/last.txt" && fail 'the subject sees the law'

# Another case is not hidden, nor anything from whoever audits.
accesses_of auditor "as=${duty_of[auditor]}" file_number=x
shows_the_read || fail 'the auditor does not see it'
grep -q "$law" "$cluster/last.txt" || fail 'nor by which law'
must as auditor --json access.seal_list "as=${duty_of[auditor]}" \
    "subject=$subject" after=0 limit=10
for part in "$law" '"state":"live"' '"accesses":1' \
    "\"proposed_by\":${person_of[guard]}" \
    "\"decided_by\":${person_of[head]}"; do
    grep -q -F "$part" "$cluster/last.txt" || fail "no $part in the list"
done
reads OTHER-1
accesses_of owner
shows_the_read || fail 'a read of another case is hidden'

# When its time is over nobody has to do anything.
opens() {
    sleep 4 # Each look is in the list itself, and has a rate.
    accesses_of owner
    grep -q -F "$law" "$cluster/last.txt"
}
wait_for 120 opens || fail 'it does not open by itself'
[ "$(grep -o '"opcode":784,' "$cluster/last.txt" | wc -l)" -eq 2 ] ||
    fail 'not both reads are shown'
grep -q '"hidden":' "$cluster/last.txt" && fail 'something is hidden still'

# Who hid, from the log alone.
cluster_stop || fail "the node ended with $?"
"$DEFTER_BIN/defter" verify "$node" >"$cluster/verify.txt" 2>&1 ||
    fail "$(head -n 5 "$cluster/verify.txt")"
grep -q "hidden by 1  proposed by person ${person_of[guard]}, entry" \
    "$cluster/verify.txt" || fail 'verify does not say who proposed'
grep -q " approved by person ${person_of[head]}, entry" \
    "$cluster/verify.txt" || fail 'verify does not say who approved'
"$DEFTER_BIN/defter" verify "$node" --json >"$cluster/verify.txt" 2>&1
python3 - "$cluster/verify.txt" "${person_of[guard]}" "${person_of[head]}" \
    "$basis" <<'END' || fail 'the JSON is another'
import json, sys
said = json.load(open(sys.argv[1], encoding="utf-8"))
(seal,) = said["hidden"]
assert said["hidden_seals"] == 1 and seal["state"] == "approved"
assert seal["proposed"]["person"] == int(sys.argv[2])
assert seal["decided"]["person"] == int(sys.argv[3])
assert seal["proposed"]["index"] < seal["decided"]["index"]
assert seal["basis"] == sys.argv[4]
assert "lifted" not in seal
END
grep -rqa -F "$law" "$node" && fail 'the law is in the files of the node'
exit 0
