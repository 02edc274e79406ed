/*
 * genesis.h: entry 0 of a log (LOG-FORMAT, section 6).
 *
 * Genesis is the one command that the authority key signs.  It names the
 * cluster's environment and realms, the first node and the first administrator;
 * everything later follows from it by signed commands.
 */
#ifndef DEFTER_PROTOCOL_GENESIS_H
#define DEFTER_PROTOCOL_GENESIS_H

#include "protocol/catalogue.h"
#include "protocol/entry.h"
#include "protocol/identity.h"

enum { GENESIS_SIZE_MAX = 2048 };

/* Randomness the caller brings. */
struct genesis_random {
    uint8_t idem[IDEM_SIZE];
    uint8_t salt[SALT_SIZE];
};

/*
 * genesis_write(out, size_out, fields, authority, now_us, random):
 * Write the entry to ${out}, which has GENESIS_SIZE_MAX bytes.
 * fields->authority_key is set here.
 *
 * Returns: ST_OK; ST_BAD_FIELD for a value out of bounds.
 */
NODISCARD enum status genesis_write(uint8_t *out, size_t *size_out,
                                    struct op_system_genesis *fields,
                                    const struct identity *authority,
                                    int64_t now_us,
                                    const struct genesis_random *random);

/*
 * genesis_read(fields_out, entry_out, bytes):
 * Read and verify: well formed, index 0, one open item, signed by the authority
 * key that it names.
 *
 * Returns: ST_OK; ST_ENTRY_FORMED; ST_BAD_SIG; ST_BAD_FIELD.
 * Owns:    ${*fields_out} and ${*entry_out} borrow ${bytes}.
 */
NODISCARD enum status genesis_read(struct op_system_genesis *fields_out,
                                   struct entry *entry_out, struct slice bytes);

#endif
