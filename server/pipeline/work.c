#include "server/pipeline/work.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* The copy's own place of a pointer into the old body. */
static const uint8_t *work_moved(const struct command *from,
                                 const uint8_t *pointer, const uint8_t *body)
{
    return body + (pointer - from->body.data);
}

struct work *work_open(const struct command *command,
                       const struct work_origin *origin)
{
    size_t items_size = command->header.items_count * sizeof *command->items;
    struct work *work = malloc(sizeof *work + items_size + command->body.size);
    if (work == NULL)
        return NULL;
    memset(work, 0, sizeof *work);
    struct command_item *items = (struct command_item *)(void *)(work + 1);
    uint8_t *body = (uint8_t *)items + items_size;

    memcpy(items, command->items, items_size);
    memcpy(body, command->body.data, command->body.size);
    work->origin = *origin;
    work->fault.item = UINT16_MAX;
    work->command = *command;
    work->command.body = slice_of(body, command->body.size);
    work->command.header_bytes =
        work_moved(command, command->header_bytes, body);
    work->command.signature = work_moved(command, command->signature, body);
    work->command.items = items;
    for (size_t i = 0; i < command->header.items_count; i++) {
        items[i].clear = work_moved(command, items[i].clear, body);
        items[i].secret.data = work_moved(command, items[i].secret.data, body);
        items[i].fields.data = work_moved(command, items[i].fields.data, body);
    }
    return work;
}

void work_close(struct work *work)
{
    if (work == NULL)
        return;
    /* Bodies hold names and numbers of people. */
    sodium_memzero(
        (uint8_t *)(work->command.items + work->command.header.items_count),
        work->command.body.size);
    free(work);
}
