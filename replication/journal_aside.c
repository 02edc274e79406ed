/*
 * journal_aside.c: how much is kept aside.  Others can make a node cut, again
 * and again: what is kept as evidence must not fill its disk, and the older
 * evidence is never given up for the newer.
 */
#include <stdlib.h>
#include <string.h>

#include "replication/journal_parts.h"
#include "replication/need.h"

struct aside {
    size_t count; /* More than there are names, if there is no room. */
    char names[JOURNAL_ASIDE_FILES_MAX][DISK_NAME_SIZE_MAX];
};

static void aside_visit(void *context, const char *name)
{
    static const char directory[] = JOURNAL_DIVERGENT "/";
    struct aside *aside = context;
    const size_t length = strlen(name);

    if (aside->count < JOURNAL_ASIDE_FILES_MAX &&
        length < DISK_NAME_SIZE_MAX - sizeof directory) {
        char *at = aside->names[aside->count];

        memcpy(at, directory, sizeof directory - 1);
        memcpy(at + sizeof directory - 1, name, length + 1);
    }
    aside->count++;
}

/* Of what cannot be looked at, whoever put it there has to know the size. */
static uint64_t aside_size(struct disk *disk, const char *name)
{
    struct disk_file *file;
    uint64_t size;
    enum status status;

    if (name[0] == '\0' || disk_open(disk, &file, name) != ST_OK)
        return 0;
    status = disk_size(file, &size);
    disk_close(file);
    return status == ST_OK ? size : 0;
}

static bool aside_fits(struct journal *journal, const struct aside *aside,
                       size_t files, uint64_t size)
{
    const size_t files_max = journal->options.aside_files_max > 0
                                 ? journal->options.aside_files_max
                                 : (size_t)JOURNAL_ASIDE_FILES_MAX;
    uint64_t room = journal->options.aside_size_max > 0
                        ? journal->options.aside_size_max
                        : (uint64_t)JOURNAL_ASIDE_SIZE_MAX;

    REQUIRE(files_max <= JOURNAL_ASIDE_FILES_MAX);
    if (aside->count > files_max || files > files_max - aside->count)
        return false;
    for (size_t i = 0; i < aside->count; i++) {
        uint64_t used = aside_size(journal->disk, aside->names[i]);

        if (used > room)
            return false;
        room -= used;
    }
    return size <= room;
}

enum status journal_aside_has_room(struct journal *journal, bool *out,
                                   size_t files)
{
    struct aside *aside = calloc(1, sizeof *aside);
    const uint64_t size = (uint64_t)files * journal->options.segment_size;
    enum status status;

    *out = false;
    NEED(aside != NULL);
    status = disk_list(journal->disk, JOURNAL_DIVERGENT, aside, aside_visit);
    if (status == ST_NO_FILE)
        status = ST_OK;
    if (status == ST_OK)
        *out = aside_fits(journal, aside, files, size);
    free(aside);
    return status;
}
