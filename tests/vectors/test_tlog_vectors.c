/*
 * Everything in tlog/: what other programs wrote of two small logs, one of
 * "entry-0" to "entry-4" and one of 70 000 such entries.
 */
#include <sodium.h>

#include "protocol/checkpoint.h"
#include "protocol/lines.h"
#include "protocol/tiles.h"
#include "protocol/tlog_proof.h"
#include "protocol/witness_request.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"
#include "tests/lib/vector_file.h"

enum { LARGE = 70000 };

static cJSON *vectors;
static struct tlog_signer log_signer;
static struct tlog_signer witness;
static struct tlog_file file;
static struct note note;
static struct checkpoint checkpoint;
static uint8_t leaves[LARGE][HASH_SIZE];

static void begin(void)
{
    tlog_log(&log_signer);
    tlog_witness(&witness);
    vectors = vector_file_read("tests/vectors/tlog/v.json");
    for (unsigned i = 0; i < LARGE; i++)
        tlog_leaf(leaves[i], i);
}

/* Fails the test unless the file holds these bytes. */
static void expect_file(const char *name, struct slice bytes)
{
    tlog_file_read(&file, name);
    ck_assert_msg(slice_equal(file.slice, bytes), "%s holds other bytes", name);
}

static void expect_key(const char *name, const struct note_key *key)
{
    uint8_t text[NOTE_KEY_SIZE_MAX];
    struct note_key read;
    struct writer writer;

    writer_init(&writer, text, sizeof text);
    note_key_write(&writer, key);
    expect_file(name, writer_slice(&writer));
    ck_assert_int_eq(note_key_read(&read, file.slice), ST_OK);
    ck_assert_mem_eq(&read, key, sizeof read);
}

START_TEST(keys_are_the_published_ones)
{
    begin();
    vector_expect(vectors, "pub", log_signer.key.public_key, PUBLIC_KEY_SIZE);
    vector_expect(vectors, "wpub", witness.key.public_key, PUBLIC_KEY_SIZE);
    ck_assert_str_eq(vector_text(vectors, "origin"), log_signer.key.name);
    ck_assert_str_eq(vector_text(vectors, "wit"), witness.key.name);
    expect_key("log.vkey", &log_signer.key);
    expect_key("witness.vkey", &witness.key);
}
END_TEST

static void expect_checkpoint(const char *name, size_t size, const char *root)
{
    struct checkpoint made = {note_key_name(&log_signer.key), size, {0}};
    uint8_t bytes[TLOG_FILE_SIZE_MAX];
    struct writer writer;
    struct slice text;
    uint64_t time_s;

    tree_root_of(made.root, leaves, size);
    vector_expect(vectors, root, made.root, HASH_SIZE);
    writer_init(&writer, bytes, sizeof bytes);
    checkpoint_write(&writer, &made);
    text = writer_slice(&writer);
    writer_init(&writer, bytes, sizeof bytes);
    checkpoint_sign(&writer, &made, &log_signer.key, &log_signer.identity);
    checkpoint_cosign_line(&writer, text, &witness.key, &witness.identity,
                           TLOG_TIME_S);
    expect_file(name, writer_slice(&writer));

    ck_assert_int_eq(
        checkpoint_open(&checkpoint, &note, file.slice, &log_signer.key),
        ST_OK);
    ck_assert_uint_eq(checkpoint.size, size);
    ck_assert_mem_eq(checkpoint.root, made.root, HASH_SIZE);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key), ST_OK);
    ck_assert_uint_eq(time_s, TLOG_TIME_S);
}

START_TEST(checkpoints_are_signed_and_cosigned_as_published)
{
    begin();
    expect_checkpoint("log5/checkpoint", TLOG_ENTRIES, "root5");
    expect_checkpoint("log70000/checkpoint", LARGE, "root70000");
}
END_TEST

START_TEST(cosigned_message_is_the_published_bytes)
{
    static const char hex[] =
        "636f7369676e61747572652f76310a74696d6520313730303030303030300a72656769"
        "737472792e6578616d706c652f6b6f622d6c6f670a350a4771614e4d485351576c6766"
        "684d7539443355336c4a42503241525276457754357032615537785a5543773d0a";
    uint8_t message[256];
    uint8_t blob[NOTE_KEYID_SIZE + NOTE_SIGNATURE_SIZE_MAX];
    size_t size = hex_decode(message, sizeof message, hex);

    begin();
    ck_assert_int_eq(note_read(&note, tlog_file_read(&file, "log5/checkpoint")),
                     ST_OK);
    ck_assert_int_eq(
        lines_read_exact(blob, sizeof blob, note.signatures[1].base64), ST_OK);
    ck_assert_int_eq(crypto_sign_verify_detached(blob + NOTE_KEYID_SIZE + 8,
                                                 message, size,
                                                 witness.key.public_key),
                     0);
}
END_TEST

/* Reads the hashes of a list in the vectors. */
static size_t read_proof(uint8_t (*proof)[HASH_SIZE], const char *path)
{
    size_t count = 0;
    const cJSON *hash;

    cJSON_ArrayForEach(hash, vector_find(vectors, path))
    {
        ck_assert_uint_lt(count, PROOF_HASHES_MAX);
        ck_assert_uint_eq(
            hex_decode(proof[count++], HASH_SIZE, cJSON_GetStringValue(hash)),
            HASH_SIZE);
    }
    return count;
}

static void expect_inclusion(const char *path, uint64_t index, uint64_t size)
{
    struct tree_leaves all = {leaves, (size_t)size};
    struct tree_source source = {&all, tree_leaves_read};
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t made[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t root[HASH_SIZE];
    size_t count = read_proof(proof, path), made_count;

    ck_assert_int_eq(
        tree_inclusion_make(made, &made_count, &source, index, size), ST_OK);
    ck_assert_uint_eq(made_count, count);
    ck_assert_mem_eq(made, proof, count * HASH_SIZE);
    tree_root_of(root, leaves, (size_t)size);
    ck_assert_int_eq(
        tree_inclusion_check(leaves[index], index, size, root, proof, count),
        ST_OK);
}

static void expect_consistency(const char *path, uint64_t older,
                               const char *older_root, uint64_t newer)
{
    struct tree_leaves all = {leaves, (size_t)newer};
    struct tree_source source = {&all, tree_leaves_read};
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t made[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t roots[2][HASH_SIZE];
    size_t count = read_proof(proof, path), made_count;

    ck_assert_int_eq(
        tree_consistency_make(made, &made_count, &source, older, newer), ST_OK);
    ck_assert_uint_eq(made_count, count);
    ck_assert_mem_eq(made, proof, count * HASH_SIZE);
    tree_root_of(roots[0], leaves, (size_t)older);
    tree_root_of(roots[1], leaves, (size_t)newer);
    vector_expect(vectors, older_root, roots[0], HASH_SIZE);
    ck_assert_int_eq(
        tree_consistency_check(older, roots[0], newer, roots[1], proof, count),
        ST_OK);
}

START_TEST(proofs_are_the_published_ones)
{
    begin();
    expect_inclusion("inc2", 2, TLOG_ENTRIES);
    expect_inclusion("inc_69999", LARGE - 1, LARGE);
    expect_consistency("cons3", 3, "root3", TLOG_ENTRIES);
    expect_consistency("cons_300", 300, "root300", LARGE);
}
END_TEST

/* Writes the tile's hashes of the log of ${count} entries. */
static struct slice make_tile(uint8_t *out, const struct tile *tile,
                              size_t count)
{
    struct tree_leaves all = {leaves, count};
    struct tree_source source = {&all, tree_leaves_read};
    struct writer writer;

    writer_init(&writer, out, TILE_WIDTH_MAX * HASH_SIZE);
    ck_assert_int_eq(tiles_write(&writer, tile, &source), ST_OK);
    return writer_slice(&writer);
}

START_TEST(tiles_of_five_entries_are_the_published_files)
{
    uint8_t bytes[TILE_WIDTH_MAX * HASH_SIZE];
    char entry[] = "entry-0", path[TILE_PATH_SIZE_MAX + 8] = "log5/";
    struct tiles_walk walk;
    struct tile tile;
    struct writer writer;

    begin();
    tiles_walk_init(&walk, 0, TLOG_ENTRIES);
    ck_assert(tiles_walk_next(&walk, &tile));
    writer_init(&writer, path + 5, TILE_PATH_SIZE_MAX);
    tiles_path_write(&writer, &tile);
    writer_init(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < tile.width; i++) {
        entry[6] = (char)('0' + i);
        tiles_bundle_append(&writer, slice_of(entry, strlen(entry)));
    }
    expect_file(path, writer_slice(&writer));

    ck_assert(tiles_walk_next(&walk, &tile));
    memset(path + 5, 0, TILE_PATH_SIZE_MAX);
    writer_init(&writer, path + 5, TILE_PATH_SIZE_MAX);
    tiles_path_write(&writer, &tile);
    expect_file(path, make_tile(bytes, &tile, TLOG_ENTRIES));
    ck_assert(!tiles_walk_next(&walk, &tile));
}
END_TEST

START_TEST(tile_with_a_changed_byte_does_not_give_the_signed_root)
{
    uint8_t root[HASH_SIZE];

    begin();
    ck_assert_int_eq(checkpoint_open(&checkpoint, &note,
                                     tlog_file_read(&file, "log5/checkpoint"),
                                     &log_signer.key),
                     ST_OK);
    for (unsigned i = 0; i < 2; i++) {
        static struct tlog_file tile;
        uint8_t hashes[TLOG_ENTRIES][HASH_SIZE];

        tlog_file_read(&tile,
                       i == 0 ? "log5/tile/0/000.p/5" : "bad/tile/0/000.p/5");
        ck_assert_uint_eq(tile.slice.size, sizeof hashes);
        memcpy(hashes, tile.bytes, sizeof hashes);
        tree_root_of(root, hashes, TLOG_ENTRIES);
        ck_assert((memcmp(root, checkpoint.root, HASH_SIZE) == 0) == (i == 0));
    }
}
END_TEST

START_TEST(root_of_70000_entries_follows_from_their_upper_tiles)
{
    static const struct tile rest[] = {{0, 273, 112}, {1, 1, 17}, {2, 0, 1}};
    static uint8_t hashes[3][TILE_WIDTH_MAX][HASH_SIZE];
    uint8_t root[HASH_SIZE], part[HASH_SIZE];

    begin();
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[TILE_WIDTH_MAX * HASH_SIZE];
        struct slice tile = make_tile(bytes, &rest[i], LARGE);

        ck_assert_uint_eq(tile.size, rest[i].width * (size_t)HASH_SIZE);
        memcpy(hashes[i], tile.data, tile.size);
    }
    /* From the right: 112 entries; 17 tiles, of which 16 are a subtree; 256. */
    tree_root_of(root, hashes[0], 112);
    tree_node_hash(root, hashes[1][16], root);
    tree_root_of(part, hashes[1], 16);
    tree_node_hash(root, part, root);
    tree_node_hash(root, hashes[2][0], root);
    vector_expect(vectors, "root70000", root, HASH_SIZE);
}
END_TEST

/* The checkpoint of 5 entries, with or without the witness's line. */
static struct slice small_note(uint8_t *out, bool cosigned)
{
    struct checkpoint made = {
        note_key_name(&log_signer.key), TLOG_ENTRIES, {0}};
    struct writer writer;

    tree_root_of(made.root, leaves, TLOG_ENTRIES);
    writer_init(&writer, out, TLOG_FILE_SIZE_MAX);
    checkpoint_sign(&writer, &made, &log_signer.key, &log_signer.identity);
    if (cosigned) {
        ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
        checkpoint_cosign_line(&writer, note.text, &witness.key,
                               &witness.identity, TLOG_TIME_S);
    }
    return writer_slice(&writer);
}

START_TEST(proof_and_witness_request_are_the_published_files)
{
    static struct tlog_proof proof;
    static struct witness_request request;
    uint8_t signed_note[TLOG_FILE_SIZE_MAX], bytes[TLOG_FILE_SIZE_MAX];
    struct writer writer;

    begin();
    proof.index = 2;
    proof.count = read_proof(proof.hashes, "inc2");
    proof.note = small_note(signed_note, true);
    writer_init(&writer, bytes, sizeof bytes);
    tlog_proof_write(&writer, &proof);
    expect_file("log5.tlog-proof", writer_slice(&writer));

    request.older = 3;
    request.count = read_proof(request.hashes, "cons3");
    request.bytes = small_note(signed_note, false);
    writer_init(&writer, bytes, sizeof bytes);
    witness_request_write(&writer, &request);
    expect_file("add-checkpoint.req", writer_slice(&writer));
}
END_TEST

SUITE_MAIN("tlog vectors", keys_are_the_published_ones,
           checkpoints_are_signed_and_cosigned_as_published,
           cosigned_message_is_the_published_bytes,
           proofs_are_the_published_ones,
           proof_and_witness_request_are_the_published_files,
           tiles_of_five_entries_are_the_published_files,
           tile_with_a_changed_byte_does_not_give_the_signed_root,
           root_of_70000_entries_follows_from_their_upper_tiles)
