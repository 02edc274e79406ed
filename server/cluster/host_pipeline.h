/*
 * host_pipeline.h: what the host calls of the rest of the node, the pipeline
 * above all, and how groups of entries reach the host.
 */
#ifndef DEFTER_SERVER_CLUSTER_HOST_PIPELINE_H
#define DEFTER_SERVER_CLUSTER_HOST_PIPELINE_H

#include "replication/replica.h"
#include "server/cluster/cluster_say.h"

struct peer_frame;

/* The next row to give out; begins as {index of the first entry, 0}. */
struct host_keys_cursor {
    uint64_t first_index;
    uint64_t number;
};

/*
 * All but say and failed are called on the host's thread, in the order of the
 * replica's actions.  They must not wait for the host: whoever holds something
 * that host_submit() or host_ask() needs is not waited for.
 */
struct host_calls {
    void *context;
    /* Sequence from ${end} on in ${epoch}, EPOCH first.  The slices are lent;
     * ${certificate} is empty with a register. */
    void (*lead)(void *context, uint32_t epoch, const struct journal_end *end,
                 struct slice config, struct slice certificate);
    /* Sequence no more: what was submitted and is not committed has no known
     * outcome. */
    void (*follow)(void *context);
    /* While it leads: the newest configuration, each once a term.  Both are
     * lent; ${certificate} as of lead(). */
    void (*configured)(void *context, struct slice config,
                       struct slice certificate);
    /* Entries below ${size} are committed and durable here; never falls. */
    void (*committed)(void *context, uint64_t size);
    /* Take no commands; or take them again. */
    void (*drain)(void *context, bool on);
    /* Serve nothing any more.  Everything is kept. */
    void (*halt)(void *context, enum replica_halt why);
    /* A new lineage is durable: close the node and open it again.  Nothing more
     * is done or said until then. */
    void (*restart)(void *context);
    /* After drain(true): nothing is under way any more.  Asked now and again.
     */
    bool (*idle)(void *context);
    /* What the node is, now and again: at least twice in beacon_ms or a second.
     */
    void (*status)(void *context, const struct replica_status *status);
    /* Whether the log has enrolled this node's key, and can be applied here: a
     * node that does not know so leads nobody.  Asked now and again. */
    bool (*enrolled)(void *context);
    /* The clocks of the nodes that answer, less this node's, lie between these;
     * INT64_MIN and INT64_MAX: none answers; the other way about: none has
     * answered yet, and the first entry of this term waits for one. */
    void (*peer_clock)(void *context, int64_t offset_us_min,
                       int64_t offset_us_max);
    /* Write the next rows of keys first used below ${end}, at most ${size}
     * bytes; gives their size, 0 once there are no more. */
    size_t (*keys)(void *context, uint8_t *rows, size_t size,
                   struct host_keys_cursor *cursor, uint64_t end);
    /* Evidence; each may be NULL.  A link to the node is up; the node sent a
     * checkpoint with signatures, or a signature line over the checkpoint of
     * ${size}: nothing of either is verified.  All are lent. */
    void (*linked)(void *context, const uint8_t *node_id);
    void (*checkpoint)(void *context, const uint8_t *node_id,
                       struct slice note);
    void (*cosigned)(void *context, const uint8_t *node_id, uint64_t size,
                     struct slice line);
    /* Erasure; each may be NULL.  A node sent a command that it signed, of
     * which nothing is verified; lent. */
    void (*confirm)(void *context, struct slice command);
    /* The part of a snapshot that frame->snapshot names by size and offset;
     * fills the rest.  The bytes are lent until the next call. */
    void (*snapshot_read)(void *context, struct peer_frame *frame);
    /* A part of one, from a node that was asked. */
    void (*snapshot_part)(void *context, const uint8_t *node_id,
                          const struct peer_frame *frame);
    /* Any thread: this node cannot go on; ends the process. */
    void (*failed)(void *context, enum status status, const char *what);
    cluster_say *say; /* Any thread. */
};

struct host;

/* A piece of mail to the host: the first member of whatever is posted. */
struct host_mail {
    struct host_mail *next;
    /* On the host's thread; takes the mail. */
    void (*deliver)(struct host *host, struct host_mail *mail);
};

/*
 * A group of entries on its way to the replica, which copies them.
 *
 * ${epoch} is the one that lead() named: a group of an earlier term never gets
 * into a later one.
 */
struct host_submission {
    struct host_mail mail; /* The host's own. */
    uint32_t epoch;
    const struct journal_entry *entries;
    size_t count;
    bool keyed; /* Some use a key for the first time. */
    /* The entries are not looked at any more; ${taken}: the replica has them.
     * On the host's thread, or from within host_submit() once the host has
     * stopped. */
    void (*done)(struct host_submission *submission, bool taken);
};

/* Any thread.  Never waits.  Owns: keeps ${submission} and its entries until
 * done() is called. */
void host_submit(struct host *host, struct host_submission *submission);

#endif
