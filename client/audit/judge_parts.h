/*
 * judge_parts.h: what the files of the judge share.
 *
 * Functions that judge return false when the entry has a fault, which is then
 * in the report.
 */
#ifndef DEFTER_CLIENT_AUDIT_JUDGE_PARTS_H
#define DEFTER_CLIENT_AUDIT_JUDGE_PARTS_H

#include "client/audit/judge.h"

/* The entry in hand. */
struct judging {
    const struct entry *entry;
    const struct batch_entry *batch_entry;
    size_t size; /* Of the frame. */
    struct walk_place place;
    uint32_t signer; /* Row of keys; KEYS_NONE for the genesis. */
    bool is_timely;
};

/* Nothing can be said of the log, whatever the report has: see judge->status;
 * false. */
bool judge_give_up(struct judge *judge, enum status status);

/* Note a fault; each returns false. */
bool judge_fault(struct judge *judge, enum report_verdict verdict,
                 uint64_t index, struct walk_place place, const char *what);
bool judge_tampered(struct judge *judge, const struct judging *judging,
                    const char *what);
bool judge_tampered_numbers(struct judge *judge, const struct judging *judging,
                            const char *what, uint64_t expected,
                            uint64_t actual);
bool judge_tampered_hashes(struct judge *judge, const struct judging *judging,
                           const char *what, const uint8_t *expected,
                           const uint8_t *actual, size_t size);
bool judge_receipt_fault(struct judge *judge, uint64_t index,
                         const struct receipts_fault *fault);

/* Who must have signed the entry; the genesis is read here. */
bool judge_signer(struct judge *judge, struct judging *judging,
                  uint8_t *key_out);
/* The epoch rises only where a node says so. */
bool judge_epoch(struct judge *judge, const struct judging *judging);
/* Whether a node signed the entry in its own term. */
bool judge_is_primary(const struct judge *judge, const struct judging *judging);
/* Whether the entry lies within the time that its signer gave. */
bool judge_is_timely(const struct entry *entry);

/* Every item against the operations table; those that give authority, and
 * attestations, are taken over. */
bool judge_items(struct judge *judge, const struct judging *judging);

#endif
