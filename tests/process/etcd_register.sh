#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# The register on one real etcd: every form of proposal, guards, incarnations,
# leases, the watch, compaction, silence, and a restored copy.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/etcd.sh
. tests/lib/etcd.sh
: "${DEFTER_BIN:?the folder of the programs}"

readonly cluster_id=00000000000000000000000000000000

base64_of() {
    printf %s "$1" | base64 -w0
}

# key_count PREFIX: how many keys begin with it.
key_count() {
    local from=/defter/$cluster_id/$1 end
    end=${from%/}0
    etcd_post 1 /v3/kv/range "{\"key\":\"$(base64_of "$from")\",
        \"range_end\":\"$(base64_of "$end")\",\"count_only\":true}" |
        sed 's/.*"count":"\([0-9]*\)".*/\1/;t;s/.*/0/'
}

revision_of() { # "answered TOKEN won REVISION VALUE"
    set -- $heard
    echo "$4"
}

etcd_start 1
register_open a aa ttl_s=2 poll_ms=60000
register_open b bb ttl_s=2 poll_ms=60000
# The self-test passed, and nothing was written by it.
hears a 'reached 1 '
hears a ready
hears b ready
hears a 'seen 0 - alive'
[ "$(key_count '')" = 0 ] || fail 'the self-test wrote something'

# T0: of two that bootstrap, one wins; the other is shown what stands.
says a 'cas 1 0 1 C1a'
hears a 'answered 1 won [0-9]+ C1a'
first=$(revision_of)
says b 'cas 1 0 1 C1b'
hears b "answered 1 lost $first C1a"
# Given again after it was won, it is won.
says a 'cas 2 0 1 C1a'
hears a "answered 2 won $first C1a"
# The watch told the other node, whose poll is a minute away.
register_open c cc poll_ms=60000
hears c "seen $first C1a alive"

# T8: incarnations grow; a disk that was put back is found out.
says b look
hears b 'registered 0 looked 0'
says b 'incarnation 30'
hears b 'registered 30 done 30'
says b 'incarnation 31'
hears b 'registered 31 done 31'
says b look
hears b 'registered 31 looked 31'
says b 'incarnation 31' # By the same start: it is its own.
hears b 'registered 31 done 31'
register_open back bb poll_ms=60000
hears back ready
says back 'incarnation 31'
hears back 'registered 31 higher 31'
says back 'incarnation 30'
hears back 'registered 30 higher 31'
says back 'incarnation 32'
hears back 'registered 32 done 32'
says b 'incarnation 33'
hears b 'registered 33 done 33'
register_close back
says a 'incarnation 7'
hears a 'registered 7 done 7'

# T1, T2: a change guarded by an incarnation; a wrong one settles nothing.
says a "cas 3 $first 2 C2 bb=32"
hears a "answered 3 rejected $first C1a"
says a "cas 4 $first 2 C2 bb=33"
hears a 'answered 4 won [0-9]+ C2'
second=$(revision_of)
hears c "seen $second C2 alive"
says b "cas 4 $first 2 other bb=33"
hears b "answered 4 lost $second C2"
# The guard of a node that never registered holds nobody.
says b "cas 5 $second 3 C3 dd=1"
hears b "answered 5 rejected $second C2"

# T7: a no-op that supersedes compares the revision only.
says a "cas 5 $second 3 C3"
hears a 'answered 5 won [0-9]+ C3'
third=$(revision_of)
[ "$(key_count hist/)" = 3 ] || fail 'the history has not three values'

# T3: a promotion waits until the old primary's lease is gone.
says a 'healthy 1'
hears c "seen $third C3 alive aa"
says b "cas 6 $third 4 C4 bb=33 aa=alive"
hears b "answered 6 rejected $third C3"
# It is renewed for longer than its time to live.
sleep 5
says b "cas 7 $third 4 C4 bb=33 aa=alive"
hears b "answered 7 rejected $third C3"
never_heard c "seen $third C3 alive"
# A log that does not sync is a dead primary, though it speaks.
says a 'healthy 0'
hears c "seen $third C3 alive"
says b "cas 8 $third 4 C4 bb=33 aa=alive"
hears b 'answered 8 won [0-9]+ C4'
fourth=$(revision_of)
# Alive again with a new lease; leaving in good order gives it up at once.
says a 'healthy 1'
hears c "seen $fourth C4 alive aa"
says a leave
hears c "seen $fourth C4 alive"
# T4: a restart of the primary does not ask whether it is alive.
says b 'healthy 1'
hears c "seen $fourth C4 alive bb"
says b "cas 9 $fourth 5 C5 bb=33"
hears b 'answered 9 won [0-9]+ C5'
fifth=$(revision_of)
# Somebody removed the alive key: it is put back.
etcd_post 1 /v3/kv/deleterange "{\"key\":\"$(base64_of \
    "/defter/$cluster_id/alive/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")\"}" >/dev/null
hears c "seen $fifth C5 alive"
hears c "seen $fifth C5 alive bb"
# Somebody revoked the lease behind its back: it is granted anew.
lease=$(etcd_post 1 /v3/lease/leases '{}' |
    grep -oE '"ID":"[0-9]+"' | tail -n 1 | grep -oE '[0-9]+')
etcd_post 1 /v3/lease/revoke "{\"ID\":\"$lease\"}" >/dev/null
hears c "seen $fifth C5 alive"
hears c "seen $fifth C5 alive bb"

# T5, T6 are of the same form as T1; one with two guards.
says a "cas 10 $fifth 6 C6 bb=33 aa=7"
hears a 'answered 10 won [0-9]+ C6'
sixth=$(revision_of)
# A number whose history is written is not written again.
says a "cas 11 $sixth 6 C6x bb=33"
hears a "answered 11 rejected $sixth C6"

# Compaction: who watches from before it begins anew and goes on seeing.
etcd_pause 1
says c read
hears c 'reached 0 .*'
etcd_resume 1
hears c 'reached 1 '
hears c "seen $sixth C6 alive.*"
etcd_post 1 /v3/kv/compaction "{\"revision\":\"$sixth\",\"physical\":true}" \
    >/dev/null
# A watch from before it ends at once, in the words that etcd_reply.h reads.
answer=$(etcd_post 1 /v3/watch "{\"create_request\":{\"key\":\"eA==\",
    \"start_revision\":\"1\"}}" | tail -n 1)
[[ $answer == *'"canceled":true,"compact_revision":"'* ]] ||
    fail "a compacted watch says $answer"
says a "cas 12 $sixth 7 C7"
hears a 'answered 12 won [0-9]+ C7'
seventh=$(revision_of)
hears c "seen $seventh C7 alive.*"

# Silence: unknown, and it may have been applied all the same.  Given again, it
# is settled.
register_open slow aa request_ms=500 poll_ms=60000
hears slow ready
etcd_pause 1
says slow "cas 13 $seventh 8 C8"
hears slow 'answered 13 unknown 0 -'
says slow 'incarnation 9'
hears slow 'registered 9 unknown 0'
etcd_resume 1
wait_for 60 etcd_serves 1 || fail 'etcd does not go on'
says slow "cas 14 $seventh 8 C8"
hears slow 'answered 14 won [0-9]+ C8'
eighth=$(revision_of)
says slow 'incarnation 9'
hears slow 'registered 9 done 9'
register_close slow

# The register was put back: a copy from before the last two changes.
etcd_kill 1
cp -r "$etcd/m1" "$etcd/copy"
etcd_again 1
says a "cas 15 $eighth 9 C9"
hears a 'answered 15 (won [0-9]+ C9|unknown 0 -)'
while [[ $heard == *unknown* ]]; do # It had kept a connection to the killed.
    says a "cas 15 $eighth 9 C9"
    hears a 'answered 15 (won [0-9]+ C9|unknown 0 -)'
done
ninth=$(revision_of)
says a "cas 16 $ninth 10 C10"
hears a 'answered 16 won [0-9]+ C10'
tenth=$(revision_of)
says c read
hears c "seen $tenth C10 alive.*"
etcd_kill 1
rm -rf "$etcd/m1"
mv "$etcd/copy" "$etcd/m1"
etcd_again 1
# Readings find it out, and so does a proposal, whichever comes first.
says c read
hears c "went back $tenth $eighth C8"
says a "cas 17 $tenth 11 C11"
hears a '(answered 17 unknown 0 -|went back .*)'
hears a '(answered 17 unknown 0 -|went back .*)'
grep -qx "went back $tenth $eighth C8" "$etcd/a.txt" ||
    fail 'the proposal did not find out that the register went back'
# A node that starts now, and knows what it knew, finds it out too.
register_open late ee "revision=$tenth" poll_ms=200
hears late "went back $tenth $eighth C8"
never_heard late 'seen.*'
register_close late
# The value is the same, and etcd yet an older copy: others' starts are lost.
register_open d dd poll_ms=60000
hears d "seen $eighth C8 alive.*"
etcd_kill 1
cp -r "$etcd/m1" "$etcd/copy"
etcd_again 1
for key in eA== eQ== eg==; do
    etcd_post 1 /v3/kv/put "{\"key\":\"$key\"}" >/dev/null
done
says d read
hears d "seen $eighth C8 alive.*"
etcd_kill 1
rm -rf "$etcd/m1"
mv "$etcd/copy" "$etcd/m1"
etcd_again 1
says d read
hears d "went back $eighth $eighth C8"
register_close d
register_close a
register_close b
register_close c

# No endpoint that can be meant.
for bad in http://localhost:2379 http://127.0.0.1 ftp://127.0.0.1:1 \
    http://127.0.0.1:0 http://127.0.0.1:70000 https://127.0.0.1:2379 \
    http://[::1:2379 http://a@127.0.0.1:1; do
    "$DEFTER_BIN/etcd_register" aa "$bad" >"$etcd/bad.txt" < <(:) &&
        fail "$bad was taken"
    grep -q 'not opened: USAGE' "$etcd/bad.txt" || fail "$bad: no word"
done
echo 'etcd_register: all forms'
