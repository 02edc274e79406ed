#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo_private.h"

static struct change *add(enum change_kind kind, const char *path,
                          const char *newer)
{
    struct change *change = calloc(1, sizeof *change);

    if (change == NULL)
        raw_die("amnesia: out of memory\n");
    change->number = ++undo.changes_count;
    change->kind = kind;
    (void)snprintf(change->path, sizeof change->path, "%s", path);
    (void)snprintf(change->newer, sizeof change->newer, "%s", newer);
    change->older = undo.changes;
    undo.changes = change;
    return change;
}

static void drop(struct change **link)
{
    struct change *change = *link;

    if (change->kind == CHANGE_REMOVED && !change->is_directory)
        (void)raw_unlink(change->newer, 0);
    *link = change->older;
    free(change);
}

void undo_created(const char *path, bool is_directory)
{
    add(CHANGE_CREATED, path, "")->is_directory = is_directory;
}

bool undo_before_remove(const char *path)
{
    char kept[UNDO_PATH_MAX + 32];

    (void)snprintf(kept, sizeof kept, "%s/%llu", undo.keep,
                   (unsigned long long)undo.kept_count);
    (void)raw_unlink(kept, 0);
    if (raw_link(path, kept) != 0)
        return false;
    undo.kept_count++;
    (void)add(CHANGE_REMOVED, path, kept);
    return true;
}

void undo_forget_remove(void)
{
    drop(&undo.changes);
}

void undo_renamed(const char *older, const char *newer)
{
    (void)add(CHANGE_MOVED, older, newer);
}

void undo_directory_removed(const char *path, mode_t mode)
{
    struct change *change = add(CHANGE_REMOVED, path, "");

    change->is_directory = true;
    change->mode = mode;
}

static bool lies_in(const char *path, const char *directory)
{
    size_t size = strlen(directory);

    return strncmp(path, directory, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

uint64_t undo_newest_change(void)
{
    return undo.changes_count;
}

void undo_directory_synced(const char *directory, uint64_t newest)
{
    struct change **link = &undo.changes;

    while (*link != NULL) {
        const char *path =
            (*link)->kind == CHANGE_MOVED ? (*link)->newer : (*link)->path;
        if ((*link)->number <= newest && lies_in(path, directory))
            drop(link);
        else
            link = &(*link)->older;
    }
}
