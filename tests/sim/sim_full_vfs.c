/*
 * sim_full_vfs.c: SQLite's files on the simulated disks of nodes.
 *
 * "2/state.db" is state.db of node 2.  What was not synced is lost or torn when
 * the power goes, as everything on disk_model is; names likewise.
 */
#include "tests/sim/sim_full_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full_parts.h"

enum { VFS_SECTOR = 4096, VFS_PATH_SIZE = 128 };

static struct sim *world;
static uint64_t failures;
static uint64_t temporary;

uint64_t sim_full_vfs_failures(void)
{
    return failures;
}

/* What SQLite is told of a disk that fails. */
static int vfs_code(enum status status, int failed)
{
    if (status == ST_OK)
        return SQLITE_OK;
    failures++;
    sim_trace(world, "SQLite is told: %d", (int)status);
    return status == ST_DISK_FULL ? SQLITE_FULL : failed;
}

/* The disk that ${path} lies on, and its name there. */
static struct disk_model *vfs_place(const char **name_out, const char *path)
{
    const char *slash = strchr(path, '/');
    unsigned long node = strtoul(path, NULL, 10);

    INVARIANT(world != NULL && slash != NULL);
    *name_out = slash + 1;
    if (node >= SIM_NODES_MAX)
        return world->full->scratch;
    return world->nodes[node].full->disk;
}

/* ---- Files -------------------------------------------------------------- */

static int vfs_close(sqlite3_file *base)
{
    struct vfs_file *file = (struct vfs_file *)base;

    sim_full_unshare(file);
    disk_close(file->file);
    if (file->gone)
        (void)!disk_remove(disk_model_disk(file->model), file->name);
    file->file = NULL;
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *data, int size,
                    sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    size_t got = 0;
    enum status status =
        disk_read(file->file, &got, data, (size_t)size, (uint64_t)offset);

    if (status != ST_OK)
        return vfs_code(status, SQLITE_IOERR_READ);
    if (got == (size_t)size)
        return SQLITE_OK;
    memset((uint8_t *)data + got, 0, (size_t)size - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *data, int size,
                     sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;

    return vfs_code(
        disk_write(file->file, data, (size_t)size, (uint64_t)offset),
        SQLITE_IOERR_WRITE);
}

/* A file system journals it: whole or not at all.  The model's disk would do it
 * a sector at a time, so it is durable at once. */
static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct vfs_file *file = (struct vfs_file *)base;
    enum status status = disk_truncate(file->file, (uint64_t)size);

    if (status == ST_OK)
        status = disk_sync(file->file);
    return vfs_code(status, SQLITE_IOERR_TRUNCATE);
}

/* As unix does: the name of a new journal or WAL goes with its first sync. */
static int vfs_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *file = (struct vfs_file *)base;
    enum status status;

    (void)flags;
    if (MUTANT(103))
        return SQLITE_OK;
    status = disk_sync(file->file);
    if (status == ST_OK && file->names_sync)
        status = disk_sync_directory(disk_model_disk(file->model), "");
    if (status == ST_OK)
        file->names_sync = false;
    return vfs_code(status, SQLITE_IOERR_FSYNC);
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *out)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t size = 0;
    enum status status = disk_size(file->file, &size);

    *out = (sqlite3_int64)size;
    return vfs_code(status, SQLITE_IOERR_FSTAT);
}

static int vfs_control(sqlite3_file *base, int what, void *argument)
{
    (void)base;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *base)
{
    (void)base;
    return VFS_SECTOR;
}

static int vfs_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = sim_full_lock,
    .xUnlock = sim_full_unlock,
    .xCheckReservedLock = sim_full_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_traits,
    .xShmMap = sim_full_shm_map,
    .xShmLock = sim_full_shm_lock,
    .xShmBarrier = sim_full_shm_barrier,
    .xShmUnmap = sim_full_shm_unmap,
};

/* ---- Names -------------------------------------------------------------- */

static enum status open_file(struct vfs_file *file, int flags)
{
    struct disk *disk = disk_model_disk(file->model);
    enum status status = disk_open(disk, &file->file, file->name);

    if (status != ST_NO_FILE || (flags & SQLITE_OPEN_CREATE) == 0)
        return status;
    file->names_sync =
        (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL |
                  SQLITE_OPEN_WAL)) != 0;
    return disk_create(disk, &file->file, file->name);
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base,
                    int flags, int *flags_out)
{
    struct vfs_file *file = (struct vfs_file *)base;
    char made[VFS_PATH_SIZE];
    const char *name;
    enum status status;

    (void)vfs;
    memset(file, 0, sizeof *file);
    if (path == NULL) {
        (void)snprintf(made, sizeof made, "%u/temporary-%u",
                       (unsigned)SIM_NODES_MAX, (unsigned)temporary++);
        path = made;
        flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_DELETEONCLOSE;
    }
    file->model = vfs_place(&name, path);
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    status = open_file(file, flags);
    if (status != ST_OK)
        return vfs_code(status, SQLITE_CANTOPEN);
    file->gone = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
        file->shared = sim_full_share(file->model, file->name);
    base->pMethods = &methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int names_sync)
{
    const char *name;
    struct disk_model *model = vfs_place(&name, path);
    enum status status = disk_remove(disk_model_disk(model), name);

    (void)vfs;
    if (status == ST_NO_FILE)
        return SQLITE_IOERR_DELETE_NOENT;
    if (status == ST_OK && names_sync != 0)
        status = disk_sync_directory(disk_model_disk(model), "");
    return vfs_code(status, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    const uint8_t *data;
    const char *name;
    size_t size;
    struct disk_model *model = vfs_place(&name, path);

    (void)vfs;
    /* An empty file does not exist, as unix has it. */
    *out = disk_model_peek(model, name, &data, &size) &&
           (flags != SQLITE_ACCESS_EXISTS || size > 0);
    return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    (void)vfs;
    (void)snprintf(out, (size_t)size, "%s", path);
    return SQLITE_OK;
}

/* ---- Chance and time ---------------------------------------------------- */

static int vfs_chance(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    for (int i = 0; i < size; i++)
        out[i] = (char)random_next(&world->full->bytes);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

/* Milliseconds of the Julian day. */
static int vfs_now(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    const sqlite3_int64 epoch = INT64_C(210866760000000);

    (void)vfs;
    *out = epoch + sim_full_wall(world, NULL) / 1000;
    return SQLITE_OK;
}

static int vfs_today(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 now;
    int code = vfs_now(vfs, &now);

    *out = (double)now / 86400000.0;
    return code;
}

static int vfs_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

static sqlite3_vfs simulated = {
    .iVersion = 2,
    .szOsFile = sizeof(struct vfs_file),
    .mxPathname = VFS_PATH_SIZE,
    .zName = "simulated",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_path,
    .xRandomness = vfs_chance,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_today,
    .xGetLastError = vfs_error,
    .xCurrentTimeInt64 = vfs_now,
};

static void vfs_log(void *context, int code, const char *text)
{
    (void)context;
    if (world != NULL)
        sim_trace(world, "SQLite says %d: %s", code, text);
}

/* Refused once SQLite has begun: by then it was done. */
static void vfs_listen(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_LOG, vfs_log, NULL);
}

void sim_full_vfs_open(struct sim *sim)
{
    int code;

    vfs_listen();
    code = sqlite3_vfs_register(&simulated, 1);
    INVARIANT(code == SQLITE_OK && world == NULL);
    world = sim;
    failures = temporary = 0;
    /* Its own generator begins anew, from vfs_chance(). */
    sqlite3_randomness(0, NULL);
}

void sim_full_vfs_close(void)
{
    world = NULL;
    (void)sqlite3_vfs_unregister(&simulated);
}
