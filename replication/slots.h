/*
 * slots.h: a small durable value in two slots that are written in turn
 * (LOG-FORMAT, section 5).
 *
 *     slot  0  u8[8]  magic            the file: slot of even numbers at 0,
 *           8  u32    version = 1                slot of odd numbers behind it
 *          12  u32    size of the body
 *          16  u64    sequence number, one more with each write
 *          24  body
 *           +  u8[32] BLAKE2b-256 of all before, then zeros
 *
 * A slot that is torn by a loss of power leaves the other one, which holds the
 * value before it.
 */
#ifndef DEFTER_REPLICATION_SLOTS_H
#define DEFTER_REPLICATION_SLOTS_H

#include "protocol/bytes.h"
#include "replication/disk.h"

enum {
    SLOTS_MAGIC_SIZE = 8,
    SLOTS_HEADER_SIZE = 24,
    SLOTS_BODY_SIZE_MAX = SLOT_SIZE - SLOTS_HEADER_SIZE - HASH_SIZE
};

/*
 * Invariant: slot ${sequence} % 2 holds the newest valid value.
 */
struct slots {
    struct disk_file *file;
    uint64_t sequence;
    bool slot_bad; /* One slot held no value, or one too old, when opened. */
    const uint8_t *magic;
};

/*
 * slots_encode(out, magic, sequence, body):
 * Write SLOT_SIZE bytes.
 *
 * Requires: body.size <= SLOTS_BODY_SIZE_MAX.
 */
void slots_encode(uint8_t *out, const uint8_t *magic, uint64_t sequence,
                  struct slice body);

/*
 * slots_decode(sequence_out, body_out, magic, input):
 * Returns: ST_OK; ST_FILE_FORMAT; ST_CHECKSUM.
 * Owns:    ${*body_out} borrows from ${input}.
 */
NODISCARD enum status slots_decode(uint64_t *sequence_out,
                                   struct slice *body_out, const uint8_t *magic,
                                   struct slice input);

/*
 * slots_create(disk, name, magic, body):
 * Make the file ${name} in the data directory with ${body} in both slots,
 * durably; it replaces one that is there.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status slots_create(struct disk *disk, const char *name,
                                   const uint8_t *magic, struct slice body);

/*
 * slots_open(slots, body, body_size_out, disk, name, magic):
 * Read the newest valid slot; its body goes to ${body}, which has room for
 * SLOTS_BODY_SIZE_MAX bytes.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_CHECKSUM if no slot is valid; ST_DISK_FAILED.
 * Owns:    gives the file; keeps ${magic}.
 */
NODISCARD enum status slots_open(struct slots *slots, uint8_t *body,
                                 size_t *body_size_out, struct disk *disk,
                                 const char *name, const uint8_t *magic);

/* Accepts slots that are closed already. */
void slots_close(struct slots *slots);

/*
 * slots_write(slots, body):
 * Write ${body} durably over the older slot.
 *
 * Returns: ST_OK; ST_DISK_FAILED, after which ${slots} is only to be closed.
 */
NODISCARD enum status slots_write(struct slots *slots, struct slice body);

#endif
