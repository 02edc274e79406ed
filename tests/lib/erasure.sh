# erasure.sh: destroying a subject's data, and looking for what is left.
#
#   erasure_actors               the head and the archivist; acts run at once
#   erasure_find_keys NODE VOEN  the subject's keys, plain and as the node
#                                wrapped them, into $cluster/wanted.txt
#   erasure_find_person NODE KEY COUNT   the same of a person's signing key:
#                                who he is, and his credentials
#   destroy VOEN KEYS            three people; $act is the act's number; with
#                                keys of persons, a person's number
#   destroy_is_confirmed         whether every holder has confirmed $act
#   nothing_left FOLDER...       none of $cluster/wanted.txt in any file

erasure_actors() {
    [ -n "${person_of[head]-}" ] || {
        enrol head staff 1
        duty head DIR 255
    }
    enrol keeper staff 1
    duty keeper ARC 255
    must as head config.change "as=${duty_of[head]}" setting=14 value=-1 \
        note=test "basis=$basis"
}

# find_owned NODE OWNER FIRST LAST COUNT: so many keys of classes FIRST to LAST.
# Read from a copy: the node may be running.
find_owned() {
    local copy=$cluster/copy
    rm -rf "$copy"
    mkdir -m 0700 "$copy"
    cp -p "$1/keyring.key" "$1"/keyring.db* "$copy"
    "$DEFTER_BIN/key_search" keys "$copy" >"$cluster/keys.txt" ||
        fail 'the keyring cannot be read'
    awk -v owner="$2" -v first="$3" -v last="$4" '
        $1 >= first && $1 <= last && $2 "" == owner "" {
            print "hex:" $4; print "hex:" $5
        }' "$cluster/keys.txt" >"$cluster/found.txt"
    [ "$(wc -l <"$cluster/found.txt")" -eq $((2 * $5)) ] ||
        fail "keys of $2: $(wc -l <"$cluster/found.txt") lines, not $((2 * $5))"
    cat "$cluster/found.txt" >>"$cluster/wanted.txt"
}
erasure_find_keys() {
    find_owned "$1" $((10#$2)) 1 2 2
}
# The owner is the beginning of the key's id, the last byte first, without the
# highest bit.
erasure_find_person() {
    local owner
    owner=$(fold -w 2 <<<"${2:0:16}" | tac | tr -d '\n')
    find_owned "$1" $((16#$owner & 0x7fffffffffffffff)) 4 5 "$3"
}

destroy() {
    must as officer --json destroy.propose "as=${duty_of[officer]}" \
        "keys=$2" 'ground=retention ended' "basis=$basis" \
        "subjects={subject=$1}"
    act=$(got act)
    must as head destroy.approve "as=${duty_of[head]}" "act=$act" \
        "basis=$basis"
    must as keeper destroy.execute "as=${duty_of[keeper]}" "act=$act"
}

destroy_is_confirmed() {
    as officer --json destroy.show "as=${duty_of[officer]}" "act=$act" \
        >"$cluster/act.txt" 2>&1 &&
        grep -q '"state":"confirmed"' "$cluster/act.txt"
}

nothing_left() {
    python3 tests/process/_raw_search.py "$cluster/wanted.txt" "$@" \
        >"$cluster/left.txt"
    case $? in
    0) ;;
    1)
        head -n 5 "$cluster/left.txt" >&2
        fail 'something is left'
        ;;
    *) fail 'there was nothing to look for' ;;
    esac
}
