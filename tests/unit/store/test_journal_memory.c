/* ctest-wrap: malloc calloc realloc reallocarray */
/* A log that is opened where memory is short. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/entry.h"
#include "replication/journal_epochs.h"
#include "replication/need.h"
#include "server/store/disk_posix.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/quick_folder.h"
#include "tests/lib/short_memory.h"
#include "tests/lib/suite.h"

enum {
    SEGMENT = 128 * 1024,
    EPOCH = 1000000, /* As the mark says; above those of the entries. */
    ENTRY_SIZE = 700,
    ENTRIES = 3,
    CALLS_MIN = 3
};

/* What a process ends with, apart from what sanitizers end it with. */
enum { ENOUGH = 40, WHOLE, REFUSED, BROKEN };

static char directory[QUICK_FOLDER_SIZE];
static struct disk_posix *disk;
static struct journal_options options;
static struct journal_end end;

/* One entry in an epoch of its own. */
static enum status append(struct journal *journal, struct journal_end *at)
{
    uint8_t bytes[ENTRY_SIZE];
    struct journal_entry entry =
        log_maker_entry(bytes, at, sizeof bytes, (uint32_t)at->size + 1, 0);
    enum status status = journal_append(journal, &entry, 1);

    return status == ST_OK ? journal_sync(journal, at->size) : status;
}

static enum status open_log(struct journal **journal)
{
    struct journal_report report;

    options.incarnation++;
    return journal_open(journal, &report, disk_posix_disk(disk), &options);
}

static void begin(void)
{
    struct journal *journal;

    quick_folder(directory, "journal");
    ck_assert_uint_eq(disk_posix_open(&disk, directory), ST_OK);
    options = (struct journal_options){.segment_size = SEGMENT, .epoch = EPOCH};
    end = (struct journal_end){0};
    ck_assert_uint_eq(journal_create(disk_posix_disk(disk), &options), ST_OK);
    ck_assert_uint_eq(open_log(&journal), ST_OK);
    for (int i = 0; i < ENTRIES; i++)
        ck_assert_uint_eq(append(journal, &end), ST_OK);
    journal_close(journal);
}

static void finish(void)
{
    char line[QUICK_FOLDER_SIZE + 8];

    disk_posix_close(disk);
    (void)snprintf(line, sizeof line, "rm -r %s", directory);
    ck_assert_int_eq(system(line), 0);
}

/* What was opened is whole, and takes more; of the epochs, the newest. */
static bool is_whole(struct journal *journal)
{
    struct journal_epoch newest;
    size_t count = journal_epoch_count(journal);

    return journal_size(journal) == end.size && count > 0 &&
           journal_epoch_at(journal, &newest, count - 1) == ST_OK &&
           newest.epoch == end.size && append(journal, &end) == ST_OK;
}

/* A process that opens it: what it ends with. */
static int try(size_t number, bool goes_on)
{
    struct journal *journal;
    pid_t child = fork();
    int status;
    size_t calls;

    if (child == 0) {
        short_memory_begin(number, goes_on);
        if (open_log(&journal) != ST_OK)
            _exit(REFUSED);
        calls = short_memory_end();
        if (!is_whole(journal))
            _exit(BROKEN);
        _exit(calls < number ? ENOUGH : WHOLE);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    /* The next finds what this one appended. */
    if (WEXITSTATUS(status) == WHOLE) {
        uint8_t bytes[ENTRY_SIZE];

        (void)log_maker_entry(bytes, &end, sizeof bytes, (uint32_t)end.size + 1,
                              0);
    }
    options.incarnation++;
    return WEXITSTATUS(status);
}

START_TEST(a_log_that_gets_no_memory_is_whole_or_ends_the_process_by_its_status)
{
    for (int goes_on = 0; goes_on <= 1; goes_on++) {
        size_t number = 1;
        int status;

        begin();
        while ((status = try(number, goes_on != 0)) != ENOUGH) {
            ck_assert_msg(status == WHOLE || status == NEED_STATUS,
                          "call %zu: status %d", number, status);
            number++;
        }
        ck_assert_uint_gt(number, CALLS_MIN);
        finish();
    }
}
END_TEST

SUITE_MAIN("journal_memory",
           a_log_that_gets_no_memory_is_whole_or_ends_the_process_by_its_status)
