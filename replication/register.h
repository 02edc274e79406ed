/*
 * register.h: what the register of configurations is asked, and what it says.
 *
 * The register holds one value, the bytes of a configuration, at a revision: a
 * number that grows with every change and never stands for two values.  Who is
 * primary and who is in sync is what the register holds, and nothing else.  It
 * changes by compare-and-swap alone; what it says at a reading may be old, and
 * only suggests what to propose.
 *
 * Nothing here does anything: these are the words that the core, the register
 * behind it (etcd, or one in memory) and the simulator have in common.
 */
#ifndef DEFTER_REPLICATION_REGISTER_H
#define DEFTER_REPLICATION_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/limits.h"

/* What the register is asked. */
enum register_call {
    REGISTER_READ,
    REGISTER_CAS,
    REGISTER_LOOK, /* Which incarnation of this node it holds. */
    REGISTER_INCARNATION
};

/* This node must still be registered with this incarnation. */
struct register_guard {
    uint8_t node_id[NODE_ID_SIZE];
    uint64_t incarnation;
};

/*
 * A compare-and-swap.
 *
 * Invariants: 1 <= value_size <= REGISTER_VALUE_SIZE_MAX;
 *             guards_count <= REGISTER_GUARDS_MAX; number > 0.
 *
 * Without any guard nothing but the revision is compared: that is the form in
 * which the core supersedes a proposal whose fate it does not know, and it is
 * settled whenever it is answered, because nothing else can refuse it.
 */
struct register_proposal {
    uint64_t token;    /* The core's number for it; comes back. */
    uint64_t revision; /* The value must still stand at this one; 0: there must
                          be none yet. */
    uint64_t number;   /* Of the proposed configuration, for its history. */
    uint8_t value[REGISTER_VALUE_SIZE_MAX];
    size_t value_size;
    struct register_guard guards[REGISTER_GUARDS_MAX];
    size_t guards_count;
    bool guard_alive; /* The node alive[] must have no alive key. */
    uint8_t alive[NODE_ID_SIZE];
};

/*
 * What became of a proposal.
 *
 *   WON       known: the proposed value stands, at view.revision.  Also said
 *             when a proposal that was given again is refused because its own
 *             value, byte for byte, stands already: a value holds 128 random
 *             bits, so it is the proposer's.
 *   LOST      known: the register moved on to view, and this proposal can
 *             never win any more.
 *   REJECTED  a guard failed and the revision is as it was (view).  Settles
 *             nothing: an earlier copy of the same proposal, or a later one,
 *             may still win.
 *   UNKNOWN   nobody answered, or not in words that can be relied on.  It may
 *             have been applied, or may be later.  view is empty.
 */
enum register_outcome {
    REGISTER_WON,
    REGISTER_LOST,
    REGISTER_REJECTED,
    REGISTER_UNKNOWN
};

/*
 * A value at its revision.  value_size 0: there is none; revision is 0 then,
 * unless a stranger wrote an empty one.
 */
struct register_view {
    uint64_t revision;
    uint8_t value[REGISTER_VALUE_SIZE_MAX];
    size_t value_size;
};

/* The answer to a proposal; exactly one for each. */
struct register_answer {
    uint64_t token;
    enum register_outcome outcome;
    struct register_view view;
};

/*
 * The nodes that had an alive key when somebody last looked; a node that is not
 * listed had none.  A key says only that its node lived a while ago, and its
 * absence only that etcd gave it up.
 *
 * Invariant: count <= REGISTER_NODES_MAX.
 */
struct register_alive {
    uint8_t nodes[REGISTER_NODES_MAX][NODE_ID_SIZE];
    size_t count;
};

/*
 * What became of registering this node's incarnation.
 *
 *   DONE     known: the register holds exactly this incarnation.
 *   HIGHER   the register knows this node with at least that incarnation, and
 *            not from this start: the disk is an older copy (case C6).
 *   LOOKED   nothing was to be registered, only looked at: what the register
 *            holds, as its own log says, not as a reading may.
 *   UNKNOWN  nobody answered; ask again with the same number.
 */
enum register_incarnation_outcome {
    REGISTER_INCARNATION_DONE,
    REGISTER_INCARNATION_HIGHER,
    REGISTER_INCARNATION_LOOKED,
    REGISTER_INCARNATION_UNKNOWN
};

struct register_incarnation {
    enum register_incarnation_outcome outcome;
    uint64_t incarnation; /* That was to be registered. */
    uint64_t registered;  /* HIGHER, LOOKED: what the register holds. */
};

#endif
