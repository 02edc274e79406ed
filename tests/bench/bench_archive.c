/*
 * bench_archive: how fast archive units are made, verified and restored, and
 * how many bytes an entry takes in them.
 *
 *   bench_archive [NODE]
 *
 * NODE is a node's directory with its checkpoint.  Without one a log is made
 * whose commands are one command, again and again: it says how fast units are,
 * and nothing of their size, since only hashes and places differ in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

#include "client/export/restore.h"
#include "client/export/unit_export.h"
#include "tests/lib/long_log.h"

enum { ENTRIES = 200000, FIELDS_SIZE = 200, PATH_SIZE = 256 };

static struct report report;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say(const char *what, double took,
                const struct unit_export_result *made)
{
    printf("  %-22s %9.0f entries/s %6.1f MB/s\n", what,
           (double)made->entries_count / took,
           (double)made->bytes_count / took / 1e6);
}

static void make_log(const char *node)
{
    static struct long_log log;
    char path[PATH_SIZE + 16];
    struct long_log_options options = {.directory = path,
                                       .size = ENTRIES,
                                       .items = 1,
                                       .fields_size = FIELDS_SIZE,
                                       .segment_size = SEGMENT_SIZE};

    (void)snprintf(path, sizeof path, "%s/log", node);
    if (mkdir(node, 0700) != 0 || mkdir(path, 0700) != 0)
        abort();
    long_log_make(&log, &options);
    (void)snprintf(path, sizeof path, "%s/checkpoint", node);
    long_log_checkpoint(&log, path);
}

static void bench(const char *node, const char *base)
{
    char target[PATH_SIZE], again[PATH_SIZE];
    char *units[] = {target};
    struct unit_export_options options = {
        .directory = node, .target = target, .number = 1, .last = UINT64_MAX};
    struct unit_export_result made = {.report = &report};
    struct verify_options verifying = {
        .directory = target, .units = units, .units_count = 1};
    struct restore_result restored;
    double begun = seconds();

    (void)snprintf(target, sizeof target, "%s/unit", base);
    (void)snprintf(again, sizeof again, "%s/again", base);
    if (unit_export(&made, &options) != ST_OK)
        abort();
    say("made", seconds() - begun, &made);
    begun = seconds();
    if (verify_given(&report, &verifying) != ST_OK || report.fault.found)
        abort();
    say("verified", seconds() - begun, &made);
    verifying.no_signatures = true;
    begun = seconds();
    if (verify_given(&report, &verifying) != ST_OK || report.fault.found)
        abort();
    say("verified, hashes", seconds() - begun, &made);
    begun = seconds();
    if (restore_log(&restored, &report, &verifying, again, false) != ST_OK)
        abort();
    say("verified and restored", seconds() - begun, &made);
    printf(
        "  an entry is %.0f bytes in the log, %.0f in its bundle's file, and "
        "%u more in a tile\n",
        (double)made.bytes_count / (double)made.entries_count,
        (double)made.packed_size / (double)made.entries_count, HASH_SIZE);
}

int main(int argc, char **argv)
{
    char base[] = "/tmp/defter-archive-XXXXXX", node[PATH_SIZE], command[128];

    if (argc > 2 || sodium_init() < 0 || mkdtemp(base) == NULL)
        return 3;
    (void)snprintf(node, sizeof node, "%s/node", base);
    if (argc < 2)
        make_log(node);
    printf("archive units\n");
    bench(argc < 2 ? node : argv[1], base);
    (void)snprintf(command, sizeof command, "rm -r %s", base);
    return system(command) == 0 ? 0 : 1;
}
