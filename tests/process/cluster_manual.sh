#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 240
# Three nodes and the operator: the first one begins alone, the others become
# members by certificates that the archive countersigns, the primary is killed
# under load and the backup promoted, what is unlawful is refused, the old one
# is taken in again and led back to by a switchover.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

# hand_in NODE FILE: as a file, as where no client's port can be reached.
hand_in() {
    cp "$2" "$(cluster3_dir "$1")/half"
    mv "$(cluster3_dir "$1")/half" "$(cluster3_dir "$1")/incoming.certificate"
}

cluster3_make manual 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
grep -q 'An archive must countersign' "$cluster/add-B.txt" ||
    fail 'no archive is asked'
cluster3_load --clients 4 --pace 10
cluster3_await_acked 100

# Whom the operator has named, and then not signed for, must hold everything as
# well: when it goes, the primary waits until that is settled.
archive=${cluster3_id[Z]}
cluster3_operator_exits 0 member remove "$archive"
is_named() {
    (cd "$cluster/c" && "$DEFTER_BIN/defter" --cluster cluster.conf \
        --key operator.key member add "$archive") </dev/null \
        >"$cluster/said.txt" 2>&1
    grep -q 'nothing was signed' "$cluster/said.txt"
}
wait_for 30 is_named || {
    cat "$cluster/said.txt" >&2
    fail 'Z is not named to the primary'
}
cluster3_pause Z
wait_for 30 cluster3_line_of A 'defter member settle' ||
    fail 'A does not say that it waits for a node that was named'
status_names_settling() {
    (cd "$cluster/c" && "$DEFTER_BIN/defter" --cluster cluster.conf \
        --key operator.key status) </dev/null >"$cluster/said.txt" 2>&1
    grep -q 'defter member settle' "$cluster/said.txt"
}
wait_for 30 status_names_settling || {
    cat "$cluster/said.txt" >&2
    fail 'the status does not name what ends the stall'
}
cluster3_cont Z # Its signature is needed, too.
cluster3_operator_exits 0 member settle
grep -q 'Nobody joins or leaves' "$cluster/said.txt" ||
    fail 'it is not said what settling is'
cluster3_pause Z
cluster3_await_acked 50
cluster3_cont Z
wait_for 30 cluster3_added Z || {
    cat "$cluster/add-Z.txt" >&2
    fail 'Z is not a member again'
}

# A primary that leads is not deposed.
cluster3_operator_exits 1 promote "${cluster3_id[B]}"
# What was changed on its way is not taken, nor what is old.
certificate=$(find "$cluster/c" -name '2-*.certificate')
python3 - "$certificate" "$cluster/changed" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
END
hand_in B "$cluster/changed"
wait_for 30 test -e "$(cluster3_dir B)/refused.certificate" ||
    fail 'a changed certificate is not refused'
cmp -s "$(cluster3_dir B)/refused.certificate" "$cluster/changed" ||
    fail 'another certificate was refused'
rm "$(cluster3_dir B)/refused.certificate"
hand_in A "$certificate"
certificate_is_gone() {
    [ ! -e "$(cluster3_dir A)/incoming.certificate" ]
}
wait_for 30 certificate_is_gone || fail 'a certificate is not looked at'
cluster3_await_acked 20

cluster3_resend_begin
cluster3_kill A
cluster3_operator_exits 0 promote "${cluster3_id[B]}"
# It never decides by itself that a copy fewer is enough.
is_removed() {
    cluster3_remove A >"$cluster/said.txt" 2>&1
}
wait_for 60 is_removed || {
    cat "$cluster/said.txt" >&2
    fail 'A is not removed'
}
wait_for 60 cluster3_leads || fail 'nobody leads'
[ "$(cluster3_primary)" = B ] || fail 'not the promoted one leads'
cluster3_await_acked 100
cluster3_resend_end

cluster3_start A
wait_for 60 cluster3_added A || {
    cat "$cluster/add-A.txt" >&2
    fail 'A is not taken in again'
}
wait_for 60 cluster3_in_sync A || fail 'A is not a member again'
cluster3_await_acked 50
cluster3_operator_exits 0 switchover "${cluster3_id[A]}"
leads_again() {
    [ "$(cluster3_primary)" = A ]
}
wait_for 60 leads_again || fail 'A does not lead after the switchover'
cluster3_await_acked 100
wait_for 60 cluster3_in_sync B || cluster3_added B
cluster3_load_end
cluster3_finish
