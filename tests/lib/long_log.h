/*
 * long_log.h: a log of any length as a node would write it, made quickly: its
 * commands are one command, entered again and again, so that all signatures
 * are right and few are made.
 */
#ifndef DEFTER_TESTS_LIB_LONG_LOG_H
#define DEFTER_TESTS_LIB_LONG_LOG_H

#include "protocol/tree.h"
#include "tests/lib/signed_log.h"

enum {
    LONG_LOG_ATTESTED = 256, /* Entries between two attestations. */
    LONG_LOG_CHECKPOINT_SIZE_MAX = 1024
};

struct long_log_options {
    const char *directory; /* It is there; NULL: only counted and hashed. */
    uint64_t size;         /* Entries in all; more than genesis and epoch. */
    size_t items;          /* Of a command. */
    size_t fields_size;    /* Of an item. */
    uint32_t segment_size;
};

/* What was made.  The log key is that of head.authority. */
struct long_log {
    struct signed_log head; /* Genesis and keys. */
    struct tree tree;
    uint8_t leaf[HASH_SIZE]; /* Of the newest entry. */
};

/* The same options make the same log, and a shorter one is its beginning. */
void long_log_make(struct long_log *log,
                   const struct long_log_options *options);

/*
 * long_log_checkpoint(log, path):
 * Sign the log's head, and write the note to ${path}.
 */
void long_log_checkpoint(const struct long_log *log, const char *path);

#endif
