#include "server/node_undo.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "server/files.h"

enum { UNDO_DESCRIPTORS = 16 };

static bool is_noted(const struct node_undo *undo, const char *name)
{
    for (size_t i = 0; i < undo->count; i++) {
        if (strcmp(undo->names[i], name) == 0)
            return true;
    }
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

enum status node_undo_note(struct node_undo *undo_out, const char *directory)
{
    DIR *names = opendir(directory);
    struct dirent *one;
    enum status status;

    *undo_out = (struct node_undo){.directory = directory};
    if (names == NULL)
        return ST_DISK_FAILED;
    while (errno = 0, (one = readdir(names)) != NULL) {
        char **more = realloc(undo_out->names,
                              (undo_out->count + 1) * sizeof *undo_out->names);

        NEED(more != NULL);
        undo_out->names = more;
        more[undo_out->count] = strdup(one->d_name);
        NEED(more[undo_out->count] != NULL);
        undo_out->count++;
    }
    /* A name that was not read would be taken for one that was made since. */
    status = errno == 0 ? ST_OK : ST_DISK_FAILED;
    closedir(names);
    return status;
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static bool remove_all(const struct node_undo *undo, const char *name)
{
    char path[FILES_PATH_SIZE_MAX];

    return files_path(path, undo->directory, name) &&
           nftw(path, remove_one, UNDO_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0;
}

enum status node_undo_back(const struct node_undo *undo)
{
    struct node_undo there;
    enum status status;

    REQUIRE(undo->directory != NULL);
    status = node_undo_note(&there, undo->directory);
    for (size_t i = 0; status == ST_OK && i < there.count; i++) {
        if (!is_noted(undo, there.names[i]) &&
            !remove_all(undo, there.names[i]))
            status = ST_DISK_FAILED;
    }
    node_undo_wipe(&there);
    return status;
}

void node_undo_wipe(struct node_undo *undo)
{
    for (size_t i = 0; i < undo->count; i++)
        free(undo->names[i]);
    free(undo->names);
    *undo = (struct node_undo){.names = NULL};
}
