#!/usr/bin/env bash
# ctest-label: long
# ctest-timeout: 120
# No file of a node holds a name, an address, a personal number or a telephone
# in plain text: neither while it serves, nor killed, nor stopped.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

# Shorter texts would be found by chance among so many bytes.
sought() {
    sort -u "$cluster/names.txt" | awk 'length($0) > 6' >"$cluster/sought.txt"
}

# holds FOLDER: true if some text stands in some file.
holds() {
    LC_ALL=C grep -a -r -F -m 1 -o -f "$cluster/sought.txt" "$1" \
        >"$cluster/found.txt"
}

clean() {
    holds "$node" || return 0
    head -n 5 "$cluster/found.txt" >&2
    fail "plain text $1"
}

cluster_make
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 300 --provider "$tax_service" \
    --names-file "$cluster/names.txt" >"$cluster/records.jsonl" ||
    fail 'no fixture'
sought
mkdir "$cluster/plain"
cp "$cluster/records.jsonl" "$cluster/plain"
holds "$cluster/plain" || fail 'the search finds nothing where names are'

feed_items=16
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
person owner "$subject" "$cluster/records.jsonl"
must as owner section.get "subject=$subject" sections=all file_number=1
printf '+994509998877\nQonşu otaq, ikinci mərtəbə\n' >>"$cluster/sought.txt"
must as owner section.self_put "subject=$subject" expect=1 section=S05 \
    as_of=2025-07-01 'record={"contacts":[{"kind":"mobile","value":
"+994509998877","source":"self"},{"kind":"other","value":
"Qonşu otaq, ikinci mərtəbə","source":"self"}]}'
must as asker consent.ask "as=${duty_of[asker]}" "subject=$subject" purpose=7 \
    sections=S06 file_number=1 operations=view \
    "until=$(date -u -d '+10 days' +%Y-%m-%dT%H:%M:%SZ)" \
    'text=Qonşu otaq, ikinci mərtəbə'
clean 'while it serves'
cluster_kill
clean 'after it was killed'
cluster_start
cluster_stop || fail "the node ended with $?"
clean 'after it stopped'
