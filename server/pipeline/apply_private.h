/*
 * apply_private.h: what the files apply*.c share.
 */
#ifndef DEFTER_SERVER_PIPELINE_APPLY_PRIVATE_H
#define DEFTER_SERVER_PIPELINE_APPLY_PRIVATE_H

#include "protocol/entry.h"
#include "protocol/tree.h"
#include "server/pipeline/apply.h"
#include "server/pipeline/outcome.h"
#include "server/registry/dispatch.h"

enum {
    /* All that a group may change: two keys an item, in key.rotate. */
    APPLY_TOUCHED_MAX = 2 * GROUP_ENTRIES_MAX * ITEMS_MAX,
    APPLY_PURGED_PER_ENTRY_MAX = 4
};

/* A key that changed in this group. */
struct apply_touched {
    struct bytes16 key_id;
};

struct apply {
    struct apply_parts parts;
    struct apply_changes changes;
    struct act_services services;
    struct attest *attest;
    struct tree tree;
    struct act act; /* Of the item being applied; kept through a command. */
    struct writer space;
    struct item_outcome items[ITEMS_MAX];
    union dispatch_fields fields;
    uint8_t *item_result; /* RESULT_SIZE_MAX each. */
    uint8_t *result;
    uint8_t *space_bytes;
    uint8_t *opened;    /* ENTRY_SIZE_MAX: the item being applied. */
    uint8_t *stored;    /* ENTRY_SIZE_MAX: an item opened for a handler. */
    bool destroyed;     /* By the last entry; until erasure_keep(). */
    uint64_t kept_size; /* Of the last snapshot in this process; 0 none. */
    uint8_t kept_digest[HASH_SIZE];
    uint64_t oldest; /* Lowest entry that has a row in TABLE_COMMAND. */
    int64_t oldest_time;
    uint64_t oldest_outcome; /* The same of TABLE_OUTCOME; UINT64_MAX: none. */

    /* Told at the commit. */
    struct apply_touched touched[APPLY_TOUCHED_MAX];
    uint32_t touched_count;
    bool touched_all;
    bool open_data_changed;
};

/* One entry being applied. */
struct apply_input {
    struct entry entry;
    uint8_t leaf[HASH_SIZE];
    uint8_t command_hash[HASH_SIZE];
    const struct work *work; /* NULL at replay. */
    int64_t now_ms;
};

/*
 * apply_items(apply, result_out, input):
 * Steps 10 to 13 for all items; fills apply->items and appends the command's
 * result.
 *
 * Returns: ST_OK, and decisions stand in apply->items; ST_DIVERGED;
 *          ST_SEAL or ST_KEY_MISSING.
 */
NODISCARD enum status apply_items(struct apply *apply,
                                  struct writer *result_out,
                                  const struct apply_input *input);

/*
 * apply_attested_refused(apply, input):
 * What a node states in an attestation of its own that was refused, whichever
 * of its keys are good and whoever is primary, is compared all the same; one
 * that came too early or too late states nothing.
 *
 * Returns: ST_OK; ST_DIVERGED.
 * Order:   when apply->items stand, and before attest_add().
 */
NODISCARD enum status apply_attested_refused(struct apply *apply,
                                             const struct apply_input *input);

/*
 * apply_readable(apply, input):
 * Whether what the entry's operations read of the log can be read here.
 *
 * Returns: ST_OK; ST_CHECKSUM for an entry that is damaged on this disk;
 *          ST_CONTENT_GONE for an item whose key an act above it destroyed;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status apply_readable(struct apply *apply,
                                     const struct apply_input *input);

/* erasure.c: a holder's confirmation that the primary signed names the state
 * that this node came to, where it still knows. ST_OK; ST_DIVERGED. */
NODISCARD enum status erasure_check(struct apply *apply, const struct act *act,
                                    const struct op_destroy_confirm *in);

/* apply_outcomes.c: the outcomes that others are shown.  They are kept when the
 * attestation that was compared is applied, before attest_cut(), and go with
 * their commands' rows. */
void apply_keep_outcomes(struct apply *apply,
                         const struct op_system_attest *stated,
                         uint64_t attestation);
void apply_find_oldest_outcome(struct apply *apply);
void apply_purge_outcome(struct apply *apply, uint64_t index);

/* Note what an item that was done changed outside of the state. */
void apply_note(struct apply *apply, const struct act *act,
                const union dispatch_fields *fields);

#endif
