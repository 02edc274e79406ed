/*
 * pipeline_rig.h: sequencing, log and apply of one node, step by step and
 * without threads; time stands still until a test moves it.
 *
 *   struct rig rig;
 *   struct rig_answer answer;
 *
 *   rig_open(&rig);
 *   rig_ping(&rig, &rig.admin, &answer, "text");
 *   rig_close(&rig);
 *
 * The log lies on a model disk (or files), keyring and state in a temporary
 * directory.
 */
#ifndef DEFTER_TESTS_LIB_PIPELINE_RIG_H
#define DEFTER_TESTS_LIB_PIPELINE_RIG_H

#include "protocol/command_build.h"
#include "server/pipeline/apply.h"
#include "server/pipeline/decode.h"
#include "server/pipeline/node_command.h"
#include "server/pipeline/sequencer.h"
#include "server/store/disk_posix.h"
#include "tests/lib/disk_model.h"

/* 2026-08-17T09:00:00Z */
#define RIG_TIME   INT64_C(1786957200000000)
#define RIG_SECOND INT64_C(1000000)

enum {
    RIG_PATH_SIZE = 256,
    RIG_BODY_SIZE = ENTRY_SIZE_MAX,
    RIG_ITEMS_MAX = 256
};

struct rig {
    char directory[RIG_PATH_SIZE];
    struct disk_model *model; /* NULL on real files: */
    struct disk_posix *posix;
    struct disk *disk;
    struct journal *journal;
    struct keyring *keyring;
    struct state *state;
    struct search *search;
    struct directory *keys;
    struct idempotency *idempotency;
    struct apply *apply;
    struct sequencer *sequencer;
    struct group *group;
    struct identity authority;
    struct identity node;
    struct identity admin; /* Holds ADM, assignment 1. */
    struct node_signer signer;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    int64_t wall;
    int64_t boot;
    uint64_t incarnation;
    uint32_t epoch;
    uint32_t seeds;
    uint8_t *entry_buffer;
    bool from_snapshot; /* A fresh state begins with the newest one. */
};

/* What a command came to. */
struct rig_answer {
    bool is_error; /* The sequencer refused it: code and item. */
    bool known;
    bool omitted;
    uint16_t code;
    uint16_t item;
    uint64_t index;
    size_t result_size;
    uint8_t result[4096]; /* Of longer ones the beginning. */
    uint8_t result_hash[HASH_SIZE];
};

/* A command being put together. */
struct rig_command {
    struct command_build build;
    struct command_header header;
    uint8_t buffer[RIG_BODY_SIZE];
    uint8_t fields[RIG_BODY_SIZE];
    struct command_item items[RIG_ITEMS_MAX];
    uint16_t carrier;
    uint8_t carrier_kind;
    uint32_t organisation;
};

/* A node after its first start: genesis, epoch and secret are applied. */
void rig_open(struct rig *rig);
/* The same with the log on real files, which threads may share. */
void rig_open_on_files(struct rig *rig);
/* As the latter, with genesis alone: rigs opened so are nodes of one cluster.
 */
void rig_open_bare(struct rig *rig);
void rig_close(struct rig *rig);

/* Let time pass, on both clocks. */
void rig_wait(struct rig *rig, int64_t microseconds);

/* End the process without any last act, and start again; what was committed to
 * the log stays.  ${keep_state}: state.db stays too.  The status of the replay.
 */
enum status rig_restart(struct rig *rig, bool keep_state);

/* A command of realm R with a fresh idem, signed when it is finished. */
void rig_begin(struct rig *rig, struct rig_command *command);
void rig_item(struct rig *rig, struct rig_command *command, uint16_t opcode,
              uint64_t subject, uint32_t duty, const void *fields);
struct work *rig_finish(struct rig *rig, struct rig_command *command,
                        const struct identity *signer);

/* Sequence, commit and apply one work; it is gone afterwards. */
void rig_run(struct rig *rig, struct rig_answer *answer, struct work *work);

/* The same in two steps: what the core and disk do, and what apply does. */
enum sequencer_verdict rig_commit(struct rig *rig, struct work *work);
enum status rig_apply(struct rig *rig, struct rig_answer *answer);

/* A system.ping by ${signer}. */
void rig_ping(struct rig *rig, const struct identity *signer,
              struct rig_answer *answer, const char *text);

/* One item in a command of its own; ${fields} is its op_ struct. */
void rig_do(struct rig *rig, const struct identity *signer,
            struct rig_answer *answer, uint16_t opcode, uint64_t subject,
            uint32_t duty, const void *fields);

/* An identity with a seed of its own. */
void rig_identity(struct rig *rig, struct identity *out);

/* True if some file of the directory holds ${text}. */
bool rig_files_hold(struct rig *rig, const char *text);

#endif
