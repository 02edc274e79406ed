/*
 * history.h: what clients saw of a cluster, held against every node's log.
 *
 * An append tells its index, so the order of an append-only log need not be
 * searched for: all checks are sorts and sweeps, O(n log n).
 *
 * A history is text, a line a command, words parted by spaces, "-" for none:
 *
 *     op CLIENT NAME ID INVOKED RETURNED OUTCOME CODE EPOCH INDEX LEAF VALUE \
 *        SEEN
 *
 * ID is the signer's key number and the command's own number, 64 hexadecimal
 * digits; times are nanoseconds of one host's CLOCK_BOOTTIME; OUTCOME is one of
 *
 *     acked     there is a receipt: CODE, EPOCH, INDEX and LEAF are its
 *     refused   CODE says that it did not become an entry
 *     unknown   no answer came, or one that says nothing; RETURNED is "-"
 *
 * VALUE is the size of the log that a strict read gave, SEEN the leaf hash of
 * the last entry it counts.  A log is
 *
 *     log NAME
 *     entry INDEX EPOCH ID LEAF
 *
 * as log_list writes it, each entry following the one before.
 */
#ifndef DEFTER_TESTS_LIB_HISTORY_H
#define DEFTER_TESTS_LIB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { HISTORY_ID_SIZE = 32, HISTORY_LEAF_SIZE = 32, HISTORY_NAME_SIZE = 32 };

/* No index, value or time. */
#define HISTORY_NONE UINT64_MAX

enum history_outcome { HISTORY_ACKED, HISTORY_REFUSED, HISTORY_UNKNOWN };

struct history_op {
    uint8_t id[HISTORY_ID_SIZE];
    uint8_t leaf[HISTORY_LEAF_SIZE]; /* Valid if acked. */
    uint8_t seen[HISTORY_LEAF_SIZE]; /* Valid if has_seen. */
    uint64_t invoked, returned;
    uint64_t index, epoch, value;
    uint32_t client, code;
    enum history_outcome outcome;
    bool has_seen;
    uint32_t line; /* Of its file, for people. */
};

struct history_entry {
    uint8_t id[HISTORY_ID_SIZE];
    uint8_t leaf[HISTORY_LEAF_SIZE];
    uint64_t index, epoch;
};

/* Invariant: entries[i].index == i. */
struct history_log {
    char name[HISTORY_NAME_SIZE];
    struct history_entry *entries;
    size_t entries_count, entries_capacity;
};

enum { HISTORY_LOGS_MAX = 16 };

struct history {
    struct history_op *ops;
    size_t ops_count, ops_capacity;
    struct history_log logs[HISTORY_LOGS_MAX];
    size_t logs_count;
};

#define HISTORY_FAULT_LIST(X)                                        \
    X(LOST, "an acknowledged entry is missing")                      \
    X(OTHER, "another entry stands at an acknowledged index")        \
    X(LEAF, "an acknowledged entry has another hash")                \
    X(EPOCH, "an acknowledged entry has another epoch")              \
    X(SHARED, "one index was acknowledged twice")                    \
    X(REPEATED, "one command has two lines")                         \
    X(TWICE, "one command is two entries")                           \
    X(REFUSED_DONE, "a refused command is an entry")                 \
    X(DIFFER, "two logs differ at an index")                         \
    X(EPOCH_FALLS, "the epoch falls along a log")                    \
    X(ORDER, "a later command has a lower index")                    \
    X(SESSION, "a client's later command has a lower index")         \
    X(STALE, "a strict read misses what was acknowledged before it") \
    X(FUTURE, "a strict read counts what comes after it")            \
    X(BACK, "a strict read gives less than one before it")           \
    X(SEEN, "a strict read saw a last entry that is not in the log")

#define HISTORY_FAULT_ENUM(name, english) HISTORY_##name,
enum history_fault { HISTORY_FAULT_LIST(HISTORY_FAULT_ENUM) HISTORY_FAULTS };
#undef HISTORY_FAULT_ENUM

const char *history_fault_name(enum history_fault fault);

/* How often each fault was found. */
struct history_verdict {
    size_t counts[HISTORY_FAULTS];
    size_t total;
    size_t acked, refused, unknown, unknown_done;
};

/*
 * history_read(history, file, why_out, why_size): add a file's lines.
 * Returns: false for a line that is not of the format, with words in ${why_out}
 *          that begin with its number.
 */
bool history_read(struct history *history, FILE *file, char *why_out,
                  size_t why_size);

/*
 * history_check(verdict_out, history, report): all checks; the first of each
 * fault are told to ${report} (NULL: nobody).
 */
void history_check(struct history_verdict *verdict_out, struct history *history,
                   FILE *report);

void history_free(struct history *history);

#endif
