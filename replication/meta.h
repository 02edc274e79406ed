/*
 * meta.h: who this node is and what it has promised (LOG-FORMAT, section 5).
 *
 * The file is made last when a node is set up: where it exists, the node has
 * been set up wholly.  A node whose meta file cannot be read never guesses: it
 * is given a new identity by an operator.
 *
 * Every change is durable in both slots before the function returns, because
 * whatever the node does next relies on it: a slot that rots later takes
 * nothing with it.
 */
#ifndef DEFTER_REPLICATION_META_H
#define DEFTER_REPLICATION_META_H

#include "replication/slots.h"

#define META_FILE "meta"

/* Invariant: configuration_size <= META_CONFIGURATION_SIZE_MAX. */
struct meta_value {
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    /* First bytes of genesis' leaf hash, until a forced configuration begins
     * another. */
    uint8_t lineage[LINEAGE_SIZE];
    uint64_t incarnation; /* Starts of this node, from 1. */
    /* The last of them that this disk let be registered, or 0: if a later one
     * is registered, the disk is an older copy (case C6). */
    uint64_t claimed;
    uint32_t promised_epoch; /* The lowest epoch this node accepts. */
    uint32_t used_epoch;     /* The highest this node was primary in, or 0. */
    uint64_t configuration_number;
    /* The newest value may have been another one: until a configuration is
     * written, whom this node vouched for is not known. */
    bool doubtful;
    uint8_t configuration[META_CONFIGURATION_SIZE_MAX]; /* As it was signed. */
    size_t configuration_size;
};

struct meta {
    struct slots slots;
    struct meta_value value;
};

enum { META_BODY_FIXED_SIZE = 84 };

/*
 * meta_encode(out, size_out, value):
 * Write at most SLOTS_BODY_SIZE_MAX bytes.
 */
void meta_encode(uint8_t *out, size_t *size_out,
                 const struct meta_value *value);

/* Returns: ST_OK; ST_FILE_FORMAT. */
NODISCARD enum status meta_decode(struct meta_value *out, struct slice body);

/* As slots_create(); the last act of setting up a node. */
NODISCARD enum status meta_create(struct disk *disk,
                                  const struct meta_value *value);

/*
 * meta_open(meta, disk):
 * Read what this node is.  Where one slot is bad, a crash may have torn a value
 * with the next incarnation or epoch: both are taken as one more than the good
 * slot says, so that no number is ever used twice.  It may as well have rotted,
 * with promises in it that are known nowhere else: the value is doubtful.
 *
 * Returns: ST_OK; ST_NO_FILE: not set up; ST_FILE_FORMAT if no slot is valid
 *          (case C7: refuse to start); ST_DISK_FAILED.
 * Owns:    gives the file in ${meta}, to be closed with meta_close().
 */
NODISCARD enum status meta_open(struct meta *meta, struct disk *disk);

/* Accepts a meta that is closed already. */
void meta_close(struct meta *meta);

/*
 * meta_begin(meta):
 * Count this start: take the next incarnation.
 *
 * Returns: ST_OK; ST_DISK_FAILED, and the process must not go on.
 * Order:   once, after meta_open() and journal_open(), before anything is
 *          appended.
 */
NODISCARD enum status meta_begin(struct meta *meta);

/*
 * meta_rise(meta, incarnation):
 * Take a higher incarnation: the register knows of a later start than this disk
 * does (case C6).
 *
 * Requires: incarnation > meta->value.incarnation.
 * Returns:  as meta_begin().
 */
NODISCARD enum status meta_rise(struct meta *meta, uint64_t incarnation);

/*
 * meta_claim(meta, incarnation):
 * Note that this incarnation may be registered from now on.
 *
 * Requires: incarnation <= meta->value.incarnation.
 * Returns:  as meta_begin().
 */
NODISCARD enum status meta_claim(struct meta *meta, uint64_t incarnation);

/*
 * meta_take_epoch(meta, epoch_out):
 * Take the next epoch for this start of a primary.
 *
 * Returns: ST_OK; ST_LIMIT if epochs are used up; ST_DISK_FAILED, and the
 *          process must not go on.
 * Order:   before the first entry of this start.
 */
NODISCARD enum status meta_take_epoch(struct meta *meta, uint32_t *epoch_out);

/*
 * meta_take_granted(meta, epoch_out, first, count):
 * Take the next epoch of the grant [first, first + count): above all that this
 * node has promised or used.
 *
 * Requires: count > 0, first > 0.
 * Returns:  as meta_take_epoch(); ST_LIMIT if the grant is used up.
 * Order:    as meta_take_epoch().
 */
NODISCARD enum status meta_take_granted(struct meta *meta, uint32_t *epoch_out,
                                        uint32_t first, uint32_t count);

/*
 * meta_use_epoch(meta, epoch):
 * Note that this node is primary in ${epoch}, which was given to it from
 * outside (the register); it is promised as well.
 *
 * Requires: epoch >= meta->value.promised_epoch, epoch >
 *           meta->value.used_epoch.
 * Returns:  as meta_begin().
 * Order:    as meta_take_epoch().
 */
NODISCARD enum status meta_use_epoch(struct meta *meta, uint32_t epoch);

/*
 * meta_promise(meta, epoch):
 * Accept nothing below ${epoch} any more.
 *
 * Requires: epoch >= meta->value.promised_epoch.
 * Returns:  as meta_begin().
 */
NODISCARD enum status meta_promise(struct meta *meta, uint32_t epoch);

/*
 * meta_configure(meta, number, configuration):
 * Keep the configuration of that number.
 *
 * Requires: number >= meta->value.configuration_number, configuration.size <=
 *           META_CONFIGURATION_SIZE_MAX.
 * Returns:  as meta_begin().
 */
NODISCARD enum status meta_configure(struct meta *meta, uint64_t number,
                                     struct slice configuration);

/*
 * meta_force(meta, lineage, number, configuration, epoch):
 * Leave the lineage for the one that this configuration begins, and promise its
 * epoch: all of it in one write, so that a crash leaves the one or the other.
 *
 * Requires: as meta_configure().
 * Returns:  as meta_begin().
 * Order:    before anything is said or sent under the new lineage.
 */
NODISCARD enum status meta_force(struct meta *meta,
                                 const uint8_t lineage[LINEAGE_SIZE],
                                 uint64_t number, struct slice configuration,
                                 uint32_t epoch);

#endif
