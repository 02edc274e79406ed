/* fuzz-runs: 500
 *
 * fz_tree.c: a tiles tree and a file of receipts, of which somebody wrote one
 * anew.  The verifier says something; a tree whose entries or hashes are others
 * is good only with a checkpoint that its log signed over them.
 *
 * The first byte chooses the file (0 the checkpoint, 1 the entries, 2 the
 * hashes, 3 receipts); bit 2, hashes and checkpoint are made to fit the
 * entries.  The rest takes its place.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/checkpoint.h"
#include "protocol/tiles.h"
#include "tests/lib/signed_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FILE_CHECKPOINT,
    FILE_ENTRIES,
    FILE_HASHES,
    FILE_RECEIPTS,
    FILES_COUNT,
    CHOICE_FIT = 4,
    PINGS = 3,
    FUZZ_SIZE_MAX = 64 * 1024,
    PATH_SIZE = 96
};

/* The size of the tree is part of the names. */
static const char *const names[FILES_COUNT] = {
    "checkpoint", "tile/entries/000.p/5", "tile/0/000.p/5", "receipts"};
static const char *const folders[] = {
    "tile", "tile/entries", "tile/entries/000.p", "tile/0", "tile/0/000.p"};

static char directory[] = "/tmp/defter-fuzz-XXXXXX";
static struct signed_log made;
static struct file {
    uint8_t bytes[FUZZ_SIZE_MAX];
    size_t size;
} good[FILES_COUNT], now[FILES_COUNT];

static void end(void)
{
    char command[sizeof directory + 16];

    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    MAYBE(system(command) == 0);
}

static void path_of(char out[PATH_SIZE], const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", directory, name);
}

/* ---- The good tree ------------------------------------------------------- */

static void write_checkpoint(struct file *file, uint8_t leaves[][HASH_SIZE])
{
    struct checkpoint checkpoint = {.origin = slice_of("test", 4),
                                    .size = made.count};
    struct note_key key;
    struct writer writer;

    note_key_init(&key, checkpoint.origin, NOTE_ED25519,
                  made.authority.public_key);
    tree_root_of(checkpoint.root, (const uint8_t(*)[HASH_SIZE])leaves,
                 made.count);
    writer_init(&writer, file->bytes, sizeof file->bytes);
    checkpoint_sign(&writer, &checkpoint, &key, &made.authority);
    INVARIANT(writer.status == ST_OK);
    file->size = writer.used;
}

static void make_good(void)
{
    struct writer entries;
    uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];

    signed_log_init(&made);
    while (made.count < 2 + PINGS)
        signed_log_ping(&made);
    writer_init(&entries, good[FILE_ENTRIES].bytes, FUZZ_SIZE_MAX);
    for (size_t i = 0; i < made.count; i++) {
        struct slice entry =
            slice_of(made.entries[i].bytes, made.entries[i].size);

        tiles_bundle_append(&entries, entry);
        entry_leaf_hash(leaves[i], entry);
        signed_log_receipt(
            &made, good[FILE_RECEIPTS].bytes + i * SIGNED_LOG_RECEIPT_SIZE, i,
            &made.node, false);
    }
    good[FILE_ENTRIES].size = entries.used;
    good[FILE_RECEIPTS].size = made.count * SIGNED_LOG_RECEIPT_SIZE;
    good[FILE_HASHES].size = made.count * HASH_SIZE;
    memcpy(good[FILE_HASHES].bytes, leaves, made.count * HASH_SIZE);
    write_checkpoint(&good[FILE_CHECKPOINT], leaves);
}

static void begin(void)
{
    char path[PATH_SIZE];

    if (made.count > 0)
        return;
    INVARIANT(sodium_init() >= 0 && mkdtemp(directory) != NULL);
    (void)atexit(end);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        path_of(path, folders[i]);
        INVARIANT(mkdir(path, 0700) == 0);
    }
    make_good();
}

/* ---- What somebody made of it -------------------------------------------- */

/* Hashes of as many entries as there are, and a checkpoint over them. */
static void fit(void)
{
    struct slice rest =
        slice_of(now[FILE_ENTRIES].bytes, now[FILE_ENTRIES].size);
    uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];
    struct slice entry;
    size_t count = 0;

    memcpy(leaves, good[FILE_HASHES].bytes, good[FILE_HASHES].size);
    while (count < made.count && tiles_bundle_next(&entry, &rest) == ST_OK)
        entry_leaf_hash(leaves[count++], entry);
    memcpy(now[FILE_HASHES].bytes, leaves, made.count * HASH_SIZE);
    write_checkpoint(&now[FILE_CHECKPOINT], leaves);
}

static void write_files(void)
{
    char path[PATH_SIZE];

    for (int i = 0; i < FILES_COUNT; i++) {
        int out;

        path_of(path, names[i]);
        out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        INVARIANT(out >= 0);
        INVARIANT(write(out, now[i].bytes, now[i].size) ==
                  (ssize_t)now[i].size);
        (void)close(out);
    }
}

static bool is_good(int file)
{
    return slice_equal(slice_of(now[file].bytes, now[file].size),
                       slice_of(good[file].bytes, good[file].size));
}

static void judge(bool with_receipts)
{
    static FILE *nowhere;
    char receipts[PATH_SIZE];
    struct verify_options options = {
        .directory = directory, .no_signatures = true, .threads = 1};
    struct report report;
    enum status status;

    path_of(receipts, names[FILE_RECEIPTS]);
    if (with_receipts)
        options.receipts = receipts;
    status = verify_given(&report, &options);
    INVARIANT(status == ST_OK || status == ST_RECEIPT || status == ST_USAGE ||
              status == ST_TOO_LARGE || status == ST_NO_FILE);
    if (status != ST_OK)
        return;
    INVARIANT(IMPLIES(report.verdict == REPORT_GOOD && is_good(FILE_CHECKPOINT),
                      is_good(FILE_ENTRIES) && is_good(FILE_HASHES)));
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    INVARIANT(nowhere != NULL);
    report_write_text(&report, nowhere);
    report_write_json(&report, nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file;

    if (size < 1 || size - 1 > FUZZ_SIZE_MAX)
        return 0;
    begin();
    memcpy(now, good, sizeof now);
    file = data[0] % FILES_COUNT;
    memcpy(now[file].bytes, data + 1, size - 1);
    now[file].size = size - 1;
    if ((data[0] & CHOICE_FIT) != 0)
        fit();
    write_files();
    judge(file == FILE_RECEIPTS);
    return 0;
}
