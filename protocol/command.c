#include "protocol/command.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/identity.h"
#include "protocol/tags.h"
#include "protocol/tree.h"

enum {
    COMMAND_FIXED_SIZE = COMMAND_HEADER_SIZE + SIGNATURE_SIZE,
    COMMAND_ROOT_OFFSET = TAG_SIZE + CLUSTER_ID_SIZE + COMMAND_HEADER_SIZE
};
static_assert(COMMAND_ROOT_OFFSET + HASH_SIZE == COMMAND_SIGNED_SIZE,
              "the signed bytes end with the body root");
static_assert(ITEMS_MAX == 1 << ITEM_PATH_MAX, "a path of eight hashes");

/* Far enough in the future for any clock, far enough from overflow. */
#define COMMAND_SIGNED_AT_MAX ((int64_t)1 << 62)

void command_header_decode(struct command_header *out, const uint8_t *bytes)
{
    out->flags = load_u16(bytes + 2);
    out->items_count = load_u16(bytes + 4);
    out->realm = bytes[6];
    out->env_tag = bytes[7];
    memcpy(out->key_id, bytes + 8, KEY_ID_SIZE);
    memcpy(out->idem, bytes + 24, IDEM_SIZE);
    out->signed_at = (int64_t)load_u64(bytes + 40);
    out->ttl_s = load_u32(bytes + 48);
    out->body_size = load_u32(bytes + 52);
    out->counter = load_u64(bytes + 56);
}

void command_header_encode(uint8_t out[COMMAND_HEADER_SIZE],
                           const struct command_header *header)
{
    store_u16(out, COMMAND_ENV_VERSION);
    store_u16(out + 2, header->flags);
    store_u16(out + 4, header->items_count);
    out[6] = header->realm;
    out[7] = header->env_tag;
    memcpy(out + 8, header->key_id, KEY_ID_SIZE);
    memcpy(out + 24, header->idem, IDEM_SIZE);
    store_u64(out + 40, (uint64_t)header->signed_at);
    store_u32(out + 48, header->ttl_s);
    store_u32(out + 52, header->body_size);
    store_u64(out + 56, header->counter);
}

uint16_t command_peek_opcode(struct slice body)
{
    if (body.size < COMMAND_FIXED_SIZE + ITEM_CLEAR_SIZE)
        return 0;
    return load_u16(body.data + COMMAND_FIXED_SIZE);
}

static bool command_realm_served(uint8_t realm,
                                 const struct command_policy *policy)
{
    switch (realm) {
    case REALM_PORTAL:
        return policy->portal;
    case REALM_REGISTRY:
        return policy->registry;
    case REALM_SYSTEM:
        return policy->system;
    }
    return false;
}

/* Step 1: what can be said from lengths alone. */
static enum status command_check_lengths(struct slice body)
{
    size_t items_size;
    uint64_t entry_size;

    if (body.size < COMMAND_FIXED_SIZE)
        return ST_FRAME;
    items_size = body.size - COMMAND_FIXED_SIZE;
    entry_size = (uint64_t)ENTRY_FIXED_SIZE + items_size +
                 (uint64_t)ENTRY_ITEM_GROWTH * load_u16(body.data + 4);
    if (entry_size > ENTRY_SIZE_MAX)
        return ST_TOO_LARGE;
    if (load_u32(body.data + 52) != items_size)
        return ST_LENGTH;
    return ST_OK;
}

/* Step 2: the header's fields. */
static enum status command_check_header(const struct command_header *header,
                                        uint16_t env_version,
                                        const struct command_policy *policy)
{
    if (env_version != COMMAND_ENV_VERSION)
        return ST_ENV_VERSION;
    if ((header->flags & ~(unsigned)COMMAND_FLAGS_KNOWN) != 0)
        return ST_RESERVED;
    if (sodium_is_zero(header->idem, IDEM_SIZE) || header->ttl_s == 0 ||
        header->signed_at < 0 || header->signed_at > COMMAND_SIGNED_AT_MAX ||
        header->counter > INT64_MAX)
        return ST_ENV_FIELD;
    if (!command_realm_served(header->realm, policy) ||
        header->env_tag != policy->env_tag)
        return ST_WRONG_ENV;
    if (header->ttl_s > policy->ttl_s_max)
        return ST_TTL;
    return ST_OK;
}

/* Step 3: the items fill the body, and there are as many as the header says. */
static enum status command_walk_items(struct command *command,
                                      const struct command_policy *policy)
{
    struct slice rest = {command->body.data + COMMAND_FIXED_SIZE,
                         command->body.size - COMMAND_FIXED_SIZE};
    size_t expected = command->header.items_count;
    size_t found = 0;

    if (expected == 0 || expected > policy->items_max)
        return ST_ITEMS;
    while (rest.size > 0) {
        uint32_t size;

        if (rest.size < ITEM_SIZE_MIN)
            return ST_LENGTH;
        size = load_u32(rest.data + 4);
        if (size < ITEM_SIZE_MIN || size > rest.size)
            return ST_LENGTH;
        if (found < expected) {
            struct command_item *item = &command->items[found];

            item_clear_decode(&item->clear_part, rest.data);
            item->clear = rest.data;
            item->secret =
                slice_of(rest.data + ITEM_CLEAR_SIZE, size - ITEM_CLEAR_SIZE);
            item->fields =
                slice_of(rest.data + ITEM_SIZE_MIN, size - ITEM_SIZE_MIN);
        }
        found++;
        rest = (struct slice){rest.data + size, rest.size - size};
    }
    return found == expected ? ST_OK : ST_ITEMS;
}

enum status command_decode(struct command *command, struct command_item *items,
                           struct slice body,
                           const struct command_policy *policy)
{
    enum status status;

    REQUIRE(policy->items_max <= ITEMS_MAX);
    status = command_check_lengths(body);
    if (status != ST_OK)
        return status;
    command->body = body;
    command->header_bytes = body.data;
    command->signature = body.data + COMMAND_HEADER_SIZE;
    command->items = items;
    command_header_decode(&command->header, body.data);
    status =
        command_check_header(&command->header, load_u16(body.data), policy);
    if (status != ST_OK)
        return status;
    return command_walk_items(command, policy);
}

void command_compose(uint8_t out[COMMAND_SIGNED_SIZE],
                     const uint8_t *header_bytes, const uint8_t *cluster_id,
                     const uint8_t *body_root)
{
    memcpy(out, tags_bytes(TAG_COMMAND), TAG_SIZE);
    memcpy(out + TAG_SIZE, cluster_id, CLUSTER_ID_SIZE);
    memcpy(out + TAG_SIZE + CLUSTER_ID_SIZE, header_bytes, COMMAND_HEADER_SIZE);
    memcpy(out + COMMAND_ROOT_OFFSET, body_root, HASH_SIZE);
}

void command_hash(uint8_t out[HASH_SIZE], const uint8_t *signed_bytes,
                  const uint8_t *signature)
{
    uint8_t input[TAG_SIZE + COMMAND_SIGNED_SIZE + SIGNATURE_SIZE];

    memcpy(input, tags_bytes(TAG_CMDHASH), TAG_SIZE);
    memcpy(input + TAG_SIZE, signed_bytes, COMMAND_SIGNED_SIZE);
    memcpy(input + TAG_SIZE + COMMAND_SIGNED_SIZE, signature, SIGNATURE_SIZE);
    crypto_hash_sha256(out, input, sizeof input);
}

void command_digest(struct command *command, const uint8_t *cluster_id)
{
    struct tree tree;
    uint8_t hash[HASH_SIZE];

    tree_init(&tree);
    for (size_t i = 0; i < command->header.items_count; i++) {
        struct command_item *item = &command->items[i];

        item_commitment(item->commitment, item->secret);
        item_leaf_hash(hash, item->clear, item->commitment);
        tree_append(&tree, hash);
    }
    tree_root(&tree, hash);
    command_compose(command->signed_bytes, command->header_bytes, cluster_id,
                    hash);
    command_hash(command->hash, command->signed_bytes, command->signature);
}

enum status command_check_signature(const uint8_t *signed_bytes,
                                    const uint8_t *signature,
                                    const uint8_t *public_key)
{
    if (crypto_sign_verify_detached(signature, signed_bytes,
                                    COMMAND_SIGNED_SIZE, public_key) != 0)
        return ST_BAD_SIG;
    return ST_OK;
}

enum status command_verify(const struct command *command,
                           const uint8_t *public_key)
{
    uint8_t key_id[KEY_ID_SIZE];

    identity_key_id(key_id, public_key);
    if (memcmp(key_id, command->header.key_id, KEY_ID_SIZE) != 0)
        return ST_BAD_SIG;
    return command_check_signature(command->signed_bytes, command->signature,
                                   public_key);
}

void command_path_make(uint8_t (*path)[HASH_SIZE], size_t *count_out,
                       const uint8_t (*leaves)[HASH_SIZE], size_t items_count,
                       size_t item)
{
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    struct tree_leaves context = {leaves, items_count};
    struct tree_source source = {&context, tree_leaves_read};
    enum status status;

    REQUIRE(item < items_count && items_count <= ITEMS_MAX);
    status = tree_inclusion_make(proof, count_out, &source, item, items_count);
    ENSURE(status == ST_OK && *count_out <= ITEM_PATH_MAX);
    memcpy(path, proof, *count_out * HASH_SIZE);
}

enum status command_path_check(const uint8_t leaf[HASH_SIZE], size_t item,
                               const uint8_t *signed_bytes,
                               const uint8_t (*path)[HASH_SIZE], size_t count)
{
    struct command_header header;

    command_header_decode(&header, signed_bytes + TAG_SIZE + CLUSTER_ID_SIZE);
    if (count > ITEM_PATH_MAX)
        return ST_PROOF;
    return tree_inclusion_check(leaf, item, header.items_count,
                                signed_bytes + COMMAND_ROOT_OFFSET, path,
                                count);
}
