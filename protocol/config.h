/*
 * config.h: the configuration of a cluster: who is primary, and which nodes
 * must hold an entry before it is acknowledged (LOG-FORMAT, section 11).
 *
 * A register holds one configuration at a time.  Each names the one before it
 * by its hash, so that the history of configurations is a chain which any node,
 * the operator's tool and an auditor judge by the same rules, V1 to V7.
 *
 *      0 u16 version = 1         8 u64 number          16 cluster_id[16]
 *      2 u8  phase              32 lineage[16]         48 primary[16]
 *      3 u8  why                64 u64 base_size       72 base_leaf[32]
 *      4 u32 epoch             104 previous[32]       136 nonce[16]
 *    152 u8  minimum           153 u8 members_count
 *    154 u8  learners_count    155 u8 eligible_count  156 u32 lost_count
 *    160 members:  node_id[16] ‖ u64 incarnation, rising by node_id
 *        learners: node_id[16], rising
 *        eligible: node_id[16], rising
 */
#ifndef DEFTER_PROTOCOL_CONFIG_H
#define DEFTER_PROTOCOL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

enum {
    CONFIG_VERSION = 1,
    CONFIG_FIXED_SIZE = 160,
    CONFIG_MEMBER_SIZE = NODE_ID_SIZE + 8,
    /* Every node a member, and eligible. */
    CONFIG_ENCODED_SIZE_MAX =
        CONFIG_FIXED_SIZE +
        CONFIG_NODES_MAX * (CONFIG_MEMBER_SIZE + NODE_ID_SIZE)
};
static_assert((int)CONFIG_ENCODED_SIZE_MAX <= (int)CONFIG_SIZE_MAX,
              "a configuration fits what keeps it");

/* RECOVERING: the primary is not a member yet; it takes over a member's log. */
enum config_phase { CONFIG_NORMAL = 1, CONFIG_RECOVERING = 2 };

/* What a change is for. */
enum config_why {
    CONFIG_BOOT = 1,    /* The first. */
    CONFIG_RESTART,     /* The same primary, a new epoch. */
    CONFIG_REMOVE,      /* A member less. */
    CONFIG_REPLACE,     /* A member for another. */
    CONFIG_ADD,         /* A member more. */
    CONFIG_PROMOTE,     /* A member becomes primary. */
    CONFIG_PROMOTE_VIA, /* A node that is no member does, recovering. */
    CONFIG_ADOPTED,     /* Recovering is over. */
    CONFIG_SWITCHOVER,  /* Planned: the primary hands over. */
    CONFIG_SETTLE,      /* Changes nothing: settles a proposal's fate. */
    CONFIG_FORCED,      /* A new lineage: entries may be lost. */
    CONFIG_NODES,       /* Learners, eligible nodes or the minimum. */
    CONFIG_WHY_MAX = CONFIG_NODES
};

struct config_member {
    uint8_t node_id[NODE_ID_SIZE];
    uint64_t incarnation; /* With which it was admitted. */
};

/*
 * The nodes of a cluster are its members and its learners.  One that is not
 * eligible keeps entries and is never primary: an archive.
 *
 * Invariants: members and learners are at most CONFIG_NODES_MAX together; lists
 * rise strictly; no node is both member and learner; every eligible node is one
 * of both; number and epoch are not 0; members_count > 0; minimum is 1 to
 * CONFIG_NODES_MAX; lost_count is 0 unless FORCED.
 */
struct config {
    enum config_phase phase;
    enum config_why why;
    uint32_t epoch;
    uint64_t number;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t lineage[LINEAGE_SIZE];
    uint8_t primary[NODE_ID_SIZE];
    uint64_t base_size; /* The proposer's log when it proposed. */
    uint8_t base_leaf[HASH_SIZE];
    uint8_t previous[HASH_SIZE]; /* config_hash() of the one before; zeros. */
    uint8_t nonce[CONFIG_NONCE_SIZE];
    /* FORCED: entries from base_size on that were known to be committed, and
     * that the new lineage does not have; UINT32_MAX: that many or more. */
    uint32_t lost_count;
    uint8_t minimum; /* Members below which nothing is acknowledged. */
    uint8_t members_count;
    uint8_t learners_count;
    uint8_t eligible_count;
    struct config_member members[CONFIG_NODES_MAX];
    uint8_t learners[CONFIG_NODES_MAX][NODE_ID_SIZE];
    uint8_t eligible[CONFIG_NODES_MAX][NODE_ID_SIZE];
};

/* Writes config_size() bytes.  Requires: the invariants. */
size_t config_size(const struct config *config);
void config_encode(uint8_t *out, const struct config *config);

/* Returns: ST_OK; ST_FILE_FORMAT for any byte that config_encode() would not
 * have written, or a value that breaks an invariant. */
NODISCARD enum status config_decode(struct config *out, struct slice bytes);

/* SHA-256(T("DFT1/config") ‖ bytes). */
void config_hash(uint8_t out[HASH_SIZE], struct slice bytes);

/* Lists; adding keeps the order.  Requires: room, and not in the list. */
bool config_has_member(const struct config *config, const uint8_t *node_id);
bool config_has_learner(const struct config *config, const uint8_t *node_id);
bool config_is_eligible(const struct config *config, const uint8_t *node_id);
const struct config_member *config_member(const struct config *config,
                                          const uint8_t *node_id);
void config_add_member(struct config *config, const uint8_t *node_id,
                       uint64_t incarnation);
void config_remove_member(struct config *config, const uint8_t *node_id);
void config_add_learner(struct config *config, const uint8_t *node_id);
void config_remove_learner(struct config *config, const uint8_t *node_id);
void config_add_eligible(struct config *config, const uint8_t *node_id);
void config_remove_eligible(struct config *config, const uint8_t *node_id);

/* Member or learner. */
bool config_has_node(const struct config *config, const uint8_t *node_id);
/* Whether one of its nodes is an archive. */
bool config_has_archive(const struct config *config);

/* A learner becomes a member, a member a learner; the nodes stay the same.
 * Requires: config_has_learner(), config_has_member(). */
void config_admit(struct config *config, const uint8_t *node_id,
                  uint64_t incarnation);
void config_dismiss(struct config *config, const uint8_t *node_id);
/* Every member but ${node_id} becomes a learner. */
void config_dismiss_others(struct config *config, const uint8_t *node_id);

/*
 * Which rule of replication a successor breaks; the first that applies.
 *
 *                epoch  primary  phase         members               lists
 *   RESTART      higher same     stays         same                  same
 *   REMOVE       same   same     NORMAL        one becomes learner   same
 *   REPLACE      same   same     NORMAL        one for one learner   same
 *   ADD          same   same     NORMAL        one learner joins, or same
 *                                              one is admitted anew
 *   PROMOTE      higher a member becomes       same, or itself alone same
 *                                NORMAL        with a minimum of 1
 *   PROMOTE_VIA  higher a        becomes       same                  same
 *                       learner  RECOVERING
 *   ADOPTED      same   same     RECOVERING    itself and one of     same
 *                                -> NORMAL     those before
 *   SWITCHOVER   higher a member NORMAL        same                  same
 *   SETTLE       same   same     stays         same                  same
 *   FORCED       higher any      becomes       itself alone          any
 *                                NORMAL
 *   NODES        same   same     stays         same                  any
 *
 * "Lists" are who is eligible, which nodes there are, and the minimum.  Whoever
 * is a member no more is a learner.  A primary's own incarnation may rise with
 * the epoch; ADOPTED may raise both.  Members are never made fewer than the
 * minimum; ADOPTED and FORCED may begin below it, where nothing is acknowledged
 * until enough have joined.
 */
enum config_fault {
    CONFIG_GOOD,
    CONFIG_V1_NUMBER,   /* Not the next number. */
    CONFIG_V1_PREVIOUS, /* Does not name the one before. */
    CONFIG_V1_CLUSTER,  /* Another cluster. */
    CONFIG_V2_EPOCH,    /* The epoch falls, or rises where it must not, or stays
                         * where it must rise. */
    CONFIG_V3_PRIMARY,  /* The primary is not eligible, or no member. */
    CONFIG_V4_MINIMUM,  /* Members are made fewer than the minimum. */
    CONFIG_V4_MEMBERS,  /* Members change in another way than they may. */
    CONFIG_V6_ADOPTED,  /* Recovering ends with other members than it must. */
    CONFIG_V7_LINEAGE,  /* A new lineage without being forced, or a forced one
                         * that is not named as it must. */
    CONFIG_LISTS,       /* Nodes, eligible ones or the minimum change, and this
                         * is not said to be done. */
    CONFIG_WHY,         /* What is said to be done is not what is done. */
    CONFIG_BOOT_FORM,   /* A first configuration that is no first one. */
    CONFIG_FAULTS_COUNT
};
const char *config_fault_text(enum config_fault fault);    /* English */
const char *config_fault_text_az(enum config_fault fault); /* Azerbaijani */

/* "promote" and the like. */
const char *config_why_name(enum config_why why);

/*
 * config_judge(newer, older, older_bytes):
 * Whether ${newer} may follow ${older}; NULL: whether it may be the first.
 * What only the proposer can know (V5: a live acknowledgement of who joins) is
 * not judged here.
 *
 * In manual mode a certificate grants its primary the epochs from its own up to
 * CONFIG_GRANT_EPOCHS more, so the next one must be granted above them.  Who
 * signs sees to that with config_granted(); the judge asks only for a higher
 * one, which holds in every mode.
 */
enum config_fault config_judge(const struct config *newer,
                               const struct config *older,
                               struct slice older_bytes);

/*
 * config_judge_later(newer, older):
 * Whether ${newer} may stand some time after ${older}, where those between are
 * not known; NULL: whether it may stand at all.  This is what every sequence of
 * lawful changes keeps: cluster and lineage; an epoch that does not fall, and
 * rises with another primary; a primary that may lead; members enough, or as
 * few as a lawful change can leave; what the last change says of itself.
 *
 * It refuses nothing that a chain of good configurations can lead to.
 */
enum config_fault config_judge_later(const struct config *newer,
                                     const struct config *older);

/*
 * config_succeed(out, older, older_bytes, why):
 * Begin a successor: a copy with the next number, ${why} and the hash of the
 * older one, and nothing lost.  The caller changes it and sets base and nonce.
 *
 * Requires: older->number < UINT64_MAX.
 */
void config_succeed(struct config *out, const struct config *older,
                    struct slice older_bytes, enum config_why why);

/*
 * config_granted(epoch_out, older, seen):
 * The epoch that a certificate gives a new primary: above every one that
 * ${older} granted, and above ${seen}, the highest one known of.
 *
 * Returns: ST_OK; ST_LIMIT if epochs are used up.
 */
NODISCARD enum status config_granted(uint32_t *epoch_out,
                                     const struct config *older, uint32_t seen);

/*
 * config_forced_lineage(out, config):
 * What the lineage of a FORCED configuration must be: the first LINEAGE_SIZE
 * bytes of config_hash() of its bytes with zeros for the lineage.  So nobody
 * can choose one, and the nonce makes it one of its own.
 */
void config_forced_lineage(uint8_t out[LINEAGE_SIZE],
                           const struct config *config);

#endif
