#!/usr/bin/env bash
# demo.sh: one node of Defter at work, told in plain words: from an empty folder
# to a log that a stranger verifies.  ./dev demo builds and runs it.
#
#   demo.sh [SUBJECTS]      20 000 unless said; exit status 0: all was so
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/demo/words.sh
. tests/demo/words.sh
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh

readonly subjects=${1:-20000}
readonly started=$SECONDS

figure() {
    as operator status | sed -n "s/^$1  *//p"
}

verify() {
    "$DEFTER_BIN/defter" --cluster "$cluster/c/cluster.conf" verify "$@" \
        >"$cluster/last.txt" 2>&1
}

# ---- A cluster, its people, its data ---------------------------------------

step 'Make the keys and the genesis of a new cluster' \
    'Yeni klasterin açarları və ilk qeydi yaradılır'
cluster_make
tell "$(sed -n 1p "$cluster/init.txt" | sed 's/ in .*//')" \
    'The authority key would now go offline; the node does not need it.'

step 'Start the node' 'Qovşaq işə salınır'
cluster_start
tell "$(tail -n 1 "$cluster/node.txt" | cut -d' ' -f 2-)"

step 'Enrol organisations, people and duties' \
    'Təşkilatlar, şəxslər və vəzifələr qeydə alınır'
cluster_actors
tell "$tax_service: a body with its own system, feeds through EHIS" \
    'a support institution: will ask a subject for consent' \
    'another body: has no consent of anybody' \
    'Every duty was assigned by one person and acknowledged by another.'

step 'An assignment that nobody acknowledged has no effect' \
    'Qəbul olunmamış vəzifənin qüvvəsi yoxdur'
enrol clerk staff 1
must as operator --json duty.assign as=1 "person=${person_of[clerk]}" \
    organisation=1 duty=REG scope=0 from=2020-01-01 to=none "basis=$basis"
clerk_duty=$(got assignment)
refused NO_DUTY as clerk subject.find "as=$clerk_duty" purpose=7 text=a limit=1
show

step "Make $subjects subjects and their records" \
    "$subjects subyektin məlumatları hazırlanır"
"$DEFTER_BIN/fixture" --subjects "$subjects" --seed 2024 \
    --provider "$tax_service" --names-file "$cluster/names.txt" \
    >"$cluster/first.jsonl" || fail 'no fixture'
tell "$(wc -l <"$cluster/first.jsonl") records; nobody in them exists"
show <(head -n 2 "$cluster/first.jsonl")

step 'Feed them: 64 records a signature, over the EHIS gateway' \
    'Məlumatlar EHİS şlüzü ilə, imzalanmış hissələrlə yüklənir'
feed "$cluster/first.jsonl" | tee "$cluster/last.txt" | sed 's/^/    /'
grep -q ' 0 refused' "$cluster/last.txt" || fail 'the feed was not taken'

# ---- A consent, from ask to spent --------------------------------------------

subject=$(first_individual "$cluster/first.jsonl")
person owner "$subject" "$cluster/first.jsonl"
soon=$(date -u -d '+10 days' +%Y-%m-%dT%H:%M:%SZ)

step 'The institution asks a subject for its size class and support received' \
    'Qurum subyektdən ölçü meyarı və alınmış dəstək üzrə razılıq istəyir'
must as asker --json consent.ask "as=${duty_of[asker]}" "subject=$subject" \
    purpose=7 sections=S06+S10 file_number=QM-2026/14 operations=view \
    "until=$soon" 'text=Qrant müsabiqəsi üçün'
consent=$(got consent)
must as owner --json consent.list "subject=$subject" side=subject state=0 \
    limit=5
tell "the subject finds it in his list: $(got asked), “$(got text)”"

step 'The subject narrows it to the size class, once' \
    'Subyekt razılığı yalnız ölçü meyarı ilə, bir dəfəlik məhdudlaşdırır'
must as owner consent.grant "subject=$subject" expect=1 "consent=$consent" \
    sections=S06 uses_max=1 "until=$soon" operations=view after_use=destroy \
    'revocation=istənilən vaxt'
show

step 'The institution reads it' 'Qurum məlumatı oxuyur'
must as asker consent.read "as=${duty_of[asker]}" "subject=$subject" \
    purpose=7 "consent=$consent" sections=S06 file_number=QM-2026/14
show "$cluster/last.txt" 'OK|uses_left|section|class|employees|income'

step 'It reads again: the consent is spent' \
    'Təkrar oxuma: razılıq artıq istifadə olunub'
refused NO_GRANT as asker consent.read \
    "as=${duty_of[asker]}" "subject=$subject" purpose=7 "consent=$consent" \
    sections=S06 file_number=QM-2026/14
show

step 'Another body tries without any consent' \
    'Razılığı olmayan başqa qurum cəhd edir'
refused NO_GRANT as stranger section.get "as=${duty_of[stranger]}" \
    "subject=$subject" purpose=7 sections=S10 file_number=1
show

step 'The subject sees all of it: ask, grant, read, and both denials' \
    'Subyekt hamısını görür: sorğu, razılıq, oxuma və hər iki imtina'
must as owner access.list "subject=$subject" limit=20
awk '
    $8 ~ /^(consent\.(ask|grant|read)|section\.get)$/ {
        who = $4 > 0 ? "organisation " $4 : "the subject"
        printf "%s  %-15s %-13s %-8s %s\n", substr($3, 1, 19), who, $8, $9,
            $12
    }' "$cluster/last.txt" >"$cluster/seen.txt"
show "$cluster/seen.txt"
[ "$(wc -l <"$cluster/seen.txt")" -eq 5 ] || {
    cat "$cluster/last.txt" >&2
    fail 'the subject does not see all of it'
}

# ---- Power off ---------------------------------------------------------------

step 'Kill the node (SIGKILL) while another feed is running' \
    'Yükləmə zamanı qovşaq qəfil dayandırılır (SIGKILL)'
more=$((subjects < 10000 ? 5000 : subjects / 2))
"$DEFTER_BIN/fixture" --subjects $more --first "$subjects" \
    --seed 2024 --provider "$tax_service" \
    >"$cluster/second.jsonl" || fail 'no fixture'
receipts=$cluster/receipts
feed "$cluster/second.jsonl" --receipts "$receipts" \
    >"$cluster/feed.txt" 2>&1 &
feed_pid=$!
cluster_pids+=("$feed_pid")
has_receipts() {
    [ -f "$receipts" ] && [ "$(stat -c %s "$receipts")" -gt 20000 ]
}
wait_for 60 has_receipts || fail 'the feed does not begin'
cluster_kill
kill -0 "$feed_pid" 2>/dev/null || fail 'the feed ended before the kill'
tell "killed; the feeder holds $(($(stat -c %s "$receipts") / 392)) signed \
receipts, and waits"

step 'Start the node again; the feed goes on by itself' \
    'Qovşaq yenidən işə salınır; yükləmə özü davam edir'
cluster_start
tell "$(sed -n 's/^[^ ]* [a-z]*: log: //p' "$cluster/node.txt")"
wait "$feed_pid" || {
    cat "$cluster/feed.txt" >&2
    fail 'the feed did not go on'
}
sed 's/^/    /' "$cluster/feed.txt"
records=$(wc -l <"$cluster/second.jsonl")
grep -q " $records records put, $records committed, 0 refused" \
    "$cluster/feed.txt" || fail 'records are missing, or doubled'
tell "all $records records, each once"

# ---- The log, read by a stranger ---------------------------------------------

step 'Stop the node in good order' 'Qovşaq qaydasında dayandırılır'
entries=$(figure log.entries)
cluster_stop || fail 'the node did not stop as it should'
tell "$entries entries in $(du -sh "$node/log" | cut -f 1)"

step 'Verify the whole log offline, and that no receipt names a lost entry' \
    'Bütün jurnal oflayn yoxlanılır; təsdiqlənmiş heç nə itməyib'
verify --receipts "$receipts" "$node"
status=$?
show "$cluster/last.txt" '^[a-z]|^  (entries|attested|receipts|covered|head)'
[ $status -eq 0 ] || fail "verify ended with $status"
held=$(($(stat -c %s "$receipts") / 392))
grep -q "^  receipts  *$held held" \
    "$cluster/last.txt" || fail 'a receipt was not held against the log'
tell 'No fault; the checkpoint that the node signed last vouches for the end.' \
    'So far it is the word of one node alone: others sign it further below.'

step 'Flip one bit in a copy of the log: the verifier says where' \
    'Jurnalın surətində bir bit dəyişdirilir: yoxlama yerini göstərir'
cp -r "$node" "$cluster/copy"
segment=$(find "$cluster/copy/log" -type f | sort | head -n 1)
flip "$segment" 1000000
tell "byte 1000000 of $(basename "$segment")"
verify "$cluster/copy"
status=$?
show <(head -n 3 "$cluster/last.txt")
[ $status -eq 1 ] || fail "the change was not caught ($status)"

step 'Look for the subjects in every file of the node' \
    'Qovşağın bütün fayllarında adlar axtarılır'
sort -u "$cluster/names.txt" | awk 'length($0) > 6' >"$cluster/sought.txt"
LC_ALL=C grep -a -r -o -m 1 -F -f "$cluster/sought.txt" "$node" \
    >"$cluster/last.txt" && {
    show
    fail 'a name stands in plain text'
}
tell "$(wc -l <"$cluster/sought.txt") names, addresses, personal numbers and\
 telephones: none of them is there"

step 'Start it once more: everything is still there' \
    'Qovşaq bir daha işə salınır: hər şey yerindədir'
cluster_start
must as owner section.get "subject=$subject" sections=S06 file_number=1
show <(sed -n 1p "$cluster/last.txt")
cluster_stop || fail 'the node did not stop as it should'

printf '\nDone in %d s: all of it was so.\n' $((SECONDS - started))
[ -z "${STEPS_FILE-}" ] || echo $steps >"$STEPS_FILE"
