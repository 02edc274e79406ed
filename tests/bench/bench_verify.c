/*
 * bench_verify: how fast a log is verified, beside what this machine's SHA-256
 * and Ed25519 allow.
 *
 *   bench_verify [LOG] ...
 *
 * Without a log, two are made and removed again: one of single commands, one
 * of commands of 64 items.  The limit is the time that libsodium needs for what
 * no verifier can leave out, on one core and on all of them: SHA-256 of every
 * leaf and of the tree's nodes; with signatures also of the items' leaves and
 * nodes, and one Ed25519 verification an entry.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/catalogue.h"
#include "protocol/command_build.h"
#include "protocol/segment.h"
#include "tests/lib/signed_log.h"

enum {
    HASHED_SIZE = 64 * 1024 * 1024,
    SIGNATURES = 4000,
    ENTRIES = 100000,
    BATCHES = 4000,
    BATCH_ITEMS = 64,
    FIELDS_SIZE = 200, /* About a section's record. */
    ATTESTED = 256,
    CORES_MAX = 64,
    ROUNDS = 3
};

static uint8_t *hashed;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- The machine ----------------------------------------------------------
 */

struct limits {
    double hash_one;      /* Bytes a second, on one core. */
    double hash_all;      /* On all. */
    double signature_one; /* A second. */
    double signature_all;
    long cores;
};

static void *hash_all(void *unused)
{
    uint8_t out[HASH_SIZE];

    crypto_hash_sha256(out, hashed, HASHED_SIZE);
    return unused;
}

static void *verify_all(void *unused)
{
    uint8_t message[COMMAND_SIGNED_SIZE] = {1};
    uint8_t signature[SIGNATURE_SIZE];
    struct identity key;

    signed_log_key(&key, 1);
    crypto_sign_detached(signature, NULL, message, sizeof message, key.secret);
    for (int i = 0; i < SIGNATURES; i++) {
        if (crypto_sign_verify_detached(signature, message, sizeof message,
                                        key.public_key) != 0)
            abort();
    }
    return unused;
}

/* The time that ${count} threads need, each for the whole work. */
static double timed(long count, void *(*work)(void *))
{
    pthread_t threads[CORES_MAX];
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        double begin = seconds(), took;

        for (long i = 0; i < count; i++) {
            if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                abort();
        }
        for (long i = 0; i < count; i++)
            (void)pthread_join(threads[i], NULL);
        took = seconds() - begin;
        best = took < best ? took : best;
    }
    return best;
}

static struct limits measure(void)
{
    struct limits limits = {.cores = sysconf(_SC_NPROCESSORS_ONLN)};

    if (limits.cores > CORES_MAX)
        limits.cores = CORES_MAX;
    hashed = calloc(1, HASHED_SIZE);
    if (hashed == NULL)
        abort();
    memset(hashed, 7, HASHED_SIZE);
    limits.hash_one = HASHED_SIZE / timed(1, hash_all);
    limits.hash_all =
        HASHED_SIZE * (double)limits.cores / timed(limits.cores, hash_all);
    limits.signature_one = SIGNATURES / timed(1, verify_all);
    limits.signature_all =
        SIGNATURES * (double)limits.cores / timed(limits.cores, verify_all);
    free(hashed);
    printf("SHA-256      %8.0f MB/s on one core, %8.0f MB/s on all %ld\n"
           "Ed25519      %8.0f /s   on one core, %8.0f /s   on all\n",
           limits.hash_one / 1e6, limits.hash_all / 1e6, limits.cores,
           limits.signature_one, limits.signature_all);
    return limits;
}

/* ---- Logs -----------------------------------------------------------------
 */

struct writing {
    struct signed_log head; /* Genesis and keys. */
    const char *directory;
    uint8_t *segment;
    struct segment_header header;
    size_t used;
    uint64_t index;
    uint64_t attested;
    uint8_t leaf[HASH_SIZE];
    int64_t log_time;
};

static void flush(struct writing *writing)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%020llu.seg", writing->directory,
                   (unsigned long long)writing->header.first_index);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(writing->segment, SEGMENT_SIZE, 1, file) != 1 ||
        fclose(file) != 0)
        abort();
}

static void begin(struct writing *writing)
{
    memset(writing->segment, 0, SEGMENT_SIZE);
    writing->header = (struct segment_header){.first_index = writing->index,
                                              .segment_size = SEGMENT_SIZE};
    memcpy(writing->header.previous, writing->leaf, HASH_SIZE);
    segment_header_encode(writing->segment, &writing->header);
    writing->used = SEGMENT_HEADER_SIZE;
}

static void put(struct writing *writing, struct slice entry)
{
    if (segment_frame_size(entry.size) > SEGMENT_SIZE - writing->used) {
        flush(writing);
        begin(writing);
    }
    segment_frame_encode(writing->segment + writing->used, entry);
    writing->used += segment_frame_size(entry.size);
    entry_leaf_hash(writing->leaf, entry);
    writing->index++;
}

static void add(struct writing *writing, uint16_t opcode, size_t items,
                struct slice fields)
{
    static uint8_t body_bytes[ENTRY_SIZE_MAX], out[ENTRY_SIZE_MAX];
    static struct command_item parsed[ITEMS_MAX];
    static struct entry_seal seals[ITEMS_MAX];
    static const uint8_t key[KEY_SIZE] = {1};
    struct command_header header = {
        .idem = {1}, .signed_at = ++writing->log_time, .ttl_s = TTL_S_DEFAULT};
    struct command_policy policy = {.env_tag = writing->head.cluster_id[0],
                                    .system = true,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = ITEMS_MAX};
    struct entry_place place = {.category = operation_info(opcode)->category,
                                .epoch = 1,
                                .index = writing->index,
                                .log_time = writing->log_time};
    struct item_clear clear = {.opcode = opcode, .version = 1};
    struct command_build build;
    struct command command;
    struct slice body;
    size_t size;

    memcpy(place.previous, writing->leaf, HASH_SIZE);
    command_build_begin(&build, body_bytes, sizeof body_bytes, &header);
    for (size_t i = 0; i < items; i++) {
        bool open = operation_info(opcode)->seal == SEAL_OPEN;
        uint8_t salt[SALT_SIZE] = {(uint8_t)i};

        command_build_item(&build, &clear, salt, fields);
        seals[i].number = open ? 0 : (UINT64_C(1) << 32) + 1;
        seals[i].key = key;
    }
    if (command_build_sign(&build, &body, writing->head.cluster_id,
                           &writing->head.node) != ST_OK ||
        command_decode(&command, parsed, body, &policy) != ST_OK)
        abort();
    command_digest(&command, writing->head.cluster_id);
    size = entry_size(&command, seals);
    entry_encode(out, size, &place, &command, seals);
    put(writing, slice_of(out, size));
}

static void attest(struct writing *writing)
{
    struct op_system_attest fields = {.first = writing->attested,
                                      .last = writing->index - 1};
    uint8_t bytes[256];
    struct writer writer;

    writing->attested = writing->index;
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_system_attest, &writer, &fields);
    add(writing, OPCODE_SYSTEM_ATTEST, 1, writer_slice(&writer));
}

static void make_log(const char *directory, size_t entries, size_t items)
{
    static const uint8_t fields[FIELDS_SIZE];
    struct writing writing = {.directory = directory};

    writing.segment = malloc(SEGMENT_SIZE);
    if (writing.segment == NULL)
        abort();
    signed_log_init(&writing.head);
    writing.log_time = writing.head.log_time;
    begin(&writing);
    for (size_t i = 0; i < writing.head.count; i++)
        put(&writing, slice_of(writing.head.entries[i].bytes,
                               writing.head.entries[i].size));
    for (size_t i = 0; i < entries; i++) {
        add(&writing, OPCODE_SYSTEM_SECRET, items,
            slice_of(fields, sizeof fields));
        if (writing.index - writing.attested >= ATTESTED)
            attest(&writing);
    }
    flush(&writing);
    free(writing.segment);
}

static void remove_log(const char *directory)
{
    DIR *names = opendir(directory);
    const struct dirent *name;

    if (names == NULL)
        return;
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
    (void)rmdir(directory);
}

/* ---- Verifying ------------------------------------------------------------
 */

static double verified(struct report *report, const char *directory,
                       bool no_signatures, unsigned threads)
{
    struct verify_options options = {.directory = directory,
                                     .no_signatures = no_signatures,
                                     .threads = threads};
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        double begun = seconds(), took;

        if (verify_log(report, &options) != ST_OK) {
            fprintf(stderr, "bench_verify: %s: no log\n", directory);
            exit(3);
        }
        took = seconds() - begun;
        best = took < best ? took : best;
    }
    if (report->fault.found)
        fprintf(stderr, "bench_verify: %s: entry %llu: %s\n", directory,
                (unsigned long long)report->fault.index, report->fault.what);
    return best;
}

/* What SHA-256 reads for a message: whole blocks with padding. */
static double padded(double size)
{
    enum { BLOCK = 64, PADDING = 9 };

    return (double)(((uint64_t)size + PADDING + BLOCK - 1) / BLOCK * BLOCK);
}

static double leaf_and_node(double leaf_size)
{
    return padded(1 + leaf_size) + padded(1 + 2 * HASH_SIZE);
}

static void line(const struct report *report, const char *what, double took,
                 const struct limits *limits)
{
    double entries = (double)report->entries;
    double bytes = entries * leaf_and_node((double)report->bytes / entries);
    double one, all;

    if (report->signatures > 0)
        bytes +=
            (double)report->items * leaf_and_node(ITEM_CLEAR_SIZE + HASH_SIZE);
    one = bytes / limits->hash_one +
          (double)report->signatures / limits->signature_one;
    all = bytes / limits->hash_all +
          (double)report->signatures / limits->signature_all;
    printf("  %-24s %8.0f entries/s %8.0f items/s %5.0f MB/s  "
           "%4.0f %% of one core, %4.0f %% of all\n",
           what, entries / took, (double)report->items / took,
           (double)report->bytes / took / 1e6, 100 * one / took,
           100 * all / took);
}

static void bench(const struct limits *limits, const char *directory,
                  const char *name)
{
    struct report report;
    double took = verified(&report, directory, true, 1);

    printf("%s: %llu entries, %.0f bytes and %.1f items each\n", name,
           (unsigned long long)report.entries,
           (double)report.bytes / (double)report.entries,
           (double)report.items / (double)report.entries);
    line(&report, "hashes, one thread", took, limits);
    took = verified(&report, directory, true, 0);
    line(&report, "hashes", took, limits);
    took = verified(&report, directory, false, 0);
    line(&report, "hashes and signatures", took, limits);
}

static void bench_made(const struct limits *limits, size_t entries,
                       size_t items, const char *name)
{
    char directory[] = "/tmp/defter-bench-XXXXXX";

    if (mkdtemp(directory) == NULL)
        abort();
    make_log(directory, entries, items);
    bench(limits, directory, name);
    remove_log(directory);
}

int main(int argc, char **argv)
{
    struct limits limits;

    if (sodium_init() < 0)
        return 1;
    limits = measure();
    for (int i = 1; i < argc; i++)
        bench(&limits, argv[i], argv[i]);
    if (argc == 1) {
        bench_made(&limits, ENTRIES, 1, "single commands");
        bench_made(&limits, BATCHES, BATCH_ITEMS, "batches");
    }
    return 0;
}
