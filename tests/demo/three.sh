#!/usr/bin/env bash
# three.sh: three nodes of Defter that keep one log, told in plain words: the
# one that leads is killed under load, and nothing that was acknowledged is
# lost.  ./dev demo runs it behind demo.sh; exit status 0: all was so.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export CLUSTER3_LOCAL=1
# shellcheck source=tests/demo/words.sh
. tests/demo/words.sh
# shellcheck source=tests/lib/cluster3.sh
. tests/lib/cluster3.sh
# shellcheck source=tests/lib/cluster3_load.sh
. tests/lib/cluster3_load.sh

readonly started=$SECONDS
declare -A site=([A]='the main centre' [B]='the backup centre'
    [Z]='the archive centre')

show_status() {
    as operator status >"$cluster/last.txt" 2>&1
    show <(sed -n '1,/^$/p' "$cluster/last.txt") .
}

# The files of the log are the same in all three, whether sealed or not.
files_are_equal() {
    local file
    for file in "$(cluster3_dir A)"/log/*.seg; do
        cmp -s "$file" "$(cluster3_dir B)/log/${file##*/}" &&
            cmp -s "$file" "$(cluster3_dir Z)/log/${file##*/}" || return 1
    done
}

if ! command -v etcd >/dev/null; then
    tell 'etcd is not installed: three nodes cannot be shown to fail over.'
    exit 0
fi

step 'Three nodes keep one log; three members of etcd decide which one leads' \
    'Üç qovşaq bir jurnalı saxlayır; hansının əsas olduğunu etcd müəyyən edir'
cluster3_make etcd 'connections_per_person = 100' \
    'commands_per_second_person = 1000000'
cluster3_begin
old=$(cluster3_primary)
tell "Made by \`defter init\` and \`defter node new\`; ${site[$old]} leads."
tell 'The ministry gave a standing order: another node may serve the registry' \
    'at once, and the log will tell of it.'
show_status

step 'Clients send commands and keep the signed receipts' \
    'Müştərilər əmrlər göndərir və imzalanmış qəbzləri saxlayır'
cluster3_load --clients 8
cluster3_await_acked 2000
tell "$(cluster3_acked) commands are acknowledged: each is on the disks of" \
    'at least two sites.'

step 'Another client sends a command, and its answer is lost on the way' \
    'Daha bir müştərinin əmri göndərilir, cavabı isə yolda itir'
cluster3_resend_begin

step "Kill the node that leads (SIGKILL) while all of them go on" \
    'Yük altında əsas qovşaq qəfil dayandırılır (SIGKILL)'
before=$(cluster3_acked)
cluster3_kill "$old"
wait_for 60 cluster3_leads || fail 'nobody leads'
new=$(cluster3_primary)
[ "$new" != "$old" ] || fail 'a dead node leads'
tell "${site[$new]} leads now; nobody was asked."
show_status

step 'The clients go on by themselves, with the same signed bytes' \
    'Müştərilər eyni imzalanmış baytlarla özləri davam edir'
cluster3_await_acked 1000
tell "$(cluster3_acked) acknowledged, $(($(cluster3_acked) - before)) of them \
since the kill"
cluster3_resend_end
tell 'The command whose answer was lost is sent again, to the new primary:'
show "$cluster/resend.txt"
tell 'It is the entry that it was, and no second one.'

step 'The killed node comes back, catches up, and is a member again' \
    'Dayandırılmış qovşaq qayıdır, çatışmayanı alır və yenidən üzv olur'
cluster3_start "$old"
wait_for 60 cluster3_in_sync "$old" || fail "$old is not a member again"
[ "$(cluster3_primary)" = "$new" ] || fail "$old took the lead"
tell "$(grep 'log: ' "$cluster/$old.txt" | tail -n 1 | sed 's/.*note: //')"
cluster3_await_acked 500
cluster3_load_end >"$cluster/last.txt"
show
cluster3_await 60 || fail 'the nodes do not come to hold the same'
show_status

step 'The files of the three logs are the same, byte for byte' \
    'Üç jurnalın faylları bayt-bayt eynidir'
wait_for 30 files_are_equal || fail 'the logs differ'
sealed=$(cluster3_sealed "$old" | wc -l)
tell "$(find "$(cluster3_dir A)/log" -name '*.seg' | wc -l) segments of 64 MiB,\
 $sealed of them sealed; of the one in use all that is written"

step 'Stop all; hold what clients saw, and every receipt, against each log' \
    'Müştərilərin gördükləri və bütün qəbzlər hər jurnalla tutuşdurulur'
cluster3_finish >"$cluster/last.txt" || exit 1
show
for name in A B Z; do
    tell "${site[$name]}: $(sed -n \
        's/.*"verdict":"\([a-z]*\)".*/the verifier finds no fault (\1)/p' \
        "$cluster/verify-$name.json")"
done
tell 'Nothing that was acknowledged is lost, and nothing is there twice.'

printf '\nDone in %d s: all of it was so.\n' $((SECONDS - started))
[ -z "${STEPS_FILE-}" ] || echo $steps >"$STEPS_FILE"
