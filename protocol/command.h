/*
 * command.h: the signed envelope as the server reads it (PROTOCOL, section 6).
 *
 * A COMMAND frame's body is header[64] || signature[64] || items.  What is
 * signed are always 128 bytes: tag || cluster_id || header || body root, so the
 * contents can be destroyed later and the signature still verifies.
 */
#ifndef DEFTER_PROTOCOL_COMMAND_H
#define DEFTER_PROTOCOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/item.h"
#include "protocol/limits.h"

enum { COMMAND_ENV_VERSION = 1 };

enum {
    COMMAND_FLAG_RECEIPT = 1, /* A signed receipt is wanted. */
    COMMAND_FLAG_ATOMIC = 2,  /* All items or none. */
    COMMAND_FLAGS_KNOWN = COMMAND_FLAG_RECEIPT | COMMAND_FLAG_ATOMIC
};

enum { REALM_SYSTEM = 0, REALM_PORTAL = 'P', REALM_REGISTRY = 'R' };

/* The 64 bytes of the header, env_version apart. */
struct command_header {
    uint16_t flags;
    uint16_t items_count;
    uint8_t realm;
    uint8_t env_tag; /* cluster_id[0] */
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t idem[IDEM_SIZE];
    int64_t signed_at; /* Microseconds since 1970-01-01 UTC. */
    uint32_t ttl_s;
    uint32_t body_size;
    uint64_t counter; /* 0: not used. */
};

/* One item on the wire; the pointers borrow from the frame. */
struct command_item {
    struct item_clear clear_part;
    const uint8_t *clear; /* ITEM_CLEAR_SIZE bytes. */
    struct slice secret;  /* salt || fields */
    struct slice fields;
    uint8_t commitment[HASH_SIZE]; /* Set by command_digest(). */
};

/*
 * A command as received.  ${signed_bytes} and ${hash} are set by
 * command_digest().
 */
struct command {
    struct slice body; /* The whole frame body, as received. */
    struct command_header header;
    const uint8_t *header_bytes; /* COMMAND_HEADER_SIZE bytes. */
    const uint8_t *signature;    /* SIGNATURE_SIZE bytes. */
    struct command_item *items;  /* header.items_count of them. */
    uint8_t signed_bytes[COMMAND_SIGNED_SIZE];
    uint8_t hash[HASH_SIZE];
};

/* What the server judges a header by. */
struct command_policy {
    uint8_t env_tag;
    bool portal;   /* Realm P is served here. */
    bool registry; /* Realm R is served here. */
    bool system;   /* Realm 0 is allowed to this session or operation. */
    uint32_t ttl_s_max;
    uint16_t items_max; /* The session's grant, at most ITEMS_MAX. */
};

/* Read and write COMMAND_HEADER_SIZE bytes; nothing is judged. */
void command_header_decode(struct command_header *out, const uint8_t *bytes);
void command_header_encode(uint8_t out[COMMAND_HEADER_SIZE],
                           const struct command_header *header);

/*
 * command_peek_opcode(body):
 * The opcode of the first item, 0 if ${body} is too short for one.  It serves
 * to set command_policy.system from the operations table before decoding.
 */
uint16_t command_peek_opcode(struct slice body);

/*
 * command_decode(command, items, body, policy):
 * Steps 1 to 3 of the processing order.  No field of an operation is looked at.
 *
 * Requires: ${items} has room for policy->items_max <= ITEMS_MAX.
 * Returns:  the first that applies, in this order:
 *           ST_FRAME          fewer bytes than header and signature
 *           ST_TOO_LARGE      the entry would exceed ENTRY_SIZE_MAX
 *           ST_LENGTH         body_len is not what follows the signature
 *           ST_ENV_VERSION    not COMMAND_ENV_VERSION
 *           ST_RESERVED       an unknown flag
 *           ST_ENV_FIELD      idem zero, ttl 0, signed_at out of range
 *           ST_WRONG_ENV      realm not served, or another env_tag
 *           ST_TTL            ttl above the policy's
 *           ST_ITEMS          count 0 or above the policy's
 *           ST_LENGTH         an item below its least size or past the body
 *           ST_ITEMS          the items fit, and their number is another
 *           ST_OK
 * Owns:     ${command} borrows ${body} and ${items}.
 */
NODISCARD enum status command_decode(struct command *command,
                                     struct command_item *items,
                                     struct slice body,
                                     const struct command_policy *policy);

/*
 * command_digest(command, cluster_id):
 * Hash the items: sets their commitments, signed_bytes and hash.
 */
void command_digest(struct command *command, const uint8_t *cluster_id);

/*
 * command_verify(command, public_key):
 * Step 5.
 *
 * Returns: ST_OK; ST_BAD_SIG, also for a key that is not the header's key_id.
 * Order:   after command_digest().
 */
NODISCARD enum status command_verify(const struct command *command,
                                     const uint8_t *public_key);

/*
 * command_compose(out, header_bytes, cluster_id, body_root):
 * T("DFT1/command") || cluster_id || header || body root.
 */
void command_compose(uint8_t out[COMMAND_SIGNED_SIZE],
                     const uint8_t *header_bytes, const uint8_t *cluster_id,
                     const uint8_t *body_root);

/* H(T("DFT1/cmdhash") || signed bytes || signature). */
void command_hash(uint8_t out[HASH_SIZE], const uint8_t *signed_bytes,
                  const uint8_t *signature);

/* The signature alone, over composed bytes: ST_OK or ST_BAD_SIG. */
NODISCARD enum status command_check_signature(const uint8_t *signed_bytes,
                                              const uint8_t *signature,
                                              const uint8_t *public_key);

/*
 * command_path_make(path, count_out, leaves, items_count, item):
 * How item number ${item} is shown to a third party without its neighbours:
 * its path to the body root.  ${leaves} are the items' leaf hashes, see
 * item_leaf_hash().
 *
 * Requires: item < items_count <= ITEMS_MAX; ${path} holds ITEM_PATH_MAX.
 */
void command_path_make(uint8_t (*path)[HASH_SIZE], size_t *count_out,
                       const uint8_t (*leaves)[HASH_SIZE], size_t items_count,
                       size_t item);

/*
 * command_path_check(leaf, item, signed_bytes, path, count):
 * Whether the item with leaf hash ${leaf} is number ${item} of the command
 * whose composed bytes are given.
 *
 * Returns: ST_OK; ST_PROOF.
 */
NODISCARD enum status command_path_check(const uint8_t leaf[HASH_SIZE],
                                         size_t item,
                                         const uint8_t *signed_bytes,
                                         const uint8_t (*path)[HASH_SIZE],
                                         size_t count);

#endif
