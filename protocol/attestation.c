#include "protocol/attestation.h"

#include <string.h>

#include "protocol/dates.h"
#include "protocol/seal.h"
#include "protocol/tree.h"

enum { LEAF_SIZE = 8 + 2 + 2 + HASH_SIZE };

void attestation_leaf(uint8_t out[HASH_SIZE], uint64_t index, uint16_t item,
                      uint16_t code, const uint8_t result_hash[HASH_SIZE])
{
    uint8_t bytes[LEAF_SIZE];

    store_u64(bytes, index);
    store_u16(bytes + 8, item);
    store_u16(bytes + 10, code);
    memcpy(bytes + 12, result_hash, HASH_SIZE);
    tree_leaf_hash(out, slice_of(bytes, sizeof bytes));
}

static void take_sibling(struct attestation_path *path,
                         uint8_t (*level)[HASH_SIZE], size_t count,
                         size_t position)
{
    size_t sibling = position ^ 1;

    if (sibling >= count)
        return;
    path->lefts |= (uint16_t)((position & 1) << path->count);
    memcpy(path->hashes[path->count++], level[sibling], HASH_SIZE);
}

/* Level by level, in place; a last one without a sibling goes up as it is, as
 * in a tree that is split at powers of two. */
void attestation_paths_make(struct attestation_path *paths_out,
                            size_t *positions, size_t paths_count,
                            uint8_t (*leaves)[HASH_SIZE], size_t count)
{
    REQUIRE(count <= ATTEST_LEAVES_MAX);
    memset(paths_out, 0, paths_count * sizeof *paths_out);
    for (size_t i = 0; i < paths_count; i++)
        REQUIRE(positions[i] < count);
    for (; count > 1; count = (count + 1) / 2) {
        for (size_t i = 0; i < paths_count; i++) {
            take_sibling(&paths_out[i], leaves, count, positions[i]);
            positions[i] /= 2;
        }
        for (size_t i = 0; i + 1 < count; i += 2)
            tree_node_hash(leaves[i / 2], leaves[i], leaves[i + 1]);
        if (count % 2 != 0)
            memmove(leaves[count / 2], leaves[count - 1], HASH_SIZE);
    }
}

void attestation_path_root(uint8_t out[HASH_SIZE],
                           const struct attestation_path *path,
                           const uint8_t leaf[HASH_SIZE])
{
    REQUIRE(path->count <= ATTEST_HASHES_MAX);
    memcpy(out, leaf, HASH_SIZE);
    for (size_t i = 0; i < path->count; i++) {
        if ((path->lefts & 1u << i) != 0)
            tree_node_hash(out, path->hashes[i], out);
        else
            tree_node_hash(out, out, path->hashes[i]);
    }
}

/* As nodes judge it: what came too early or too late was refused. */
static bool is_timely(const struct entry *entry)
{
    int64_t skew = SKEW_S * DATES_US_PER_SECOND;
    int64_t signed_at = entry->header.signed_at;
    int64_t log_time = entry->place.log_time;

    return signed_at >= 0 && signed_at <= DATES_TIME_MAX &&
           log_time >= signed_at - skew &&
           log_time <=
               signed_at + entry->header.ttl_s * DATES_US_PER_SECOND + skew;
}

/* All of it is what node_command.c writes. Whatever names a duty or spends a
 * counter besides can be refused as an entry by whoever takes part, so that
 * what it states has no effect. */
static bool is_as_written(const struct entry *entry,
                          const struct item_clear *clear)
{
    const struct command_header *header = &entry->header;

    return header->realm == REALM_SYSTEM && header->flags == 0 &&
           header->counter == 0 && entry->place.carrier == 0 &&
           clear->duty == 0 && clear->purpose == 0 && clear->subject == 0 &&
           clear->expect_version == 0;
}

enum status attestation_read(struct attestation *out, struct slice bytes)
{
    const struct operation_info *info = operation_info(OPCODE_SYSTEM_ATTEST);
    struct op_system_attest *stated = &out->stated;
    struct field_error error;
    struct slice secret;
    struct item item;

    if (entry_decode(&out->entry, bytes) != ST_OK ||
        out->entry.header.items_count != 1)
        return ST_ENTRY_FORMED;
    entry_item(&item, &out->entry, 0);
    if (item.clear_part.opcode != OPCODE_SYSTEM_ATTEST ||
        item.clear_part.version != info->version || item.seal_key != 0 ||
        out->entry.place.category != info->category ||
        !is_as_written(&out->entry, &item.clear_part) ||
        seal_open(&secret, &item, NULL, NULL, 0) != ST_OK ||
        schema_decode(&schema_op_system_attest, stated, &error,
                      seal_fields(secret), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_ENTRY_FORMED;
    return stated->first <= stated->last &&
                   stated->last < out->entry.place.index &&
                   is_timely(&out->entry)
               ? ST_OK
               : ST_ENTRY_FORMED;
}

enum status attestation_shows(const struct attestation *attestation,
                              const struct attestation_path *path,
                              uint64_t index,
                              const uint8_t result_hash[HASH_SIZE])
{
    const struct op_system_attest *stated = &attestation->stated;
    uint8_t leaf[HASH_SIZE], root[HASH_SIZE];

    if (index < stated->first || index > stated->last)
        return ST_PROOF;
    attestation_leaf(leaf, index, 0, ST_OK, result_hash);
    attestation_path_root(root, path, leaf);
    return memcmp(root, stated->root.b, HASH_SIZE) == 0 ? ST_OK : ST_PROOF;
}
