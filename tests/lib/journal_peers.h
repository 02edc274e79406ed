/*
 * journal_peers.h: a journal of a node that has peers, for tests of what is
 * damaged and put back.  The rig holds what the peers hold.
 */
#ifndef DEFTER_TESTS_LIB_JOURNAL_PEERS_H
#define DEFTER_TESTS_LIB_JOURNAL_PEERS_H

#include "tests/lib/journal_rig.h"

/* A log of ${count} entries, six in a segment. */
void peers_begin(struct journal_rig *rig, size_t count);

/* Flips a bit of the frame of entry ${index}. */
void peers_rot(struct journal_rig *rig, uint64_t index, uint64_t at);

/* Opens the log again; this is found. */
void peers_open_as(struct journal_rig *rig, enum journal_case found);

/* The log holds ${size} entries, and any further start finds it clean. */
void peers_clean_again(struct journal_rig *rig, uint64_t size);

/* Hands entries to journal_repair(). */
enum status peers_repair(struct journal_rig *rig, uint64_t index, size_t count);

/* The one hole is [first, end), and the other entries are there. */
void peers_is_hole(struct journal_rig *rig, uint64_t first, uint64_t end);

/* Appends new entries; the commit stays where it is. */
void peers_append(struct journal_rig *rig, size_t count);

/* Appends the entries [from, end) as the rig remembers them. */
void peers_fetch(struct journal_rig *rig, uint64_t from, uint64_t end);

#endif
