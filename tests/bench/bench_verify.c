/*
 * bench_verify: how fast a log is verified, beside what this machine's SHA-256
 * and Ed25519 allow.
 *
 *   bench_verify [LOG] ...
 *   bench_verify --large ENTRIES
 *
 * Without a log, two are made and removed again: one of single commands, one
 * of commands of 64 items; each is exported as a tree of tiles as well, and
 * proofs are made and checked.  A large log is verified by its hashes alone,
 * and exported.  The limit is the time that libsodium needs for what
 * no verifier can leave out, on one core and on all of them: SHA-256 of every
 * leaf and of the tree's nodes; with signatures also of the items' leaves and
 * nodes, and one Ed25519 verification an entry.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "client/export/tiles_export.h"
#include "tests/lib/long_log.h"

enum {
    HASHED_SIZE = 64 * 1024 * 1024,
    SIGNATURES = 4000,
    ENTRIES = 100000,
    BATCHES = 4000,
    BATCH_ITEMS = 64,
    FIELDS_SIZE = 200, /* About a section's record. */
    CORES_MAX = 64,
    PROOFS = 20000,
    PROOFS_STEP = 100003,
    PROOFS_SIZE = 1000003,
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

static void make_log(struct long_log *log, const char *directory,
                     uint64_t entries, size_t items)
{
    struct long_log_options options = {.directory = directory,
                                       .size = entries,
                                       .items = items,
                                       .fields_size = FIELDS_SIZE,
                                       .segment_size = SEGMENT_SIZE};

    long_log_make(log, &options);
}

static void remove_tree(const char *directory)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    if (system(command) != 0)
        abort();
}

static int rounds = ROUNDS;

/* ---- Verifying ------------------------------------------------------------
 */

static double verified(struct report *report, const char *directory,
                       bool no_signatures, unsigned threads)
{
    struct verify_options options = {.directory = directory,
                                     .no_signatures = no_signatures,
                                     .threads = threads};
    double best = 1e9;

    for (int round = 0; round < rounds; round++) {
        double begun = seconds(), took;

        if (verify_given(report, &options) != ST_OK) {
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
    took = verified(&report, directory, false, 1);
    line(&report, "and signatures, one", took, limits);
    took = verified(&report, directory, false, 0);
    line(&report, "and signatures", took, limits);
}

/* ---- Proofs and trees ------------------------------------------------------
 */

/* From the hashes of all complete subtrees in memory, as a node has them. */
struct subtrees {
    uint8_t (*levels[TREE_HEIGHT_MAX])[HASH_SIZE];
};

static enum status read_subtree(void *context, uint8_t out[HASH_SIZE],
                                unsigned level, uint64_t index)
{
    const struct subtrees *trees = context;

    memcpy(out, trees->levels[level][index], HASH_SIZE);
    return ST_OK;
}

static void fill_subtrees(struct subtrees *trees, uint64_t size)
{
    for (unsigned level = 0; size >> level > 0; level++) {
        uint64_t count = size >> level;

        trees->levels[level] = calloc(count, HASH_SIZE);
        if (trees->levels[level] == NULL)
            abort();
        for (uint64_t i = 0; i < count; i++) {
            if (level == 0)
                store_u64(trees->levels[0][i], i * 0x9e3779b97f4a7c15);
            else
                tree_node_hash(trees->levels[level][i],
                               trees->levels[level - 1][2 * i],
                               trees->levels[level - 1][2 * i + 1]);
        }
    }
}

static void bench_proofs(uint64_t size)
{
    static struct subtrees trees;
    struct tree_source source = {.context = &trees, .read = read_subtree};
    static uint8_t proofs[PROOFS][PROOF_HASHES_MAX][HASH_SIZE];
    static size_t counts[PROOFS];
    uint8_t root[HASH_SIZE];
    double begun, made, checked;
    struct tree tree;

    fill_subtrees(&trees, size);
    tree_init(&tree);
    for (uint64_t i = 0; i < size; i++)
        tree_append(&tree, trees.levels[0][i]);
    tree_root(&tree, root);
    begun = seconds();
    for (uint64_t i = 0; i < PROOFS; i++) {
        if (tree_inclusion_make(proofs[i], &counts[i], &source,
                                i * PROOFS_STEP % size, size) != ST_OK)
            abort();
    }
    made = seconds() - begun;
    begun = seconds();
    for (uint64_t i = 0; i < PROOFS; i++) {
        uint64_t index = i * PROOFS_STEP % size;

        if (tree_inclusion_check(trees.levels[0][index], index, size, root,
                                 (const uint8_t(*)[HASH_SIZE])proofs[i],
                                 counts[i]) != ST_OK)
            abort();
    }
    checked = seconds() - begun;
    printf("inclusion in %llu entries: %8.0f proofs/s made, %8.0f checked, one "
           "core\n",
           (unsigned long long)size, PROOFS / made, PROOFS / checked);
    for (unsigned level = 0; level < TREE_HEIGHT_MAX; level++)
        free(trees.levels[level]);
}

static void bench_tree(const struct limits *limits, const struct long_log *log,
                       const char *directory)
{
    char base[] = "/tmp/defter-bench-XXXXXX";
    char note[64], target[64];
    struct tiles_export_options options = {
        .directory = directory, .checkpoint = note, .target = target};
    struct tiles_export_result result;
    struct report report;
    double begun, took;

    if (mkdtemp(base) == NULL)
        abort();
    (void)snprintf(note, sizeof note, "%s/checkpoint", base);
    (void)snprintf(target, sizeof target, "%s/tree", base);
    long_log_checkpoint(log, note);
    begun = seconds();
    if (tiles_export(&result, &options) != ST_OK)
        abort();
    took = seconds() - begun;
    printf("  exported as tiles       %8.0f entries/s %5.0f MB/s, %llu files, "
           "synced\n",
           (double)result.size / took, (double)result.bytes_count / took / 1e6,
           (unsigned long long)result.files_count);
    begun = seconds();
    if (tiles_export(&result, &options) != ST_OK || result.files_count != 0)
        abort();
    took = seconds() - begun;
    printf("  exported, nothing new   %8.0f entries/s\n",
           (double)result.size / took);
    took = verified(&report, target, true, 0);
    line(&report, "tree, hashes", took, limits);
    remove_tree(base);
}

static void bench_made(const struct limits *limits, size_t entries,
                       size_t items, const char *name)
{
    char directory[] = "/tmp/defter-bench-XXXXXX";
    static struct long_log log;

    if (mkdtemp(directory) == NULL)
        abort();
    make_log(&log, directory, entries, items);
    bench(limits, directory, name);
    bench_tree(limits, &log, directory);
    remove_tree(directory);
}

/* A log of decades, by its hashes alone. */
static void bench_large(const struct limits *limits, uint64_t entries)
{
    char directory[] = "/tmp/defter-bench-XXXXXX";
    static struct long_log log;
    struct report report;
    double begun, took;

    if (mkdtemp(directory) == NULL)
        abort();
    rounds = 1;
    begun = seconds();
    make_log(&log, directory, entries, 1);
    printf("made in %.0f s\n", seconds() - begun);
    took = verified(&report, directory, true, 0);
    printf("%llu entries in %.1f s\n", (unsigned long long)report.entries,
           took);
    line(&report, "hashes", took, limits);
    bench_tree(limits, &log, directory);
    remove_tree(directory);
}

int main(int argc, char **argv)
{
    struct limits limits;

    if (sodium_init() < 0)
        return 1;
    limits = measure();
    if (argc == 3 && strcmp(argv[1], "--large") == 0) {
        bench_large(&limits, strtoull(argv[2], NULL, 10));
        return 0;
    }
    for (int i = 1; i < argc; i++)
        bench(&limits, argv[i], argv[i]);
    if (argc == 1) {
        bench_made(&limits, ENTRIES, 1, "single commands");
        bench_made(&limits, BATCHES, BATCH_ITEMS, "batches");
        bench_proofs(PROOFS_SIZE);
    }
    return 0;
}
