#include "client/audit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "client/audit/tile_files.h"

/* ---- Faults -------------------------------------------------------------- */

/* Names may be anything, and are shown on a terminal. */
static void unit_name(const struct unit *unit, struct report *report,
                      const char *name)
{
    char *at = report->fault.file;

    (void)snprintf(at, sizeof report->fault.file, "%s%s", unit->prefix, name);
    for (at += strnlen(unit->prefix, sizeof report->fault.file - 1);
         *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
}

bool unit_fault(const struct unit *unit, struct report *report, uint64_t index,
                const char *name, const char *what)
{
    if (report_fault(report, REPORT_TAMPERED, index, what))
        unit_name(unit, report, name);
    return false;
}

bool unit_unreadable(const struct unit *unit, struct report *report,
                     const char *name)
{
    if (!report_fault(report, REPORT_INCOMPLETE, REPORT_NO_INDEX,
                      "the file cannot be read"))
        return false;
    unit_name(unit, report, name);
    report_reason(report, REPORT_REASON_UNREADABLE);
    return false;
}

void unit_file_name(char out[UNIT_PATH_SIZE], const struct archive_file *file)
{
    struct writer writer;

    writer_init(&writer, out, ARCHIVE_PATH_SIZE_MAX);
    archive_path_write(&writer, file);
    INVARIANT(writer.status == ST_OK);
    out[writer.used] = '\0';
}

/* ---- Files --------------------------------------------------------------- */

/* A plain file below the unit; -1, and the report says why. */
static int unit_file(const struct unit *unit, struct report *report,
                     const char *name, uint64_t size_max)
{
    int file = openat(unit->directory, name,
                      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat about;

    if (file < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            (void)unit_fault(unit, report, REPORT_NO_INDEX, name,
                             "the file is missing");
        else if (errno == ELOOP)
            (void)unit_fault(unit, report, REPORT_NO_INDEX, name,
                             "it is no plain file");
        else
            (void)unit_unreadable(unit, report, name);
        return -1;
    }
    if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
        (uint64_t)about.st_size <= size_max)
        return file;
    (void)unit_fault(unit, report, REPORT_NO_INDEX, name,
                     S_ISREG(about.st_mode) ? "the file is too long"
                                            : "it is no plain file");
    close(file);
    return -1;
}

static bool unit_read_named(const struct unit *unit, struct report *report,
                            uint8_t **bytes_out, size_t *size_out,
                            const char *name, uint64_t size_max)
{
    int file = unit_file(unit, report, name, size_max);
    struct stat about;
    uint8_t *bytes;
    size_t size;
    bool is_read;

    *bytes_out = NULL;
    if (file < 0)
        return false;
    is_read = fstat(file, &about) == 0;
    size = is_read && (uint64_t)about.st_size <= size_max
               ? (size_t)about.st_size
               : 0;
    bytes = malloc(size + 1);
    if (bytes == NULL) {
        close(file);
        return report_lacks_memory(report);
    }
    is_read = is_read && tile_files_read(file, bytes, size_out, size, 0);
    close(file);
    if (is_read) {
        *bytes_out = bytes;
        return true;
    }
    free(bytes);
    return unit_unreadable(unit, report, name);
}

bool unit_read(const struct unit *unit, struct report *report,
               uint8_t **bytes_out, size_t *size_out,
               const struct archive_file *file)
{
    char name[UNIT_PATH_SIZE];

    unit_file_name(name, file);
    return unit_read_named(unit, report, bytes_out, size_out, name,
                           archive_size_max(file->kind));
}

bool unit_unpack(const struct unit *unit, struct report *report, uint8_t *out,
                 size_t *size_out, const struct tile *tile)
{
    const struct archive_file file = {.kind = ARCHIVE_BUNDLE, .tile = *tile};
    char name[UNIT_PATH_SIZE];
    uint8_t *packed;
    size_t size, frame;

    if (!unit_read(unit, report, &packed, &size, &file))
        return false;
    frame = ZSTD_findFrameCompressedSize(packed, size);
    *size_out =
        ZSTD_isError(frame) || frame != size
            ? 0
            : ZSTD_decompress(out, ARCHIVE_BUNDLE_SIZE_MAX, packed, size);
    free(packed);
    if (ZSTD_getErrorCode(*size_out) == ZSTD_error_memory_allocation)
        return report_lacks_memory(report);
    if (*size_out > 0 && !ZSTD_isError(*size_out))
        return true;
    unit_file_name(name, &file);
    return unit_fault(unit, report, REPORT_NO_INDEX, name,
                      "it is not one frame of zstd with a bundle in it");
}

/* ---- Opening ------------------------------------------------------------- */

bool unit_is_one(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat about;
    bool is_one = directory >= 0 && fstatat(directory, ARCHIVE_MANIFEST, &about,
                                            AT_SYMLINK_NOFOLLOW) == 0;

    if (directory >= 0)
        close(directory);
    return is_one;
}

static void unit_read_manifest(struct unit *unit, struct report *report)
{
    size_t size = 0;

    if (!unit_read_named(unit, report, &unit->manifest, &size, ARCHIVE_MANIFEST,
                         ARCHIVE_MANIFEST_SIZE_MAX))
        return;
    crypto_hash_sha256(unit->hash, unit->manifest, size);
    switch (archive_unit_read(&unit->told, slice_of(unit->manifest, size))) {
    case ST_OK:
        return;
    case ST_CHECKSUM:
        (void)unit_fault(unit, report, REPORT_NO_INDEX, ARCHIVE_MANIFEST,
                         "its last line is not the hash of those before");
        return;
    default:
        (void)unit_fault(unit, report, REPORT_NO_INDEX, ARCHIVE_MANIFEST,
                         "it is not of its format");
    }
}

enum status unit_open(struct unit *unit, struct report *report,
                      const char *path, const char *prefix)
{
    memset(unit, 0, sizeof *unit);
    unit->path = path;
    unit->prefix = prefix;
    unit->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (unit->directory < 0)
        return errno == ENOENT || errno == ENOTDIR ? ST_NO_FILE
                                                   : ST_DISK_FAILED;
    unit_read_manifest(unit, report);
    return report->lacks_memory ? ST_EXHAUSTED : ST_OK;
}

void unit_shut(struct unit *unit)
{
    if (unit->directory >= 0)
        close(unit->directory);
    unit->directory = -1;
}

bool unit_reopen(struct unit *unit)
{
    if (unit->directory < 0)
        unit->directory = open(unit->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return unit->directory >= 0;
}

void unit_slim(struct unit *unit)
{
    unit_shut(unit);
    free(unit->manifest);
    free(unit->signers);
    unit->manifest = NULL;
    unit->told.origin = unit->told.files = slice_of("", 0);
    unit->signers = NULL;
    unit->signers_count = 0;
}

void unit_close(struct unit *unit)
{
    if (unit->path == NULL)
        return;
    unit_slim(unit);
    vouch_close(&unit->checkpoint);
    free(unit->cosigners);
    free(unit->genesis_bytes);
    memset(unit, 0, sizeof *unit);
}
