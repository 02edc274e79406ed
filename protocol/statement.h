/*
 * statement.h: what a node says of itself, signed, so that an operator can see
 * on what he decides (LOG-FORMAT, section 11).
 *
 *      0 u16 version = 1          72 u32 promised
 *      2 u16 flags                76 u8  why, u8[3] zeros
 *      4 u32 epoch                80 config_hash[32]
 *      8 u64 incarnation         112 u64 size
 *     16 cluster_id[16]          120 leaf[32]
 *     32 lineage[16]             152 u64 committed
 *     48 node_id[16]             160 i64 time_us
 *     64 u64 config_number       168 other[16]
 *                                184 u64 other_incarnation
 *                                192 u64 other_matched
 *    200 signature[64] over T("DFT1/statement") ‖ bytes 0 to 199
 *
 * Unknown flags are refused; leaf is zeros where size is 0.
 *
 * A statement that binds the node (it waits for somebody new, or takes no more
 * commands) is given only to the operator, who asks with a request:
 *
 *      0 u16 version = 1      8 i64 time_us          32 asked[16]
 *      2 u8  why             16 cluster_id[16]       48 about[16]
 *      3 u8[5] zeros         64 signature[64] over T("DFT1/statement") ‖
 *                               bytes 0 to 63
 */
#ifndef DEFTER_PROTOCOL_STATEMENT_H
#define DEFTER_PROTOCOL_STATEMENT_H

#include "protocol/config.h"
#include "protocol/identity.h"

enum {
    STATEMENT_VERSION = 1,
    STATEMENT_SIZE = 264,
    STATEMENT_REQUEST_SIZE = 128,
    STATEMENT_REQUEST_AGE_S_MAX = 120
};
enum {
    STATEMENT_LOST = 1,
    STATEMENT_DAMAGED = 2,
    STATEMENT_PRIMARY = 4,
    STATEMENT_SEALED = 8, /* It takes no more commands and stops at size. */
    STATEMENT_ACK = 16,   /* other: has everything committed, durably. */
    STATEMENT_FLAGS = 31
};

struct statement {
    uint16_t flags;
    uint32_t epoch;
    uint64_t incarnation;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t lineage[LINEAGE_SIZE];
    uint8_t node_id[NODE_ID_SIZE];
    uint64_t config_number;
    uint32_t promised;
    enum config_why why; /* What was asked for; 0: only how it is. */
    uint8_t config_hash[HASH_SIZE];
    uint64_t size;
    uint8_t leaf[HASH_SIZE];
    uint64_t committed;
    int64_t time_us;
    uint8_t other[NODE_ID_SIZE]; /* Whom it is about, or zeros. */
    uint64_t other_incarnation;
    uint64_t other_matched;
};

/*
 * statement_sign(out, statement, identity):
 * Requires: flags and why as listed; leaf is zeros where size is 0.
 */
void statement_sign(uint8_t out[STATEMENT_SIZE],
                    const struct statement *statement,
                    const struct identity *identity);

/*
 * statement_read(out, bytes, receipt_key):
 * Returns: ST_OK; ST_FILE_FORMAT; ST_BAD_SIG.
 */
NODISCARD enum status statement_read(
    struct statement *out, struct slice bytes,
    const uint8_t receipt_key[PUBLIC_KEY_SIZE]);

struct statement_request {
    enum config_why why; /* What is to be done; not 0. */
    int64_t time_us;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t asked[NODE_ID_SIZE]; /* Who is to answer. */
    uint8_t about[NODE_ID_SIZE]; /* Who joins, leaves or leads. */
};

void statement_request_sign(uint8_t out[STATEMENT_REQUEST_SIZE],
                            const struct statement_request *request,
                            const struct identity *identity);

/*
 * statement_request_read(out, bytes, operator_key, now_us):
 * Returns: ST_OK; ST_FILE_FORMAT; ST_BAD_SIG; ST_EXPIRED if it was signed
 *          more than STATEMENT_REQUEST_AGE_S_MAX before or after ${now_us}.
 *          Whether it is of this cluster and asks this node, is for the caller.
 */
NODISCARD enum status statement_request_read(
    struct statement_request *out, struct slice bytes,
    const uint8_t operator_key[PUBLIC_KEY_SIZE], int64_t now_us);

#endif
