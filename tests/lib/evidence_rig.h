/*
 * evidence_rig.h: the evidence of one node over a log on a model disk, step by
 * step and without its thread; the files of the evidence lie on a disk of their
 * own, so that it alone can lose power.
 *
 *   struct evidence_rig rig;
 *
 *   evidence_rig_begin(&rig);
 *   evidence_rig_grow(&rig, 10);
 *   evidence_rig_open(&rig, 10);
 *   evidence_lead(rig.evidence, 10);
 *   evidence_turn(rig.evidence);
 *   evidence_rig_end(&rig);
 */
#ifndef DEFTER_TESTS_LIB_EVIDENCE_RIG_H
#define DEFTER_TESTS_LIB_EVIDENCE_RIG_H

#include "protocol/checkpoint.h"
#include "protocol/tlog_policy.h"
#include "protocol/tree.h"
#include "replication/journal.h"
#include "server/evidence/evidence.h"
#include "tests/lib/disk_model.h"

enum { EVIDENCE_RIG_ENTRIES_MAX = 1024, EVIDENCE_RIG_SIGNED_MAX = 64 };

#define EVIDENCE_RIG_ORIGIN "log.example/rig"

struct evidence_rig {
    struct disk_model *log_model;
    struct disk_model *model;
    struct journal *journal;
    struct journal_end end;
    uint8_t variant; /* Makes entries of one index differ. */
    uint8_t leaves[EVIDENCE_RIG_ENTRIES_MAX][HASH_SIZE];
    struct identity log_identity;
    struct note_key log_key;
    bool keyless; /* The node has no log key. */
    const struct tlog_policy *policy;
    const struct note_key *cosigner; /* Enrolled; NULL: none is. */
    int64_t wall_us;
    int64_t boot_us;
    struct evidence *evidence;
    char said[4096]; /* Its lines, newest last. */
    /* What events.checkpoint told since the rig began. */
    size_t told_count;
    uint64_t told_sizes[EVIDENCE_RIG_SIGNED_MAX];
    uint8_t told_roots[EVIDENCE_RIG_SIGNED_MAX][HASH_SIZE];
    bool told_own[EVIDENCE_RIG_SIGNED_MAX];
    uint64_t witnessed; /* What events.witnessed told last. */
};

void evidence_rig_begin(struct evidence_rig *rig);
void evidence_rig_end(struct evidence_rig *rig);

/* Append entries to the log. */
void evidence_rig_grow(struct evidence_rig *rig, size_t count);

/* An empty log in the place of this one, with other entries to come. */
void evidence_rig_replace_log(struct evidence_rig *rig);

/* Of a log of which ${applied} entries are applied. */
enum status evidence_rig_open(struct evidence_rig *rig, uint64_t applied);
void evidence_rig_close(struct evidence_rig *rig);

/* The evidence's disk loses power, keeping what is pending or not. */
void evidence_rig_crash(struct evidence_rig *rig, bool keep);

/* Entries up to ${size} are applied: offered as the apply thread does. */
void evidence_rig_apply(struct evidence_rig *rig, uint64_t size);

/* Turns until there is nothing to do at once, after ${seconds}. */
void evidence_rig_turn(struct evidence_rig *rig, int64_t seconds);

void evidence_rig_root(const struct evidence_rig *rig, uint8_t out[HASH_SIZE],
                       uint64_t size);

/* Size of the newest note, which verifies and has the log's root; 0: none. */
uint64_t evidence_rig_note(struct evidence_rig *rig);

/* A note of ${size} and ${root} that the log's key signed. */
struct slice evidence_rig_sign(const struct evidence_rig *rig, uint8_t *out,
                               size_t out_size, uint64_t size,
                               const uint8_t root[HASH_SIZE]);

#endif
