#include "tests/lib/signed_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/command_build.h"
#include "protocol/genesis.h"
#include "protocol/segment.h"
#include "protocol/tree.h"

enum { LOG_INDEX_OFFSET = 8, LOG_PREVIOUS_OFFSET = 24, LOG_LEAF_SIZE = 44 };
static const int64_t log_begin = INT64_C(1766000000000000);
static const int64_t log_step = INT64_C(1000);
static const uint8_t log_seal_key[KEY_SIZE] = {1, 2, 3};

void signed_log_key(struct identity *out, uint8_t number)
{
    uint8_t seed[SEED_SIZE];

    memset(seed, number, sizeof seed);
    identity_init(out, seed);
}

static void log_took(struct signed_log *log, struct signed_log_entry *entry)
{
    entry_leaf_hash(log->leaf, slice_of(entry->bytes, entry->size));
    log->count++;
}

static void log_genesis(struct signed_log *log)
{
    struct signed_log_entry *entry = &log->entries[0];
    struct genesis_random random = {.idem = {1}, .salt = {2}};
    struct op_system_genesis fields = {.environment = 2,
                                       .realms = 3,
                                       .origin = slice_of("test", 4),
                                       .owner = slice_of("owner", 5)};
    enum status status;

    memcpy(fields.node_receipt_key.b, log->node.public_key, PUBLIC_KEY_SIZE);
    memset(fields.node_channel_key.b, 9, PUBLIC_KEY_SIZE);
    memcpy(fields.log_key.b, log->authority.public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.operator_key.b, log->owner.public_key, PUBLIC_KEY_SIZE);
    status = genesis_write(entry->bytes, &entry->size, &fields, &log->authority,
                           log->log_time, &random);
    REQUIRE(status == ST_OK);
    log_took(log, entry);
}

void signed_log_init(struct signed_log *log)
{
    struct op_system_epoch epoch = {.epoch = 1};

    memset(log, 0, sizeof *log);
    log->log_time = log_begin;
    signed_log_key(&log->authority, 0xa0);
    signed_log_key(&log->node, 0xa1);
    signed_log_key(&log->owner, 0xa2);
    identity_cluster_id(log->cluster_id, log->authority.public_key);
    log_genesis(log);
    log->epoch = 1;
    signed_log_add(log, &log->node, OPCODE_SYSTEM_EPOCH, 0, &epoch, ST_OK);
}

static struct slice log_command(const struct signed_log *log, uint8_t *buffer,
                                size_t size, const struct identity *signer,
                                const struct operation_info *operation,
                                const struct item_clear *clear,
                                struct slice fields)
{
    const uint8_t salt[SALT_SIZE] = {(uint8_t)log->count, 7};
    struct command_header header = {.signed_at = log->log_time,
                                    .ttl_s = TTL_S_DEFAULT,
                                    .counter = log->counter};
    struct command_build build;
    struct slice body;
    enum status status;

    header.realm =
        operation->realm == OP_REALM_SYSTEM ? REALM_SYSTEM : REALM_REGISTRY;
    header.idem[0] = (uint8_t)(log->count + 1);
    command_build_begin(&build, buffer, size, &header);
    command_build_item(&build, clear, salt, fields);
    status = command_build_sign(&build, &body, log->cluster_id, signer);
    REQUIRE(status == ST_OK);
    return body;
}

struct signed_log_entry *signed_log_add(struct signed_log *log,
                                        const struct identity *signer,
                                        enum opcode opcode, uint32_t duty,
                                        const void *fields, uint16_t code)
{
    const struct operation_info *operation = operation_info((uint16_t)opcode);
    struct signed_log_entry *entry = &log->entries[log->count];
    uint8_t fields_bytes[SIGNED_LOG_ENTRY_SIZE_MAX];
    uint8_t buffer[SIGNED_LOG_ENTRY_SIZE_MAX];
    struct item_clear clear = {.opcode = (uint16_t)opcode,
                               .version = 1,
                               .duty = duty,
                               .subject = log->subject};
    struct entry_seal seal = {0, NULL};
    struct entry_place place = {.category = operation->category,
                                .epoch = log->epoch,
                                .index = log->count,
                                .carrier = log->carrier};
    struct command_policy policy = {.env_tag = log->cluster_id[0],
                                    .portal = true,
                                    .registry = true,
                                    .system = true,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = 1};
    struct writer writer;
    struct command command;
    struct command_item item;
    struct slice body;
    enum status status;

    REQUIRE(log->count < SIGNED_LOG_ENTRIES_MAX);
    log->log_time += log_step;
    place.log_time = log->log_time;
    memcpy(place.previous, log->leaf, HASH_SIZE);
    writer_init(&writer, fields_bytes, sizeof fields_bytes);
    schema_encode(operation->fields, &writer, fields);
    body = log_command(log, buffer, sizeof buffer, signer, operation, &clear,
                       writer_slice(&writer));
    status = command_decode(&command, &item, body, &policy);
    REQUIRE(status == ST_OK);
    command_digest(&command, log->cluster_id);
    if (operation->seal != SEAL_OPEN)
        seal =
            (struct entry_seal){((uint64_t)log->epoch << 32) + 1, log_seal_key};
    entry->size = entry_size(&command, &seal);
    REQUIRE(entry->size <= sizeof entry->bytes);
    entry_encode(entry->bytes, entry->size, &place, &command, &seal);
    entry->code = code;
    entry->result_size = 0;
    entry->has_result_hash = false;
    log_took(log, entry);
    return entry;
}

void signed_log_ping(struct signed_log *log)
{
    struct op_system_ping ping = {.text = slice_of("x", 1)};
    struct signed_log_entry *entry =
        signed_log_add(log, &log->owner, OPCODE_SYSTEM_PING, 0, &ping, ST_OK);

    store_u64(entry->result, log->count - 1);
    entry->result_size = 8;
}

static void log_prove(const struct signed_log *log,
                      struct op_actor_enrol *fields, const struct identity *key)
{
    uint8_t message[PUBLIC_KEY_SIZE + 16];
    struct writer writer;

    writer_init(&writer, message, sizeof message);
    writer_bytes(&writer, key->public_key, PUBLIC_KEY_SIZE);
    writer_u16(&writer, fields->role);
    writer_u8(&writer, fields->level);
    writer_u8(&writer, 0);
    writer_u32(&writer, fields->organisation);
    writer_u64(&writer, fields->person);
    identity_sign(key, fields->proof.b, TAG_ENROL, log->cluster_id, message,
                  sizeof message);
}

void signed_log_enrol(struct signed_log *log, const struct identity *key,
                      uint64_t person, uint16_t code)
{
    struct op_actor_enrol fields = {
        .role = ROLE_STAFF, .level = 2, .organisation = 1};
    struct signed_log_entry *entry;

    memcpy(fields.public_key.b, key->public_key, PUBLIC_KEY_SIZE);
    log_prove(log, &fields, key);
    entry =
        signed_log_add(log, &log->owner, OPCODE_ACTOR_ENROL, 1, &fields, code);
    if (code == ST_OK) {
        memcpy(entry->result, key->key_id, KEY_ID_SIZE);
        store_u64(entry->result + KEY_ID_SIZE, person);
        entry->result_size = KEY_ID_SIZE + 8;
    }
}

void signed_log_attest(struct signed_log *log)
{
    signed_log_attest_to(log, log->count);
}

void signed_log_outcome(const struct signed_log *log, uint8_t out[HASH_SIZE],
                        uint64_t index)
{
    const struct signed_log_entry *entry = &log->entries[index];
    uint8_t bytes[LOG_LEAF_SIZE];

    store_u64(bytes, index);
    store_u16(bytes + 8, 0);
    store_u16(bytes + 10, entry->code);
    if (entry->has_result_hash)
        memcpy(bytes + 12, entry->result_hash, HASH_SIZE);
    else
        crypto_hash_sha256(bytes + 12, entry->result, entry->result_size);
    tree_leaf_hash(out, slice_of(bytes, sizeof bytes));
}

void signed_log_attest_to(struct signed_log *log, uint64_t size)
{
    struct op_system_attest fields = {.first = log->attested, .last = size - 1};
    uint8_t refusals[SIGNED_LOG_ENTRIES_MAX * 12];
    struct writer writer;
    struct tree tree;

    tree_init(&tree);
    writer_init(&writer, refusals, sizeof refusals);
    fields.refusals = list_begin(&writer);
    for (uint64_t i = log->attested; i < size; i++) {
        const struct signed_log_entry *entry = &log->entries[i];
        struct attested_refusal refusal = {.index = i, .code = entry->code};
        uint8_t leaf[HASH_SIZE];

        signed_log_outcome(log, leaf, i);
        tree_append(&tree, leaf);
        if (entry->code != ST_OK)
            list_add(&fields.refusals, &writer, &schema_attested_refusal,
                     &refusal);
    }
    tree_root(&tree, fields.root.b);
    log->attested = size;
    signed_log_add(log, &log->node, OPCODE_SYSTEM_ATTEST, 0, &fields, ST_OK);
}

/* ---- Files -------------------------------------------------------------- */

static void log_flush(const char *directory, const uint8_t *bytes,
                      uint32_t size, uint64_t first)
{
    char path[256];
    int file;
    ssize_t written;

    (void)snprintf(path, sizeof path, "%s/%020" PRIu64 ".seg", directory,
                   first);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(file >= 0);
    written = write(file, bytes, size);
    REQUIRE(written == (ssize_t)size);
    close(file);
}

void signed_log_write(const struct signed_log *log, const char *directory,
                      uint32_t segment_size)
{
    struct segment_header header = {.segment_size = segment_size};
    uint8_t *bytes = calloc(1, segment_size);
    size_t used = SEGMENT_HEADER_SIZE;

    REQUIRE(bytes != NULL);
    segment_header_encode(bytes, &header);
    for (size_t i = 0; i < log->count; i++) {
        struct slice entry =
            slice_of(log->entries[i].bytes, log->entries[i].size);

        if (segment_frame_size(entry.size) > segment_size - used) {
            log_flush(directory, bytes, segment_size, header.first_index);
            memset(bytes, 0, segment_size);
            header.first_index = i;
            entry_leaf_hash(
                header.previous,
                slice_of(log->entries[i - 1].bytes, log->entries[i - 1].size));
            segment_header_encode(bytes, &header);
            used = SEGMENT_HEADER_SIZE;
        }
        segment_frame_encode(bytes + used, entry);
        used += segment_frame_size(entry.size);
    }
    log_flush(directory, bytes, segment_size, header.first_index);
    free(bytes);
}

void signed_log_root(const struct signed_log *log, uint8_t out[HASH_SIZE],
                     size_t size)
{
    struct tree tree;
    uint8_t leaf[HASH_SIZE];

    tree_init(&tree);
    for (size_t i = 0; i < size; i++) {
        entry_leaf_hash(leaf,
                        slice_of(log->entries[i].bytes, log->entries[i].size));
        tree_append(&tree, leaf);
    }
    tree_root(&tree, out);
}

void signed_log_relink(struct signed_log *log, size_t from)
{
    for (size_t i = from; i < log->count; i++) {
        store_u64(log->entries[i].bytes + LOG_INDEX_OFFSET, i);
        entry_leaf_hash(
            log->entries[i].bytes + LOG_PREVIOUS_OFFSET,
            slice_of(log->entries[i - 1].bytes, log->entries[i - 1].size));
    }
    entry_leaf_hash(log->leaf, slice_of(log->entries[log->count - 1].bytes,
                                        log->entries[log->count - 1].size));
}

void signed_log_receipt(const struct signed_log *log,
                        uint8_t record[SIGNED_LOG_RECEIPT_SIZE], uint64_t index,
                        const struct identity *node, bool wrong_leaf)
{
    struct nodecert cert = {.role = NODECERT_SERVER,
                            .serial = 1,
                            .not_before_s = 1765000000,
                            .not_after_s = 1769000000};
    struct receipt receipt = {.index = index};
    const struct signed_log_entry *at = &log->entries[index];
    uint8_t composed[COMMAND_SIGNED_SIZE];
    struct entry entry;
    enum status status = entry_decode(&entry, slice_of(at->bytes, at->size));

    REQUIRE(status == ST_OK);
    memcpy(cert.cluster_id, log->cluster_id, CLUSTER_ID_SIZE);
    memcpy(cert.receipt_key, log->node.public_key, PUBLIC_KEY_SIZE);
    cert.channel_key[0] = 9;
    receipt.epoch = entry.place.epoch;
    receipt.committed_at = entry.place.log_time;
    entry_compose(&entry, composed, log->cluster_id);
    command_hash(receipt.command_hash, composed, entry.signature);
    entry_leaf_hash(receipt.entry_hash, slice_of(at->bytes, at->size));
    receipt.entry_hash[5] ^= wrong_leaf ? 1 : 0;
    receipt_sign(&receipt, record, record + RECEIPT_SIZE, log->cluster_id,
                 node);
    nodecert_sign(record + RECEIPT_SIZE + SIGNATURE_SIZE, &cert,
                  &log->authority);
}
