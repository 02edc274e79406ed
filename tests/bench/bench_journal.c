/*
 * bench_journal: what the log costs on this disk, beside the disk's and the
 * processor's own limits.
 *
 *   bench_journal [DIRECTORY] [GROUPS]
 *
 * DIRECTORY, the current one if not named, gets a folder that is removed again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/entry.h"
#include "server/store/disk_posix.h"
#include "tests/lib/log_maker.h"

enum {
    ENTRY_SIZE = 512, /* About what one signed command of one item takes. */
    GROUPS_DEFAULT = 300,
    SYNCS = 1000,
    SYNC_SIZE = 4096,
    HASHED_SIZE = 64 * 1024 * 1024,
    READS = 200000,
    EPOCH = 1
};

static char directory[512];

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void must(enum status status, const char *what)
{
    if (status == ST_OK)
        return;
    fprintf(stderr, "bench_journal: %s: %s\n", what, status_name(status));
    exit(1);
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static void bench_sync(struct disk *disk)
{
    static uint8_t block[SYNC_SIZE];
    static double took[SYNCS];
    struct disk_file *file;
    double all = 0;

    must(disk_create(disk, &file, "sync"), "create");
    must(disk_write_zeros(file, 0, (uint64_t)SYNCS * SYNC_SIZE), "zeros");
    must(disk_sync(file), "sync");
    memset(block, 1, sizeof block);
    for (int i = 0; i < SYNCS; i++) {
        const double begin = seconds();

        must(disk_write(file, block, sizeof block, (uint64_t)i * SYNC_SIZE),
             "write");
        must(disk_sync(file), "sync");
        took[i] = seconds() - begin;
        all += took[i];
    }
    disk_close(file);
    must(disk_remove(disk, "sync"), "remove");
    qsort(took, SYNCS, sizeof took[0], compare);
    printf("fdatasync of 4 KiB, zero-filled   %9.0f /s   p50 %.0f us, "
           "p99 %.0f us\n",
           SYNCS / all, 1e6 * took[SYNCS / 2], 1e6 * took[SYNCS * 99 / 100]);
}

/* Bytes a second; the limit of everything that verifies. */
static double bench_hash(void)
{
    static uint8_t entry[ENTRY_SIZE];
    uint8_t hash[HASH_SIZE];
    const int count = HASHED_SIZE / ENTRY_SIZE;
    const double begin = seconds();

    for (int i = 0; i < count; i++) {
        entry_leaf_hash(hash, slice_of(entry, sizeof entry));
        memcpy(entry, hash, sizeof hash);
    }
    return HASHED_SIZE / (seconds() - begin);
}

struct pool {
    uint8_t (*bytes)[ENTRY_SIZE];
    struct journal_entry *entries;
    size_t count;
};

/* Made before the clock starts: making them is not the journal's work. */
static void pool_fill(struct pool *pool, struct journal_end *end, size_t count)
{
    pool->count = count;
    pool->bytes = calloc(count, sizeof *pool->bytes);
    pool->entries = calloc(count, sizeof *pool->entries);
    if (pool->bytes == NULL || pool->entries == NULL)
        must(ST_DISK_FAILED, "memory");
    for (size_t i = 0; i < count; i++)
        pool->entries[i] =
            log_maker_entry(pool->bytes[i], end, ENTRY_SIZE, EPOCH, 0);
}

static void pool_free(struct pool *pool)
{
    free(pool->bytes);
    free(pool->entries);
}

static void bench_append(struct journal *journal, struct journal_end *end,
                         size_t group, size_t count)
{
    struct pool pool;
    double append = 0;
    double all = 0;

    pool_fill(&pool, end, count);
    for (size_t at = 0; at < count; at += group) {
        const size_t some = count - at < group ? count - at : group;
        double begin;

        /* In a server, the background's work. */
        must(journal_prepare_next(journal), "prepare");
        begin = seconds();
        must(journal_append(journal, pool.entries + at, some), "append");
        append += seconds() - begin;
        must(journal_sync(journal, journal_end(journal).size), "sync");
        all += seconds() - begin;
    }
    printf("append and mark, groups of %4zu    %9.0f /s   %.1f MB/s   "
           "(%.0f groups/s, without the disk %.0f /s)\n",
           group, (double)count / all,
           1e-6 * (double)(count * ENTRY_SIZE) / all,
           (double)count / (double)group / all, (double)count / append);
    pool_free(&pool);
}

static struct journal *reopen(struct disk *disk,
                              struct journal_options *options, const char *what,
                              double hash_bytes)
{
    struct journal_report report;
    struct journal *journal;
    double begin;
    double took;
    double count;
    const double limit = hash_bytes / ENTRY_SIZE;

    options->incarnation++;
    begin = seconds();
    must(journal_open(&journal, &report, disk, options), "open");
    took = seconds() - begin;
    count = (double)journal_size(journal);
    if (count > 0)
        printf("%-33s %9.0f /s   %.2f s a million, %.2f of SHA-256's limit\n",
               what, count / took, 1e6 * took / count, count / took / limit);
    return journal;
}

static void bench_read(struct journal *journal)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_cursor *cursor;
    struct slice entry;
    const uint64_t size = journal_size(journal);
    uint64_t index = 0;
    double begin = seconds();

    for (int i = 0; i < READS; i++) {
        index = (index * UINT64_C(6364136223846793005) + 1442695041) % size;
        must(journal_read_entry(journal, &entry, buffer, index), "read");
    }
    printf("read by index, at random          %9.0f /s\n",
           READS / (seconds() - begin));
    begin = seconds();
    must(journal_cursor_open(&cursor, journal, 0), "cursor");
    while (journal_cursor_next(cursor, &entry) == ST_OK)
        continue;
    journal_cursor_close(cursor);
    printf("read in order                     %9.0f /s\n",
           (double)size / (seconds() - begin));
}

static void remove_one(void *context, const char *name)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s%s", directory, (const char *)context,
             name);
    unlink(path);
}

static void remove_all(struct disk *disk)
{
    static const char *const folders[] = {"log", "divergent"};
    char path[1024];

    for (size_t i = 0; i < 2; i++) {
        char prefix[32];

        snprintf(prefix, sizeof prefix, "%s/", folders[i]);
        must(disk_list(disk, folders[i], prefix, remove_one), "list");
        snprintf(path, sizeof path, "%s/%s", directory, folders[i]);
        rmdir(path);
    }
    must(disk_remove(disk, "mark"), "remove");
    rmdir(directory);
}

int main(int argc, char **argv)
{
    static const size_t groups[] = {1, 16, 64, 256, 1024};
    struct journal_options options = {.segment_size = SEGMENT_SIZE,
                                      .epoch = EPOCH};
    const size_t groups_count =
        argc > 2 ? strtoul(argv[2], NULL, 10) : GROUPS_DEFAULT;
    struct journal_end end = {0};
    struct disk_posix *posix;
    struct journal *journal;
    struct disk *disk;
    double hash_bytes;

    snprintf(directory, sizeof directory, "%s/bench-journal-XXXXXX",
             argc > 1 ? argv[1] : ".");
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    must(disk_posix_open(&posix, directory), "directory");
    disk = disk_posix_disk(posix);
    bench_sync(disk);
    hash_bytes = bench_hash();
    printf("SHA-256 of entries of %d bytes   %9.0f /s   %.1f MB/s\n",
           ENTRY_SIZE, hash_bytes / ENTRY_SIZE, 1e-6 * hash_bytes);
    must(journal_create(disk, &options), "create");
    journal = reopen(disk, &options, "", hash_bytes);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        bench_append(journal, &end, groups[i], groups[i] * groups_count);
    journal_close(journal);
    journal = reopen(disk, &options, "open, every hash verified", hash_bytes);
    journal_close(journal);
    options.verify_from = UINT64_MAX;
    journal = reopen(disk, &options, "open, checksums verified", hash_bytes);
    bench_read(journal);
    journal_close(journal);
    remove_all(disk);
    disk_posix_close(posix);
    return 0;
}
