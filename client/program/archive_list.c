#include "client/program/archive_list.h"

#include <dirent.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/audit/unit.h"
#include "client/audit/verify.h"
#include "client/program/program.h"

#define LIST_UNFINISHED ".part"
#define LIST_FOUND      "lost+found"

static struct report ignored;

static void list_append(struct archive_list *list, const char *path,
                        const char *below)
{
    size_t size = strlen(path) + strlen(below) + 2;
    char *whole = malloc(size);

    list->paths = realloc(list->paths, (list->count + 1) * sizeof *list->paths);
    if (whole == NULL || list->paths == NULL)
        abort();
    (void)snprintf(whole, size, "%s%s%s", path, below[0] == '\0' ? "" : "/",
                   below);
    list->paths[list->count++] = whole;
}

/* Its first entry; what cannot be read comes last. */
static uint64_t list_first(const char *path)
{
    struct unit unit;
    uint64_t first = UINT64_MAX;

    memset(&ignored, 0, sizeof ignored);
    if (unit_open(&unit, &ignored, path, "") != ST_OK)
        return first;
    if (!ignored.fault.found)
        first = unit.told.first;
    unit_close(&unit);
    return first;
}

static int list_order(const void *left, const void *right)
{
    char *const *a = left, *const *b = right;
    const uint64_t first = list_first(*a), second = list_first(*b);

    if (first != second)
        return first < second ? -1 : 1;
    return strcmp(*a, *b);
}

static bool list_is_apart(const char *name)
{
    const size_t size = strlen(name), suffix_size = strlen(LIST_UNFINISHED);

    return strcmp(name, LIST_FOUND) == 0 ||
           (size > suffix_size &&
            strcmp(name + size - suffix_size, LIST_UNFINISHED) == 0);
}

/* The path that was appended last is not of a unit: take it back.  Gives the
 * first of the strays. */
static char *list_stray(struct archive_list *list, char *stray,
                        const char *name)
{
    char *path = list->paths[--list->count];
    struct stat about;

    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode) ||
        list_is_apart(name) || (stray != NULL && strcmp(stray, path) <= 0)) {
        free(path);
        return stray;
    }
    free(stray);
    return path;
}

void archive_list_add(struct archive_list *list, const char *path)
{
    const size_t before = list->count;
    char *stray = NULL;
    DIR *names = unit_is_one(path) ? NULL : opendir(path);
    const struct dirent *name;

    while (names != NULL && (name = readdir(names)) != NULL) {
        if (name->d_name[0] == '.')
            continue;
        list_append(list, path, name->d_name);
        if (!unit_is_one(list->paths[list->count - 1]))
            stray = list_stray(list, stray, name->d_name);
    }
    list->is_whole = list->is_whole || list->count > before;
    if (list->count > before && list->stray == NULL) {
        list->stray = stray;
        stray = NULL;
    }
    free(stray);
    if (names != NULL)
        closedir(names);
    if (list->count == before)
        list_append(list, path, "");
    qsort(list->paths + before, list->count - before, sizeof *list->paths,
          list_order);
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

static void list_show_one(const struct unit *unit, bool json)
{
    const struct archive_unit *told = &unit->told;
    char root[2 * HASH_SIZE + 1], manifest[2 * HASH_SIZE + 1];

    (void)sodium_bin2hex(root, sizeof root, told->root, HASH_SIZE);
    (void)sodium_bin2hex(manifest, sizeof manifest, unit->hash, HASH_SIZE);
    printf(json ? "{\"number\":%" PRIu64 ",\"first\":%" PRIu64
                  ",\"last\":%" PRIu64 ",\"bytes\":%" PRIu64
                  ",\"size\":%" PRIu64
                  ",\"root\":\"%s\",\"manifest\":\"%s\",\"path\":\"%s\"}\n"
                : "unit %" PRIu64 "  entries %" PRIu64 " to %" PRIu64
                  "  bytes %" PRIu64 "  checkpoint %" PRIu64
                  "\n  root      %s\n  manifest  %s\n  %s\n",
           told->number, told->first, told->last, told->bytes, told->size, root,
           manifest, unit->path);
}

int archive_list_show(const struct archive_list *list, bool json)
{
    int code = EXIT_GOOD;

    for (size_t i = 0; i < list->count; i++) {
        struct unit unit;

        memset(&ignored, 0, sizeof ignored);
        if (unit_open(&unit, &ignored, list->paths[i], "") != ST_OK)
            return program_fail(EXIT_USAGE, "%s: cannot be read",
                                list->paths[i]);
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
