/*
 * One thread appends to a journal on a real file system, one makes its spare
 * segments, others read.  ctest-label: threads
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/entry.h"
#include "replication/journal_epochs.h"
#include "server/store/disk_posix.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

enum {
    SEGMENT = 128 * 1024,
    GROUPS = 150,
    GROUP = 8,
    READERS = 2,
    ENTRY_SIZE = 700
};

static char directory[64];
static struct journal *journal;
static _Atomic bool over;

static void *make_spares(void *unused)
{
    (void)unused;
    while (!atomic_load(&over)) {
        if (journal_wants_spare(journal))
            ck_assert_uint_eq(journal_prepare_next(journal), ST_OK);
        usleep(200);
    }
    return NULL;
}

static void *read_entries(void *unused)
{
    static _Thread_local uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_cursor *cursor;
    struct slice entry;
    struct slice same;
    uint64_t index = 0;

    (void)unused;
    ck_assert_uint_eq(journal_cursor_open(&cursor, journal, 0), ST_OK);
    while (index < (uint64_t)GROUPS * GROUP) {
        const enum status status = journal_cursor_next(cursor, &entry);

        if (status == ST_END) {
            usleep(100);
            continue;
        }
        ck_assert_uint_eq(status, ST_OK);
        ck_assert_uint_eq(load_u64(entry.data + 8), index);
        ck_assert_uint_eq(journal_read_entry(journal, &same, buffer, index),
                          ST_OK);
        ck_assert(slice_equal(entry, same));
        index++;
    }
    journal_cursor_close(cursor);
    return NULL;
}

static void append_groups(void)
{
    static uint8_t bytes[GROUP][ENTRY_SIZE];
    struct journal_entry group[GROUP];
    struct journal_end end = {0};

    for (int i = 0; i < GROUPS; i++) {
        enum status status;

        for (int j = 0; j < GROUP; j++)
            group[j] = log_maker_entry(bytes[j], &end, ENTRY_SIZE, 1, 0);
        do
            status = journal_append(journal, group, GROUP);
        while (status == ST_AGAIN);
        ck_assert_uint_eq(status, ST_OK);
        ck_assert_uint_eq(journal_sync(journal, end.size), ST_OK);
        /* No room only while the next spare is being made. */
        while (journal_room(journal) == 0)
            sched_yield();
    }
}

static void remove_one(void *context, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s%s", directory, (const char *)context,
             name);
    ck_assert_int_eq(remove(path), 0);
}

enum { CUTS = 60, KEPT = 40 };

/* Reads what is there, while what lies above KEPT comes and goes. */
static void *read_what_is_there(void *unused)
{
    static _Thread_local uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_cursor *cursor = NULL;
    struct journal_epoch epoch;
    uint8_t leaf[HASH_SIZE];
    struct slice entry;

    (void)unused;
    for (uint64_t turn = 0; !atomic_load(&over); turn++) {
        const uint64_t index = turn % (2 * (uint64_t)KEPT);
        enum status status;

        if (cursor == NULL) {
            status = journal_cursor_open(&cursor, journal, index);
            ck_assert(status == ST_OK || status == ST_END);
        }
        if (cursor != NULL) {
            status = journal_cursor_next(cursor, &entry);
            ck_assert(status == ST_OK || status == ST_END ||
                      status == ST_CHAIN_BROKEN);
            if (status != ST_OK) {
                journal_cursor_close(cursor);
                cursor = NULL;
            }
        }
        status = journal_read_entry(journal, &entry, buffer, index);
        ck_assert(status == ST_OK || (status == ST_END && index >= KEPT));
        if (status == ST_OK)
            ck_assert_uint_eq(load_u64(entry.data + 8), index);
        status = journal_leaf(journal, leaf, buffer, index);
        ck_assert(status == ST_OK || (status == ST_END && index >= KEPT));
        ck_assert_uint_eq(journal_epoch_at(journal, &epoch, 0), ST_OK);
        ck_assert_uint_eq(epoch.first, 0);
    }
    journal_cursor_close(cursor);
    return NULL;
}

static void append_some(struct journal_end *end, size_t count, uint8_t variant)
{
    static uint8_t bytes[ENTRY_SIZE];

    for (size_t i = 0; i < count; i++) {
        const struct journal_entry entry =
            log_maker_entry(bytes, end, ENTRY_SIZE, 1 + end->epoch, variant);

        ck_assert_uint_eq(journal_append(journal, &entry, 1), ST_OK);
    }
}

static void open_directory(struct disk_posix **posix,
                           struct journal_options *options)
{
    struct journal_report report;
    struct disk *disk;

    snprintf(directory, sizeof directory, "/tmp/defter-journal-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_uint_eq(disk_posix_open(posix, directory), ST_OK);
    disk = disk_posix_disk(*posix);
    ck_assert_uint_eq(journal_create(disk, options), ST_OK);
    options->incarnation = 1;
    ck_assert_uint_eq(journal_open(&journal, &report, disk, options), ST_OK);
}

static void close_directory(struct disk_posix *posix)
{
    struct disk *disk = disk_posix_disk(posix);
    char divergent[] = "divergent/";
    char prefix[] = "log/";
    char none[] = "";

    ck_assert_uint_eq(disk_list(disk, "divergent", divergent, remove_one),
                      ST_OK);
    ck_assert_uint_eq(disk_list(disk, "log", prefix, remove_one), ST_OK);
    ck_assert_uint_eq(disk_list(disk, "", none, remove_one), ST_OK);
    disk_posix_close(posix);
    ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(journal_is_read_while_it_is_cut)
{
    struct journal_options options = {.segment_size =
                                          SEGMENT_HEADER_SIZE + 16 * ENTRY_SIZE,
                                      .epoch = 1000000};
    pthread_t threads[READERS];
    struct disk_posix *posix;

    atomic_store(&over, false);
    open_directory(&posix, &options);
    {
        struct journal_end end = {.size = 0};

        append_some(&end, KEPT, 0);
        ck_assert_uint_eq(journal_sync(journal, KEPT), ST_OK);
    }
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, read_what_is_there, NULL), 0);
    for (size_t i = 0; i < CUTS; i++) {
        struct journal_end end = journal_end(journal);
        struct journal_report report;

        append_some(&end, KEPT, (uint8_t)(i % 100));
        ck_assert_uint_eq(journal_sync(journal, KEPT), ST_OK);
        ck_assert_uint_eq(journal_cut_to(journal, &report, KEPT + i % 20),
                          ST_OK);
    }
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    journal_close(journal);
    close_directory(posix);
}
END_TEST

START_TEST(journal_is_read_while_it_is_written)
{
    struct journal_options options = {.segment_size = SEGMENT, .epoch = 1};
    struct journal_report report;
    pthread_t threads[READERS + 1];
    struct disk_posix *posix;
    struct disk *disk;

    atomic_store(&over, false);
    open_directory(&posix, &options);
    disk = disk_posix_disk(posix);
    ck_assert_int_eq(pthread_create(&threads[READERS], NULL, make_spares, NULL),
                     0);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_entries, NULL),
                         0);
    append_groups();
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&over, true);
    pthread_join(threads[READERS], NULL);
    journal_close(journal);
    options.incarnation = 2;
    ck_assert_uint_eq(journal_open(&journal, &report, disk, &options), ST_OK);
    ck_assert_uint_eq(journal_size(journal), (uint64_t)GROUPS * GROUP);
    journal_close(journal);
    close_directory(posix);
}
END_TEST

SUITE_MAIN("journal_threads", journal_is_read_while_it_is_written,
           journal_is_read_while_it_is_cut)
