/*
 * judge.h: one entry of a log after the other, against all that came before:
 * the chain and the tree, the operations table, keys, attestations, receipts.
 */
#ifndef DEFTER_CLIENT_AUDIT_JUDGE_H
#define DEFTER_CLIENT_AUDIT_JUDGE_H

#include "client/audit/archive_records.h"
#include "client/audit/batch.h"
#include "client/audit/decisions.h"
#include "client/audit/receipts.h"
#include "client/audit/report.h"
#include "client/audit/verify.h"
#include "client/audit/vouch.h"
#include "client/audit/hash_tiles.h"
#include "protocol/tree.h"

struct judge {
    const struct verify_options *options;
    struct report *report;
    struct source *source;
    enum status status; /* ST_OK; why nothing can be said: ST_RECEIPT, the
                         * receipts cannot be read; memory is short. */
    struct tree tree;
    uint8_t leaf[HASH_SIZE]; /* Of the newest entry. */
    struct walk_place place; /* Where it begins. */
    uint32_t epoch;
    bool has_primary;
    uint32_t primary; /* Row of keys: who began the epoch. */
    uint64_t term;    /* Index of the entry that began the epoch. */
    uint64_t refused; /* That index, if the entry was refused; else an older
                         one's. */
    uint64_t forced;  /* Index of the newest lineage's first entry; 0: none. */
    int64_t log_time;
    uint32_t segment_size;
    bool is_root_wrong; /* The fault is the root: an entry before is another. */
    bool is_leaf_seen;  /* The one that was expected. */
    struct slice origin; /* Of genesis, in ${origin_bytes}. */
    uint8_t origin_bytes[NOTE_NAME_SIZE_MAX];
    struct authority authority;
    struct decisions decisions;
    struct archive_records records;
    struct receipts receipts;
    struct vouches *vouches;  /* Borrowed. */
    struct hash_tiles *tiles; /* Borrowed; NULL: no tree of tiles. */
};

/* Order: ends with judge_free(). */
void judge_init(struct judge *judge, struct report *report,
                struct source *source, struct vouches *vouches,
                const struct verify_options *options);
void judge_free(struct judge *judge);

/*
 * judge_batch(judge, batch):
 * Judge the batch's entries until one has a fault, which is in the report, and
 * give each the key that must have signed it.
 *
 * Returns: how many entries were given a key, from the first.
 */
size_t judge_batch(struct judge *judge, struct batch *batch);

/* A signature is wrong: of the entries judged, this one comes first. */
void judge_bad_signature(struct judge *judge, const struct batch *batch,
                         size_t number);

/*
 * judge_vouches(judge, origin, log_key):
 * Verify who signed the checkpoints; see vouch_judge().
 */
bool judge_vouches(struct judge *judge, struct slice origin,
                   const uint8_t *log_key);

/*
 * judge_left(judge, vouch):
 * Whether the checkpoint is of a lineage that ended before its size: what it
 * names beyond that is lost, as the log says itself.
 */
bool judge_left(const struct judge *judge, const struct vouch *vouch);

/*
 * judge_vouches_end(judge):
 * Which size the checkpoints cover.
 *
 * Returns: false if one is of a longer log than this.
 */
bool judge_vouches_end(struct judge *judge);

/* Put into the report what the checkpoints are. */
void judge_vouches_told(struct judge *judge);

/* Why the last batch stopped. */
void judge_stop(struct judge *judge, const struct walk_batch *batch);

/* What can only be said at the end. */
void judge_end(struct judge *judge);

#endif
