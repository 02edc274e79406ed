/*
 * sim_full_people.c: who signs in full mode, and how a command is signed.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_full_parts.h"

enum { IDEM_MARK = 0x51 };

static void people_key(struct identity *out, uint8_t kind, uint32_t number)
{
    uint8_t seed[SEED_SIZE] = {kind};

    store_u32(seed + 4, number);
    identity_init(out, seed);
}

void sim_full_people(struct sim_full *full, struct sim *sim)
{
    people_key(&full->authority, 1, 0);
    identity_cluster_id(full->cluster_id, full->authority.public_key);
    for (uint32_t i = 0; i < sim->options.nodes_count; i++)
        people_key(&full->nodes[i], 2, i);
    for (uint32_t i = 0; i < FULL_PEOPLE; i++)
        people_key(&full->people[i], 3, i);
}

/* Genesis gives assignment 1; the setup those of the others, in their order.
 * The coordinating body's key has none. */
uint32_t sim_full_duty(enum full_person person)
{
    return person == FULL_COORDINATOR ? 0 : (uint32_t)person + 1;
}

/* ---- Signing ------------------------------------------------------------ */

void sim_full_begin(struct sim *sim, struct full_command *command, uint32_t op)
{
    memset(&command->header, 0, sizeof command->header);
    command->header.realm = REALM_REGISTRY;
    command->header.flags = COMMAND_FLAG_RECEIPT;
    command->header.signed_at = sim_full_wall(sim, NULL);
    command->header.ttl_s = TTL_S_DEFAULT;
    command->header.idem[0] = IDEM_MARK;
    store_u32(command->header.idem + 4, op);
    command_build_begin(&command->build, command->buffer,
                        sizeof command->buffer, &command->header);
}

void sim_full_item(struct sim *sim, struct full_command *command,
                   uint16_t opcode, uint64_t subject, uint32_t duty,
                   const void *fields)
{
    const struct operation_info *operation = operation_info(opcode);
    struct item_clear clear = {.opcode = opcode,
                               .version = operation->version,
                               .subject = subject,
                               .duty = duty};
    uint8_t salt[SALT_SIZE];
    struct writer writer;

    /* Of the one purpose that there is. */
    if (operation->access == ACCESS_READ)
        clear.purpose = 1;
    if (operation->realm == OP_REALM_SYSTEM)
        command->header.realm = REALM_SYSTEM;
    writer_init(&writer, command->fields, sizeof command->fields);
    schema_encode(operation->fields, &writer, fields);
    INVARIANT(writer.status == ST_OK);
    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)random_next(&sim->full->load);
    command_build_item(&command->build, &clear, salt, writer_slice(&writer));
}

void sim_full_sign(struct sim *sim, struct full_command *command, uint32_t op,
                   enum full_person signer)
{
    struct full_op *made = &sim->full->ops[op];
    struct slice body;
    enum status status;

    command->build.header = command->header;
    status = command_build_sign(&command->build, &body, sim->full->cluster_id,
                                &sim->full->people[signer]);
    INVARIANT(status == ST_OK && made->body == NULL);
    made->body = malloc(body.size);
    INVARIANT(made->body != NULL);
    memcpy(made->body, body.data, body.size);
    made->size = body.size;
}
