#include <string.h>

#include "tests/lib/disk_model_parts.h"

/* ---- Sectors that cannot be read ---------------------------------------- */

void disk_model_unreadable(struct disk_model *model, const char *name,
                           uint64_t offset)
{
    const int node = disk_model_names_node(&model->names, name);

    disk_model_must(node >= 0, "no such file");
    model->bad[model->bad_count++ % MODEL_BAD_MAX] = (struct model_bad){
        .node = node + 1, .sector = offset / DISK_MODEL_SECTOR};
}

void disk_model_readable(struct disk_model *model)
{
    for (size_t i = 0; i < MODEL_BAD_MAX; i++) {
        const struct model_bad *bad = &model->bad[i];
        struct model_node *node;
        const size_t at = (size_t)bad->sector * DISK_MODEL_SECTOR;

        if (bad->node == 0)
            continue;
        node = &model->nodes[bad->node - 1];
        if (node->used && at + DISK_MODEL_SECTOR <= node->capacity) {
            memset(node->data + at, 0, DISK_MODEL_SECTOR);
            memset(node->durable + at, 0, DISK_MODEL_SECTOR);
        }
    }
    memset(model->bad, 0, sizeof model->bad);
}

bool disk_model_read_fails(const struct disk_model *model, int node,
                           uint64_t offset, size_t size)
{
    for (size_t i = 0; i < MODEL_BAD_MAX; i++) {
        const struct model_bad *bad = &model->bad[i];
        const uint64_t at = bad->sector * DISK_MODEL_SECTOR;

        if (bad->node == node + 1 && at < offset + size &&
            at + DISK_MODEL_SECTOR > offset)
            return true;
    }
    return false;
}

/* A sector that is written as a whole is another one from then on. */
void disk_model_wrote(struct disk_model *model, int node, uint64_t offset,
                      size_t size)
{
    for (size_t i = 0; i < MODEL_BAD_MAX; i++) {
        struct model_bad *bad = &model->bad[i];
        const uint64_t at = bad->sector * DISK_MODEL_SECTOR;

        if (bad->node == node + 1 && at >= offset &&
            at + DISK_MODEL_SECTOR <= offset + size)
            bad->node = 0;
    }
}

/* ---- Writes that go elsewhere ------------------------------------------- */

void disk_model_misdirect_after(struct disk_model *model, size_t writes,
                                int64_t by)
{
    model->misdirect_in = writes;
    model->misdirect_by = by;
}

uint64_t disk_model_place(struct disk_model *model,
                          const struct model_node *node, uint64_t offset,
                          size_t size)
{
    const int64_t other = (int64_t)offset + model->misdirect_by;

    if (model->misdirect_in == 0 || --model->misdirect_in > 0)
        return offset;
    if (other < 0 || (uint64_t)other + size > node->size)
        return offset;
    return (uint64_t)other;
}
