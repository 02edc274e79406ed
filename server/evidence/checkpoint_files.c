#include "server/evidence/checkpoint_files.h"

enum status checkpoint_file_read(uint8_t *out, size_t *size_out,
                                 struct disk *disk, const char *name)
{
    struct disk_file *file;
    uint64_t size = 0;
    enum status status = disk_open(disk, &file, name);

    if (status != ST_OK)
        return status;
    status = disk_size(file, &size);
    if (status == ST_OK && size > EVIDENCE_NOTE_SIZE_MAX)
        status = ST_TOO_LARGE;
    if (status == ST_OK)
        status = disk_read(file, size_out, out, (size_t)size, 0);
    disk_close(file);
    return status;
}

enum status checkpoint_file_write(struct disk *disk, const char *name,
                                  struct slice note)
{
    return disk_replace(disk, name, "", note.data, note.size);
}
