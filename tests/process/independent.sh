#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# A verifier made from the documents alone, in Python, comes to the same log as
# `defter verify`, and both refuse every changed copy.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

cluster_make
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 20 --bad 4 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
feed_items=16
# Some of the records are bad: they are refused, the rest is taken.
feed "$cluster/records.jsonl" >"$cluster/last.txt" 2>&1
[ $? -eq 1 ] || fail "$(cat "$cluster/last.txt")"
subject=$(first_individual "$cluster/records.jsonl")

# Somebody without a grant is refused, and that is an entry as well.
as stranger section.get "as=${duty_of[stranger]}" "subject=$subject" \
    sections=S01 purpose=7 file_number=1 >"$cluster/refused.txt" 2>&1 &&
    fail 'a stranger was not refused'

# Nor does somebody attest or begin a term who is no node: that does not even
# become an entry.
zeros=$(printf '%064d' 0)
refusal='refusals={index=1,item=0,code=210}'
for words in "system.attest first=0 last=1 root=$zeros digest=$zeros $refusal" \
    'system.epoch epoch=9 configuration='; do
    # shellcheck disable=SC2086
    as operator $words >"$cluster/refused.txt" 2>&1
    grep -q '^NO_DUTY' "$cluster/refused.txt" ||
        fail "${words%% *} was not refused"
done
cluster_kill
cluster_start

# A key takes another's place, signs, and is revoked.
must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    keygen "$keys/next.key"
must "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" \
    prove "$keys/next.key" --as auditor --organisation 1 \
    --person "${person_of[auditor]}"
words=$(grep -oE '(public_key|proof)=[0-9a-f]+' "$cluster/last.txt")
# shellcheck disable=SC2086
must as auditor --json key.rotate $words
key_of[next]=$(got key_id)
role_of[next]=auditor
must as next system.ping text=new
must as operator system.ping text=old
must as next key.revoke "key_id=${key_of[next]}" reason=left \
    compromised_at=none note=
cluster_stop || fail "the node ended with $?"

PYTHONPATH=tests/process python3 tests/process/_independent.py \
    "$cluster/c/cluster.conf" "$node" || fail 'they do not agree'
