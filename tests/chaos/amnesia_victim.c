/*
 * amnesia_victim: keeps numbers in files, well or badly, for the tests of
 * libamnesia.so.
 *
 *   amnesia_victim KIND DIR          says each number once it "is durable"
 *   amnesia_victim check KIND DIR N  whether the first N still are; 1: no
 *
 *   honest   writes and syncs         liar      does not sync
 *   dsync    writes with O_DSYNC      cutter    cuts and does not sync
 *   named    a file each, and syncs   unnamed   does not sync the directory
 *            the directory
 *   replace  a new file, synced,      hasty     renames it before its bytes
 *            over the older                     are synced
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_SIZE = 1300, NUMBERS_MAX = 100000, PATH_SIZE = 512, MODE = 0600 };

static int directory;

static void need(bool good)
{
    if (!good)
        _exit(3);
}

static void fill(uint8_t record[RECORD_SIZE], uint32_t number)
{
    for (size_t i = 0; i < RECORD_SIZE; i++)
        record[i] = (uint8_t)(number * 31 + i + 1);
}

static void put(int fd, uint32_t number, off_t offset)
{
    uint8_t record[RECORD_SIZE];

    fill(record, number);
    need(pwrite(fd, record, RECORD_SIZE, offset) == RECORD_SIZE);
}

static bool holds(int fd, uint32_t number, off_t offset)
{
    uint8_t wanted[RECORD_SIZE], found[RECORD_SIZE];

    fill(wanted, number);
    return pread(fd, found, RECORD_SIZE, offset) == RECORD_SIZE &&
           memcmp(wanted, found, RECORD_SIZE) == 0;
}

static int open_file(const char *name, int flags)
{
    return openat(directory, name, O_RDWR | O_CLOEXEC | flags, MODE);
}

/* ---- One file to which records are added ---- */

static void add_to_log(const char *kind)
{
    bool dsync = strcmp(kind, "dsync") == 0;
    bool honest = strcmp(kind, "honest") == 0;
    int fd = open_file("log", O_CREAT | (dsync ? O_DSYNC : 0));

    need(fd >= 0 && fsync(directory) == 0);
    for (uint32_t number = 0; number < NUMBERS_MAX; number++) {
        put(fd, number, (off_t)number * RECORD_SIZE);
        need(!honest || fdatasync(fd) == 0);
        printf("%u\n", number + 1);
    }
}

static bool log_holds(uint32_t count)
{
    int fd = open_file("log", 0);

    if (fd < 0)
        return count == 0;
    for (uint32_t number = 0; number < count; number++) {
        if (!holds(fd, number, (off_t)number * RECORD_SIZE))
            return false;
    }
    return true;
}

/* Odd numbers are added and synced; even ones say that they were cut off. */
static void cut_log(void)
{
    int fd = open_file("log", O_CREAT);

    need(fd >= 0 && fsync(directory) == 0);
    for (uint32_t number = 0; number < NUMBERS_MAX; number += 2) {
        put(fd, number, 0);
        need(fdatasync(fd) == 0);
        printf("%u\n", number + 1);
        need(ftruncate(fd, 0) == 0);
        printf("%u\n", number + 2);
    }
}

static bool log_is_cut(uint32_t count)
{
    int fd = open_file("log", 0);

    if (count == 0)
        return true;
    /* After an odd number the next cut may have been done, or not. */
    return fd >= 0 && (count % 2 == 1 || lseek(fd, 0, SEEK_END) == 0 ||
                       holds(fd, count, 0));
}

/* ---- A file for each number ---- */

static void make_files(bool sync_names)
{
    for (uint32_t number = 0; number < NUMBERS_MAX; number++) {
        char name[32];
        int fd;

        (void)snprintf(name, sizeof name, ".//./%u", number);
        fd = open_file(name, O_CREAT | O_EXCL);
        need(fd >= 0);
        put(fd, number, 0);
        need(fdatasync(fd) == 0 && (!sync_names || fsync(directory) == 0));
        need(close(fd) == 0);
        printf("%u\n", number + 1);
    }
}

static bool files_hold(uint32_t count)
{
    for (uint32_t number = 0; number < count; number++) {
        char name[32];
        int fd;

        (void)snprintf(name, sizeof name, "%u", number);
        fd = open_file(name, 0);
        if (fd < 0 || !holds(fd, number, 0))
            return false;
        (void)close(fd);
    }
    return true;
}

/* ---- One file that is replaced ---- */

static void replace_file(bool sync_bytes)
{
    for (uint32_t number = 0; number < NUMBERS_MAX; number++) {
        int fd = open_file("next", O_CREAT | O_TRUNC);

        need(fd >= 0);
        put(fd, number, 0);
        need((!sync_bytes || fdatasync(fd) == 0) && close(fd) == 0);
        need(renameat(directory, "next", directory, "value") == 0 &&
             fsync(directory) == 0);
        printf("%u\n", number + 1);
    }
}

/* The last number, or the one that was being put in its place. */
static bool value_holds(uint32_t count)
{
    int fd = open_file("value", 0);

    if (count == 0)
        return true;
    return fd >= 0 && (holds(fd, count - 1, 0) || holds(fd, count, 0));
}

static void run(const char *kind)
{
    if (strcmp(kind, "cutter") == 0)
        cut_log();
    else if (strcmp(kind, "named") == 0 || strcmp(kind, "unnamed") == 0)
        make_files(kind[0] == 'n');
    else if (strcmp(kind, "replace") == 0 || strcmp(kind, "hasty") == 0)
        replace_file(kind[0] == 'r');
    else
        add_to_log(kind);
}

static bool check(const char *kind, uint32_t count)
{
    if (strcmp(kind, "cutter") == 0)
        return log_is_cut(count);
    if (strcmp(kind, "named") == 0 || strcmp(kind, "unnamed") == 0)
        return files_hold(count);
    if (strcmp(kind, "replace") == 0 || strcmp(kind, "hasty") == 0)
        return value_holds(count);
    return log_holds(count);
}

int main(int argc, char **argv)
{
    bool checks = argc == 5 && strcmp(argv[1], "check") == 0;

    if (!checks && argc != 3)
        return 3;
    directory = open(argv[checks ? 3 : 2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    need(directory >= 0);
    need(setvbuf(stdout, NULL, _IOLBF, BUFSIZ) == 0);
    if (checks)
        return check(argv[2], (uint32_t)strtoul(argv[4], NULL, 10)) ? 0 : 1;
    run(argv[1]);
    return 0;
}
