# shellcheck shell=bash
# torture.sh: one process of which the N-th call of a class fails.
#
#   . tests/lib/torture.sh
#   scenarios=(WORD...); torture_options "$@"    what is asked for: --scenario
#                            WORD, --class WORD, --every K, --from N, --to N,
#                            --paths, --valgrind
#   torture_env N [WORD...]  sets $words for env(1), to stand before the
#                            process, then $under; each third goes on failing
#   torture_hit              what was hit; empty: there are not so many calls
#   judge_end STATUS ALLOWED FILE   it ended as it may, and said why
#   complain WORD...         the files in $told are shown, and all ends
#   torture_all              SCENARIO_run, for each scenario, class and $number;
#                            before each class torture_prepare
#
# After tests/lib/cluster.sh.  Classes: memory disk room calls clock.  Under
# memcheck without memory: its own malloc takes the place of the one that fails.
# With --paths, a run in which nothing fails shows by which paths (who called
# whom) calls of the class come about, and the first call on each path fails
# then; --every K --from N take a share of the paths that depends on no run.

classes=(memory disk room calls clock)
every=1 from=1 to=1000000000
readonly EIO=5 ENOMEM=12 EMFILE=24 ENOSPC=28
declare -A errno_of=([memory]=$ENOMEM [disk]=$EIO [room]=$ENOSPC
    [calls]=$EMFILE [clock]=0)
# What a process may end with: the node's statuses, those of the tool.
# shellcheck disable=SC2034
readonly node_statuses=' 0 1 2 3 5 6 ' tool_statuses=' 0 1 2 3 '
under=() words=() told=() paths=()
by_path='' scenario='' class='' number=0

torture_options() {
    while [ $# -gt 0 ]; do
        if [ "$1" = --paths ]; then
            by_path=1
            shift
            continue
        fi
        if [ "$1" = --valgrind ]; then
            # Not the wrapper: it is a script, whose calls would fail first.
            under=(/usr/bin/valgrind.bin -q --error-exitcode=99)
            classes=(disk room calls clock)
            shift
            continue
        fi
        [ $# -gt 1 ] || fail "$1: not known, or without its value"
        case $1 in
        --scenario) scenarios=("$2") ;;
        --class) classes=("$2") ;;
        --every) every=$2 ;;
        --from) from=$2 ;;
        --to) to=$2 ;;
        *) fail "no option $1" ;;
        esac
        shift 2
    done
}

torture_env() {
    local number=$1
    shift
    # A sanitizer insists on being the first library; this one must be before.
    words=("LD_PRELOAD=$DEFTER_BIN/../lib/libtorture.so"
        "ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0:detect_leaks=0"
        "MALLOC_PERTURB_=165" "TORTURE_CLASS=$class" "TORTURE_NTH=$number"
        "TORTURE_ERROR=${errno_of[$class]}" "TORTURE_REPORT=$cluster/report"
        "TORTURE_ON=$((number / every % 3 == 2))"
        "TORTURE_STEP=$((number % 2 ? 7200 : -7200))" "$@")
    if [ -n "$by_path" ] && [ "$number" -eq 0 ]; then
        words+=("TORTURE_PATHS=1")
    elif [ -n "$by_path" ]; then
        words+=("TORTURE_NTH=0" "TORTURE_PATH=${paths[number - 1]}")
    fi
    rm -f "$cluster/report"
}

torture_hit() {
    sed -n 's/^hit //p' "$cluster/report" 2>/dev/null
}

complain() {
    tail -n 12 "${told[@]}" >&2
    fail "$scenario, $class $number ($(torture_hit)): $*"
}

judge_end() {
    [[ "$2" == *" $1 "* ]] || complain "it ended with $1"
    [ "$1" -eq 0 ] || [ -s "$3" ] || complain "it ended with $1 in silence"
}

torture_numbers() {
    local unhit=0
    number=$from
    # On a slow machine a run may get less far than the others.
    while [ "$number" -le "$to" ] && [ $unhit -lt 2 ]; do
        "${scenario}_run"
        runs=$((runs + 1))
        unhit=$((unhit + 1))
        [ -z "$(torture_hit)" ] || unhit=0
        number=$((number + every))
    done
    echo "$scenario, $class: up to $((number - every)), every $every"
}

# The share of a path is told by its last digits.
torture_paths() {
    local path all=0 tried=0 missed=0
    number=0
    "${scenario}_run"
    mapfile -t paths < <(sed -n 's/^path \([0-9a-f]*\) .*/\1/p' \
        "$cluster/report" | sort)
    for path in "${paths[@]}"; do
        all=$((all + 1)) number=$all
        [ $((16#${path: -8} % every)) -eq $((from % every)) ] || continue
        [ $number -le "$to" ] || break
        "${scenario}_run"
        runs=$((runs + 1)) tried=$((tried + 1))
        [ -n "$(torture_hit)" ] || missed=$((missed + 1))
    done
    echo "$scenario, $class: $tried of ${#paths[@]} paths," \
        "$missed did not come about again"
}

torture_all() {
    local runs=0
    for scenario in "${scenarios[@]}"; do
        for class in "${classes[@]}"; do
            torture_prepare
            if [ -n "$by_path" ]; then
                torture_paths
            else
                torture_numbers
            fi
        done
    done
    [ $runs -gt 0 ] || fail 'nothing was run'
    echo "$runs runs"
}
