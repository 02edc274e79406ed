#include "client/audit/tile_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void tile_files_name(char out[TILE_FILES_NAME_SIZE], const struct tile *tile)
{
    struct writer writer;

    writer_init(&writer, out, TILE_FILES_NAME_SIZE - 1);
    tiles_path_write(&writer, tile);
    INVARIANT(writer.status == ST_OK);
    out[writer.used] = '\0';
}

static enum tile_files_found tile_files_one(int *file_out, int directory,
                                            const struct tile *tile)
{
    char name[TILE_FILES_NAME_SIZE];
    struct stat about;
    int file;

    tile_files_name(name, tile);
    file =
        openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR ? TILE_FILES_MISSING
                                                   : TILE_FILES_UNREADABLE;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(file);
        return TILE_FILES_UNREADABLE;
    }
    *file_out = file;
    return TILE_FILES_OPEN;
}

enum tile_files_found tile_files_open(int *file_out, struct tile *found_out,
                                      int directory, const struct tile *tile)
{
    struct tile full = *tile;
    enum tile_files_found found;

    *found_out = *tile;
    found = tile_files_one(file_out, directory, tile);
    if (found != TILE_FILES_MISSING || tile->width == TILE_WIDTH_MAX)
        return found;
    full.width = TILE_WIDTH_MAX;
    found = tile_files_one(file_out, directory, &full);
    if (found != TILE_FILES_MISSING)
        *found_out = full;
    return found;
}

bool tile_files_read(int file, uint8_t *out, size_t *size_out, size_t size,
                     uint64_t offset)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got =
            pread(file, out + used, size - used, (off_t)(offset + used));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    *size_out = used;
    return true;
}
