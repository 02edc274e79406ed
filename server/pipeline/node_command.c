#include "server/pipeline/node_command.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/command_build.h"
#include "replication/need.h"

struct node_command {
    const struct node_signer *signer;
    struct command_build build;
    uint8_t buffer[ENTRY_SIZE_MAX];
    uint8_t fields[ENTRY_SIZE_MAX];
    struct command_item items[ITEMS_MAX];
};

struct node_command *node_command_begin(const struct node_signer *signer)
{
    struct node_command *command = malloc(sizeof *command);

    NEED(command != NULL);
    command->signer = signer;
    struct command_header header = {.realm = REALM_SYSTEM,
                                    .ttl_s = TTL_S_DEFAULT};
    randombytes_buf(header.idem, sizeof header.idem);
    command_build_begin(&command->build, command->buffer,
                        sizeof command->buffer, &header);
    return command;
}

void node_command_add(struct node_command *command, uint16_t opcode,
                      const void *fields)
{
    const struct operation_info *operation = operation_info(opcode);
    struct writer writer;
    uint8_t salt[SALT_SIZE];

    REQUIRE(operation != NULL);
    writer_init(&writer, command->fields, sizeof command->fields);
    schema_encode(operation->fields, &writer, fields);
    INVARIANT(writer.status == ST_OK);
    randombytes_buf(salt, sizeof salt);
    struct item_clear clear = {.opcode = opcode,
                               .version = operation->version,
                               .duty = command->signer->duty};
    command_build_item(&command->build, &clear, salt, writer_slice(&writer));
}

struct work *node_command_finish(struct node_command *command, int64_t wall)
{
    const struct node_signer *signer = command->signer;
    struct command_policy policy = {
        .env_tag = signer->cluster_id[0],
        .system = true,
        .ttl_s_max = TTL_S_MAX,
        .items_max = ITEMS_MAX,
    };
    struct work_origin origin = {0};
    struct command parsed;
    struct slice body;
    enum status status;

    command->build.header.signed_at = wall;
    status = command_build_sign(&command->build, &body, signer->cluster_id,
                                signer->identity);
    INVARIANT(status == ST_OK);
    status = command_decode(&parsed, command->items, body, &policy);
    INVARIANT(status == ST_OK);
    command_digest(&parsed, signer->cluster_id);
    memcpy(origin.session_key.b, signer->identity->key_id, KEY_ID_SIZE);
    struct work *work = work_open(&parsed, &origin);
    NEED(work != NULL);
    work->node_made = true;
    sodium_memzero(command->fields, sizeof command->fields);
    sodium_memzero(command->buffer, sizeof command->buffer);
    free(command);
    return work;
}
