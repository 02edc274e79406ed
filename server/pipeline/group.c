#include "server/pipeline/group.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/segment.h"
#include "replication/need.h"

struct group *group_open(void)
{
    struct group *group = calloc(1, sizeof *group);

    NEED(group != NULL);
    group->buffer = malloc(GROUP_BYTES_MAX);
    NEED(group->buffer != NULL);
    return group;
}

void group_close(struct group *group)
{
    if (group == NULL)
        return;
    REQUIRE(group->works == NULL);
    free(group->buffer);
    free(group);
}

void group_reset(struct group *group, uint64_t room)
{
    REQUIRE(group->works == NULL);
    group->works_last = NULL;
    group->works_count = 0;
    group->entries_count = 0;
    group->frames_size = 0;
    group->room = room > SIZE_MAX ? SIZE_MAX : (size_t)room;
    group->used = 0;
    group->epoch = 0;
    group->term = 0;
    group->taken = false;
    group->given_up = false;
    group->next = NULL;
}

bool group_fits(const struct group *group, size_t size)
{
    return group->entries_count < GROUP_ENTRIES_MAX &&
           group->works_count < GROUP_ENTRIES_MAX &&
           size <= GROUP_BYTES_MAX - group->used;
}

uint8_t *group_reserve(struct group *group, size_t size)
{
    REQUIRE(group_fits(group, size));
    uint8_t *at = group->buffer + group->used;

    group->used += size;
    return at;
}

static void group_add(struct group *group, struct work *work)
{
    work->next = NULL;
    if (group->works_last == NULL)
        group->works = work;
    else
        group->works_last->next = work;
    group->works_last = work;
    group->works_count++;
}

void group_add_entry(struct group *group, struct work *work)
{
    struct journal_entry *entry = &group->entries[group->entries_count++];

    entry->bytes = work->entry;
    memcpy(entry->leaf, work->leaf, HASH_SIZE);
    group->frames_size += segment_frame_size(work->entry.size);
    group_add(group, work);
}

void group_add_known(struct group *group, struct work *work)
{
    REQUIRE(work->known);
    group_add(group, work);
}
