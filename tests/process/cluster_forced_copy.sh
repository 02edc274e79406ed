#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 180
# Every member is gone but for a copy of the archive's log, which is laid to a
# node that may lead and has less: that one is forced on the copy.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh

is_lost() {
    [ "$(cluster3_figure B role)" = lost ]
}

cluster3_make manual
cluster3_begin
must as operator --json system.ping text=before
cluster3_await 60 || fail 'not all hold the same'
cluster3_kill B
# Nothing is acknowledged without B; who is to go on with less is the operator's
# to say.
is_removed() {
    cluster3_remove B >"$cluster/said.txt" 2>&1
}
wait_for 60 is_removed || fail 'B is not removed'
cluster3_start B # A learner knows the newest configuration.
knows() {
    [ "$(cluster3_figure B configuration)" = \
        "$(cluster3_figure A configuration)" ]
}
wait_for 60 knows || fail 'B does not learn the configuration'
cluster3_kill B
must as operator --json system.ping text=without
copied() {
    [ "$(cluster3_figure Z committed)" = "$(cluster3_figure A committed)" ]
}
wait_for 60 copied || fail 'the archive is behind'
size=$(cluster3_figure Z size)
cluster3_kill A
cluster3_kill Z
rm -rf "$(cluster3_dir A)"
mv "$(cluster3_dir Z)" "$cluster/copy"

# What OPERATING says: log, keyring and its key are the copy's.
(
    cd "$(cluster3_dir B)" || exit 1
    mkdir "$cluster/aside"
    mv log mark keyring.db* keyring.key state.db* "$cluster/aside"
    cp -a "$cluster/copy"/{log,keyring.key} "$cluster/copy"/keyring.db* .
) || fail 'the copy was not laid there'
cluster3_start B
wait_for 60 is_lost || {
    cat "$cluster/B.txt" >&2
    fail 'B does not say that it is lost'
}
[ "$(cluster3_figure B size)" -ge "$size" ] || fail 'the copy is shorter'
(cd "$cluster/c" && echo defter.local/log | "$DEFTER_BIN/defter" \
    --cluster cluster.conf --key operator.key force "${cluster3_id[B]}" \
    --minimum 1 --authority authority/authority.key) \
    >"$cluster/said.txt" 2>&1 || {
    cat "$cluster/said.txt" >&2
    fail 'not forced'
}
wait_for 60 cluster3_leads || {
    cat "$cluster/B.txt" >&2
    fail 'B does not lead'
}
must as operator --json system.ping text=after
cluster3_stop B || fail 'B does not drain'
cluster3_start B
wait_for 60 cluster3_leads || fail 'B does not lead after a restart'
must as operator --json system.ping text='after a restart'
cluster3_stop B || fail 'B does not drain'
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    verify "$(cluster3_dir B)" >"$cluster/said.txt" 2>&1
[ $? -ne 1 ] && grep -q "FORCED       entry" "$cluster/said.txt" || {
    cat "$cluster/said.txt" >&2
    fail 'the log does not verify'
}
exit 0
