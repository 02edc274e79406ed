#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 90
# A granted consent whose time is over ends by itself: a reading after it is
# refused at once, and the node enters consent.end.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

consents() {
    must as owner --json consent.list "subject=$subject" side=subject state=0 \
        limit=10
}

has_ended() {
    consents
    grep -q '"state":"ended"' "$cluster/last.txt"
}

cluster_make 'commands_per_second_person = 1000'
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 20 --seed 5 --provider "$tax_service" \
    >"$cluster/fixture.jsonl"
must feed "$cluster/fixture.jsonl"
subject=$(first_individual "$cluster/fixture.jsonl")
person owner "$subject" "$cluster/fixture.jsonl"

must as asker --json consent.ask "as=${duty_of[asker]}" "subject=$subject" \
    purpose=7 sections=S06 file_number=QM-1 operations=view \
    "until=$(date -u -d '+1 day' +%FT%TZ)"
consent=$(got consent)
must as owner consent.grant "subject=$subject" expect=1 "consent=$consent" \
    sections=S06 uses_max=5 "until=$(date -u -d '+3 seconds' +%FT%TZ)" \
    operations=view after_use=destroy revocation='at any time'
must as asker consent.read "as=${duty_of[asker]}" "subject=$subject" \
    purpose=7 "consent=$consent" sections=S06 file_number=QM-1

wait_for 30 has_ended || fail 'the consent has not ended'
as asker consent.read "as=${duty_of[asker]}" "subject=$subject" \
    purpose=7 "consent=$consent" sections=S06 file_number=QM-1 \
    >"$cluster/last.txt" 2>&1 && fail 'read after its end'
grep -q NO_GRANT "$cluster/last.txt" || fail "$(cat "$cluster/last.txt")"
cluster_stop || fail "the node ended with $?"
"$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" --json verify "$node" \
    >"$cluster/verify.json"
grep -q '"consent.end":1' "$cluster/verify.json" ||
    fail 'no entry says that the consent ended'
