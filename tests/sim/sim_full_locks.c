/*
 * sim_full_locks.c: the locks and the shared memory of SQLite's databases,
 * among the connections of one process.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "tests/sim/sim_full_vfs.h"

static struct vfs_shared *all;

struct vfs_shared *sim_full_share(const struct disk_model *model,
                                  const char *name)
{
    struct vfs_shared *shared = all;

    while (shared != NULL &&
           (shared->model != model || strcmp(shared->name, name) != 0))
        shared = shared->next;
    if (shared == NULL) {
        shared = calloc(1, sizeof *shared);
        INVARIANT(shared != NULL && strlen(name) < sizeof shared->name);
        shared->model = model;
        memcpy(shared->name, name, strlen(name) + 1);
        shared->next = all;
        all = shared;
    }
    shared->refs++;
    return shared;
}

void sim_full_unshare(struct vfs_file *file)
{
    struct vfs_shared *shared = file->shared;
    struct vfs_shared **at = &all;

    if (shared == NULL)
        return;
    (void)sim_full_unlock(&file->base, SQLITE_LOCK_NONE);
    (void)sim_full_shm_unmap(&file->base, 0);
    file->shared = NULL;
    if (--shared->refs > 0)
        return;
    while (*at != shared)
        at = &(*at)->next;
    *at = shared->next;
    for (size_t i = 0; i < VFS_REGIONS_MAX; i++)
        free(shared->regions[i]);
    free(shared);
}

void sim_full_unshare_all(const struct disk_model *model)
{
    struct vfs_shared **at = &all;

    while (*at != NULL) {
        struct vfs_shared *shared = *at;

        if (shared->model != model) {
            at = &shared->next;
            continue;
        }
        *at = shared->next;
        for (size_t i = 0; i < VFS_REGIONS_MAX; i++)
            free(shared->regions[i]);
        free(shared);
    }
}

/* ---- The file's lock ---------------------------------------------------- */

static bool lock_others(const void *holder, const struct vfs_file *file)
{
    return holder != NULL && holder != file;
}

static int lock_exclusive(struct vfs_file *file)
{
    struct vfs_shared *shared = file->shared;

    if (lock_others(shared->reserved, file) ||
        lock_others(shared->pending, file))
        return SQLITE_BUSY;
    shared->pending = file;
    if (shared->readers > 1)
        return SQLITE_BUSY;
    shared->exclusive = file;
    return SQLITE_OK;
}

int sim_full_lock(sqlite3_file *base, int level)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs_shared *shared = file->shared;
    int code = SQLITE_OK;

    if (shared == NULL || file->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (shared->exclusive != NULL || shared->pending != NULL)
            return SQLITE_BUSY;
        shared->readers++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (lock_others(shared->reserved, file))
            return SQLITE_BUSY;
        shared->reserved = file;
    } else {
        code = lock_exclusive(file);
    }
    if (code == SQLITE_OK)
        file->level = level;
    return code;
}

int sim_full_unlock(sqlite3_file *base, int level)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs_shared *shared = file->shared;

    if (shared == NULL || file->level <= level)
        return SQLITE_OK;
    if (shared->exclusive == file)
        shared->exclusive = NULL;
    if (shared->pending == file)
        shared->pending = NULL;
    if (shared->reserved == file)
        shared->reserved = NULL;
    if (level == SQLITE_LOCK_NONE)
        shared->readers--;
    file->level = level;
    return SQLITE_OK;
}

int sim_full_reserved(sqlite3_file *base, int *out)
{
    const struct vfs_file *file = (const struct vfs_file *)base;

    *out = file->shared != NULL && file->shared->reserved != NULL;
    return SQLITE_OK;
}

/* ---- Shared memory ------------------------------------------------------ */

int sim_full_shm_map(sqlite3_file *base, int region, int size, int extend,
                     void volatile **out)
{
    struct vfs_file *file = (struct vfs_file *)base;

    *out = NULL;
    if (file->shared == NULL || region >= VFS_REGIONS_MAX)
        return SQLITE_IOERR_SHMMAP;
    if (file->shared->regions[region] == NULL && extend != 0)
        file->shared->regions[region] = calloc(1, (size_t)size);
    *out = file->shared->regions[region];
    return SQLITE_OK;
}

static bool slot_is_free(const struct vfs_file *file, int slot, bool exclusive)
{
    const struct vfs_shared *shared = file->shared;
    unsigned own = (file->slots_shared >> slot & 1u) != 0;

    if (lock_others(shared->slots_exclusive[slot], file))
        return false;
    return !exclusive || shared->slots_shared[slot] == own;
}

static void slot_give(struct vfs_file *file, int slot)
{
    struct vfs_shared *shared = file->shared;
    unsigned bit = 1u << slot;

    if ((file->slots_shared & bit) != 0)
        shared->slots_shared[slot]--;
    if ((file->slots_exclusive & bit) != 0)
        shared->slots_exclusive[slot] = NULL;
    file->slots_shared &= ~bit;
    file->slots_exclusive &= ~bit;
}

static void slot_take(struct vfs_file *file, int slot, bool exclusive)
{
    struct vfs_shared *shared = file->shared;
    unsigned bit = 1u << slot;

    slot_give(file, slot);
    if (exclusive) {
        shared->slots_exclusive[slot] = file;
        file->slots_exclusive |= bit;
    } else {
        shared->slots_shared[slot]++;
        file->slots_shared |= bit;
    }
}

int sim_full_shm_lock(sqlite3_file *base, int first, int count, int flags)
{
    struct vfs_file *file = (struct vfs_file *)base;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;

    if (file->shared == NULL)
        return SQLITE_IOERR_SHMLOCK;
    for (int slot = first; slot < first + count; slot++) {
        if ((flags & SQLITE_SHM_LOCK) != 0 &&
            !slot_is_free(file, slot, exclusive))
            return SQLITE_BUSY;
    }
    for (int slot = first; slot < first + count; slot++) {
        if ((flags & SQLITE_SHM_LOCK) != 0)
            slot_take(file, slot, exclusive);
        else
            slot_give(file, slot);
    }
    return SQLITE_OK;
}

void sim_full_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

int sim_full_shm_unmap(sqlite3_file *base, int remove)
{
    struct vfs_file *file = (struct vfs_file *)base;

    (void)remove;
    for (int slot = 0; file->shared != NULL && slot < SQLITE_SHM_NLOCK; slot++)
        slot_give(file, slot);
    return SQLITE_OK;
}
