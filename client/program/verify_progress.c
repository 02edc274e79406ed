#include "client/program/verify_progress.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/program/file.h"
#include "protocol/lines.h"

enum {
    PROGRESS_SIZE_MAX = 512,
    PROGRESS_CHECK_SIZE = 16,
    PROGRESS_KEEP_S = 5 /* Between two times that it is kept. */
};
#define PROGRESS_TITLE "defter verify progress 1\n"

/*
 *     defter verify progress 1
 *     size NUMBER
 *     root BASE64[32]
 *     check BASE64[16]     the beginning of SHA-256 over the lines before
 */

/* ---- The file -------------------------------------------------------------
 */

static void progress_check(uint8_t out[PROGRESS_CHECK_SIZE], struct slice text)
{
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256(hash, text.data, text.size);
    memcpy(out, hash, PROGRESS_CHECK_SIZE);
}

static void progress_write(struct writer *writer,
                           const struct verify_mark *mark)
{
    uint8_t check[PROGRESS_CHECK_SIZE];

    lines_write(writer, PROGRESS_TITLE "size ");
    lines_write_number(writer, mark->size);
    lines_write(writer, "\nroot ");
    lines_write_base64(writer, mark->root, HASH_SIZE);
    lines_write(writer, "\n");
    progress_check(check, writer_slice(writer));
    lines_write(writer, "check ");
    lines_write_base64(writer, check, sizeof check);
    lines_write(writer, "\n");
    INVARIANT(writer->status == ST_OK);
}

static bool progress_line(struct slice *value_out, struct slice *text,
                          const char *name)
{
    return lines_next(value_out, text) == ST_OK && lines_take(value_out, name);
}

static enum status progress_read(struct verify_mark *out, struct slice text)
{
    uint8_t again[PROGRESS_SIZE_MAX];
    struct slice left = text, size, root;
    struct writer writer;

    if (!lines_take(&left, PROGRESS_TITLE) ||
        !progress_line(&size, &left, "size ") ||
        !progress_line(&root, &left, "root ") ||
        lines_read_number(&out->size, size, UINT64_MAX) != ST_OK ||
        lines_read_exact(out->root, HASH_SIZE, root) != ST_OK)
        return ST_FILE_FORMAT;
    /* The check, and that nothing follows it. */
    writer_init(&writer, again, sizeof again);
    progress_write(&writer, out);
    return slice_equal(writer_slice(&writer), text) ? ST_OK : ST_FILE_FORMAT;
}

enum status verify_progress_load(struct verify_mark *mark_out, const char *path)
{
    uint8_t bytes[PROGRESS_SIZE_MAX];
    size_t size;
    enum status status;

    memset(mark_out, 0, sizeof *mark_out);
    status = file_read(bytes, &size, path, sizeof bytes, false);
    if (status == ST_NO_FILE)
        return ST_OK;
    if (status != ST_OK)
        return status == ST_TOO_LARGE ? ST_FILE_FORMAT : status;
    return progress_read(mark_out, slice_of(bytes, size));
}

static void progress_keep(struct verify_progress *progress)
{
    uint8_t bytes[PROGRESS_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    progress_write(&writer, &progress->newest);
    progress->status = file_replace(progress->path, bytes, writer.used, 0644);
    progress->is_newer = false;
}

/* ---- While it runs --------------------------------------------------------
 */

void verify_progress_show(void *context, uint64_t passed, uint64_t total)
{
    struct verify_progress *progress = context;
    unsigned percent = total == 0 ? 100 : (unsigned)(passed * 100 / total);

    if (!progress->is_shown || percent == progress->percent)
        return;
    progress->percent = percent;
    fprintf(stderr, "\rverifying %3u %%", percent);
    if (progress->newest.size > 0)
        fprintf(stderr, ", %" PRIu64 " entries", progress->newest.size);
}

void verify_progress_save(void *context, const struct verify_mark *mark)
{
    struct verify_progress *progress = context;
    struct timespec now;

    progress->newest = *mark;
    if (progress->path == NULL)
        return;
    progress->is_newer = true;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (progress->kept_at_s == 0)
        progress->kept_at_s = now.tv_sec;
    if (now.tv_sec - progress->kept_at_s < PROGRESS_KEEP_S)
        return;
    progress->kept_at_s = now.tv_sec;
    progress_keep(progress);
}

enum status verify_progress_end(struct verify_progress *progress)
{
    if (progress->is_shown)
        fputs("\r                                          \r", stderr);
    if (progress->path != NULL && progress->is_newer)
        progress_keep(progress);
    return progress->status;
}
