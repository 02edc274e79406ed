#include "server/store/disk_posix.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static char directory[64];
static struct disk_posix *posix;
static struct disk *disk;

static void begin(void)
{
    snprintf(directory, sizeof directory, "/tmp/defter-disk-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_uint_eq(disk_posix_open(&posix, directory), ST_OK);
    disk = disk_posix_disk(posix);
}

static void end(void)
{
    disk_posix_close(posix);
    ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(disk_posix_gives_back_what_was_written)
{
    struct disk_file *file;
    uint64_t size;
    size_t read;
    char data[8];

    begin();
    ck_assert_uint_eq(disk_open(disk, &file, "a"), ST_NO_FILE);
    ck_assert_uint_eq(disk_create(disk, &file, "a"), ST_OK);
    ck_assert_uint_eq(disk_write(file, "hello", 5, 3), ST_OK);
    ck_assert_uint_eq(disk_sync(file), ST_OK);
    ck_assert_uint_eq(disk_size(file, &size), ST_OK);
    ck_assert_uint_eq(size, 8);
    disk_close(file);
    ck_assert_uint_eq(disk_create(disk, &file, "a"), ST_EXISTS);
    ck_assert_uint_eq(disk_open(disk, &file, "a"), ST_OK);
    ck_assert_uint_eq(disk_read_all(file, data, 8, 0), ST_OK);
    ck_assert_mem_eq(data, "\0\0\0hello", 8);
    ck_assert_uint_eq(disk_read(file, &read, data, 8, 6), ST_OK);
    ck_assert_uint_eq(read, 2);
    ck_assert_uint_eq(disk_read_all(file, data, 8, 6), ST_FILE_FORMAT);
    ck_assert_uint_eq(disk_truncate(file, 4), ST_OK);
    ck_assert_uint_eq(disk_read(file, &read, data, 8, 0), ST_OK);
    ck_assert_uint_eq(read, 4);
    ck_assert_uint_eq(disk_write_zeros(file, 2, 700000), ST_OK);
    ck_assert_uint_eq(disk_size(file, &size), ST_OK);
    ck_assert_uint_eq(size, 700000);
    disk_close(file);
    ck_assert_uint_eq(disk_remove(disk, "a"), ST_OK);
    ck_assert_uint_eq(disk_remove(disk, "a"), ST_NO_FILE);
    end();
}
END_TEST

START_TEST(disk_posix_files_are_for_their_owner_alone)
{
    struct disk_file *file;
    struct stat info;
    char path[128];

    begin();
    umask(0);
    ck_assert_uint_eq(disk_make_directory(disk, "d"), ST_OK);
    ck_assert_uint_eq(disk_make_directory(disk, "d"), ST_OK);
    ck_assert_uint_eq(disk_create(disk, &file, "d/a"), ST_OK);
    disk_close(file);
    snprintf(path, sizeof path, "%s/d/a", directory);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/d", directory);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    ck_assert_uint_eq(disk_remove(disk, "d/a"), ST_OK);
    ck_assert_int_eq(rmdir(path), 0);
    end();
}
END_TEST

START_TEST(disk_posix_does_not_follow_a_link)
{
    struct disk_file *file;
    char path[128];

    begin();
    snprintf(path, sizeof path, "%s/link", directory);
    ck_assert_int_eq(symlink("/etc/hostname", path), 0);
    ck_assert_uint_eq(disk_open(disk, &file, "link"), ST_DISK_FAILED);
    ck_assert_uint_eq(disk_create(disk, &file, "link"), ST_EXISTS);
    ck_assert_uint_eq(disk_remove(disk, "link"), ST_OK);
    end();
}
END_TEST

START_TEST(disk_posix_directory_belongs_to_one_process_and_its_owner)
{
    struct disk_posix *second;

    begin();
    ck_assert_uint_eq(disk_posix_open(&second, directory), ST_WRONG_STATE);
    disk_posix_close(posix);
    ck_assert_int_eq(chmod(directory, 0750), 0);
    ck_assert_uint_eq(disk_posix_open(&second, directory), ST_FILE_MODE);
    ck_assert_int_eq(chmod(directory, 0700), 0);
    ck_assert_uint_eq(disk_posix_open(&posix, directory), ST_OK);
    end();
    ck_assert_uint_eq(disk_posix_open(&second, directory), ST_NO_FILE);
}
END_TEST

static void count_names(void *context, const char *name)
{
    int *count = context;

    ck_assert_str_eq(name, "b");
    ++*count;
}

START_TEST(disk_posix_lists_and_renames)
{
    int count = 0;

    begin();
    ck_assert_uint_eq(disk_replace(disk, "a", "", "1", 1), ST_OK);
    ck_assert_uint_eq(disk_replace(disk, "b", "", "2", 1), ST_OK);
    ck_assert_uint_eq(disk_rename(disk, "a", "b"), ST_OK);
    ck_assert_uint_eq(disk_rename(disk, "a", "b"), ST_NO_FILE);
    ck_assert_uint_eq(disk_sync_directory(disk, ""), ST_OK);
    ck_assert_uint_eq(disk_list(disk, "", &count, count_names), ST_OK);
    ck_assert_int_eq(count, 1);
    ck_assert_uint_eq(disk_list(disk, "none", &count, count_names), ST_NO_FILE);
    ck_assert_uint_eq(disk_remove(disk, "b"), ST_OK);
    end();
}
END_TEST

SUITE_MAIN("disk_posix", disk_posix_gives_back_what_was_written,
           disk_posix_files_are_for_their_owner_alone,
           disk_posix_does_not_follow_a_link,
           disk_posix_directory_belongs_to_one_process_and_its_owner,
           disk_posix_lists_and_renames)
