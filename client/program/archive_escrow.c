/*
 * archive_escrow.c: recovery keys, and escrows of seal keys, where no node is.
 */
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/archive_escrow.h"
#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "protocol/escrow.h"

/* ---- key ----------------------------------------------------------------- */

/* A recovery key for the next period: its public part goes into nodes'
 * configurations. */
static int key_run(struct program *program, int argc, char **argv)
{
    struct cluster cluster;
    struct keyfile keyfile;
    uint8_t seed[SEED_SIZE];
    char hex[2 * PUBLIC_KEY_SIZE + 1];
    enum status status;
    int code;

    if (argc != 2 || argv[1][0] == '-')
        return program_usage("archive");
    code = cluster_load(&cluster, program);
    if (code != EXIT_GOOD)
        return code;
    randombytes_buf(seed, sizeof seed);
    keyfile_make(&keyfile, KEYFILE_RECOVERY, cluster.cluster_id, seed);
    sodium_memzero(seed, sizeof seed);
    status = file_write_key(&keyfile, argv[1]);
    (void)sodium_bin2hex(hex, sizeof hex, keyfile.public_key, PUBLIC_KEY_SIZE);
    keyfile_wipe(&keyfile);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", argv[1],
                            status_info(status)->english);
    printf(program->json ? "{\"recovery_key\":\"%s\"}\n" : "recovery_key  %s\n",
           hex);
    return EXIT_GOOD;
}

/* ---- show ---------------------------------------------------------------- */

/* A file that is read; opened as far as it goes if there is a key. */
struct escrow_reading {
    FILE *file;
    struct escrow_header header;
    struct escrow_opening opening;
    uint8_t sealed[ESCROW_PART_SIZE_MAX];
    uint8_t plain[ESCROW_PLAIN_SIZE_MAX];
};

static enum status read_bytes(struct escrow_reading *reading, uint8_t *out,
                              size_t size)
{
    if (fread(out, 1, size, reading->file) == size)
        return ST_OK;
    return ferror(reading->file) ? ST_DISK_FAILED : ST_TORN_TAIL;
}

static enum status read_part(struct escrow_reading *reading)
{
    uint8_t header[ESCROW_PART_HEADER_SIZE];
    struct slice body;
    enum status status = read_bytes(reading, header, sizeof header);
    uint32_t size = load_u32(header);

    if (status == ST_OK && size > sizeof reading->sealed)
        status = ST_SEAL;
    if (status == ST_OK)
        status = read_bytes(reading, reading->sealed, size);
    return status != ST_OK
               ? status
               : escrow_part(&reading->opening, &body, reading->plain,
                             slice_of(reading->sealed, size));
}

static enum status read_escrow(struct escrow_reading *reading,
                               const struct keyfile *recovery)
{
    uint8_t bytes[ESCROW_HEADER_SIZE];
    enum status status = read_bytes(reading, bytes, sizeof bytes);

    if (status == ST_TORN_TAIL)
        return ST_FILE_FORMAT;
    if (status != ST_OK || recovery == NULL)
        return status != ST_OK
                   ? status
                   : escrow_header_decode(&reading->header,
                                          slice_of(bytes, sizeof bytes));
    status = escrow_open(&reading->opening, &reading->header,
                         slice_of(bytes, sizeof bytes), recovery);
    while (status == ST_OK && !reading->opening.ended)
        status = read_part(reading);
    if (status == ST_OK && fgetc(reading->file) != EOF)
        status = ST_TRAILING;
    return status;
}

/* How it looked, what it is called, and the exit status: without the recovery
 * key nobody can tell an escrow from any bytes behind a header. */
static void show_verdict(const char *verdict, const char *found, bool json)
{
    printf(json ? "{\"verdict\":\"%s\",\"found\":\"%s\"" : "%s: %s\n", verdict,
           found);
}

static void show_print(const struct escrow_reading *reading, bool json)
{
    const struct escrow_header *header = &reading->header;
    const struct escrow_opening *opening = &reading->opening;
    char hex[2 * PUBLIC_KEY_SIZE + 1];

    (void)sodium_bin2hex(hex, sizeof hex, header->recovery_key,
                         PUBLIC_KEY_SIZE);
    if (opening->ended)
        show_verdict("good", "all of it opens", json);
    else
        show_verdict("incomplete",
                     "nothing was checked, only the header was read: give "
                     "--recovery-key",
                     json);
    printf(json ? ",\"recovery_key\":\"%s\",\"size\":%" PRIu64
                  ",\"snapshot\":%" PRIu64 ",\"made_at_us\":%" PRId64
                : "recovery_key  %s\nsize          %" PRIu64
                  "\nsnapshot      %" PRIu64 "\nmade_at_us    %" PRId64 "\n",
           hex, header->size, header->snapshot, header->made_at);
    if (opening->ended)
        printf(json ? ",\"keys\":%" PRIu64 ",\"snapshot_bytes\":%" PRIu64
                    : "keys          %" PRIu64 "\nsnapshot_bytes %" PRIu64 "\n",
               opening->rows_count, opening->snapshot_size);
    if (json)
        puts("}");
}

/* A file of another key, or that cannot be read, was not judged. */
static int show_code(enum status status)
{
    return status == ST_SEAL || status == ST_TORN_TAIL ||
                   status == ST_TRAILING || status == ST_FILE_FORMAT
               ? EXIT_REFUSED
               : EXIT_USAGE;
}

static const char *show_why(enum status status)
{
    if (status == ST_WRONG_ENV)
        return "it is of another cluster than the recovery key";
    if (status == ST_KEY_TYPE)
        return "it is sealed to another recovery key";
    if (status == ST_SEAL)
        return "it was changed";
    if (status == ST_TORN_TAIL)
        return "it is cut off";
    if (status == ST_NO_FILE)
        return "it is not there, no plain file, or may not be read";
    if (status == ST_DISK_FAILED)
        return "it cannot be read: its disk is at fault";
    if (status == ST_TRAILING)
        return "something stands behind it";
    return status_info(status)->english;
}

static int show_failed(const char *path, enum status status, bool json)
{
    int code = show_code(status);

    if (json) {
        show_verdict(code == EXIT_REFUSED ? "tampered" : "unjudged",
                     show_why(status), true);
        puts("}");
    }
    return program_fail(code, "%s: %s", path, show_why(status));
}

static int show_file(const char *path, const struct keyfile *recovery,
                     bool json)
{
    struct escrow_reading *reading = sodium_malloc(sizeof *reading);
    enum status status = ST_NO_FILE;
    int code = EXIT_GOOD;

    if (reading == NULL)
        return program_fail(EXIT_USAGE, "no memory for %s", path);
    memset(reading, 0, sizeof *reading);
    reading->file = file_open(path);
    if (reading->file != NULL) {
        status = read_escrow(reading, recovery);
        (void)fclose(reading->file);
    }
    if (status == ST_OK)
        show_print(reading, json);
    if (status != ST_OK)
        code = show_failed(path, status, json);
    else if (recovery == NULL)
        code = EXIT_INCOMPLETE;
    sodium_free(reading); /* Wipes it. */
    return code;
}

static int show_run(struct program *program, int argc, char **argv)
{
    static const struct option names[] = {
        {"recovery-key", required_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    struct keyfile recovery = {0};
    const char *key = NULL;
    bool json = program->json;
    enum status status;
    int option, code;

    optind = 0;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'k')
            key = optarg;
        else if (option == 'j')
            json = true;
        else
            return program_usage("archive");
    }
    if (argc - optind != 1)
        return program_usage("archive");
    if (key == NULL)
        return show_file(argv[optind], NULL, json);
    status = file_read_key(&recovery, key, KEYFILE_RECOVERY);
    if (status != ST_OK) {
        if (json)
            puts(
                "{\"verdict\":\"unjudged\",\"found\":\"the recovery key cannot "
                "be read\"}");
        return program_fail(EXIT_USAGE, "%s: %s", key,
                            status_info(status)->english);
    }
    code = show_file(argv[optind], &recovery, json);
    keyfile_wipe(&recovery);
    return code;
}

int archive_escrow_run(struct program *program, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "key") == 0)
        return key_run(program, argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "show") == 0)
        return show_run(program, argc - 1, argv + 1);
    return program_usage("archive");
}
