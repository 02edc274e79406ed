#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/tile_files.h"
#include "client/audit/unit.h"

enum {
    UNIT_DEPTH_MAX = 12, /* Of folders: deeper ones are no tile's. */
    UNIT_READ_SIZE = 64 * 1024
};

/* ---- What is there ------------------------------------------------------- */

struct unit_scan {
    const struct unit *unit;
    struct report *report;
    unsigned depth;
};

static bool unit_scan_folder(struct unit_scan *scan, int above,
                             const char *name, const char *path);

static bool unit_scan_name(struct unit_scan *scan, int folder, const char *name,
                           const char *path)
{
    const struct slice text = slice_of(path, strlen(path));
    struct stat about;

    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return unit_unreadable(scan->unit, scan->report, path);
    if (S_ISDIR(about.st_mode) && scan->depth < UNIT_DEPTH_MAX) {
        bool good;

        scan->depth++;
        good = unit_scan_folder(scan, folder, name, path);
        scan->depth--;
        return good;
    }
    if (!S_ISREG(about.st_mode))
        return unit_fault(scan->unit, scan->report, REPORT_NO_INDEX, path,
                          "it is neither a plain file nor a folder of the "
                          "unit");
    if (!archive_has(&scan->unit->told, text))
        return unit_fault(scan->unit, scan->report, REPORT_NO_INDEX, path,
                          "the unit has no such file");
    return true;
}

static bool unit_scan_folder(struct unit_scan *scan, int above,
                             const char *name, const char *path)
{
    int folder =
        openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *names = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *at;
    bool good = true;

    if (names == NULL) {
        bool is_short = errno == ENOMEM;

        if (folder >= 0)
            close(folder);
        return is_short ? report_lacks_memory(scan->report)
                        : unit_unreadable(scan->unit, scan->report, path);
    }
    while (good && (at = readdir(names)) != NULL) {
        char below[REPORT_FILE_SIZE];
        int size;

        if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
            continue;
        size = snprintf(below, sizeof below, "%s%s%s", path,
                        path[0] == '\0' ? "" : "/", at->d_name);
        good = size > 0 && (size_t)size < sizeof below
                   ? unit_scan_name(scan, folder, at->d_name, below)
                   : unit_fault(scan->unit, scan->report, REPORT_NO_INDEX, path,
                                "the unit has no such file");
    }
    closedir(names);
    return good;
}

/* ---- What the manifest says of it ---------------------------------------- */

/* SHA-256 of up to ${size} bytes, and one more if there is one. */
static bool unit_digest(int file, uint8_t hash_out[HASH_SIZE],
                        uint64_t *size_out, uint64_t size)
{
    crypto_hash_sha256_state state;
    uint8_t bytes[UNIT_READ_SIZE];
    size_t got = 1;

    *size_out = 0;
    crypto_hash_sha256_init(&state);
    while (got > 0 && *size_out <= size) {
        if (!tile_files_read(file, bytes, &got, sizeof bytes, *size_out))
            return false;
        crypto_hash_sha256_update(&state, bytes, got);
        *size_out += got;
    }
    crypto_hash_sha256_final(&state, hash_out);
    return true;
}

static bool unit_check_line(const struct unit *unit, struct report *report,
                            const struct archive_line *line)
{
    char name[UNIT_PATH_SIZE];
    uint8_t hash[HASH_SIZE];
    uint64_t size = 0;
    struct stat about = {.st_mode = 0};
    bool is_read;
    int file;

    (void)snprintf(name, sizeof name, "%.*s", (int)line->path.size,
                   (const char *)line->path.data);
    file = openat(unit->directory, name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? unit_fault(unit, report, REPORT_NO_INDEX, name,
                                "the file is missing")
                   : unit_unreadable(unit, report, name);
    is_read = fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
              unit_digest(file, hash, &size, line->size);
    close(file);
    if (S_ISDIR(about.st_mode))
        return unit_fault(unit, report, REPORT_NO_INDEX, name,
                          "it is no plain file");
    if (!is_read)
        return unit_unreadable(unit, report, name);
    if (size == line->size && memcmp(hash, line->hash, HASH_SIZE) == 0)
        return true;
    (void)unit_fault(unit, report, REPORT_NO_INDEX, name,
                     size == line->size
                         ? "its SHA-256 is not what the manifest says"
                         : "it is not as long as the manifest says");
    if (size == line->size)
        report_hashes(report, line->hash, hash, HASH_SIZE);
    else
        report_numbers(report, line->size, size);
    return false;
}

bool unit_check_files(const struct unit *unit, struct report *report)
{
    struct unit_scan scan = {.unit = unit, .report = report};
    struct slice files = unit->told.files;
    struct archive_line line;

    if (!unit_scan_folder(&scan, unit->directory, ".", ""))
        return false;
    while (archive_line_next(&line, &files)) {
        if (!unit_check_line(unit, report, &line))
            return false;
    }
    return true;
}
