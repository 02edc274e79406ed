/* ctest-timeout: 600 */
/* ctest-label: release */
/* Whatever single bit of a small log, tree or proof is another, the verifier
 * says so, and says where. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "client/export/tiles_export.h"
#include "protocol/lines.h"
#include "protocol/tlog_proof.h"
#include "tests/lib/flip.h"
#include "tests/lib/quick_folder.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum {
    TEST_SEGMENT_SIZE = SEGMENT_HEADER_SIZE + 1024,
    TEST_FILE_SIZE_MAX = 8192,
    TEST_PATH_SIZE = 256,
    TEST_TIME_S = 1800000000
};

static char base[QUICK_FOLDER_SIZE];
static struct signed_log made;
static struct report report;
static struct verify_options options;
static uint8_t bytes[TEST_FILE_SIZE_MAX];
static char policy_path[TEST_PATH_SIZE];

static void path_of(char out[TEST_PATH_SIZE], const char *name)
{
    (void)snprintf(out, TEST_PATH_SIZE, "%s/%s", base, name);
}

static void write_file(const char *name, struct slice content)
{
    char path[TEST_PATH_SIZE];
    FILE *file;

    path_of(path, name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content.data, 1, content.size, file),
                      content.size);
    fclose(file);
}

static size_t read_file(const char *name)
{
    char path[TEST_PATH_SIZE];
    FILE *file;
    size_t size;

    path_of(path, name);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(size, sizeof bytes);
    fclose(file);
    return size;
}

static struct slice note(uint8_t *out, size_t size)
{
    struct checkpoint checkpoint = {.origin = slice_of("test", 4),
                                    .size = made.count};
    struct note_key key, witness_key;
    struct identity witness;
    struct writer writer;
    struct slice text;

    signed_log_key(&witness, 0x77);
    signed_log_root(&made, checkpoint.root, made.count);
    note_key_init(&key, checkpoint.origin, NOTE_ED25519,
                  made.authority.public_key);
    note_key_init(&witness_key, slice_of("w", 1), NOTE_COSIGNATURE,
                  witness.public_key);
    writer_init(&writer, out, size);
    checkpoint_write(&writer, &checkpoint);
    text = writer_slice(&writer);
    writer_init(&writer, out, size);
    checkpoint_sign(&writer, &checkpoint, &key, &made.authority);
    checkpoint_cosign_line(&writer, slice_of(out, text.size), &witness_key,
                           &witness, TEST_TIME_S);
    ck_assert_int_eq(writer.status, ST_OK);

    uint8_t policy[1024];
    struct writer trusted;

    writer_init(&trusted, policy, sizeof policy);
    lines_write(&trusted, "log ");
    note_key_write(&trusted, &key);
    lines_write(&trusted, "\nwitness w ");
    note_key_write(&trusted, &witness_key);
    lines_write(&trusted, "\nquorum w\n");
    write_file("policy", writer_slice(&trusted));
    return writer_slice(&writer);
}

/* A log of two segments, its checkpoint, its tree, a proof of entry 3. */
static void setup(void)
{
    struct op_system_secret secret = {.secret = {{1}}};
    struct tiles_export_options exporting = {.threads = 1};
    char path[TEST_PATH_SIZE], tree[TEST_PATH_SIZE];
    uint8_t note_bytes[1024];

    ck_assert_int_ge(sodium_init(), 0);
    quick_folder(base, "flips");
    path_of(path, "log");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    signed_log_init(&made);
    signed_log_add(&made, &made.node, OPCODE_SYSTEM_SECRET, 0, &secret, ST_OK);
    signed_log_attest(&made);
    signed_log_ping(&made);
    signed_log_write(&made, path, TEST_SEGMENT_SIZE);
    write_file("checkpoint", note(note_bytes, sizeof note_bytes));
    path_of(tree, "tree");
    exporting.directory = base;
    exporting.target = tree;

    struct tiles_export_result result;

    ck_assert_int_eq(tiles_export(&result, &exporting), ST_OK);
    memset(&options, 0, sizeof options);
    options.threads = 1;
    path_of(policy_path, "policy");
    options.policy = policy_path;
}

static void teardown(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", base);
    ck_assert_int_eq(system(command), 0);
}

static enum report_verdict judged(void)
{
    ck_assert_int_eq(verify_given(&report, &options), ST_OK);
    return report.verdict;
}

/* Calls ${found} for every bit of the file that was flipped. */
static void flip_all(const char *name,
                     void (*found)(const char *name, size_t at))
{
    size_t size = read_file(name);
    char path[TEST_PATH_SIZE];
    int file;

    path_of(path, name);
    file = open(path, O_WRONLY);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(judged(), REPORT_GOOD);
    for (size_t bit = 0; bit < size * 8; bit += flip_step()) {
        uint8_t byte = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);

        ck_assert_int_eq(pwrite(file, &byte, 1, (off_t)(bit / 8)), 1);
        ck_assert_msg(judged() != REPORT_GOOD, "%s, bit %zu", name, bit);
        found(name, bit / 8);
        ck_assert_int_eq(pwrite(file, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    ck_assert_int_eq(judged(), REPORT_GOOD);
    close(file);
}

/* The same for its name: each is a file that nobody asks for, or another's. */
static void flip_name(const char *folder, const char *name)
{
    char path[TEST_PATH_SIZE], other[TEST_PATH_SIZE], flipped[64];
    struct stat about;

    (void)snprintf(path, sizeof path, "%s/%s/%s", base, folder, name);
    for (size_t bit = 0; bit < strlen(name) * 8; bit++) {
        (void)snprintf(flipped, sizeof flipped, "%s", name);
        flipped[bit / 8] = (char)(flipped[bit / 8] ^ 1 << bit % 8);
        if (flipped[bit / 8] == '/' || flipped[bit / 8] == '\0')
            continue;
        (void)snprintf(other, sizeof other, "%s/%s/%s", base, folder, flipped);
        if (strcmp(flipped, ".") == 0 || stat(other, &about) == 0)
            continue;
        ck_assert_int_eq(rename(path, other), 0);
        ck_assert_msg(judged() == REPORT_TAMPERED, "%s as %s", path, other);
        ck_assert(report.fault.found);
        ck_assert_str_ne(report.fault.file, "");
        ck_assert_int_eq(rename(other, path), 0);
    }
}

/* ---- A log ------------------------------------------------------------- */

static void found_in_log(const char *name, size_t at)
{
    (void)at;
    ck_assert(report.fault.found);
    ck_assert_msg(strcmp(report.fault.file, strrchr(name, '/') + 1) == 0,
                  "%s is said to be in %s: %s", name, report.fault.file,
                  report.fault.what);
}

/* The name of the segment of that number; the log has it. */
static void segment_name(char out[64], unsigned number)
{
    uint64_t first = 0;
    size_t used = SEGMENT_HEADER_SIZE;
    unsigned at = 0;

    for (uint64_t i = 0; i < made.count && at < number; i++) {
        size_t size = segment_frame_size(made.entries[i].size);

        if (used + size > TEST_SEGMENT_SIZE) {
            at++;
            first = i;
            used = SEGMENT_HEADER_SIZE;
        }
        used += size;
    }
    ck_assert_uint_eq(at, number);
    (void)snprintf(out, 64, "log/%020llu.seg", (unsigned long long)first);
}

static void flip_segment(unsigned number)
{
    char name[64];

    setup();
    options.directory = base;
    options.no_signatures = true; /* The checkpoint covers those as well. */
    segment_name(name, number);
    flip_all(name, found_in_log);
    flip_name("log", name + strlen("log/"));
    teardown();
}

START_TEST(every_bit_of_a_segment_is_found_and_located)
{
    flip_segment(0);
}
END_TEST

START_TEST(every_bit_of_the_last_segment_is_found_and_located)
{
    flip_segment(1);
}
END_TEST

static void found_in_checkpoint(const char *name, size_t at)
{
    (void)name;
    (void)at;
    /* A line that is of no known witness any more is none. */
    if (!report.fault.found) {
        ck_assert_int_eq(report.verdict, REPORT_INCOMPLETE);
        ck_assert_int_eq(report.checkpoints[0].quorum, REPORT_QUORUM_NOT);
        return;
    }
    ck_assert_str_eq(report.fault.file, "checkpoint");
}

START_TEST(every_bit_of_a_checkpoint_is_found_and_located)
{
    setup();
    options.directory = base;
    flip_all("checkpoint", found_in_checkpoint);
    teardown();
}
END_TEST

/* ---- A tree ------------------------------------------------------------ */

static void found_in_tile(const char *name, size_t at)
{
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
    ck_assert_str_eq(report.fault.file, name + strlen("tree/"));
    ck_assert_uint_eq(report.fault.hash, at / HASH_SIZE);
    ck_assert_uint_eq(report.fault.offset, at / HASH_SIZE * HASH_SIZE);
}

static void found_in_bundle(const char *name, size_t at)
{
    uint64_t index = 0, begin = 0;

    while (at >= begin + 2 + made.entries[index].size)
        begin += 2 + made.entries[index++].size;
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
    ck_assert_str_eq(report.fault.file, name + strlen("tree/"));
    ck_assert_msg(report.fault.index == index, "entry %llu, not %llu: %s",
                  (unsigned long long)report.fault.index,
                  (unsigned long long)index, report.fault.what);
    ck_assert_uint_eq(report.fault.offset, begin);
}

static void flip_tree(bool tree_only)
{
    char path[TEST_PATH_SIZE], name[64];
    char width[8];

    setup();
    path_of(path, "tree");
    options.directory = path;
    options.tree_only = tree_only;
    (void)snprintf(width, sizeof width, "%zu", made.count);
    (void)snprintf(name, sizeof name, "tree/tile/0/000.p/%s", width);
    flip_all(name, found_in_tile);
    (void)snprintf(name, sizeof name, "tree/tile/entries/000.p/%s", width);
    flip_all(name, found_in_bundle);
    flip_all("tree/checkpoint", found_in_checkpoint);
    flip_name("tree/tile/0/000.p", width);
    flip_name("tree/tile/0", "000.p");
    flip_name("tree/tile", "0");
    flip_name("tree/tile/entries/000.p", width);
    flip_name("tree/tile/entries", "000.p");
    flip_name("tree/tile", "entries");
    flip_name("tree", "checkpoint");
    teardown();
}

START_TEST(every_bit_of_a_tree_is_found_and_located)
{
    flip_tree(false);
}
END_TEST

START_TEST(every_bit_of_a_tree_is_found_by_the_tree_alone)
{
    flip_tree(true);
}
END_TEST

/* ---- A proof ----------------------------------------------------------- */

static void found_in_proof(const char *name, size_t at)
{
    (void)name;
    (void)at;
    if (!report.fault.found) {
        ck_assert_int_eq(report.verdict, REPORT_INCOMPLETE);
        ck_assert(report.checkpoints[0].quorum == REPORT_QUORUM_NOT);
        return;
    }
    ck_assert_str_eq(report.fault.file, options.directory);
}

START_TEST(every_bit_of_a_proof_is_found)
{
    uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];
    uint8_t note_bytes[1024], extra[4096], out[8192];
    struct tree_leaves all = {.hashes = (const uint8_t(*)[HASH_SIZE])leaves,
                              .count = made.count};
    struct tree_source source = {.context = &all, .read = tree_leaves_read};
    struct tlog_proof proof = {.index = 3};
    struct writer writer;
    char path[TEST_PATH_SIZE];

    setup();
    all.count = made.count;
    for (size_t i = 0; i < made.count; i++)
        entry_leaf_hash(leaves[i],
                        slice_of(made.entries[i].bytes, made.entries[i].size));
    ck_assert_int_eq(tree_inclusion_make(proof.hashes, &proof.count, &source,
                                         proof.index, made.count),
                     ST_OK);
    proof.note = note(note_bytes, sizeof note_bytes);
    writer_init(&writer, extra, sizeof extra);
    lines_write_base64(&writer, made.entries[3].bytes, made.entries[3].size);
    proof.extra = writer_slice(&writer);
    writer_init(&writer, out, sizeof out);
    tlog_proof_write(&writer, &proof);
    ck_assert_int_eq(writer.status, ST_OK);
    write_file("a.tlog-proof", writer_slice(&writer));
    path_of(path, "a.tlog-proof");
    options.directory = path;
    flip_all("a.tlog-proof", found_in_proof);
    teardown();
}
END_TEST

SUITE_MAIN("flips", every_bit_of_a_segment_is_found_and_located,
           every_bit_of_the_last_segment_is_found_and_located,
           every_bit_of_a_checkpoint_is_found_and_located,
           every_bit_of_a_tree_is_found_and_located,
           every_bit_of_a_tree_is_found_by_the_tree_alone,
           every_bit_of_a_proof_is_found)
