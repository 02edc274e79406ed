/*
 * evidence_state.h: what this node has put its name to (LOG-FORMAT, section 5).
 *
 * The file `evidence`, in two slots (replication/slots.h); body:
 *
 *      0  u8[32] SHA-256 of the origin
 *     32  u64    size, 40 u8[32] root, 72 i64 time   last signed
 *     80  u64    size, 88 u8[32] root, 120 i64 time  last witnessed
 *    128  u64    size, 136 u8[32] root, 168 i64 time last cosigned here
 *    176  u64    size, 184 u8[32] root, 216 i64 time last seen to be true
 *    224  u32    1: a contradiction was met; 0
 *    228  u32    0
 *
 * It is durable before the signature that it speaks of is made.  So whatever
 * crashes, no second root of a size is ever signed.
 */
#ifndef DEFTER_SERVER_EVIDENCE_EVIDENCE_STATE_H
#define DEFTER_SERVER_EVIDENCE_EVIDENCE_STATE_H

#include "protocol/bytes.h"
#include "replication/slots.h"

#define EVIDENCE_STATE_FILE "evidence"

enum { EVIDENCE_STATE_BODY_SIZE = 232 };

/* A checkpoint.  Invariant: size 0 has a root and a time of zeros. */
struct evidence_head {
    uint64_t size;
    uint8_t root[HASH_SIZE];
    int64_t time_s; /* Since 1970, by this node's clock. */
};

struct evidence_value {
    uint8_t origin[HASH_SIZE];
    struct evidence_head signed_here; /* With the log's key. */
    struct evidence_head witnessed;   /* Satisfied the policy. */
    struct evidence_head cosigned;    /* By this node's cosigner. */
    struct evidence_head seen;        /* Found true of the log here: where the
                                       * tree files begin to be believed. */
    bool contradicted;
};

struct evidence_state {
    struct slots slots;
    struct evidence_value value; /* As last read or written. */
};

void evidence_state_origin(uint8_t out[HASH_SIZE], const char *origin);

/* Writes EVIDENCE_STATE_BODY_SIZE bytes. */
void evidence_state_encode(uint8_t *out, const struct evidence_value *value);

/*
 * evidence_state_decode(out, body):
 * Returns: ST_OK; ST_FILE_FORMAT.
 */
NODISCARD enum status evidence_state_decode(struct evidence_value *out,
                                            struct slice body);

/*
 * evidence_state_open(state, disk, origin):
 * Read the newest value, or make one.  That of another origin, which was before
 * this lineage, is kept as evidence.XXXXXXXX (the first bytes of its origin's
 * hash), and so is its checkpoint.
 *
 * Returns: ST_OK; ST_LOST if there is a file and no slot of it holds a value;
 *          ST_DISK_FULL; ST_DISK_FAILED.
 * Owns:    gives the file in ${state}, to be closed with
 *          evidence_state_close().
 */
NODISCARD enum status evidence_state_open(struct evidence_state *state,
                                          struct disk *disk,
                                          const char *origin);

/* Accepts a state that is closed already. */
void evidence_state_close(struct evidence_state *state);

/*
 * evidence_state_write(state, value):
 * Make ${value} the state, durably.
 *
 * Returns: ST_OK; ST_DISK_FAILED, after which ${state} is only to be closed.
 * Order:   before the signature that it speaks of.
 */
NODISCARD enum status evidence_state_write(struct evidence_state *state,
                                           const struct evidence_value *value);

/* The largest size that stands in ${value}: what the log must reach before
 * anything is signed. */
uint64_t evidence_state_size(const struct evidence_value *value);

#endif
