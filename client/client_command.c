#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "protocol/command.h"

int defter_command_new(struct defter_command **command_out, uint8_t realm,
                       uint16_t flags)
{
    struct defter_command *command = calloc(1, sizeof *command);

    if (command == NULL)
        return ST_INTERNAL;
    command->realm = realm;
    command->flags = flags;
    *command_out = command;
    return ST_OK;
}

void defter_command_free(struct defter_command *command)
{
    if (command == NULL)
        return;
    identity_wipe(&command->signer);
    if (command->items != NULL)
        sodium_memzero(command->items, command->items_capacity);
    if (command->body != NULL)
        sodium_memzero(command->body, command->body_size);
    free(command->items);
    free(command->body);
    free(command);
}

void defter_command_signer(struct defter_command *command,
                           const uint8_t seed[SEED_SIZE])
{
    identity_init(&command->signer, seed);
    command->has_signer = true;
}

void defter_command_counter(struct defter_command *command, uint64_t counter)
{
    command->counter = counter;
}

static bool grow_items(struct defter_command *command, size_t size)
{
    size_t capacity = command->items_capacity;
    uint8_t *items;

    if (size > CLIENT_COMMAND_SIZE_MAX - command->items_size)
        return false;
    if (command->items_size + size <= capacity)
        return true;
    capacity = capacity == 0 ? 512 : capacity;
    while (capacity < command->items_size + size)
        capacity *= 2;
    items = malloc(capacity);
    if (items == NULL)
        return false;
    if (command->items_size > 0) {
        memcpy(items, command->items, command->items_size);
        sodium_memzero(command->items, command->items_capacity);
    }
    free(command->items);
    command->items = items;
    command->items_capacity = capacity;
    return true;
}

int defter_command_item(struct defter_command *command,
                        const struct defter_item *item, const void *fields,
                        size_t size)
{
    uint8_t *at;

    if (command->items_count == ITEMS_MAX)
        return ST_ITEMS;
    if (size > CLIENT_COMMAND_SIZE_MAX ||
        !grow_items(command, ITEM_SIZE_MIN + size))
        return ST_TOO_LARGE;
    at = command->items + command->items_size;
    store_u16(at, item->opcode);
    store_u16(at + 2, item->version == 0 ? 1 : item->version);
    store_u32(at + 4, (uint32_t)(ITEM_SIZE_MIN + size));
    store_u32(at + 8, item->duty);
    store_u32(at + 12, item->purpose);
    store_u64(at + 16, item->subject);
    store_u64(at + 24, item->expect_version);
    randombytes_buf(at + ITEM_CLEAR_SIZE, SALT_SIZE);
    if (size > 0)
        memcpy(at + ITEM_SIZE_MIN, fields, size);
    command->items_size += ITEM_SIZE_MIN + size;
    command->items_count++;
    return ST_OK;
}

int defter_command_commitment(const struct defter_command *command,
                              uint16_t number, uint8_t out[HASH_SIZE])
{
    size_t at = 0;

    if (number >= command->items_count)
        return ST_ITEMS;
    for (uint16_t i = 0; i < number; i++)
        at += load_u32(command->items + at + 4);
    item_commitment(
        out, slice_of(command->items + at + ITEM_CLEAR_SIZE,
                      load_u32(command->items + at + 4) - ITEM_CLEAR_SIZE));
    return ST_OK;
}

static void add_items(struct command_build *build,
                      const struct defter_command *command)
{
    size_t at = 0;

    while (at < command->items_size) {
        const uint8_t *bytes = command->items + at;
        size_t size = load_u32(bytes + 4);
        struct item_clear clear;

        item_clear_decode(&clear, bytes);
        command_build_item(
            build, &clear, bytes + ITEM_CLEAR_SIZE,
            slice_of(bytes + ITEM_SIZE_MIN, size - ITEM_SIZE_MIN));
        at += size;
    }
}

/* The hash that receipts name, of the bytes just signed. */
static enum status hash_body(struct defter_command *command,
                             const uint8_t *cluster_id)
{
    struct command parsed;
    struct command_item *items = calloc(ITEMS_MAX, sizeof *items);
    struct command_policy policy = {.env_tag = cluster_id[0],
                                    .portal = true,
                                    .registry = true,
                                    .system = true,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = ITEMS_MAX};
    enum status status = ST_INTERNAL;

    if (items != NULL)
        status = command_decode(&parsed, items,
                                slice_of(command->body, command->body_size),
                                &policy);
    if (status == ST_OK) {
        command_digest(&parsed, cluster_id);
        memcpy(command->hash, parsed.hash, HASH_SIZE);
    }
    free(items);
    return status;
}

int client_sign(struct defter_command *command, const struct defter *client,
                int64_t now_us)
{
    const struct identity *identity = command->has_signer
                                          ? &command->signer
                                          : session_identity(client->session);
    struct command_header header = {.flags = command->flags,
                                    .realm = command->realm,
                                    .signed_at = now_us,
                                    .ttl_s = TTL_S_DEFAULT,
                                    .counter = command->counter};
    size_t size = COMMAND_HEADER_SIZE + SIGNATURE_SIZE + command->items_size;
    uint8_t *body = malloc(size);
    struct command_build build;
    struct slice built;
    enum status status;

    if (body == NULL)
        return ST_INTERNAL;
    randombytes_buf(header.idem, sizeof header.idem);
    command_build_begin(&build, body, size, &header);
    add_items(&build, command);
    status = command_build_sign(&build, &built, client->cluster_id, identity);
    if (status != ST_OK) {
        free(body);
        return (int)status;
    }
    INVARIANT(built.data == body);
    free(command->body);
    command->body = body;
    command->body_size = built.size;
    memcpy(command->signed_by, identity->key_id, KEY_ID_SIZE);
    return (int)hash_body(command, client->cluster_id);
}

uint16_t defter_opcode(const char *name)
{
    const struct operation_info *info =
        operation_named(slice_of(name, strlen(name)));

    return info == NULL ? 0 : info->opcode;
}

const char *defter_status_name(int status)
{
    return status_name((uint32_t)status);
}
