/*
 * authority.h: who may do what, as the log's open items and the outcomes that
 * the attestations state make it.
 *
 * The rules here are necessary ones: what they refuse, no node could have done.
 * What needs sealed contents (grants, second persons, one's own subject) is
 * left to a replay with keys.
 */
#ifndef DEFTER_CLIENT_AUDIT_AUTHORITY_H
#define DEFTER_CLIENT_AUDIT_AUTHORITY_H

#include "client/audit/keys.h"
#include "protocol/catalogue.h"

struct authority_duty {
    uint64_t person;
    uint32_t organisation;
    uint8_t duty;
    bool is_active;
    bool is_revoked;
    int32_t from;
    int32_t to; /* 0 = open */
};

struct authority_organisation {
    uint8_t kind;
    bool is_active;
};

struct authority_node {
    struct bytes16 node_id;
    uint32_t key;                /* Row of keys. */
    struct bytes32 cosigner_key; /* Zeros: it has none. */
};

/* The newest one that the log holds; size 0: none. */
struct authority_configuration {
    uint8_t bytes[CONFIG_SIZE_MAX];
    size_t size;
    uint8_t certificate[CONFIG_CERT_SIZE_MAX];
    size_t certificate_size;
};

/* How the newest configuration that was done came: over which numbers, and
 * with or without a certificate. */
struct authority_came {
    uint64_t skipped_first; /* 0: none. */
    uint64_t skipped_last;
    bool is_certified;
    bool is_new;
};

struct authority {
    struct keys keys;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t operator_key[PUBLIC_KEY_SIZE]; /* Both of genesis. */
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    /* Objects are numbered from 1 in the order of their making. */
    struct authority_duty *duties;
    struct authority_organisation *organisations;
    uint8_t *carriers; /* Their kinds. */
    struct authority_node *nodes;
    uint32_t duties_count, duties_room;
    uint32_t organisations_count, organisations_room;
    uint32_t carriers_count, carriers_room;
    uint32_t nodes_count, nodes_room;
    uint32_t primary; /* Who began the last term; KEYS_NONE. */
    uint32_t epoch;   /* Of that term. */
    struct authority_configuration configuration;
    struct authority_came came;
    /* The newest forced one that an epoch's entry named, whatever its outcome;
     * size 0: none. */
    uint8_t forced[CONFIG_SIZE_MAX];
    size_t forced_size;
    bool registry_waits; /* For its failover.activate. */
    uint64_t persons_count;
    int32_t utc_offset_minutes;
};

/* One item of an entry, and its outcome. */
struct authority_act {
    uint64_t index;
    uint16_t item;
    uint16_t carrier;
    uint8_t realm;
    uint32_t signer; /* Row of keys. */
    uint32_t duty;
    int64_t log_time;
    bool is_timely;  /* Within the signer's time to live. */
    bool is_primary; /* Signed by the node whose term it is. */
    const struct operation_info *operation;
    struct slice fields; /* Of an open item; else empty. */
};

/* What an OK item gives back, as far as it follows from the open items. */
struct authority_result {
    bool is_known;
    struct slice bytes;
    uint8_t buffer[64];
};

/* Order: ends with authority_free(). */
void authority_init(struct authority *authority);
void authority_free(struct authority *authority);

/*
 * authority_reserve(authority):
 * Memory for whatever one call of authority_begin(), authority_learn() or
 * authority_done() adds, which need it before each.
 *
 * Returns: ST_OK; what keys_reserve() returns.
 */
NODISCARD enum status authority_reserve(struct authority *authority);

/* The first keys, the owner and its administrator. */
void authority_begin(struct authority *authority,
                     const struct op_system_genesis *genesis);

/*
 * authority_learn(authority, operation, fields):
 * Note the keys that an open item names, whatever its outcome.
 */
void authority_learn(struct authority *authority,
                     const struct operation_info *operation,
                     struct slice fields);

/*
 * authority_epoch_read(authority, in, index, signer):
 * A node begins a term: judge what no node enters, whatever becomes of it.
 *
 * Returns: NULL; else what is wrong, a sentence without a beginning.
 */
const char *authority_epoch_read(struct authority *authority,
                                 const struct op_system_epoch *in,
                                 uint64_t index, uint32_t signer);

/* Whether the key is that of the node whose term was attested last; anyone's
 * is where there was none. */
bool authority_is_primary(const struct authority *authority, uint32_t signer);

/* Whether acts of an operation depend on their fields here. */
bool authority_needs_fields(uint16_t opcode);

/*
 * authority_done(authority, result_out, act):
 * An item was attested as done: judge that, and take it over.
 *
 * Order:   acts in the order of the log, genesis excepted; each after
 *          authority_reserve().
 * Returns: NULL; else why it cannot have been done, a sentence.
 */
const char *authority_done(struct authority *authority,
                           struct authority_result *result_out,
                           const struct authority_act *act);

#endif
