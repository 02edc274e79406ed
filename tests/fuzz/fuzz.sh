#!/usr/bin/env bash
# fuzz.sh: runs the fuzz targets that ./dev fuzz has built.
#
#     fuzz.sh libfuzzer [TARGET] MINUTES JOBS
#     fuzz.sh afl|smoke [TARGET] MINUTES
#     fuzz.sh coverage
#
# New inputs that reach more are kept in build-fuzz/corpus/, inputs that break a
# target in build-fuzz/found/.  Each campaign of libFuzzer adds a line to
# build-fuzz/campaigns.txt: target, executions, CPU seconds.  The first half of
# a target's name may be left out: "command" is fz_command.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 3

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export DEFTER_SOURCE=$PWD PYTHONDONTWRITEBYTECODE=1
readonly found=build-fuzz/found campaigns=build-fuzz/campaigns.txt
readonly smoke_runs=2000 input_size_max=65536
# libFuzzer counts the time that a run waits for a busy machine. What it gave up
# is run again with so much of the CPU; only what uses that up is a hang.
readonly wait_s=300 hang_cpu_s=${HANG_CPU_S:-20}

# What reads bytes from outside; the table of --coverage is about these.
readonly decoders=(
    protocol/{answer,archive_unit,bytes,channel,checkpoint}.c
    protocol/{command,completeness_file,config,config_cert,config_entry}.c
    protocol/{dates,entry,extract_file,extract_record,frame,genesis,hello}.c
    protocol/{item,keyfile,lines,nodecert,noise,note,parse,parse_list,peer}.c
    protocol/{peer_wire,receipt,record,schema,segment,sign_state,statement}.c
    protocol/{text,tiles,tlog_policy,tlog_proof,voen,witness_request}.c
    replication/{halt,mark,meta,slots}.c
    server/{options,options_cluster}.c server/pipeline/decode.c
    server/store/{keyring_rows,snapshot_load}.c
    server/cluster/{etcd_json,etcd_reply,etcd_reply_judge,link_address}.c
    client/{session_read,nodes}.c
)

say() {
    printf '== %s\n' "$*"
}

# targets NAME: of one name, or all.
targets() {
    local source name=$1
    if [ -n "$name" ]; then
        name=fz_${name#fz_}
        [ -f "tests/fuzz/$name.c" ] || {
            echo "no fuzz target $name" >&2
            exit 3
        }
        echo "$name"
        return
    fi
    for source in tests/fuzz/fz_*.c; do
        basename "$source" .c
    done
}

# waited NAME: the run that was given up needs less of the CPU than a hang does,
# and nothing else was found.
waited() {
    local name=$1 input
    input=$(grep -aoE "$found/$name-timeout-[0-9a-f]+" \
        "build-fuzz/$name.txt") &&
        (
            ulimit -t "$hang_cpu_s"
            "build-fuzz/tests/$name" -timeout=0 "$input"
        ) >"build-fuzz/$name.again.txt" 2>&1 || return
    rm -f "$input"
    say "$name ended early: it waited $wait_s s for this machine"
}

# libfuzzer NAME FOLDER OPTION...: over its corpus, and what lies in FOLDER,
# where new inputs go.
libfuzzer() {
    local name=$1 folder=$2/$1 kept=tests/fuzz/corpus/$1 failed=0
    local TIMEFORMAT='%U %S'
    shift 2
    mkdir -p "$folder" "$found"
    [ -d "$kept" ] || kept=
    {
        time "build-fuzz/tests/$name" -rss_limit_mb=2048 -timeout=$wait_s \
            -report_slow_units=$wait_s -max_len=$input_size_max \
            -print_final_stats=1 -artifact_prefix="$found/$name-" "$@" \
            "$folder" ${kept:+"$kept"} >"build-fuzz/$name.txt" 2>&1 || failed=1
    } 2>"build-fuzz/$name.time"
    [ $failed -eq 0 ] || waited "$name" || {
        tail -n 40 "build-fuzz/$name.txt"
        return 1
    }
}

# number NAME WORD: what the last run of a target says of it, 0 if nothing.
number() {
    awk -v word="stat::$2:" '$1 == word { found = $2 }
        END { print found + 0 }' "build-fuzz/$1.txt"
}

# figures NAME: what its run came to; it is added to the list of campaigns.
figures() {
    local cpu
    cpu=$(awk 'NF == 2 { print $1 + $2 }' "build-fuzz/$1.time")
    grep -aE '^stat::(number_of_executed|average_exec|new_units)' \
        "build-fuzz/$1.txt"
    echo "stat::cpu_seconds: $cpu"
    grep -aoE 'cov: [0-9]+ ft: [0-9]+' "build-fuzz/$1.txt" | tail -n 1
    echo "$1 $(number "$1" number_of_executed_units) $cpu" >>"$campaigns"
}

# campaign NAME MINUTES: one target's, told in one piece.
campaign() {
    local failed=0 told=build-fuzz/$1.told.txt
    {
        say "$1 for $2 min"
        libfuzzer "$1" build-fuzz/corpus -max_total_time=$(($2 * 60)) ||
            failed=1
        figures "$1"
    } >"$told" 2>&1
    cat "$told"
    return $failed
}

# run_libfuzzer NAME MINUTES JOBS
run_libfuzzer() {
    local name failed=0 running=0
    for name in $(targets "$1"); do
        [ $running -lt "$3" ] || {
            wait -n || failed=1
            running=$((running - 1))
        }
        campaign "$name" "$2" &
        running=$((running + 1))
    done
    while [ $running -gt 0 ]; do
        wait -n || failed=1
        running=$((running - 1))
    done
    return $failed
}

# read_runs NAME: how the tests run it, as tests/CMakeLists.txt says.
read_runs() {
    local head
    runs=3000 plain=
    head=$(head -n 5 "tests/fuzz/$1.c")
    if [[ $head =~ fuzz-runs:\ *([0-9]+)(\ plain)? ]]; then
        runs=${BASH_REMATCH[1]} plain=${BASH_REMATCH[2]:+--plain}
    fi
}

# The same inputs every time, fewer where a run is dear.
run_smoke() {
    local name runs plain failed=0
    for name in $(targets "$1"); do
        read_runs "$name"
        runs=$((runs * 10 < smoke_runs ? runs * 10 : smoke_runs))
        say "$name, $runs runs"
        rm -rf "build-fuzz/smoke/$name"
        libfuzzer "$name" build-fuzz/smoke -runs=$runs -seed=1 || failed=1
    done
    return $failed
}

# AFL++ keeps what it finds in build-afl/out/; what it queued goes to the corpus
# of libFuzzer, which takes what is new to it.
run_afl() {
    local name input output failed=0
    export AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_AUTORESUME=1
    export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
    # AFL++ wants symbols resolved later, and aborts told apart from exits.
    export ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0
    for name in $(targets "$1"); do
        input=build-afl/in/$name output=build-afl/out/$name
        say "$name for $2 min with AFL++"
        mkdir -p "$input" "$output" "build-fuzz/corpus/$name" "$found"
        printf '\0' >"$input/zero"
        [ ! -d "tests/fuzz/corpus/$name" ] ||
            cp "tests/fuzz/corpus/$name"/* "$input/"
        afl-fuzz -V $(($2 * 60)) -m none -t 5000 -G $input_size_max \
            -i "$input" -o "$output" -- "build-afl/tests/$name" \
            >"build-afl/$name.txt" 2>&1 || {
            failed=1
            tail -n 20 "build-afl/$name.txt"
        }
        grep -E '^(execs_|corpus_found|saved_crashes|bitmap_cvg)' \
            "$output/default/fuzzer_stats"
        for input in "$output"/default/crashes/id*; do
            [ -f "$input" ] || continue
            failed=1
            cp "$input" "$found/$name-afl-$(sha1sum <"$input" | cut -c1-16)"
        done
        for input in "$output"/default/queue/id*; do
            [ ! -f "$input" ] || cp "$input" \
                "build-fuzz/corpus/$name/$(sha1sum <"$input" | cut -c1-40)"
        done
    done
    return $failed
}

# covered PROFILE NAME ARGUMENT...: a run of a target that counts lines.
covered() {
    local profile=$1 name=$2
    shift 2
    LLVM_PROFILE_FILE=build-coverage/$profile.profraw \
        "build-coverage/tests/$name" "$@" >"build-coverage/$name.txt" 2>&1 &&
        return
    tail -n 20 "build-coverage/$name.txt"
    return 1
}

# coverage_table: of what llvm-cov reports, the decoders. Its paths begin with
# what all of them have in common, which may be nothing.
coverage_table() {
    awk -v wanted="${decoders[*]}" '
        BEGIN { count = split(wanted, names, " ") }
        (name = decoder($1)) != "" {
            seen[name] = 1
            lines += $8
            missed += $9
            show(name, $8, $9)
        }
        END {
            for (i = 1; i <= count; i++)
                if (!(names[i] in seen))
                    exit absent(names[i])
            show("all of them", lines, missed)
        }
        function decoder(path, i) {
            for (i = 1; i <= count; i++)
                if (substr("/" path, length(path) - length(names[i]) + 1) == \
                    "/" names[i])
                    return names[i]
            return ""
        }
        function absent(name) {
            print name " is not in the report"
            return 1
        }
        function show(name, lines, missed) {
            printf "%-34s %5d lines %5d not reached %6.1f %%\n", name, lines,
                missed, lines ? 100 * (lines - missed) / lines : 0
        }'
}

# Lines of each decoder that the tests reach with the kept inputs and what they
# make of them, and the corpora that were found.
run_coverage() {
    local name runs plain objects=()
    rm -f build-coverage/*.profraw
    for name in $(targets ''); do
        read_runs "$name"
        covered "$name" "$name" ${plain:+"$plain"} --runs "$runs" \
            "tests/fuzz/corpus/$name" || return 1
        covered "$name-found" "$name" --plain "build-fuzz/corpus/$name" ||
            return 1
        objects+=(-object "build-coverage/tests/$name")
    done
    llvm-profdata merge -sparse build-coverage/*.profraw \
        -o build-coverage/all.profdata &&
        llvm-cov report "${objects[@]:1:1}" "${objects[@]:2}" \
            -instr-profile=build-coverage/all.profdata \
            >build-coverage/report.txt || return 1
    coverage_table <build-coverage/report.txt
}

# A fuzzer that is interrupted ends as if by itself.
trap 'exit 130' INT

case ${1-} in
libfuzzer) run_libfuzzer "${2-}" "${3-1}" "${4-1}" ;;
smoke) run_smoke "${2-}" ;;
afl) run_afl "${2-}" "${3-1}" ;;
coverage) run_coverage ;;
*) exit 3 ;;
esac
