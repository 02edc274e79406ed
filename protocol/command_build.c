#include "protocol/command_build.h"

#include <string.h>

#include <sodium.h>

void command_build_begin(struct command_build *build, void *buffer, size_t size,
                         const struct command_header *header)
{
    writer_init(&build->writer, buffer, size);
    build->header = *header;
    tree_init(&build->tree);
    writer_zeros(&build->writer, COMMAND_HEADER_SIZE + SIGNATURE_SIZE);
}

void command_build_item(struct command_build *build,
                        const struct item_clear *clear, const uint8_t *salt,
                        struct slice fields)
{
    struct item_clear complete = *clear;
    uint8_t commitment[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];
    uint8_t *at;

    if (fields.size > ENTRY_SIZE_MAX) {
        if (build->writer.status == ST_OK)
            build->writer.status = ST_TOO_LARGE;
        return;
    }
    complete.size = (uint32_t)(ITEM_SIZE_MIN + fields.size);
    at = writer_reserve(&build->writer, complete.size);
    if (at == NULL)
        return;
    item_clear_encode(at, &complete);
    memcpy(at + ITEM_CLEAR_SIZE, salt, SALT_SIZE);
    if (fields.size > 0)
        memcpy(at + ITEM_SIZE_MIN, fields.data, fields.size);
    item_commitment(commitment, slice_of(at + ITEM_CLEAR_SIZE,
                                         complete.size - ITEM_CLEAR_SIZE));
    item_leaf_hash(leaf, at, commitment);
    tree_append(&build->tree, leaf);
}

enum status command_build_sign(struct command_build *build,
                               struct slice *body_out,
                               const uint8_t *cluster_id,
                               const struct identity *identity)
{
    const size_t fixed = COMMAND_HEADER_SIZE + SIGNATURE_SIZE;
    struct command_header *header = &build->header;
    uint8_t *bytes = build->writer.data;
    uint8_t signed_bytes[COMMAND_SIGNED_SIZE];
    uint8_t root[HASH_SIZE];
    size_t items_size;

    if (build->writer.status != ST_OK)
        return build->writer.status;
    if (build->tree.size == 0 || build->tree.size > ITEMS_MAX)
        return ST_ITEMS;
    items_size = build->writer.used - fixed;
    if (ENTRY_FIXED_SIZE + items_size + ENTRY_ITEM_GROWTH * build->tree.size >
        ENTRY_SIZE_MAX)
        return ST_TOO_LARGE;
    header->items_count = (uint16_t)build->tree.size;
    header->env_tag = cluster_id[0];
    header->body_size = (uint32_t)items_size;
    memcpy(header->key_id, identity->key_id, KEY_ID_SIZE);
    command_header_encode(bytes, header);
    tree_root(&build->tree, root);
    command_compose(signed_bytes, bytes, cluster_id, root);
    crypto_sign_detached(bytes + COMMAND_HEADER_SIZE, NULL, signed_bytes,
                         sizeof signed_bytes, identity->secret);
    *body_out = writer_slice(&build->writer);
    return ST_OK;
}
