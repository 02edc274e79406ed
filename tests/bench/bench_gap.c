/*
 * bench_gap.c: how long a client has no answer while the primary changes.
 *
 *   bench_gap AUTHORITY-KEY KEY-FILE ADDRESS,ADDRESS... SECONDS
 *
 * One session sends signed commands back to back.  It says `ready` after the
 * first hundred answers, and ends a hundred answers after the epoch changed:
 * with the longest time between two answers, and both epochs.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/defter.h"
#include "protocol/catalogue.h"
#include "protocol/keyfile.h"

enum {
    GAP_ROLE_STAFF = 4,
    GAP_TIMEOUT_MS = 60000,
    GAP_ANSWERS = 100, /* Before it is ready, and after the change. */
    GAP_US_PER_S = 1000000
};

static int64_t gap_now_us(void)
{
    struct timespec now;

    /* It counts on where a machine was suspended. */
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * GAP_US_PER_S + now.tv_nsec / 1000;
}

__attribute__((noreturn)) static void gap_fail(const char *what,
                                               const char *why)
{
    fprintf(stderr, "bench_gap: %s: %s\n", what, why);
    exit(1);
}

static void gap_read_key(struct keyfile *out, const char *path)
{
    uint8_t bytes[KEYFILE_SIZE];
    FILE *file = fopen(path, "rb");

    if (file == NULL || fread(bytes, sizeof bytes, 1, file) != 1 ||
        keyfile_decode(out, slice_of(bytes, sizeof bytes), KEYFILE_SIGNER) !=
            ST_OK)
        gap_fail(path, "not a key");
    (void)fclose(file);
}

static struct defter *gap_open(char **words)
{
    struct defter_options options = {
        .address = words[2],
        .role = GAP_ROLE_STAFF,
        .agent = "bench_gap",
        .timeout_ms = GAP_TIMEOUT_MS,
    };
    struct keyfile key;
    struct defter *client;
    size_t size;
    int status;

    if (sodium_hex2bin(options.authority_key, sizeof options.authority_key,
                       words[0], strlen(words[0]), NULL, &size, NULL) != 0 ||
        size != sizeof options.authority_key)
        gap_fail(words[0], "not a key in hexadecimal digits");
    gap_read_key(&key, words[1]);
    options.key_seed = key.secret;
    status = defter_open(&client, &options);
    keyfile_wipe(&key);
    if (status != 0)
        gap_fail("opening a client", defter_status_name(status));
    return client;
}

/* One command; the epoch that its receipt names. */
static uint64_t gap_call(struct defter *client)
{
    const struct defter_item item = {.opcode = OPCODE_SYSTEM_PING};
    struct op_system_ping fields = {.text = slice_of("gap", 3)};
    struct defter_answer answer;
    struct defter_command *command;
    uint8_t bytes[64];
    struct writer writer;
    int status;

    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_system_ping, &writer, &fields);
    if (defter_command_new(&command, 'P', DEFTER_RECEIPT) != 0 ||
        defter_command_item(command, &item, bytes, writer.used) != 0)
        gap_fail("a command", "cannot be made");
    status = defter_call(client, command, &answer);
    if (status != 0)
        gap_fail(defter_status_name(status), defter_reason(client));
    if (answer.code != 0)
        gap_fail("refused", defter_status_name(answer.code));
    defter_command_free(command);
    return answer.epoch;
}

static void gap_run(struct defter *client, int64_t end_us)
{
    uint64_t first = gap_call(client);
    int64_t last_us = gap_now_us(), longest_us = 0;
    uint64_t epoch = first;
    int before = 0, after = 0;

    while (after < GAP_ANSWERS) {
        int64_t now_us;

        epoch = gap_call(client);
        now_us = gap_now_us();
        if (now_us > end_us)
            gap_fail("the primary", "did not change");
        longest_us =
            now_us - last_us > longest_us ? now_us - last_us : longest_us;
        last_us = now_us;
        after += epoch != first;
        if (++before == GAP_ANSWERS) {
            puts("ready");
            (void)fflush(stdout);
            longest_us = 0; /* What came before is the beginning's. */
        }
    }
    printf("gap_ms %" PRId64 " epochs %" PRIu64 " %" PRIu64 "\n",
           longest_us / 1000, first, epoch);
}

int main(int argc, char **argv)
{
    enum { WORDS = 5 };
    struct defter *client;

    if (argc != WORDS || sodium_init() < 0)
        gap_fail("usage", "AUTHORITY-KEY KEY-FILE ADDRESSES SECONDS");
    client = gap_open(argv + 1);
    gap_run(client, gap_now_us() + atoll(argv[WORDS - 1]) * GAP_US_PER_S);
    defter_close(client);
    return 0;
}
