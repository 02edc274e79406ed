#include "tests/lib/journal_oracle.h"

#include <stdio.h>
#include <string.h>

#include "protocol/segment.h"
#include "replication/mark.h"

static bool all_zero(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (data[at] != 0)
            return false;
    return true;
}

static void oracle_mark(struct journal_oracle *oracle,
                        const struct disk_model *model)
{
    uint64_t newest = 0;
    const uint8_t *data;
    size_t size;

    oracle->marked = UINT64_MAX;
    if (!disk_model_peek(model, MARK_FILE, &data, &size))
        return;
    for (size_t at = 0; at + SLOT_SIZE <= size; at += SLOT_SIZE) {
        static const uint8_t magic[SLOTS_MAGIC_SIZE] = "DFTMARK";
        struct slice body;
        uint64_t sequence;

        if (slots_decode(&sequence, &body, magic,
                         slice_of(data + at, SLOT_SIZE)) == ST_OK &&
            sequence > newest) {
            newest = sequence;
            oracle->marked = load_u64(body.data + 16);
        }
    }
}

/* Damage where entry 0 stood, with entry 1 behind it. */
static bool oracle_is_rotten(const struct journal_history *history,
                             const uint8_t *data, size_t size)
{
    const size_t frame = segment_frame_size(history->rig.sizes[0]);
    struct slice entry;

    return segment_frame_decode(&entry, slice_of(data, size)) != ST_OK &&
           segment_frame_decode(&entry, slice_of(data + frame, size - frame)) ==
               ST_OK;
}

/* Walks the files in the order of their names; every segment is small. */
void journal_oracle_read(struct journal_oracle *oracle,
                         const struct journal_history *history,
                         const struct disk_model *model)
{
    uint64_t first = 0;

    *oracle = (struct journal_oracle){0};
    oracle_mark(oracle, model);
    for (; first <= history->attempted; first++) {
        char name[DISK_NAME_SIZE_MAX];
        const uint8_t *data;
        size_t at = SEGMENT_HEADER_SIZE;
        size_t size;
        struct slice entry;

        snprintf(name, sizeof name, "log/%020u.seg", (unsigned)first);
        if (!disk_model_peek(model, name, &data, &size))
            continue;
        if (oracle->torn || first != oracle->size) {
            oracle->torn = true;
            return;
        }
        if (size < SEGMENT_HEADER_SIZE) {
            oracle->torn = true;
            return;
        }
        if (first == 0 && history->rotten &&
            oracle_is_rotten(history, data + at, size - at)) {
            oracle->hole = true;
            oracle->size++;
            at += segment_frame_size(history->rig.sizes[0]);
        }
        while (segment_frame_decode(&entry, slice_of(data + at, size - at)) ==
                   ST_OK &&
               load_u64(entry.data + 8) == oracle->size) {
            const uint64_t index = oracle->size++;

            at += segment_frame_size(entry.size);
            if (index >= history->attempted ||
                !slice_equal(entry, slice_of(history->rig.bytes[index],
                                             history->rig.sizes[index])))
                oracle->other = true;
        }
        if (!all_zero(data + at, size - at))
            oracle->torn = true;
    }
}

struct search {
    const struct disk_model *model;
    const char *directory;
    struct slice wanted;
    bool found;
};

static void search_file(void *context, const char *name)
{
    struct search *search = context;
    char path[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    size_t size;

    snprintf(path, sizeof path, "%s/%s", search->directory, name);
    if (!disk_model_peek(search->model, path, &data, &size))
        return;
    for (size_t at = 0; at + search->wanted.size <= size; at += 4)
        if (memcmp(data + at, search->wanted.data, search->wanted.size) == 0)
            search->found = true;
}

/* Whether all that a cut takes away is on the disk somewhere. */
bool journal_oracle_kept(const struct journal_history *history,
                         struct disk_model *model)
{
    static const char *const directories[] = {"log", "divergent"};

    for (uint64_t i = history->acknowledged; i < history->cut_from; i++) {
        struct search search = {.model = model};

        search.wanted = slice_of(history->rig.bytes[i], history->rig.sizes[i]);
        for (size_t j = 0; j < 2; j++) {
            search.directory = directories[j];
            if (disk_list(disk_model_disk(model), directories[j], &search,
                          search_file) != ST_OK)
                return false;
        }
        if (!search.found)
            return false;
    }
    return true;
}
