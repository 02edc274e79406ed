/*
 * unit_export_parts.h: what the files of the making of units share.
 */
#ifndef DEFTER_CLIENT_EXPORT_UNIT_EXPORT_PARTS_H
#define DEFTER_CLIENT_EXPORT_UNIT_EXPORT_PARTS_H

#include "client/audit/verify_parts.h"
#include "client/export/unit_export.h"
#include "client/export/unit_writer.h"

/* A unit whose entries are written. */
struct unit_made {
    struct archive_unit unit;
    uint32_t *signers; /* Rows of the judge's keys, in no order. */
    uint32_t signers_count;
    uint32_t signers_room;
};

/* Hashes of one level of tiles, from the beginning of the log. */
struct unit_level {
    uint8_t (*hashes)[HASH_SIZE];
    size_t count;
    size_t room;
};

struct unit_export {
    const struct unit_export_options *options;
    struct unit_export_result *result;
    struct verify_options judging;
    struct verify verify; /* Of the log; its vouch 0 is the checkpoint. */
    struct vouch_policy policy;
    uint8_t *genesis;
    size_t genesis_size;
    uint64_t last;
    struct tree tree;
    uint8_t leaf[HASH_SIZE]; /* Of the newest entry. */
    int64_t begun;           /* Log time of the unit's first entry. */
    uint32_t segment_size;
    uint8_t tile[TILE_WIDTH_MAX][HASH_SIZE]; /* Of level 0, in the making. */
    struct unit_level above[TILE_LEVELS];    /* From level 1 on. */
    uint8_t *bundle;
    size_t bundle_room;
    size_t bundle_used;
    uint32_t *marks; /* Of each row of keys: the number of the last unit that
                      * has it, from 1. */
    uint32_t marks_room;
    struct unit_packer *packer;
    struct unit_writer out; /* Of the newest unit, while it is not whole. */
    bool is_open;
    struct unit_made *made;
    size_t made_count;
};

/* The unit's directory. */
void unit_export_path(const struct unit_export *export,
                      char out[VERIFY_PATH_SIZE],
                      const struct archive_unit *unit);

/* What of a unit is known at the end alone: tiles above, texts, keys, the
 * manifest. */
NODISCARD enum status unit_export_finish(struct unit_export *export,
                                         struct unit_made *made);

#endif
