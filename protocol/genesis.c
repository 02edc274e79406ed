#include "protocol/genesis.h"

#include <string.h>

#include "protocol/command_build.h"

enum status genesis_write(uint8_t *out, size_t *size_out,
                          struct op_system_genesis *fields,
                          const struct identity *authority, int64_t now_us,
                          const struct genesis_random *random)
{
    struct command_header header = {
        .realm = REALM_SYSTEM, .signed_at = now_us, .ttl_s = TTL_S_DEFAULT};
    struct entry_place place = {.category = 5, .log_time = now_us};
    struct item_clear clear = {.opcode = OPCODE_SYSTEM_GENESIS, .version = 1};
    struct entry_seal open = {0, NULL};
    struct command_policy policy = {
        .system = true, .ttl_s_max = TTL_S_MAX, .items_max = 1};
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t encoded[GENESIS_SIZE_MAX], command_bytes[GENESIS_SIZE_MAX];
    struct writer writer;
    struct field_error error;
    struct command_build build;
    struct command command;
    struct command_item item;
    struct slice body;
    enum status status;

    memcpy(fields->authority_key.b, authority->public_key, PUBLIC_KEY_SIZE);
    if (schema_check(&schema_op_system_genesis, &error, fields) != ST_OK)
        return ST_BAD_FIELD;
    identity_cluster_id(cluster_id, authority->public_key);
    memcpy(header.idem, random->idem, IDEM_SIZE);
    writer_init(&writer, encoded, sizeof encoded);
    schema_encode(&schema_op_system_genesis, &writer, fields);
    command_build_begin(&build, command_bytes, sizeof command_bytes, &header);
    command_build_item(&build, &clear, random->salt, writer_slice(&writer));
    status = command_build_sign(&build, &body, cluster_id, authority);
    if (status != ST_OK)
        return ST_BAD_FIELD;
    policy.env_tag = cluster_id[0];
    status = command_decode(&command, &item, body, &policy);
    INVARIANT(status == ST_OK);
    command_digest(&command, cluster_id);
    *size_out = entry_size(&command, &open);
    if (*size_out > GENESIS_SIZE_MAX)
        return ST_BAD_FIELD;
    entry_encode(out, *size_out, &place, &command, &open);
    return ST_OK;
}

enum status genesis_read(struct op_system_genesis *fields_out,
                         struct entry *entry_out, struct slice bytes)
{
    static const uint8_t zeros[HASH_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE], hash[HASH_SIZE];
    struct field_error error;
    struct item item;

    if (entry_decode(entry_out, bytes) != ST_OK ||
        entry_out->place.index != 0 || entry_out->place.epoch != 0 ||
        memcmp(entry_out->place.previous, zeros, HASH_SIZE) != 0 ||
        entry_out->header.items_count != 1)
        return ST_ENTRY_FORMED;
    entry_item(&item, entry_out, 0);
    if (item.seal_key != 0 || item.clear_part.opcode != OPCODE_SYSTEM_GENESIS)
        return ST_ENTRY_FORMED;
    if (schema_decode(&schema_op_system_genesis, fields_out, &error,
                      item_fields(&item), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_BAD_FIELD;
    identity_cluster_id(cluster_id, fields_out->authority_key.b);
    return entry_verify(entry_out, hash, cluster_id,
                        fields_out->authority_key.b);
}
