#include "client/export/unit_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "client/audit/tile_files.h"

enum {
    UNIT_LEVEL = 6, /* Of zstd; a higher one saves nothing here. */
    UNIT_PATH_SIZE = ARCHIVE_PATH_SIZE_MAX + 1,
    UNIT_READ_SIZE = 64 * 1024
};

struct unit_packer {
    ZSTD_CCtx *zstd;
    uint8_t *bytes;
    size_t room;
};

enum status unit_packer_open(struct unit_packer **packer_out)
{
    struct unit_packer *packer = calloc(1, sizeof *packer);

    *packer_out = NULL;
    if (packer == NULL)
        return ST_EXHAUSTED;
    packer->zstd = ZSTD_createCCtx();
    if (packer->zstd == NULL) {
        unit_packer_close(packer);
        return ST_EXHAUSTED;
    }
    INVARIANT(!ZSTD_isError(ZSTD_CCtx_setParameter(
        packer->zstd, ZSTD_c_compressionLevel, UNIT_LEVEL)));
    INVARIANT(!ZSTD_isError(
        ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1)));
    *packer_out = packer;
    return ST_OK;
}

void unit_packer_close(struct unit_packer *packer)
{
    if (packer == NULL)
        return;
    (void)ZSTD_freeCCtx(packer->zstd);
    free(packer->bytes);
    free(packer);
}

/* What it gives is the packer's until the next call. */
static enum status unit_pack(struct unit_packer *packer, struct slice *out,
                             struct slice bytes)
{
    size_t size = ZSTD_compressBound(bytes.size);

    if (packer->room < size) {
        free(packer->bytes);
        packer->room = 0;
        packer->bytes = malloc(size);
        if (packer->bytes == NULL)
            return ST_EXHAUSTED;
        packer->room = size;
    }
    size = ZSTD_compress2(packer->zstd, packer->bytes, packer->room, bytes.data,
                          bytes.size);
    if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
        return ST_EXHAUSTED;
    INVARIANT(!ZSTD_isError(size));
    *out = slice_of(packer->bytes, size);
    return ST_OK;
}

/* ---- Files --------------------------------------------------------------- */

static enum status unit_check_empty(int directory)
{
    int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = again < 0 ? NULL : fdopendir(again);
    const struct dirent *name;
    enum status status = ST_OK;

    if (names == NULL) {
        status = errno == ENOMEM ? ST_EXHAUSTED : ST_DISK_FAILED;
        if (again >= 0)
            close(again);
        return status;
    }
    while (status == ST_OK && (name = readdir(names)) != NULL) {
        if (strcmp(name->d_name, ".") != 0 && strcmp(name->d_name, "..") != 0)
            status = ST_EXISTS;
    }
    closedir(names);
    return status;
}

enum status unit_writer_again(struct unit_writer *writer, const char *path,
                              struct unit_packer *packer)
{
    *writer = (struct unit_writer){.packer = packer};
    return tree_writer_open(&writer->out, path);
}

enum status unit_writer_open(struct unit_writer *writer, const char *path,
                             struct unit_packer *packer)
{
    enum status status = unit_writer_again(writer, path, packer);

    if (status != ST_OK)
        return status;
    status = unit_check_empty(writer->out.directory);
    if (status != ST_OK)
        unit_writer_close(writer);
    return status;
}

void unit_writer_close(struct unit_writer *writer)
{
    tree_writer_close(&writer->out);
}

static void unit_path(char out[UNIT_PATH_SIZE], const struct archive_file *file)
{
    struct writer writer;

    writer_init(&writer, out, ARCHIVE_PATH_SIZE_MAX);
    archive_path_write(&writer, file);
    INVARIANT(writer.status == ST_OK);
    out[writer.used] = '\0';
}

enum status unit_writer_put(struct unit_writer *writer,
                            const struct archive_file *file, struct slice bytes)
{
    char path[UNIT_PATH_SIZE];
    enum status status;

    if (file->kind == ARCHIVE_BUNDLE) {
        writer->plain_size += bytes.size;
        status = unit_pack(writer->packer, &bytes, bytes);
        if (status != ST_OK)
            return status;
        writer->packed_size += bytes.size;
    }
    if (bytes.size > archive_size_max(file->kind))
        return ST_TOO_LARGE;
    unit_path(path, file);
    return tree_writer_put(&writer->out, path, bytes, false);
}

/* ---- The manifest -------------------------------------------------------- */

static enum status unit_digest(int directory, struct archive_line *line,
                               const char *path)
{
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    crypto_hash_sha256_state state;
    uint8_t bytes[UNIT_READ_SIZE];
    bool is_read = file >= 0;
    size_t got = sizeof bytes;

    line->size = 0;
    crypto_hash_sha256_init(&state);
    while (is_read && got == sizeof bytes) {
        is_read = tile_files_read(file, bytes, &got, sizeof bytes, line->size);
        if (!is_read)
            break;
        crypto_hash_sha256_update(&state, bytes, got);
        line->size += got;
    }
    crypto_hash_sha256_final(&state, line->hash);
    if (file >= 0)
        close(file);
    return is_read ? ST_OK : ST_DISK_FAILED;
}

static enum status unit_lines(const struct unit_writer *writer,
                              struct writer *manifest,
                              const struct archive_unit *unit)
{
    char path[UNIT_PATH_SIZE];
    struct archive_walk walk;
    struct archive_file file;
    struct archive_line line;
    enum status status = ST_OK;

    archive_walk_init(&walk, unit);
    while (status == ST_OK && archive_walk_next(&walk, &file)) {
        unit_path(path, &file);
        line.path = slice_of(path, strlen(path));
        status = unit_digest(writer->out.directory, &line, path);
        if (status == ST_OK)
            archive_line_write(manifest, &line);
    }
    return status;
}

enum status unit_writer_end(struct unit_writer *writer,
                            uint8_t hash_out[HASH_SIZE],
                            const struct archive_unit *unit)
{
    uint8_t *bytes = malloc(ARCHIVE_MANIFEST_SIZE_MAX);
    struct archive_unit again;
    struct writer manifest;
    enum status status;

    if (bytes == NULL)
        return ST_EXHAUSTED;
    writer_init(&manifest, bytes, ARCHIVE_MANIFEST_SIZE_MAX);
    archive_unit_write(&manifest, unit);
    status = unit_lines(writer, &manifest, unit);
    if (status == ST_OK) {
        archive_end_write(&manifest);
        ENSURE(archive_unit_read(&again, writer_slice(&manifest)) == ST_OK);
        crypto_hash_sha256(hash_out, bytes, manifest.used);
        status = tree_writer_sync(&writer->out);
    }
    if (status == ST_OK)
        status = tree_writer_put(&writer->out, ARCHIVE_MANIFEST,
                                 writer_slice(&manifest), true);
    if (status == ST_OK && fsync(writer->out.directory) != 0)
        status = ST_DISK_FAILED;
    free(bytes);
    return status;
}
