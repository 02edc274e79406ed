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
    grep -E "${2:-}" "${1:-$cluster/last.txt}" | sed 's/^/      | /' |
        cut -c 1-110
}
