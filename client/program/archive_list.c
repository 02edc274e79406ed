#include "client/program/archive_list.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/audit/unit.h"
#include "client/audit/verify.h"
#include "client/program/program.h"
#include "client/program/say.h"

#define LIST_UNFINISHED ".part"
#define LIST_FOUND      "lost+found"

static struct report ignored;

static enum status list_append(struct archive_list *list, const char *path,
                               const char *below)
{
    size_t size = strlen(path) + strlen(below) + 2;
    char **paths = reallocarray(list->paths, list->count + 1, sizeof *paths);
    char *whole;

    if (paths == NULL)
        return ST_EXHAUSTED;
    list->paths = paths;
    whole = malloc(size);
    if (whole == NULL)
        return ST_EXHAUSTED;
    (void)snprintf(whole, size, "%s%s%s", path, below[0] == '\0' ? "" : "/",
                   below);
    list->paths[list->count++] = whole;
    return ST_OK;
}

struct list_row {
    uint64_t first;
    char *path;
};

/* Its first entry; what cannot be read comes last. */
static enum status list_first(struct list_row *row)
{
    struct unit unit;
    enum status status;

    memset(&ignored, 0, sizeof ignored);
    row->first = UINT64_MAX;
    status = unit_open(&unit, &ignored, row->path, "");
    if (status == ST_OK && !ignored.fault.found)
        row->first = unit.told.first;
    unit_close(&unit);
    return status == ST_EXHAUSTED ? status : ST_OK;
}

static int list_order(const void *left, const void *right)
{
    const struct list_row *a = left, *b = right;

    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return strcmp(a->path, b->path);
}

static enum status list_sort(char **paths, size_t count)
{
    struct list_row *rows = calloc(count, sizeof *rows);
    enum status status = rows == NULL ? ST_EXHAUSTED : ST_OK;

    for (size_t i = 0; status == ST_OK && i < count; i++) {
        rows[i].path = paths[i];
        status = list_first(&rows[i]);
    }
    if (status == ST_OK)
        qsort(rows, count, sizeof *rows, list_order);
    for (size_t i = 0; status == ST_OK && i < count; i++)
        paths[i] = rows[i].path;
    free(rows);
    return status;
}

static bool list_is_apart(const char *name)
{
    const size_t size = strlen(name), suffix_size = strlen(LIST_UNFINISHED);

    return strcmp(name, LIST_FOUND) == 0 ||
           (size > suffix_size &&
            strcmp(name + size - suffix_size, LIST_UNFINISHED) == 0);
}

/* A folder of which nobody can tell here whether it is a unit. */
static bool list_is_shut(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode) &&
           access(path, R_OK | X_OK) != 0;
}

static bool list_is_file(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* The path that was appended last is not of a unit: take it back.  Gives the
 * first of the strays. */
static char *list_stray(struct archive_list *list, char *stray,
                        const char *name)
{
    char *path = list->paths[list->count - 1];

    if (!list_is_apart(name) && list_is_shut(path))
        return stray; /* Whoever reads it says so. */
    list->count--;
    if (list_is_file(path) || list_is_apart(name) ||
        (stray != NULL && strcmp(stray, path) <= 0)) {
        free(path);
        return stray;
    }
    free(stray);
    return path;
}

/* The folders of ${path} that are units, and the first of the strays. */
static enum status list_folder(struct archive_list *list, char **stray,
                               const char *path)
{
    DIR *names = opendir(path);
    const struct dirent *name;
    enum status status = ST_OK;

    if (names == NULL)
        return errno == ENOMEM ? ST_EXHAUSTED : ST_OK;
    while (status == ST_OK && (errno = 0, name = readdir(names)) != NULL) {
        if (name->d_name[0] == '.')
            continue;
        status = list_append(list, path, name->d_name);
        if (status == ST_OK && !unit_is_one(list->paths[list->count - 1]))
            *stray = list_stray(list, *stray, name->d_name);
    }
    if (status == ST_OK && errno != 0)
        status = ST_DISK_FAILED;
    closedir(names);
    return status;
}

enum status archive_list_add(struct archive_list *list, const char *path)
{
    const size_t before = list->count;
    char *stray = NULL;
    enum status status =
        unit_is_one(path) ? ST_OK : list_folder(list, &stray, path);

    list->is_whole = list->is_whole || list->count > before;
    if (list->count > before && list->stray == NULL) {
        list->stray = stray;
        stray = NULL;
    }
    free(stray);
    if (status == ST_OK && list->count == before)
        status = list_append(list, path, "");
    return status == ST_OK
               ? list_sort(list->paths + before, list->count - before)
               : status;
}

void archive_list_free(struct archive_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    free(list->stray);
    *list = (struct archive_list){.paths = NULL};
}

void archive_list_give(const struct archive_list *list,
                       struct verify_options *options)
{
    options->units = list->paths;
    options->units_count = list->count;
    options->stray = list->stray;
    options->is_whole = list->is_whole;
}

void archive_list_path(const char *path, bool json)
{
    if (json)
        say_json_text(path);
    else
        say_text(stdout, slice_of(path, strlen(path)), false);
    puts(json ? "}" : "");
}

static void list_show_one(const struct unit *unit, bool json)
{
    const struct archive_unit *told = &unit->told;
    char root[2 * HASH_SIZE + 1], manifest[2 * HASH_SIZE + 1];

    (void)sodium_bin2hex(root, sizeof root, told->root, HASH_SIZE);
    (void)sodium_bin2hex(manifest, sizeof manifest, unit->hash, HASH_SIZE);
    printf(json ? "{\"number\":%" PRIu64 ",\"first\":%" PRIu64
                  ",\"last\":%" PRIu64 ",\"bytes\":%" PRIu64
                  ",\"size\":%" PRIu64
                  ",\"root\":\"%s\",\"manifest\":\"%s\",\"path\":"
                : "unit %" PRIu64 "  entries %" PRIu64 " to %" PRIu64
                  "  bytes %" PRIu64 "  checkpoint %" PRIu64
                  "\n  root      %s\n  manifest  %s\n  ",
           told->number, told->first, told->last, told->bytes, told->size, root,
           manifest);
    archive_list_path(unit->path, json);
}

int archive_list_show(const struct archive_list *list, bool json)
{
    int code = EXIT_GOOD;

    for (size_t i = 0; i < list->count; i++) {
        struct unit unit;
        enum status status;

        memset(&ignored, 0, sizeof ignored);
        status = unit_open(&unit, &ignored, list->paths[i], "");
        if (status != ST_OK) {
            unit_close(&unit);
            return program_fail(EXIT_USAGE, "%s: %s", list->paths[i],
                                status == ST_EXHAUSTED
                                    ? status_info(status)->english
                                    : "cannot be read");
        }
        if (ignored.fault.found)
            code =
                program_fail((int)ignored.verdict, "%s/%s: %s", list->paths[i],
                             ignored.fault.file, ignored.fault.what);
        else
            list_show_one(&unit, json);
        unit_close(&unit);
    }
    if (list->stray != NULL && code == EXIT_GOOD)
        code = program_fail(EXIT_INCOMPLETE, "%s: it has no manifest",
                            list->stray);
    return code;
}
