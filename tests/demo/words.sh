# shellcheck shell=bash
# words.sh: how the demonstration speaks.  Comes first: cluster.sh sets the
# language of programs.  STEPS_FILE: where the steps of the part before are
# counted.
speech=${LC_ALL:-${LANG-}}
steps=0
[ ! -s "${STEPS_FILE-}" ] || steps=$(cat "$STEPS_FILE")

# step ENGLISH AZERBAIJANI
step() {
    steps=$((steps + 1))
    if [[ $speech == az* ]]; then
        printf '\n%2d. %s\n    (%s)\n' $steps "$2" "$1"
    else
        printf '\n%2d. %s\n' $steps "$1"
    fi
}

tell() {
    printf '    %s\n' "$@"
}

# show [FILE [PATTERN]]: the last answer, or the lines that matter.
show() {
    grep -E "${2:-}" "${1:-$cluster/last.txt}" |
        sed "s|$cluster/||g; s/^/      | /" | cut -c 1-110
}

# refused CODE COMMAND...: the command must be refused with that word.
refused() {
    local word=$1
    shift
    "$@" >"$cluster/last.txt" 2>&1 && fail "not refused: $*"
    grep -q "$word" "$cluster/last.txt" || {
        cat "$cluster/last.txt" >&2
        fail "refused otherwise than $word: $*"
    }
}

# flip FILE OFFSET: one bit of that byte.
flip() {
    python3 - "$1" "$2" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
END
}
