#include <string.h>

#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo_private.h"
#include "tests/lib/random.h"

/* How much of what is unsynced a power loss takes, in thousandths; drawn once
 * a loss, so that "all", "nothing" and single sectors all come up. */
static uint32_t draw_share(struct random *random)
{
    static const uint32_t shares[] = {0, 20, 300, 500, 800, 980, 1000, 1000};

    return shares[random_below(random, sizeof shares / sizeof shares[0])];
}

static void put_back(const struct undo_file *file, const struct sector *sector)
{
    if (raw_pwrite(file->fd, sector->bytes, UNDO_SECTOR_SIZE,
                   (off_t)(sector->number * UNDO_SECTOR_SIZE)) < 0)
        raw_die("amnesia: a sector cannot be put back\n");
}

/* The size after the loss: as it is, as it was synced, or between. */
static uint64_t draw_size(const struct undo_file *file, uint64_t now,
                          struct random *random)
{
    uint64_t sectors;

    switch (random_below(random, 3)) {
    case 0:
        return now;
    case 1:
        return file->size_durable;
    default:
        if (now <= file->size_durable)
            return now;
        sectors = (now - file->size_durable) / UNDO_SECTOR_SIZE;
        return file->size_durable +
               (random_next(random) % (sectors + 1)) * UNDO_SECTOR_SIZE;
    }
}

/* Newest records first, so that an older version wins where both are drawn. */
static void lose_bytes(struct undo_loss *out, const struct undo_file *file,
                       struct random *random)
{
    uint32_t share = draw_share(random);
    struct stat about;
    uint64_t now, size;

    if (fstat(file->fd, &about) != 0)
        raw_die("amnesia: a file's size cannot be read\n");
    now = (uint64_t)about.st_size;
    size = now == file->size_durable ? now : draw_size(file, now, random);
    for (const struct sector *sector = file->newest; sector != NULL;
         sector = sector->older) {
        /* Where a cut did not reach the disk, the old bytes still lie. */
        bool was_cut = sector->number * UNDO_SECTOR_SIZE >= now;
        out->sectors++;
        if (!was_cut && !random_chance(random, share))
            continue;
        put_back(file, sector);
        out->sectors_lost++;
    }
    if (size != now)
        out->sizes_lost++;
    if (raw_ftruncate(file->fd, (off_t)size) != 0)
        raw_die("amnesia: a size cannot be put back\n");
}

static void take_back(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_CREATED:
        (void)raw_unlink(change->path, change->is_directory ? AT_REMOVEDIR : 0);
        break;
    case CHANGE_MOVED:
        (void)raw_rename(change->newer, change->path);
        break;
    case CHANGE_REMOVED:
        if (change->is_directory)
            (void)raw_mkdir(change->path, change->mode);
        else
            (void)raw_rename(change->newer, change->path);
        break;
    }
}

/* A file system keeps changes of names in their order: the newest ones are
 * lost, as many as the seed says. */
static void lose_names(struct undo_loss *out, struct random *random)
{
    const struct change *change;
    uint64_t left;

    for (change = undo.changes; change != NULL; change = change->older)
        out->names++;
    switch (random_below(random, 3)) {
    case 0:
        left = 0;
        break;
    case 1:
        left = out->names;
        break;
    default:
        left = random_next(random) % (out->names + 1);
        break;
    }
    for (change = undo.changes; change != NULL && left > 0;
         change = change->older, left--) {
        take_back(change);
        out->names_lost++;
    }
    for (; change != NULL; change = change->older) {
        if (change->kind == CHANGE_REMOVED && !change->is_directory)
            (void)raw_unlink(change->newer, 0);
    }
}

void undo_lose(struct undo_loss *out, uint64_t seed)
{
    struct random random = random_stream(seed, 0);

    memset(out, 0, sizeof *out);
    for (const struct undo_file *file = undo.files; file != NULL;
         file = file->next)
        lose_bytes(out, file, &random);
    lose_names(out, &random);
}
