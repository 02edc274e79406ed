#!/usr/bin/env bash
# evidence.sh: what others can check of Defter without believing it, told in
# plain words: checkpoints that other centres signed, a proof of one receipt,
# the log as tiles, a subject's extract, and the erasure of his data.
# ./dev demo runs it behind three.sh; exit status 0: all was so.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/demo/words.sh
. tests/demo/words.sh
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

readonly started=$SECONDS
readonly origin=defter.local/log
declare -A site=([A]='the main centre' [B]='the backup centre'
    [Z]='the archive centre')

# ends_with STATUS COMMAND...: it must, and its words are kept.
ends_with() {
    local want=$1 got
    shift
    "$@" >"$cluster/last.txt" 2>&1
    got=$?
    [ $got -eq "$want" ] || {
        cat "$cluster/last.txt" >&2
        fail "exit status $got, not $want: $*"
    }
}

# Whoever verifies has the authority's key, a policy, and no connection.
verify() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" verify "$@" \
        --policy "$cluster/policy"
}

# Each node tells its key at its start, and the log holds it (node.list).
write_policy() {
    local name
    {
        printf 'log %s\n' "$(python3 tests/process/_notes.py vkey "$origin" \
            1 "$(cluster3_dir A)/log.key")"
        for name in B Z; do
            printf 'witness %s %s\n' "$name" "$(python3 \
                tests/process/_notes.py node "$(cluster3_dir "$name")" \
                "$origin")"
        done
        printf 'group centres all B Z\nquorum centres\n'
    } >"$cluster/policy"
    for name in A B Z; do
        printf '\n[evidence]\npolicy = %s/policy\n' "$cluster" \
            >>"$(cluster3_dir "$name")/defterd.conf"
    done
}

is_witnessed() {
    as operator proof --receipt "$cluster/receipts" 2>&1 |
        grep -q '(witnessed)'
}

# All that is there is below a checkpoint that all have signed.
all_is_witnessed() {
    local name size
    size=$(cluster3_figure A committed)
    for name in A B Z; do
        [ "$(sed -n 2p "$(cluster3_dir "$name")/checkpoint.witnessed")" = \
            "$size" ] || return 1
    done
}

# ---- Who signs the log -------------------------------------------------------

step 'A policy says whose word counts: the log, the backup and the archive' \
    'Kimin sözünə etibar edildiyi yazılır: jurnal, ehtiyat və arxiv mərkəzləri'
cluster3_make manual 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
write_policy
cluster3_begin
cluster_actors
erasure_actors
"$DEFTER_BIN/fixture" --subjects 200 --seed 7 --provider "$tax_service" \
    --names-file "$cluster/names.txt" >"$cluster/records.jsonl" ||
    fail 'no fixture'
must feed "$cluster/records.jsonl"
subject=$(first_individual "$cluster/records.jsonl")
person owner "$subject" "$cluster/records.jsonl"
show "$cluster/policy"
tell 'Three nodes, with the records of 200 businesses; nobody in them exists.'

step 'The main centre signs the head of the log; the two others sign it too' \
    'Əsas mərkəz jurnalı imzalayır; digər iki mərkəz də imzalayır'
must as operator --receipts "$cluster/receipts" system.ping text=kept
wait_for 30 is_witnessed || fail 'the checkpoint is not cosigned'
show "$(cluster3_dir A)/checkpoint.witnessed" .
tell 'Name, size and root of the log, and three signatures. Each centre signs' \
    'only what its own disk holds: to show two readers two logs, all must lie.'

step 'A receipt becomes a proof that anybody can check, years later, offline' \
    'Qəbz hər kəsin istənilən vaxt oflayn yoxlaya bildiyi sübuta çevrilir'
proof=$cluster/ping.tlog-proof
must as operator proof --receipt "$cluster/receipts" --out "$proof"
tell "$(cat "$cluster/last.txt")"
ends_with 0 verify "$proof"
show "$cluster/last.txt" '^[a-z]|^  (entry|index|checkpoint|cosigned|covered)'
ends_with 0 python3 tests/second/verify_log.py proof "$proof" \
    --policy "$cluster/policy"
tell 'Another verifier, written in Python from the documents, agrees.'

step 'The whole log as files that tools of others read, and verified as such' \
    'Bütün jurnal başqa alətlərin oxuduğu fayllara yazılır və yoxlanılır'
tree=$cluster/tree
ends_with 0 "$DEFTER_BIN/defter" export tiles "$(cluster3_dir B)" "$tree"
tell "$(find "$tree" -type f | wc -l) files, made from the backup's copy"
ends_with 0 verify "$tree"
show "$cluster/last.txt" '^[a-z]|^  (entries|covered|checkpoint|cosigned)'
tile=$(find "$tree/tile/0" -type f | sort | head -n 1)
flip "$tile" 100
ends_with 1 verify "$tree"
tell 'One byte of a tile is changed:'
show <(head -n 3 "$cluster/last.txt")

# ---- A signed extract --------------------------------------------------------

step 'A subject has a signed extract issued, through the portal' \
    'Subyekt portal vasitəsilə imzalanmış çıxarış alır'
whole=$cluster/whole.extract
must through portal owner extract issue --subject "$subject" \
    --sections S01,S06 --out "$whole"
must "$DEFTER_BIN/defter" extract show "$whole"
show <(head -n 16 "$cluster/last.txt")

step 'Whoever is given it verifies it, without asking anybody' \
    'Onu alan hər kəs heç kimə müraciət etmədən yoxlayır'
ends_with 0 verify "$whole"
show
ends_with 0 python3 tests/second/verify_extract.py "$whole" --authority \
    "$(sed -n 's|^authority *= *||p' "$cluster/c/cluster.conf")" \
    --policy "$cluster/policy"
tell 'The other verifier agrees: it was issued so, at that place of the log.'

step 'One byte is changed: it is tampered with, and the line is named' \
    'Bir bayt dəyişdirilir: saxtalaşdırma və sətri göstərilir'
sed 's/class number \([0-9]\)/class number 4/' "$whole" \
    >"$cluster/forged.extract"
[ "$(cmp -l "$whole" "$cluster/forged.extract" | wc -l)" -eq 1 ] ||
    fail 'not one byte was changed'
ends_with 1 verify "$cluster/forged.extract"
show "$cluster/last.txt" tampered

step 'The subject keeps back who he is: what is left is still true' \
    'Subyekt kim olduğunu gizlədir: qalan hissə yenə doğrudur'
some=$cluster/some.extract
must "$DEFTER_BIN/defter" extract redact "$whole" --hide S01 --out "$some"
ends_with 0 verify "$some"
show

step 'A section changes: the extract was true then, and is superseded now' \
    'Bölmə dəyişir: çıxarış o vaxt doğru idi, indi isə qüvvəsini itirib'
grep "\"subject\":\"$subject\",\"section\":\"S06\"" "$cluster/records.jsonl" |
    sed 's/"employees":"\{0,1\}[0-9]*"\{0,1\}/"employees":"3"/' \
        >"$cluster/change.jsonl"
must feed "$cluster/change.jsonl"
ends_with 2 as asker verify "$some" --policy "$cluster/policy" --online
show "$cluster/last.txt" 'true|superseded'
must as owner access.list "subject=$subject" limit=5
grep -q extract.verify "$cluster/last.txt" || fail 'the asking is not seen'
tell 'The subject sees in his list that somebody asked.'

# ---- Erasure -----------------------------------------------------------------

step 'His term has ended: one person proposes to destroy his data' \
    'Saxlama müddəti bitib: bir şəxs məlumatların məhvini təklif edir'
cluster3_await 60 || fail 'the nodes do not hold the same'
for name in A B Z; do
    erasure_find_keys "$(cluster3_dir "$name")" "$subject"
done
grep "\"subject\":\"$subject\"" "$cluster/records.jsonl" |
    grep -o -F -f "$cluster/names.txt" | awk 'length($0) > 6' | sort -u \
    >"$cluster/his.txt"
cat "$cluster/his.txt" >>"$cluster/wanted.txt"
disks=("$(cluster3_dir A)" "$(cluster3_dir B)" "$(cluster3_dir Z)")
ends_with 1 python3 tests/process/_raw_search.py "$cluster/wanted.txt" \
    "${disks[@]}"
! grep -v '/keyring\.db' "$cluster/last.txt" || fail 'something is in plain'
tell "$(wc -l <"$cluster/his.txt") names and numbers of his, in plain: on no \
disk; the keys that open them: in" \
    "$(grep -c keyring.db "$cluster/last.txt") places of three disks."
must as officer --json destroy.propose "as=${duty_of[officer]}" \
    keys=record+evidence 'ground=retention ended' "basis=$basis" \
    "subjects={subject=$subject}"
act=$(got act)
proposer=${duty_of[officer]}
duty officer DIR 255
refused SELF_APPROVE as officer destroy.approve "as=${duty_of[officer]}" \
    "act=$act" "basis=$basis"
show
tell 'He holds the duty of the head as well, and still may not approve it.'

step 'The head approves it, and the archivist executes it: three persons' \
    'Rəhbər təsdiq edir, arxivçi icra edir: üç ayrı şəxs'
must as head destroy.approve "as=${duty_of[head]}" "act=$act" "basis=$basis"
must as keeper destroy.execute "as=${duty_of[keeper]}" "act=$act"
duty_of[officer]=$proposer
wait_for 60 destroy_is_confirmed || fail "not confirmed: $(cat \
    "$cluster/act.txt")"
must as officer destroy show "$act" "as=${duty_of[officer]}"
show "$cluster/last.txt" "state|ground|(proposed|decided|ordered)_by|erased  |\
subjects|$subject|confirmed  | node  |^ *[0-9a-f]{32} "
tell 'The certificate: each of the three nodes has confirmed with an entry.'

step 'His names, and the keys that open them, are on no disk' \
    'Adlar və onları açan açarlar heç bir diskdə yoxdur'
nothing_left "${disks[@]}"
tell "$(wc -l <"$cluster/wanted.txt") byte strings sought in all files of \
three nodes: none is there"
enrol registrar staff 1
duty registrar REG 255
refused ERASED as registrar section.get "as=${duty_of[registrar]}" \
    "subject=$subject" purpose=7 sections=S01 file_number=1
show
tell 'The entries stay, and say who entered what kind of thing and when; what' \
    'it was, nobody can open any more, in any copy of the log.'
must as operator --receipts "$cluster/receipts" system.ping text=last

step 'Stop all: the three logs still verify, and so does his extract' \
    'Qovşaqlar dayandırılır: jurnallar və çıxarış yenə yoxlamadan keçir'
cluster3_await 60 || fail 'the nodes do not hold the same'
sleep 2 # The last outcomes are attested within a second; no command follows.
wait_for 30 all_is_witnessed || fail 'the checkpoint is not cosigned'
for name in A B Z; do
    kill -TERM "${cluster3_pid[$name]}"
done
for name in A B Z; do
    cluster3_reap "$name" || fail "node $name ended with $?"
    ends_with 0 verify "$(cluster3_dir "$name")"
    tell "${site[$name]}: $(sed -n 's/^  entries *\([0-9]*\).*/\1/p' \
        "$cluster/last.txt") entries, $(head -n 1 "$cluster/last.txt");\
$(sed -n 's/.*cosigned by/ cosigned by/p' "$cluster/last.txt")"
done
ends_with 0 verify "$some"
show "$cluster/last.txt" 'true|kept back'
tell 'What he was given stays true as it was issued; what he kept back in it,' \
    'nobody can open.'

printf '\nDone in %d s: all of it was so.\n' $((SECONDS - started))
