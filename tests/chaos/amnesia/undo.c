#include "tests/chaos/amnesia/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo_private.h"

enum { FD_LOWEST = 512, TABLE_SIZE_FIRST = 1024, MODE_KEEP = 0700 };

struct undo_state undo;

/* A process that cannot remember must not go on as if it did. */
static void *need(void *memory)
{
    if (memory == NULL)
        raw_die("amnesia: out of memory\n");
    return memory;
}

bool undo_init(const char *keep)
{
    int size = snprintf(undo.keep, sizeof undo.keep, "%s", keep);

    if (size < 0 || (size_t)size >= sizeof undo.keep - 32)
        return false;
    return raw_mkdir(keep, MODE_KEEP) == 0 || errno == EEXIST;
}

struct undo_file *undo_find(int fd)
{
    struct stat about;

    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        return NULL;
    for (struct undo_file *file = undo.files; file != NULL; file = file->next) {
        if (file->inode == about.st_ino && file->device == about.st_dev)
            return file;
    }
    return NULL;
}

void undo_follow(int fd)
{
    struct undo_file *file;
    struct stat about;
    char path[64];
    int own, high;

    if (undo_find(fd) != NULL || fstat(fd, &about) != 0 ||
        !S_ISREG(about.st_mode))
        return;
    /* Opened before anyone has locks on it, and never closed: closing any
     * descriptor of a file would end this process's locks on it. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = raw_open(path, O_RDWR | O_CLOEXEC);
    if (own < 0)
        raw_die("amnesia: a file cannot be opened a second time\n");
    high = fcntl(own, F_DUPFD_CLOEXEC, FD_LOWEST);
    if (high >= 0) {
        (void)close(own);
        own = high;
    }
    file = need(calloc(1, sizeof *file));
    file->fd = own;
    file->device = about.st_dev;
    file->inode = about.st_ino;
    file->size_durable = (uint64_t)about.st_size;
    file->generation = 1;
    file->next = undo.files;
    undo.files = file;
}

static uint64_t size_of(const struct undo_file *file)
{
    struct stat about;

    return fstat(file->fd, &about) == 0 ? (uint64_t)about.st_size : 0;
}

/* ---- Sectors: a table by number, of the newest record of each. ---- */

static size_t slot_of(const struct undo_file *file, uint64_t number)
{
    size_t at = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32);

    at &= file->slots_count - 1;
    while (file->slots[at] != NULL && file->slots[at]->number != number)
        at = (at + 1) & (file->slots_count - 1);
    return at;
}

/* The table is made anew from the records, newest first. */
static void rebuild(struct undo_file *file, size_t slots_count)
{
    free(file->slots);
    file->slots_count = slots_count;
    file->slots = need(calloc(slots_count, sizeof(struct sector *)));
    file->slots_used = 0;
    for (struct sector *sector = file->newest; sector != NULL;
         sector = sector->older) {
        size_t at = slot_of(file, sector->number);
        if (file->slots[at] == NULL) {
            file->slots[at] = sector;
            file->slots_used++;
        }
    }
}

/* Keep what a sector holds now, once a generation. */
static void keep_sector(struct undo_file *file, uint64_t number)
{
    struct sector *sector;
    ssize_t got;
    size_t at;

    if (2 * file->slots_used >= file->slots_count)
        rebuild(file, file->slots_count == 0 ? TABLE_SIZE_FIRST
                                             : 2 * file->slots_count);
    at = slot_of(file, number);
    if (file->slots[at] != NULL &&
        file->slots[at]->generation == file->generation)
        return;
    sector = need(calloc(1, sizeof *sector));
    sector->number = number;
    sector->generation = file->generation;
    got = pread(file->fd, sector->bytes, UNDO_SECTOR_SIZE,
                (off_t)(number * UNDO_SECTOR_SIZE));
    if (got < 0)
        raw_die("amnesia: a sector cannot be read\n");
    sector->older = file->newest;
    file->newest = sector;
    if (file->slots[at] == NULL)
        file->slots_used++;
    file->slots[at] = sector;
}

void undo_before_write(struct undo_file *file, uint64_t offset, size_t size)
{
    uint64_t last;

    if (size == 0)
        return;
    last = (offset + size - 1) / UNDO_SECTOR_SIZE;
    for (uint64_t at = offset / UNDO_SECTOR_SIZE; at <= last; at++)
        keep_sector(file, at);
}

void undo_before_resize(struct undo_file *file, uint64_t size)
{
    uint64_t now = size_of(file);

    /* What is cut off may come back; growth is undone by the size alone. */
    if (size < now)
        undo_before_write(file, size, (size_t)(now - size));
}

/* Drop the records of these generations and sectors. */
static void drop_sectors(struct undo_file *file, uint64_t generation_max,
                         uint64_t first, uint64_t last)
{
    struct sector **link = &file->newest;
    bool changed = false;

    while (*link != NULL) {
        struct sector *sector = *link;
        if (sector->generation <= generation_max && sector->number >= first &&
            sector->number <= last) {
            *link = sector->older;
            free(sector);
            changed = true;
        } else {
            link = &sector->older;
        }
    }
    if (changed)
        rebuild(file,
                file->newest == NULL ? TABLE_SIZE_FIRST : file->slots_count);
}

void undo_written_through(struct undo_file *file, uint64_t offset, size_t size)
{
    if (size == 0)
        return;
    drop_sectors(file, UINT64_MAX, offset / UNDO_SECTOR_SIZE,
                 (offset + size - 1) / UNDO_SECTOR_SIZE);
    if (file->size_durable < offset + size)
        file->size_durable = offset + size;
}

struct undo_sync undo_sync_begins(struct undo_file *file)
{
    return (struct undo_sync){file->generation++, size_of(file)};
}

void undo_sync_ended(struct undo_file *file, struct undo_sync sync)
{
    drop_sectors(file, sync.generation, 0, UINT64_MAX);
    /* Of two syncs at once the one that began later says more. */
    if (sync.generation > file->generation_synced) {
        file->generation_synced = sync.generation;
        file->size_durable = sync.size;
    }
}
