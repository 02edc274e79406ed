#!/usr/bin/env bash
# ctest-label: release
# ctest-timeout: 300
# T-R-6.2.2, T-P-3.6, scenario 1: a new entrepreneur arrives by EHIS, reads his
# cabinet, has a signed extract issued, and a third party verifies it offline,
# with our program and with one in another language; a changed byte is found;
# after a change it still verifies as issued then, and is superseded now; after
# the contents were destroyed it is erased, and no forgery.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/lib/cluster.sh
. tests/lib/cluster.sh
# shellcheck source=tests/lib/erasure.sh
. tests/lib/erasure.sh

# verdict CODE FILE OPTION...: of both verifiers, offline.
verdict() {
    local want=$1 file=$2 got
    shift 2
    "$DEFTER_BIN/defter" verify "$file" --authority "$authority" "$@" \
        >"$cluster/last.txt" 2>&1
    got=$?
    [ $got -eq "$want" ] || {
        cat "$cluster/last.txt" >&2
        fail "$file: exit status $got, not $want"
    }
    python3 tests/second/verify_extract.py "$file" --authority "$authority" \
        "$@" >"$cluster/second.txt" 2>&1
    got=$?
    [ $got -eq "$want" ] || {
        cat "$cluster/second.txt" >&2
        fail "$file: the second verifier says $got, not $want"
    }
}

cluster_make
cluster_start
cluster_actors
"$DEFTER_BIN/fixture" --subjects 20 --provider "$tax_service" \
    >"$cluster/records.jsonl" || fail 'no fixture'
subject=$(first_individual "$cluster/records.jsonl")
must feed "$cluster/records.jsonl"
person owner "$subject" "$cluster/records.jsonl"
authority=$(sed -n 's|^authority *= *||p' "$cluster/c/cluster.conf")
# Of genesis: the log's key, as anybody may pin it.
as operator checkpoint >"$cluster/checkpoint"
python3 - "$node/log.key" "$(head -n 1 "$cluster/checkpoint")" \
    >"$cluster/policy" <<'PYTHON'
import base64, hashlib, sys
key, name = b"\1" + open(sys.argv[1], "rb").read()[64:96], sys.argv[2]
keyid = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
print("log %s+%s+%s\nquorum none" %
      (name, keyid, base64.b64encode(key).decode()))
PYTHON

# Issued, and true.
must as owner section.get "subject=$subject" sections=all
whole=$cluster/whole.extract
must as owner extract issue --subject "$subject" --sections S01,S06,S13 \
    --out "$whole"
grep -q 'not tied' "$cluster/last.txt" && fail 'it is not tied to the log'
verdict 0 "$whole" --policy "$cluster/policy"
grep -q 'the log holds its entry and the attestation' "$cluster/last.txt" ||
    fail 'it is not said to be true'
grep -q '^attested in entry: [1-9]' "$cluster/last.txt" ||
    fail 'it is not said where it is attested'
grep -q '^  - whether anybody but the log.s own node vouches' \
    "$cluster/last.txt" || fail 'it is not said that nobody else vouches'
verdict 2 "$whole"
must as owner --json extract.list "subject=$subject" before=0 limit=9
[ "$(got number)" = 1 ] || fail 'it is not listed'

# Through the portal it is tied to the log as well.
carried=$cluster/carried.extract
must through portal owner extract issue --subject "$subject" --sections S06 \
    --out "$carried"
grep -q 'not tied' "$cluster/last.txt" && fail 'the portal has no entry of it'
verdict 0 "$carried" --policy "$cluster/policy"

# Nothing is overwritten, and who may not gets none.
as owner extract issue --subject "$subject" --sections S06 --out "$whole" \
    >/dev/null 2>&1 && fail 'a file was overwritten'
as asker --role participant extract issue --subject "$subject" \
    --sections S06 --out "$cluster/no.extract" >/dev/null 2>&1
[ $? -ne 0 ] && [ ! -e "$cluster/no.extract" ] || fail 'a stranger has one'

# Parts are kept back: what is left is true, the rest is gone.
some=$cluster/some.extract
must "$DEFTER_BIN/defter" extract redact "$whole" \
    --hide S01.surname,S01.fin,S13 --out "$some"
verdict 0 "$some" --policy "$cluster/policy"
surname=$(sed -n 's/^field [^ ]* surname text //p' "$whole")
[ -n "$surname" ] || fail 'there is no surname to keep back'
grep -q " surname text " "$some" && fail 'the surname is still there'
"$DEFTER_BIN/defter" extract redact "$whole" --hide S01.surnames \
    --out "$cluster/slip.extract" >/dev/null 2>&1
[ $? -eq 3 ] || fail 'a slip hid nothing and was not said'

# For people: lines, and a page.
must "$DEFTER_BIN/defter" --az extract show "$whole"
grep -q 'Ölçü kateqoriyası' "$cluster/last.txt" || fail 'not in Azerbaijani'
must "$DEFTER_BIN/defter" extract show "$whole" --html "$cluster/page.html" \
    --authority "$authority" --policy "$cluster/policy"
grep -q 'its node signed it' "$cluster/page.html" ||
    fail 'the page does not say what it is worth'
grep -Eq '<script|https?:' "$cluster/page.html" && fail 'the page loads more'

# Without its attestation it is one node's word; that can be had later, for what
# is left of it as well, by who asked for it and nobody else.
early() { grep -Ev '^(attestation|attester|outcome|attested) ' "$1"; }
early "$whole" >"$cluster/early.extract"
verdict 2 "$cluster/early.extract" --policy "$cluster/policy"
grep -q 'word of that node alone' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
"$DEFTER_BIN/defter" --az verify "$cluster/early.extract" --authority \
    "$authority" --policy "$cluster/policy" | grep -q 'təsdiqləmə yoxdur' ||
    fail 'not in Azerbaijani'
must as owner extract attest "$cluster/early.extract" \
    --out "$cluster/late.extract"
verdict 0 "$cluster/late.extract" --policy "$cluster/policy"
early "$some" >"$cluster/early.extract"
must as owner extract attest "$cluster/early.extract" \
    --out "$cluster/later.extract"
verdict 0 "$cluster/later.extract" --policy "$cluster/policy"
as asker --role participant extract attest "$cluster/early.extract" \
    --out "$cluster/no.extract" >/dev/null 2>&1
[ $? -eq 2 ] && [ ! -e "$cluster/no.extract" ] ||
    fail 'a stranger has the attestation'

# Who has the node's receipt key, and nothing else, makes none that is true.
python3 tests/second/forge_extract.py "$whole" "$node/receipt.key" \
    "$cluster/forged.extract" || fail 'no forgery'
verdict 1 "$cluster/forged.extract" --policy "$cluster/policy"
grep -q 'another decision or another answer' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
early "$cluster/forged.extract" >"$cluster/early.extract"
verdict 2 "$cluster/early.extract" --policy "$cluster/policy"

# One byte, wherever it is shown.
sed 's/class number \([0-9]\)/class number 1\1/' "$whole" \
    >"$cluster/bad.extract"
verdict 1 "$cluster/bad.extract" --policy "$cluster/policy"
sed 's/^number 1$/number 2/' "$whole" >"$cluster/bad.extract"
verdict 1 "$cluster/bad.extract" --policy "$cluster/policy"
grep -q 'tampered' "$cluster/last.txt" || fail 'it is not called tampered'
# It needs no word of its own inside to be known, if its name says so.
head -c 9 "$whole" >"$cluster/bad.extract"
verdict 1 "$cluster/bad.extract" --policy "$cluster/policy"
grep -q '^tampered, line 1: ' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
python3 tests/second/damage_extract.py "$whole" "$authority" \
    "$cluster/policy" "$DEFTER_BIN/defter" >"$cluster/last.txt" 2>&1 ||
    fail "$(tail -n 3 "$cluster/last.txt")"

# Whether it still holds, anybody who has it may ask.
online() {
    as asker verify "$@" --policy "$cluster/policy" --online \
        >"$cluster/last.txt" 2>&1
}
# said CODE WORD FILE: with --json, one object; the verdict fits the status.
said() {
    local got
    online "$3" --json
    got=$?
    [ $got -eq "$1" ] && [ "$(grep -c '^{' "$cluster/last.txt")" -eq 1 ] &&
        grep -q "^{\"verdict\":\"$2\"" "$cluster/last.txt" ||
        fail "$got, not $1 $2: $(cat "$cluster/last.txt")"
}
online "$some" || fail "$(cat "$cluster/last.txt")"
grep -q 'still holds' "$cluster/last.txt" || fail 'it does not say so'
grep -q 'that needs the registry' "$cluster/last.txt" &&
    fail 'it was asked, and not checked'
said 0 true "$some"
grep "\"subject\":\"$subject\",\"section\":\"S06\"" "$cluster/records.jsonl" |
    sed 's/"employees":"\{0,1\}[0-9]*"\{0,1\}/"employees":"3"/' \
        >"$cluster/change.jsonl"
must feed "$cluster/change.jsonl"
online "$some"
[ $? -eq 2 ] || fail "$(cat "$cluster/last.txt")"
grep -q 'superseded since in: S06' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
said 2 superseded "$some"
verdict 0 "$whole" --policy "$cluster/policy"
must as owner --json access.list "subject=$subject" from=0 to=0 before=0 \
    limit=20
grep -q '"opcode":819' "$cluster/last.txt" || fail 'the asking is not seen'

# Who replays the log issues and opens the same.
opened() {
    must as owner --json extract.open "subject=$subject" number=1
    sed 's/.*"result"//' "$cluster/last.txt"
}
opened >"$cluster/before.txt"
cluster_stop || fail "the node ended with $?"
rm -f "$node"/state.db*
cluster_start
opened >"$cluster/after.txt"
cmp -s "$cluster/before.txt" "$cluster/after.txt" ||
    fail 'it opens to something else'
early "$whole" >"$cluster/early.extract"
must as owner extract attest "$cluster/early.extract" \
    --out "$cluster/replayed.extract"
verdict 0 "$cluster/replayed.extract" --policy "$cluster/policy"
grep -q '"salt"' "$cluster/after.txt" || fail 'it does not open'

# How many entries name the subject: stated, and counted anew.
must as owner extract completeness --subject "$subject" \
    --out "$cluster/count"
must as auditor extract completeness --subject "$subject" \
    --as "${duty_of[auditor]}" --out "$cluster/count2"
must as operator system.ping text=behind
cluster_stop || fail "the node ended with $?"
"$DEFTER_BIN/defter" verify "$node" --authority "$authority" \
    --completeness "$cluster/count" >"$cluster/last.txt" 2>&1
[ $? -ne 1 ] && grep -q 'the statement is true' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
"$DEFTER_BIN/defter" verify "$node" --subject "$subject" \
    >"$cluster/last.txt" 2>&1
grep -q "^subject $subject: [1-9][0-9]* items in " "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
sed 's/^count .*/count 2/' "$cluster/count" >"$cluster/less"
"$DEFTER_BIN/defter" verify "$node" --authority "$authority" \
    --completeness "$cluster/less" >"$cluster/last.txt" 2>&1
[ $? -eq 1 ] || fail 'a statement that was changed is taken'
grep -q '^tampered$' "$cluster/last.txt" &&
    grep -q 'FORGED' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
# counted CODE VERDICT STATEMENT OPTION...: both in one object.
counted() {
    local want=$1 verdict=$2 statement=$3 got
    shift 3
    "$DEFTER_BIN/defter" verify "$node" --authority "$authority" --json "$@" \
        >"$cluster/last.txt" 2>&1
    got=$?
    [ $got -eq "$want" ] || fail "$got, not $want: $(cat "$cluster/last.txt")"
    python3 - "$cluster/last.txt" "$subject" "$verdict" "$statement" \
        <<'PYTHON' || fail "$(cat "$cluster/last.txt")"
import json, sys
report = json.load(open(sys.argv[1]))
counted = report["counted"]
sys.exit(not (counted["subject"] == sys.argv[2] and counted["items"] > 2 and
              counted["statement"] == sys.argv[4] and
              report["verdict"] == sys.argv[3]))
PYTHON
}
counted 0 good true --completeness "$cluster/count"
counted 0 good none --subject "$subject"
counted 1 tampered forged --completeness "$cluster/less"
# Only a log can be counted.
must "$DEFTER_BIN/defter" archive make "$node" "$cluster/unit-1"
must "$DEFTER_BIN/defter" export tiles "$node" "$cluster/tiles"
for directory in "$cluster/unit-1" "$cluster/tiles"; do
    "$DEFTER_BIN/defter" verify "$directory" --subject "$subject" \
        >"$cluster/last.txt" 2>&1
    [ $? -eq 3 ] && grep -q 'in a log only' "$cluster/last.txt" ||
        fail "$(cat "$cluster/last.txt")"
done

# Nobody answers: what the file shows is said all the same.
said 2 incomplete "$whole"
grep -q '"offline":"true","not_asked":"CONNECT: ' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
online "$whole"
[ $? -eq 2 ] && grep -q '^true: ' "$cluster/last.txt" &&
    grep -q '^not asked online: CONNECT: ' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"

# The contents were destroyed: that is no forgery.
cluster_start
erasure_actors
destroy "$subject" record+evidence
wait_for 60 destroy_is_confirmed || fail "$(cat "$cluster/act.txt")"
said 2 erased "$whole"
grep -q '"offline":"true"' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
online "$whole"
[ $? -eq 2 ] && grep -q '^destroyed since: ' "$cluster/last.txt" ||
    fail "$(cat "$cluster/last.txt")"
verdict 0 "$whole" --policy "$cluster/policy"
exit 0
