/*
 * undo_private.h: what the files of the undo log share.
 */
#ifndef DEFTER_TESTS_CHAOS_AMNESIA_UNDO_PRIVATE_H
#define DEFTER_TESTS_CHAOS_AMNESIA_UNDO_PRIVATE_H

#include "tests/chaos/amnesia/undo.h"

/*
 * What a sector held before its first change of a generation.
 * Invariant: along ${older}, generations never rise.
 */
struct sector {
    struct sector *older;
    uint64_t number;
    uint64_t generation;
    uint8_t bytes[UNDO_SECTOR_SIZE];
};

struct undo_file {
    struct undo_file *next;
    int fd; /* Own; never closed. */
    dev_t device;
    ino_t inode;
    uint64_t generation; /* Rises when a sync begins. */
    uint64_t generation_synced;
    uint64_t size_durable;
    struct sector *newest;
    struct sector **slots; /* By number: the newest record. */
    size_t slots_count, slots_used;
};

enum change_kind { CHANGE_CREATED, CHANGE_MOVED, CHANGE_REMOVED };

/* A name's change that no sync of a directory covers. */
struct change {
    struct change *older;
    uint64_t number;
    enum change_kind kind;
    bool is_directory;
    mode_t mode;
    char path[UNDO_PATH_MAX];  /* Created, removed, or moved from. */
    char newer[UNDO_PATH_MAX]; /* Moved to, or where a removed file is kept. */
};

struct undo_state {
    char keep[UNDO_PATH_MAX];
    struct undo_file *files;
    struct change *changes; /* Newest first. */
    uint64_t changes_count; /* Ever made: the number of the newest. */
    uint64_t kept_count;
};
extern struct undo_state undo;

#endif
