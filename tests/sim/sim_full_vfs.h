/*
 * sim_full_vfs.h: what the two files of SQLite's file system share.
 */
#ifndef DEFTER_TESTS_SIM_SIM_FULL_VFS_H
#define DEFTER_TESTS_SIM_SIM_FULL_VFS_H

#include <sqlite3.h>

#include "tests/lib/disk_model.h"

enum { VFS_REGIONS_MAX = 8 };

/* What the connections to one database share.  Invariant: refs > 0. */
struct vfs_shared {
    struct vfs_shared *next;
    const struct disk_model *model;
    char name[DISK_NAME_SIZE_MAX];
    unsigned refs;
    unsigned readers; /* SHARED or more. */
    const void *reserved;
    const void *pending;
    const void *exclusive;
    void *regions[VFS_REGIONS_MAX];
    unsigned slots_shared[SQLITE_SHM_NLOCK];
    const void *slots_exclusive[SQLITE_SHM_NLOCK];
};

struct vfs_file {
    sqlite3_file base; /* First. */
    struct disk_model *model;
    struct disk_file *file;
    struct vfs_shared *shared; /* Of a main database only. */
    int level;
    unsigned slots_shared; /* Masks. */
    unsigned slots_exclusive;
    bool names_sync; /* Its name is made durable with its first sync. */
    bool gone;       /* It is deleted when it is closed. */
    char name[DISK_NAME_SIZE_MAX];
};

struct vfs_shared *sim_full_share(const struct disk_model *model,
                                  const char *name);
void sim_full_unshare(struct vfs_file *file);
/* The process that used ${model} ended within SQLite: nobody closes. */
void sim_full_unshare_all(const struct disk_model *model);
int sim_full_lock(sqlite3_file *base, int level);
int sim_full_unlock(sqlite3_file *base, int level);
int sim_full_reserved(sqlite3_file *base, int *out);
int sim_full_shm_map(sqlite3_file *base, int region, int size, int extend,
                     void volatile **out);
int sim_full_shm_lock(sqlite3_file *base, int first, int count, int flags);
void sim_full_shm_barrier(sqlite3_file *base);
int sim_full_shm_unmap(sqlite3_file *base, int remove);

#endif
