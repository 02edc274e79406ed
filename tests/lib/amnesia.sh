# amnesia.sh: processes whose power can go, for scripts.
#
#   . tests/lib/amnesia.sh
#   amnesia_env DIR SEED      sets amnesia_words: NAME=VALUE words for env(1)
#   amnesia_config FILE       lets a node's sandbox be, see below
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

# The library keeps beside the node's directory what a loss of power undoes, and
# does so in the node's name: a sandbox would be against both.
amnesia_config() {
    sed -i -e '/^sandbox = off$/d' -e '/^\[node\]/a sandbox = off' "$1"
}

amnesia_lose() {
    kill -USR2 "$1"
}
