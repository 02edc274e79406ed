#include "tests/lib/disk_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/disk_model_parts.h"

static struct disk_model *model_of(struct disk *disk)
{
    return (struct disk_model *)disk;
}

static struct model_node *model_node(struct disk_file *file)
{
    return &model_of(file->disk)->nodes[((struct model_file *)file)->node];
}

void disk_model_must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "disk_model: %s\n", what);
    abort();
}

void *disk_model_alloc(size_t size)
{
    void *data = calloc(1, size == 0 ? 1 : size);

    disk_model_must(data != NULL, "out of memory");
    return data;
}

void disk_model_name_copy(char *out, const char *name)
{
    disk_model_must(strlen(name) < DISK_NAME_SIZE_MAX, "name too long");
    snprintf(out, DISK_NAME_SIZE_MAX, "%s", name);
}

int disk_model_names_find(const struct model_names *names, const char *name)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->rows[i].name, name) == 0)
            return i;
    return -1;
}

int disk_model_names_node(const struct model_names *names, const char *name)
{
    const int row = disk_model_names_find(names, name);

    return row < 0 ? -1 : names->rows[row].node;
}

void disk_model_names_remove(struct model_names *names, const char *name)
{
    const int row = disk_model_names_find(names, name);

    if (row >= 0)
        names->rows[row] = names->rows[--names->count];
}

static void names_set(struct model_names *names, const char *name, int node)
{
    disk_model_names_remove(names, name);
    disk_model_must(names->count < MODEL_NAMES_MAX, "too many names");
    disk_model_name_copy(names->rows[names->count].name, name);
    names->rows[names->count++].node = node;
}

void disk_model_names_step(struct model_names *names,
                           const struct model_step *step)
{
    if (step->older[0] != '\0') {
        if (disk_model_names_node(names, step->older) != step->node)
            return;
        disk_model_names_remove(names, step->older);
    }
    if (step->newer[0] != '\0')
        names_set(names, step->newer, step->node);
}

static bool names_hold(const struct model_names *names, int node)
{
    for (int i = 0; i < names->count; i++)
        if (names->rows[i].node == node)
            return true;
    return false;
}

bool disk_model_referenced(const struct disk_model *model, int node)
{
    if (!model->nodes[node].used)
        return false;
    if (names_hold(&model->names, node) || names_hold(&model->durable, node))
        return true;
    for (int i = 0; i < model->steps_count; i++)
        if (model->steps[i].node == node)
            return true;
    return false;
}

void disk_model_node_reserve(struct model_node *node, uint64_t size)
{
    size_t capacity =
        node->capacity == 0 ? 8 * DISK_MODEL_SECTOR : node->capacity;
    struct model_node older = *node;

    if (size <= node->capacity)
        return;
    while (capacity < size)
        capacity *= 2;
    node->data = disk_model_alloc(capacity);
    node->durable = disk_model_alloc(capacity);
    node->clean = disk_model_alloc(capacity / DISK_MODEL_SECTOR);
    node->capacity = capacity;
    if (older.capacity > 0) {
        memcpy(node->data, older.data, older.capacity);
        memcpy(node->durable, older.durable, older.capacity);
        memcpy(node->clean, older.clean, older.capacity / DISK_MODEL_SECTOR);
    }
    free(older.data);
    free(older.durable);
    free(older.clean);
}

static void node_free(struct model_node *node)
{
    free(node->data);
    free(node->durable);
    free(node->clean);
    memset(node, 0, sizeof *node);
}

void disk_model_node_dirty(struct model_node *node, uint64_t from, uint64_t to)
{
    const size_t first = (size_t)(from / DISK_MODEL_SECTOR);
    const size_t end =
        (size_t)((to + DISK_MODEL_SECTOR - 1) / DISK_MODEL_SECTOR);

    if (node->dirty_first >= node->dirty_end) {
        node->dirty_first = first;
        node->dirty_end = end;
    }
    if (first < node->dirty_first)
        node->dirty_first = first;
    if (end > node->dirty_end)
        node->dirty_end = end;
}

bool disk_model_node_pending(const struct model_node *node, size_t sector)
{
    const size_t at = sector * DISK_MODEL_SECTOR;

    return node->clean[sector] == 0 &&
           memcmp(node->data + at, node->durable + at, DISK_MODEL_SECTOR) != 0;
}

/* One more change; false when the power is off. */
static bool model_change(struct disk_model *model)
{
    if (model->changes >= model->changes_max)
        model->off = true;
    if (model->off)
        return false;
    model->changes++;
    return true;
}

static enum status model_fault(struct disk_model *model)
{
    if (!model_change(model))
        return ST_DISK_FAILED;
    if (model->fail_in > 0 && --model->fail_in == 0)
        return model->fail_with;
    return ST_OK;
}

static void model_push(struct disk_model *model, const char *older,
                       const char *newer, int node)
{
    struct model_step *step;

    disk_model_must(model->steps_count < MODEL_STEPS_MAX, "too many steps");
    step = &model->steps[model->steps_count++];
    disk_model_name_copy(step->older, older);
    disk_model_name_copy(step->newer, newer);
    step->node = node;
    disk_model_names_step(&model->names, step);
}

static enum status model_open(struct disk *disk, struct disk_file **file_out,
                              const char *name)
{
    struct disk_model *model = model_of(disk);
    struct model_file *file;
    const int node = disk_model_names_node(&model->names, name);

    if (model->off)
        return ST_DISK_FAILED;
    if (node < 0)
        return ST_NO_FILE;
    file = disk_model_alloc(sizeof *file);
    file->file.disk = disk;
    file->node = node;
    *file_out = &file->file;
    return ST_OK;
}

static enum status model_create(struct disk *disk, struct disk_file **file_out,
                                const char *name)
{
    struct disk_model *model = model_of(disk);
    const enum status status = model_fault(model);
    int node = 0;

    if (status != ST_OK)
        return status;
    if (disk_model_names_find(&model->names, name) >= 0)
        return ST_EXISTS;
    while (node < MODEL_FILES_MAX && disk_model_referenced(model, node))
        node++;
    disk_model_must(node < MODEL_FILES_MAX, "too many files");
    model->left += disk_model_node_left(&model->nodes[node]);
    node_free(&model->nodes[node]);
    model->nodes[node].used = true;
    disk_model_node_reserve(&model->nodes[node], 1);
    model_push(model, "", name, node);
    return model_open(disk, file_out, name);
}

static void model_close(struct disk_file *file)
{
    free(file);
}

static enum status model_size(struct disk_file *file, uint64_t *size_out)
{
    if (model_of(file->disk)->off)
        return ST_DISK_FAILED;
    *size_out = model_node(file)->size;
    return ST_OK;
}

static enum status model_read(struct disk_file *file, size_t *read_out,
                              void *data, size_t size, uint64_t offset)
{
    const struct model_node *node = model_node(file);

    if (model_of(file->disk)->off)
        return ST_DISK_FAILED;
    *read_out = 0;
    if (disk_model_read_fails(model_of(file->disk),
                              ((struct model_file *)file)->node, offset, size))
        return ST_DISK_FAILED;
    if (offset >= node->size)
        return ST_OK;
    *read_out =
        size < node->size - offset ? size : (size_t)(node->size - offset);
    memcpy(data, node->data + offset, *read_out);
    return ST_OK;
}

static uint64_t model_bytes(const struct disk_model *model)
{
    uint64_t bytes = 0;

    for (int i = 0; i < MODEL_FILES_MAX; i++)
        if (disk_model_referenced(model, i))
            bytes += model->nodes[i].size;
    return bytes;
}

static enum status model_write(struct disk_file *file, const void *data,
                               size_t size, uint64_t offset)
{
    struct disk_model *model = model_of(file->disk);
    struct model_node *node = model_node(file);
    const uint64_t end = offset + size;
    const enum status status = model_fault(model);
    uint64_t place;

    if (status != ST_OK)
        return status;
    if (end > node->size &&
        end - node->size + model_bytes(model) > model->bytes_max)
        return ST_DISK_FULL;
    disk_model_node_reserve(node, end);
    place = disk_model_place(model, node, offset, size);
    memcpy(node->data + place, data, size);
    for (uint64_t at = place / DISK_MODEL_SECTOR;
         at * DISK_MODEL_SECTOR < place + size; at++)
        node->clean[at] = 0;
    disk_model_node_dirty(node, place, place + size);
    disk_model_wrote(model, ((struct model_file *)file)->node, place, size);
    if (end > node->size)
        node->size = end;
    model->writes++;
    return ST_OK;
}

static enum status model_truncate(struct disk_file *file, uint64_t size)
{
    struct model_node *node = model_node(file);
    const enum status status = model_fault(model_of(file->disk));

    if (status != ST_OK)
        return status;
    disk_model_node_reserve(node, size);
    if (size < node->size) {
        memset(node->data + size, 0, (size_t)(node->size - size));
        disk_model_node_dirty(node, size, node->size);
    }
    node->size = size;
    return ST_OK;
}

static bool model_lies_of(const struct disk_model *model, const char *name)
{
    const size_t size = strlen(model->lying);

    if (size == 0)
        return false;
    if (model->lying[size - 1] == '*')
        return strncmp(model->lying, name, size - 1) == 0;
    return strcmp(model->lying, name) == 0;
}

static bool model_lies_of_node(const struct disk_model *model, int node)
{
    for (int i = 0; i < model->names.count; i++)
        if (model->names.rows[i].node == node &&
            model_lies_of(model, model->names.rows[i].name))
            return true;
    return false;
}

static enum status model_sync(struct disk_file *file)
{
    struct disk_model *model = model_of(file->disk);
    struct model_node *node = model_node(file);

    if (!model_change(model))
        return ST_DISK_FAILED;
    if (model->fail_sync_in > 0 && --model->fail_sync_in == 0) {
        for (size_t i = node->dirty_first; i < node->dirty_end; i++)
            if (disk_model_node_pending(node, i))
                node->clean[i] = 1;
        node->dirty_end = 0;
        return ST_DISK_FAILED;
    }
    model->syncs++;
    if (model_lies_of_node(model, ((struct model_file *)file)->node))
        return ST_OK;
    for (size_t i = node->dirty_first; i < node->dirty_end; i++)
        if (disk_model_node_pending(node, i))
            memcpy(node->durable + i * DISK_MODEL_SECTOR,
                   node->data + i * DISK_MODEL_SECTOR, DISK_MODEL_SECTOR);
    node->dirty_end = 0;
    node->durable_size = node->size;
    return ST_OK;
}

static enum status model_rename(struct disk *disk, const char *older,
                                const char *newer)
{
    struct disk_model *model = model_of(disk);
    const int node = disk_model_names_node(&model->names, older);

    if (!model_change(model))
        return ST_DISK_FAILED;
    if (node < 0)
        return ST_NO_FILE;
    model_push(model, older, newer, node);
    return ST_OK;
}

static enum status model_remove(struct disk *disk, const char *name)
{
    struct disk_model *model = model_of(disk);
    const int node = disk_model_names_node(&model->names, name);

    if (node < 0)
        return model->off ? ST_DISK_FAILED : ST_NO_FILE;
    if (!model_change(model))
        return ST_DISK_FAILED;
    model_push(model, name, "", node);
    return ST_OK;
}

/* Directories are there from the beginning: no test turns on losing one. */
static enum status model_make_directory(struct disk *disk, const char *name)
{
    (void)name;
    return model_change(model_of(disk)) ? ST_OK : ST_DISK_FAILED;
}

/* The part of ${name} behind "directory/"; NULL if it lies elsewhere. */
static const char *model_below(const char *directory, const char *name)
{
    const size_t size = strlen(directory);

    if (size == 0)
        return strchr(name, '/') == NULL ? name : NULL;
    if (strncmp(name, directory, size) != 0 || name[size] != '/')
        return NULL;
    return name + size + 1;
}

static enum status model_list(struct disk *disk, const char *directory,
                              void *context, disk_visit *visit)
{
    struct disk_model *model = model_of(disk);

    if (model->off)
        return ST_DISK_FAILED;
    for (int i = 0; i < model->names.count; i++) {
        const char *name = model_below(directory, model->names.rows[i].name);

        if (name != NULL)
            visit(context, name);
    }
    return ST_OK;
}

static enum status model_sync_directory(struct disk *disk,
                                        const char *directory)
{
    struct disk_model *model = model_of(disk);
    int kept = 0;

    if (!model_change(model))
        return ST_DISK_FAILED;
    if (model_lies_of(model, directory))
        return ST_OK;
    for (int i = 0; i < model->steps_count; i++) {
        const struct model_step *step = &model->steps[i];
        const char *name = step->newer[0] != '\0' ? step->newer : step->older;

        if (model_below(directory, name) != NULL)
            disk_model_names_step(&model->durable, step);
        else
            model->steps[kept++] = *step;
    }
    model->steps_count = kept;
    model->syncs++;
    return ST_OK;
}

static const struct disk_calls model_calls = {
    .open = model_open,
    .create = model_create,
    .close = model_close,
    .size = model_size,
    .read = model_read,
    .write = model_write,
    .truncate = model_truncate,
    .sync = model_sync,
    .rename = model_rename,
    .remove = model_remove,
    .make_directory = model_make_directory,
    .list = model_list,
    .sync_directory = model_sync_directory,
};

struct disk_model *disk_model_new(void)
{
    struct disk_model *model = disk_model_alloc(sizeof *model);

    model->disk.calls = &model_calls;
    model->changes_max = SIZE_MAX;
    model->bytes_max = UINT64_MAX;
    return model;
}

void disk_model_free(struct disk_model *model)
{
    if (model == NULL)
        return;
    for (int i = 0; i < MODEL_FILES_MAX; i++)
        node_free(&model->nodes[i]);
    free(model);
}

struct disk *disk_model_disk(struct disk_model *model)
{
    return &model->disk;
}
