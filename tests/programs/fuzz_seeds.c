/*
 * fuzz_seeds.c: inputs for the corpora of fuzz targets that the project's own
 * encoders write: configurations, answers, keys and small files of a node.
 *
 *   DIRECTORY=tests/fuzz/corpus fuzz_seeds
 *
 * fuzz_seeds_fields.c writes the others.  The samples assert as tests do, so
 * that they must be made by one.
 */
#include "protocol/answer.h"
#include "replication/halt.h"
#include "replication/mark.h"
#include "replication/meta.h"
#include "server/store/keyring_rows.h"
#include "server/store/snapshot.h"
#include "server/store/state_private.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/rows.h"
#include "tests/lib/seed_file.h"
#include "tests/lib/suite.h"

/* ---- Configurations that entries bring ------------------------------------
 */

/* As fz_config_entry.c reads it. */
static void put_entry(const char *name, uint8_t choice, uint8_t signers,
                      uint8_t epochs, struct slice held, struct slice brought,
                      struct slice certificate)
{
    seed_begin();
    writer_u8(&seed, choice);
    writer_u8(&seed, signers);
    writer_u8(&seed, epochs);
    writer_blob(&seed, held);
    writer_blob(&seed, brought);
    writer_bytes(&seed, certificate.data, certificate.size);
    seed_put("fz_config_entry", name);
}

static void put_successor(const char *word, const struct sample_config *held,
                          const struct sample_config *next)
{
    static const struct {
        const char *name;
        uint8_t choice, signers, epochs;
    } ways[] = {
        {"register", 1 | 2, 0, 0},          {"operator", 1 | 2, 1, 0},
        {"witnessed", 1 | 2, 1 | 4, 0},     {"authority", 1 | 2, 3, 0},
        {"unsigned", 1 | 2, 2, 0},          {"later", 1 | 2, 3, 2},
        {"beyond", 1 | 2, 3, 255},          {"gap", 1 | 2 | 4, 3, 0},
        {"gap_kind", 1 | 2 | 4 | 16, 3, 0}, {"number", 1 | 2 | 64, 0, 0},
        {"stranger", 1 | 2 | 32, 0, 0},     {"base", 1 | 2 | 128, 3, 0},
        {"inside", 2 | 128, 3, 0},          {"as_it_is", 1, 0, 0},
    };
    const struct slice none = {NULL, 0};
    char name[64];

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(name, sizeof name, "%s-%s", word, ways[i].name);
        put_entry(name, ways[i].choice, ways[i].signers, ways[i].epochs,
                  held->slice, next->slice, none);
    }
}

static void succeed(struct sample_config *next,
                    const struct sample_config *held, enum config_why why)
{
    config_succeed(&next->config, &held->config, held->slice, why);
    if (why == CONFIG_PROMOTE || why == CONFIG_FORCED) {
        next->config.epoch++;
        memcpy(next->config.primary, sample_node('B'), NODE_ID_SIZE);
    }
    if (why == CONFIG_FORCED)
        config_dismiss_others(&next->config, sample_node('B'));
    sample_config_encode(next);
}

static void put_again(const struct sample_config *held)
{
    const struct slice none = {NULL, 0};
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    const struct slice other =
        sample_config_cert(bytes, CONFIG_ADD, held->slice, 1 | 2);

    put_entry("again", 1, 0, 3, held->slice, held->slice, none);
    put_entry("again-beyond", 1, 0, 255, held->slice, held->slice, none);
    put_entry("again-inside", 0, 0, 0, held->slice, held->slice, none);
    put_entry("again-held", 1 | 8, 1, 0, held->slice, held->slice, none);
    put_entry("again-certified", 1, 1, 0, held->slice, held->slice, none);
    put_entry("again-given", 1, 0, 0, held->slice, held->slice, other);
    put_entry("none", 1, 0, 0, none, none, none);
    put_entry("none-certified", 1, 0, 0, none, none, other);
    put_entry("none-held", 1, 0, 0, held->slice, none, none);
    put_entry("no-certificate", 1, 0, 0, none, held->slice,
              slice_of("certificate", 11));
}

START_TEST(configurations_of_entries_are_written)
{
    struct sample_config first, held, next;
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    const struct slice none = {NULL, 0};

    sample_config(&first.config);
    sample_config_encode(&first);
    sample_config_pair(&held);
    put_entry("first", 1, 0, 0, none, first.slice, none);
    put_entry("first-operator", 1, 1, 0, none, first.slice, none);
    put_entry("second-first", 1, 0, 0, none, held.slice, none);
    put_entry("other-certificate", 1 | 2, 0, 0, first.slice, held.slice,
              sample_config_cert(bytes, CONFIG_BOOT, first.slice, 1 | 2));
    first.config.minimum = 3;
    first.config.previous[0] = 1;
    sample_config_encode(&first);
    put_entry("no-first", 1, 0, 0, none, first.slice, none);
    put_again(&held);
    succeed(&next, &held, CONFIG_PROMOTE);
    put_successor("promote", &held, &next);
    succeed(&next, &held, CONFIG_FORCED);
    put_successor("forced", &held, &next);
    succeed(&next, &held, CONFIG_SETTLE);
    put_successor("settle", &held, &next);
    config_remove_eligible(&next.config, sample_node('A'));
    sample_config_encode(&next);
    put_successor("ineligible", &held, &next);
}
END_TEST

/* ---- Answers ------------------------------------------------------------- */

static void add_part(struct writer *writer, const struct answer *answer)
{
    uint8_t frame[1024];
    struct writer one;

    writer_init(&one, frame, sizeof frame);
    answer_write_part(&one, 1, answer, 0);
    ck_assert_int_eq(one.status, ST_OK);
    writer_u16(writer, (uint16_t)(one.used - FRAME_HEADER_SIZE - 1));
    writer_bytes(writer, frame + FRAME_HEADER_SIZE,
                 one.used - FRAME_HEADER_SIZE);
}

/* ${parts} parts of ${answer}, in the way that ${choice} says. */
static void put_answer(const char *name, uint8_t choice,
                       const struct answer *answer, size_t parts)
{
    struct answer part = *answer;

    seed_begin();
    writer_u8(&seed, choice);
    if (choice == 1)
        writer_u8(&seed, 0xff);
    for (size_t i = 0; i < parts; i++) {
        part.receipt = i + 1 == parts ? answer->receipt : NULL;
        part.signature = i + 1 == parts ? answer->signature : NULL;
        add_part(&seed, &part);
    }
    seed_put("fz_answer", name);
}

START_TEST(answers_and_batches_are_written)
{
    uint8_t receipt[RECEIPT_SIZE + SIGNATURE_SIZE] = {1};
    const struct answer whole = {.receipt = receipt,
                                 .signature = receipt + RECEIPT_SIZE,
                                 .result = slice_of("result", 6)};
    const struct answer omitted = {
        .code = 12, .duplicate = true, .result_omitted = true};

    put_answer("whole", 0, &whole, 1);
    put_answer("omitted", 0, &omitted, 1);
    put_answer("parts", 0, &whole, 3);
    put_answer("receipt-before", 1, &whole, 1);
    put_answer("many", 0, &whole, ANSWER_FRAMES_MAX);
    put_answer("too-many", 0, &whole, ANSWER_FRAMES_MAX + 1);
    put_answer("more-than-said", 1, &whole, 9);
    for (unsigned parts = 0; parts < 3; parts++) {
        char name[16];

        writer_u8(seed_begin(), 3);
        writer_u32(&seed, parts * RESULT_PART_SIZE_MAX + parts % 2);
        snprintf(name, sizeof name, "long-%u", parts);
        seed_put("fz_answer", name);
    }
    seed_begin();
    writer_u8(&seed, 0);
    add_part(&seed, &whole);
    add_part(&seed, &omitted);
    seed_put("fz_answer", "contradiction");
    for (unsigned codes = 0; codes < 4; codes++) {
        char name[16];

        seed_begin();
        writer_u8(&seed, 2);
        writer_u16(&seed, 2);
        answer_batch_begin(&seed, 2);
        answer_batch_add(&seed, (codes & 1) != 0 ? ST_OK : ST_NOT_DONE,
                         slice_of("one", 3));
        answer_batch_add(&seed, (codes & 2) != 0 ? ST_OK : ST_NO_SUCH,
                         slice_of(NULL, 0));
        snprintf(name, sizeof name, "batch-%u", codes);
        seed_put("fz_answer", name);
    }
}
END_TEST

/* ---- Rows of keys -------------------------------------------------------- */

static void add_row(uint64_t number, uint64_t owner, uint64_t first_index,
                    enum keyring_class class, uint8_t byte)
{
    uint8_t key[KEY_SIZE];

    memset(key, byte, sizeof key);
    writer_u64(&seed, number);
    writer_u64(&seed, owner);
    writer_u64(&seed, first_index);
    writer_u8(&seed, (uint8_t) class);
    writer_bytes(&seed, key, sizeof key);
}

/* The number that fz_keyring.c begins with. */
#define HELD (UINT64_C(1) << 32)

START_TEST(rows_of_keys_are_written)
{
    writer_u8(seed_begin(), 2);
    for (unsigned i = 1; i <= KEYRING_CLUSTER; i++)
        add_row(HELD + i, i == KEYRING_CLUSTER ? 0 : 77, 10 - i,
                (enum keyring_class)i, (uint8_t)i);
    seed_put("fz_keyring", "every-class");
    writer_u8(seed_begin(), 1);
    add_row(HELD + 9, 5, 4, KEYRING_PERSON, 9);
    add_row(HELD + 9, 5, 4, KEYRING_PERSON, 9);
    add_row(HELD + 9, 6, 4, KEYRING_TOMBSTONE, 0);
    add_row(7, 12, 2, KEYRING_TOMBSTONE, 0);
    add_row(7, 5, 2, KEYRING_PERSON, 7);
    add_row(HELD, 30, 3, KEYRING_TOMBSTONE, 0);
    seed_put("fz_keyring", "tombstones");
    writer_u8(seed_begin(), 9);
    add_row(7, 12, 2, KEYRING_TOMBSTONE, 0);
    add_row(7, 5, 2, KEYRING_PERSON, 7);
    add_row(8, 5, 2, KEYRING_PERSON, 7);
    add_row(8, 5, 2, KEYRING_PERSON, 8);
    seed_put("fz_keyring", "diverging-staged");
    writer_u8(seed_begin(), 1);
    add_row(HELD, 1400057421, 3, KEYRING_RECORD, 4);
    seed_put("fz_keyring", "diverging");
    writer_u8(seed_begin(), 0);
    add_row(3, 1, 1, KEYRING_TOMBSTONE, 1);
    seed_put("fz_keyring", "tombstone-with-a-key");
}
END_TEST

/* ---- That a node halted -------------------------------------------------- */

/* A mark and a meta of which one slot is bad. */
static void put_slots(void)
{
    static const struct mark_value mark = {
        .epoch = 1, .size = 9, .committed = 8, .leaf = {1}};
    static const struct meta_value meta = {
        .incarnation = 3, .promised_epoch = 2, .configuration_size = 20};
    uint8_t bytes[SLOTS_BODY_SIZE_MAX];
    size_t size;

    mark_encode(bytes, &mark);
    for (uint8_t choice = 1; choice <= 5; choice += 4) {
        writer_u8(seed_begin(), choice);
        writer_bytes(&seed, bytes, MARK_BODY_SIZE);
        seed_put("fz_mark", choice == 1 ? "mark" : "mark-torn");
    }
    meta_encode(bytes, &size, &meta);
    for (uint8_t choice = 1; choice <= 5; choice += 4) {
        writer_u8(seed_begin(), choice);
        writer_bytes(&seed, bytes, size);
        seed_put("fz_mark", choice == 1 ? "meta" : "meta-torn");
    }
}

START_TEST(small_files_of_a_node_are_written)
{
    static uint8_t bytes[HALT_SIZE_MAX];
    const struct halt_note note = {.cause = HALT_REPLAY,
                                   .index = 12,
                                   .time_us = SAMPLE_SIGNED_AT,
                                   .evidence = slice_of("entry", 5)};
    const size_t size = halt_encode(bytes, &note);
    char name[32];

    writer_u8(seed_begin(), 0);
    writer_bytes(&seed, bytes, size);
    seed_put("fz_mark", "halted");
    put_slots();
    for (uint32_t cause = 0; cause <= HALT_KEPT + 1; cause++) {
        writer_u8(seed_begin(), 2);
        writer_u32(&seed, cause);
        writer_u64(&seed, 12);
        writer_i64(&seed, SAMPLE_SIGNED_AT);
        seed_text("evidence");
        snprintf(name, sizeof name, "halted-%u", cause);
        seed_put("fz_mark", name);
    }
}
END_TEST

/* ---- Snapshots ----------------------------------------------------------- */

enum {
    SNAPSHOT_HEAD_SIZE = 16 + HASH_SIZE, /* Header and layout. */
    SNAPSHOT_ROWS_AT = SNAPSHOT_HEAD_SIZE + STATE_HEAD_SIZE,
    FILLED_COUNT = 10,
    FILLED_STEP = 397
};

/* A row in every table, and what a snapshot of it is. */
static void begin_snapshot(void)
{
    struct disk_model *model = disk_model_new();
    struct disk *disk = disk_model_disk(model);
    char name[SNAPSHOT_NAME_SIZE];
    uint8_t digest[HASH_SIZE];
    struct disk_file *file;
    struct state *state;
    size_t size;

    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    state_begin(state);
    state_entry_begin(state);
    for (unsigned table = 0; table < TABLES_COUNT; table++)
        rows_insert(state, (enum table)table, 1);
    state_entry_end(state, digest);
    state_commit(state);
    ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
    snapshot_name(name, 0, false);
    ck_assert_int_eq(disk_open(disk, &file, name), ST_OK);
    writer_u8(seed_begin(), 0);
    ck_assert_int_eq(
        disk_read(file, &size, seed_bytes + 1, sizeof seed_bytes - 1, 0),
        ST_OK);
    ck_assert_uint_lt(size, sizeof seed_bytes - 1);
    seed.used = 1 + size;
    disk_close(file);
    state_close(state);
    disk_model_free(model);
}

/* One byte or more of a good one is another. */
static void put_snapshot(const char *name, size_t at, uint8_t byte,
                         size_t count)
{
    begin_snapshot();
    ck_assert_uint_lt(1 + at + count, seed.used);
    memset(seed_bytes + 1 + at, byte, count);
    seed_put("fz_snapshot", name);
}

START_TEST(snapshots_of_states_are_written)
{
    begin_snapshot();
    seed_put("fz_snapshot", "a-row-in-every-table");
    writer_u8(&seed, 0);
    seed_put("fz_snapshot", "goes-on-behind-its-end");
    begin_snapshot();
    seed.used -= 3;
    seed_put("fz_snapshot", "cut-short");
    begin_snapshot();
    memmove(seed_bytes + 1 + SNAPSHOT_ROWS_AT + 12,
            seed_bytes + 1 + SNAPSHOT_ROWS_AT + 2,
            seed.used - SNAPSHOT_ROWS_AT - 13);
    seed_put("fz_snapshot", "the-same-row-twice");
    put_snapshot("other-layout", 16, 0xee, 4);
    put_snapshot("other-size", SNAPSHOT_HEAD_SIZE, 7, 1);
    put_snapshot("other-table", SNAPSHOT_ROWS_AT, 0x77, 2);
    put_snapshot("neither-row-nor-end", SNAPSHOT_ROWS_AT + 2, 2, 1);
    put_snapshot("number-too-large", SNAPSHOT_ROWS_AT + 4, 0xff, 8);
    for (size_t i = 0; i < FILLED_COUNT; i++) {
        const size_t at = SNAPSHOT_ROWS_AT + i * FILLED_STEP;
        char name[32];

        snprintf(name, sizeof name, "filled-at-%zu", at);
        put_snapshot(name, at, 0xff, 4);
    }
}
END_TEST

SUITE_MAIN("fuzz_seeds", configurations_of_entries_are_written,
           answers_and_batches_are_written, rows_of_keys_are_written,
           small_files_of_a_node_are_written, snapshots_of_states_are_written)
