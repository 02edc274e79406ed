#include "client/receipt_store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static char folder[] = "/tmp/defter.XXXXXX";
static char path[sizeof folder + 16];

static void begin(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/receipts", folder);
}

static void end(void)
{
    if (unlink(path) != 0)
        ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static long size_of(void)
{
    struct stat about;

    ck_assert_int_eq(stat(path, &about), 0);
    return (long)about.st_size;
}

/* Opened and closed. */
static enum status opened(void)
{
    struct receipt_store *store = NULL;
    enum status status = receipt_store_open(&store, path);

    receipt_store_close(store);
    return status;
}

static void lay(const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, bytes, size), (int)size);
    ck_assert_int_eq(close(fd), 0);
}

static enum status add(struct receipt_store *store)
{
    static const struct receipt receipt = {.index = 7, .epoch = 1};
    static const uint8_t signature[SIGNATURE_SIZE], certificate[NODECERT_SIZE];
    uint8_t bytes[RECEIPT_SIZE];

    receipt_encode(bytes, &receipt);
    return receipt_store_add(store, bytes, signature, certificate);
}

static void lay_receipts(int count)
{
    struct receipt_store *store;

    ck_assert_int_eq(receipt_store_open(&store, path), ST_OK);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(add(store), ST_OK);
    receipt_store_close(store);
}

START_TEST(a_torn_last_receipt_is_cut_off_wherever_it_ends)
{
    begin();
    for (int torn = 0; torn < RECEIPT_STORE_RECORD_SIZE; torn++) {
        for (int whole = 0; whole < 2; whole++) {
            (void)unlink(path);
            lay_receipts(whole + 1);
            ck_assert_int_eq(
                truncate(path, whole * RECEIPT_STORE_RECORD_SIZE + torn), 0);
            ck_assert_int_eq(opened(), ST_OK);
            ck_assert_int_eq(size_of(), whole * RECEIPT_STORE_RECORD_SIZE);
        }
    }
    end();
}
END_TEST

START_TEST(a_file_of_something_else_stays_as_it_is)
{
    static char text[3 * RECEIPT_STORE_RECORD_SIZE];

    begin();
    memset(text, 'k', sizeof text);
    for (size_t size = 1; size <= sizeof text; size++) {
        lay(text, size);
        ck_assert_int_eq(opened(), ST_FILE_FORMAT);
        ck_assert_int_eq(size_of(), (long)size);
    }
    end();
}
END_TEST

START_TEST(what_follows_receipts_and_is_none_stays_as_it_is)
{
    const long size = RECEIPT_STORE_RECORD_SIZE;
    FILE *file;

    begin();
    lay_receipts(1);
    file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputs("key", file) < 0, 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(opened(), ST_FILE_FORMAT);
    ck_assert_int_eq(size_of(), size + 3);
    end();
}
END_TEST

START_TEST(what_is_no_plain_file_is_neither_waited_for_nor_taken)
{
    begin();
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(opened(), ST_FILE_MODE);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("receipts", path), 0);
    ck_assert_int_eq(opened(), ST_FILE_MODE);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(opened(), ST_FILE_MODE);
    end();
}
END_TEST

/* A limit of the process stands for a disk without room. */
START_TEST(a_receipt_for_which_there_is_no_room_leaves_nothing_behind)
{
    const rlim_t room = RECEIPT_STORE_RECORD_SIZE + 100;
    struct rlimit limit, before;
    struct receipt_store *store;
    enum status first, second;

    begin();
    ck_assert_ptr_ne((void *)signal(SIGXFSZ, SIG_IGN), (void *)SIG_ERR);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = room;
    ck_assert_int_eq(receipt_store_open(&store, path), ST_OK);
    /* The suite writes as well: nothing is told below the limit. */
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    first = add(store);
    second = add(store);
    (void)setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(first, ST_OK);
    ck_assert_int_eq(second, ST_DISK_FULL);
    ck_assert_int_eq(size_of(), RECEIPT_STORE_RECORD_SIZE);
    ck_assert_int_eq(add(store), ST_OK);
    ck_assert_int_eq(size_of(), 2 * RECEIPT_STORE_RECORD_SIZE);
    receipt_store_close(store);
    end();
}
END_TEST

SUITE_MAIN("receipt_store", a_torn_last_receipt_is_cut_off_wherever_it_ends,
           a_file_of_something_else_stays_as_it_is,
           what_follows_receipts_and_is_none_stays_as_it_is,
           what_is_no_plain_file_is_neither_waited_for_nor_taken,
           a_receipt_for_which_there_is_no_room_leaves_nothing_behind)
