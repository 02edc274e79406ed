/*
 * undo.h: what a power loss would take from a process's files, kept in memory.
 *
 * Each write that no sync covers yet has its older bytes here, sector by
 * sector, and each name made, moved or removed that no sync of a directory
 * covers.  At the power loss a random part of both is put back: what is left on
 * the disk is then one of the states that a real one could be in.
 *
 * Nothing here is thread-safe: interpose.c holds one lock around it all.
 */
#ifndef DEFTER_TESTS_CHAOS_AMNESIA_UNDO_H
#define DEFTER_TESTS_CHAOS_AMNESIA_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { UNDO_SECTOR_SIZE = 512, UNDO_PATH_MAX = 1024 };

/* A file that is followed, by its inode; lives as long as the process. */
struct undo_file;

/* ${keep}: a directory on the same file system for files that were unlinked
 * and may come back; false if it cannot be made. */
bool undo_init(const char *keep);

/* The file that ${fd} is open on, or NULL if it is not followed. */
struct undo_file *undo_find(int fd);

/* Follow the file that ${fd} is open on from now on; what it holds now is
 * taken to be synced. */
void undo_follow(int fd);

/* Before the bytes [offset, offset + size) change. */
void undo_before_write(struct undo_file *file, uint64_t offset, size_t size);
/* Before the file's size becomes ${size}. */
void undo_before_resize(struct undo_file *file, uint64_t size);
/* After a write that was synchronous by itself. */
void undo_written_through(struct undo_file *file, uint64_t offset, size_t size);

/* A sync covers what was written before it began, and nothing after. */
struct undo_sync {
    uint64_t generation;
    uint64_t size;
};
struct undo_sync undo_sync_begins(struct undo_file *file);
void undo_sync_ended(struct undo_file *file, struct undo_sync sync);

/* Names; paths are absolute.  ${undo_before_remove} keeps the file that is
 * about to lose its name (also by a rename over it); ${undo_forget_remove}
 * takes that back when the call failed. */
void undo_created(const char *path, bool is_directory);
bool undo_before_remove(const char *path);
void undo_forget_remove(void);
void undo_renamed(const char *older, const char *newer);
void undo_directory_removed(const char *path, mode_t mode);
/* A sync of a directory makes its names stand, up to the change that was the
 * newest when it began. */
uint64_t undo_newest_change(void);
void undo_directory_synced(const char *directory, uint64_t newest);

/* What a power loss did. */
struct undo_loss {
    uint64_t sectors, sectors_lost; /* Unsynced ones, and those put back. */
    uint64_t names, names_lost;
    uint64_t sizes_lost;
};

/*
 * undo_lose(out, seed): put back a random part.  Allocates nothing, takes no
 * lock and calls the kernel alone: other threads stand still anywhere.
 */
void undo_lose(struct undo_loss *out, uint64_t seed);

#endif
