# amnesia.sh: processes whose power can go, for scripts.
#
#   . tests/lib/amnesia.sh
#   amnesia_env DIR SEED      sets amnesia_words: NAME=VALUE words for env(1)
#   env "${amnesia_words[@]}" PROGRAM... &
#   amnesia_lose PID          its power goes now; wait gives $amnesia_exit
#
# Needs $DEFTER_BIN.
set -u
: "${DEFTER_BIN:?the folder of the programs}"

readonly amnesia_exit=86
amnesia_words=()

amnesia_env() {
    # A sanitizer insists on being the first library; this one must be before.
    amnesia_words=(
        "LD_PRELOAD=$DEFTER_BIN/../lib/libamnesia.so"
        "AMNESIA_DIR=$1"
        "AMNESIA_SEED=$2"
        "ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0"
    )
}

amnesia_lose() {
    kill -USR2 "$1"
}
