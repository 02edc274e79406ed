#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/lib/disk_model_parts.h"

struct disk_model *disk_model_copy(const struct disk_model *model)
{
    struct disk_model *copy = disk_model_alloc(sizeof *copy);

    *copy = *model;
    memset(copy->nodes, 0, sizeof copy->nodes);
    copy->left = disk_model_left(model);
    for (int i = 0; i < MODEL_FILES_MAX; i++) {
        const struct model_node *node = &model->nodes[i];
        struct model_node *target = &copy->nodes[i];

        if (!disk_model_referenced(model, i))
            continue;
        disk_model_node_reserve(target, node->capacity);
        memcpy(target->data, node->data, node->capacity);
        memcpy(target->durable, node->durable, node->capacity);
        memcpy(target->clean, node->clean, node->capacity / DISK_MODEL_SECTOR);
        target->dirty_first = node->dirty_first;
        target->dirty_end = node->dirty_end;
        target->size = node->size;
        target->durable_size = node->durable_size;
        target->used = true;
    }
    return copy;
}

size_t disk_model_pending(const struct disk_model *model)
{
    size_t count = (size_t)model->steps_count;

    for (int i = 0; i < MODEL_FILES_MAX; i++) {
        const struct model_node *node = &model->nodes[i];

        if (!disk_model_referenced(model, i))
            continue;
        for (size_t at = node->dirty_first; at < node->dirty_end; at++)
            count += disk_model_node_pending(node, at) ? 1 : 0;
        count += node->size != node->durable_size ? 1 : 0;
    }
    return count;
}

struct model_choice {
    const uint8_t *keep;
    size_t keep_size;
    bool keep_rest;
    size_t next; /* Bits asked for so far. */
    size_t torn; /* Kept sectors to go until the torn one. */
};

static bool choice_keep(struct model_choice *choice)
{
    const size_t bit = choice->next++;

    if (bit / 8 >= choice->keep_size)
        return choice->keep_rest;
    return (choice->keep[bit / 8] >> (bit % 8) & 1) != 0;
}

/* After power came back the medium's bytes are all there is. */
static void node_crash(struct model_node *node, struct model_choice *choice)
{
    for (size_t i = node->dirty_first; i < node->dirty_end; i++) {
        const size_t at = i * DISK_MODEL_SECTOR;
        size_t size = DISK_MODEL_SECTOR;

        if (!disk_model_node_pending(node, i) || !choice_keep(choice))
            continue;
        if (choice->torn-- == 0)
            size /= 2;
        memcpy(node->durable + at, node->data + at, size);
    }
    if (node->size != node->durable_size && choice_keep(choice))
        node->durable_size = node->size;
    memset(node->durable + node->durable_size, 0,
           node->capacity - (size_t)node->durable_size);
    memcpy(node->data, node->durable, node->capacity);
    memset(node->clean, 0, node->capacity / DISK_MODEL_SECTOR);
    node->size = node->durable_size;
    node->dirty_end = 0;
}

void disk_model_lose_power(struct disk_model *model, const uint8_t *keep,
                           size_t keep_size, bool keep_rest, size_t torn)
{
    struct model_choice choice = {keep, keep_size, keep_rest, 0, torn};

    for (int i = 0; i < MODEL_FILES_MAX; i++)
        if (disk_model_referenced(model, i))
            node_crash(&model->nodes[i], &choice);
    for (int i = 0; i < model->steps_count; i++)
        if (choice_keep(&choice))
            disk_model_names_step(&model->durable, &model->steps[i]);
    model->steps_count = 0;
    model->names = model->durable;
    model->off = false;
    model->changes = 0;
    model->changes_max = SIZE_MAX;
    model->fail_in = 0;
    model->fail_sync_in = 0;
}

struct disk_model *disk_model_crash(const struct disk_model *model,
                                    const uint8_t *keep, size_t keep_size,
                                    bool keep_rest, size_t torn)
{
    struct disk_model *copy = disk_model_copy(model);

    disk_model_lose_power(copy, keep, keep_size, keep_rest, torn);
    return copy;
}

uint64_t disk_model_digest(const struct disk_model *model)
{
    uint64_t sum = 0;

    for (int i = 0; i < model->names.count; i++) {
        const struct model_name *row = &model->names.rows[i];
        const struct model_node *node = &model->nodes[row->node];

        sum += XXH3_64bits_withSeed(node->data, (size_t)node->size,
                                    XXH3_64bits(row->name, strlen(row->name)));
    }
    return sum;
}

uint64_t disk_model_state(const struct disk_model *model)
{
    uint64_t sum = disk_model_digest(model);

    for (int i = 0; i < model->durable.count; i++) {
        const struct model_name *row = &model->durable.rows[i];
        const struct model_node *node = &model->nodes[row->node];

        sum +=
            3 * XXH3_64bits_withSeed(node->durable, (size_t)node->durable_size,
                                     XXH3_64bits(row->name, strlen(row->name)));
    }
    for (int i = 0; i < model->steps_count; i++) {
        const struct model_step *step = &model->steps[i];
        const struct model_node *node = &model->nodes[step->node];

        sum = XXH3_64bits_withSeed(step->older, strlen(step->older), sum);
        sum = XXH3_64bits_withSeed(step->newer, strlen(step->newer), sum);
        sum = XXH3_64bits_withSeed(node->durable, (size_t)node->durable_size,
                                   sum);
    }
    return sum;
}

void disk_model_power_off_after(struct disk_model *model, size_t calls)
{
    model->changes_max = model->changes + calls;
}

void disk_model_power_on(struct disk_model *model)
{
    model->off = false;
    model->changes_max = SIZE_MAX;
}

size_t disk_model_changes(const struct disk_model *model)
{
    return model->changes;
}

bool disk_model_is_off(const struct disk_model *model)
{
    return model->off;
}

void disk_model_fail_after(struct disk_model *model, size_t calls,
                           enum status status)
{
    model->fail_in = calls;
    model->fail_with = status;
}

void disk_model_fail_sync_after(struct disk_model *model, size_t syncs)
{
    model->fail_sync_in = syncs;
}

void disk_model_limit(struct disk_model *model, uint64_t bytes)
{
    model->bytes_max = bytes;
}

void disk_model_lie(struct disk_model *model, const char *name)
{
    disk_model_name_copy(model->lying, name == NULL ? "" : name);
}

size_t disk_model_syncs(const struct disk_model *model)
{
    return model->syncs;
}

size_t disk_model_writes(const struct disk_model *model)
{
    return model->writes;
}

bool disk_model_peek(const struct disk_model *model, const char *name,
                     const uint8_t **data_out, size_t *size_out)
{
    const int node = disk_model_names_node(&model->names, name);

    if (node < 0)
        return false;
    *data_out = model->nodes[node].data;
    *size_out = (size_t)model->nodes[node].size;
    return true;
}

/* What a process sees may be on the medium, synced or not. */
size_t disk_model_node_left(const struct model_node *node)
{
    size_t count = 0;

    for (size_t i = 0; i < node->capacity; i++)
        count += node->data[i] != 0 || node->durable[i] != 0 ? 1 : 0;
    return count;
}

size_t disk_model_left(const struct disk_model *model)
{
    size_t count = model->left;

    for (int i = 0; i < MODEL_FILES_MAX; i++)
        if (!disk_model_referenced(model, i))
            count += disk_model_node_left(&model->nodes[i]);
    return count;
}

void disk_model_rot(struct disk_model *model, const char *name, uint64_t offset,
                    unsigned bit)
{
    const int node = disk_model_names_node(&model->names, name);
    uint8_t byte;

    disk_model_must(node >= 0 && offset < model->nodes[node].size,
                    "no such place");
    byte = (uint8_t)(model->nodes[node].data[offset] ^ (1u << bit));
    disk_model_poke(model, name, offset, &byte, 1);
}

void disk_model_poke(struct disk_model *model, const char *name,
                     uint64_t offset, const void *data, size_t size)
{
    const int row = disk_model_names_node(&model->names, name);
    struct model_node *node;

    disk_model_must(row >= 0, "no such file");
    node = &model->nodes[row];
    disk_model_node_reserve(node, offset + size);
    memcpy(node->data + offset, data, size);
    memcpy(node->durable + offset, data, size);
    if (offset + size > node->size)
        node->size = offset + size;
    if (offset + size > node->durable_size)
        node->durable_size = offset + size;
}

void disk_model_drop(struct disk_model *model, const char *name)
{
    disk_model_must(disk_model_names_find(&model->names, name) >= 0,
                    "no such file");
    disk_model_names_remove(&model->names, name);
    disk_model_names_remove(&model->durable, name);
}
