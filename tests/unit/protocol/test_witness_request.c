#include "protocol/witness_request.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

#define ROOT "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=\n"

enum { LEAVES = 9 };

static struct tlog_signer log_signer;
static struct tlog_file file;
static struct witness_request request;
static struct witness_state state;
static struct witness_state next;
static uint8_t leaves[LEAVES][HASH_SIZE];

static void begin(void)
{
    tlog_log(&log_signer);
    for (unsigned i = 0; i < LEAVES; i++)
        tlog_leaf(leaves[i], i);
    state.size = 3;
    tree_root_of(state.root, leaves, 3);
    tlog_file_read(&file, "add-checkpoint.req");
}

static enum witness_answer judge(void)
{
    return witness_judge(&next, &state, &request, &log_signer.key, 1);
}

/* Reads the file and decides; what cannot be read is malformed. */
static enum witness_answer judge_file(void)
{
    if (witness_request_read(&request, file.slice) != ST_OK)
        return WITNESS_MALFORMED;
    return judge();
}

/* The request for the step between two sizes of the log, read again. */
static void make_request(uint64_t older, uint64_t newer)
{
    struct tree_leaves all = {leaves, LEAVES};
    struct tree_source source = {&all, tree_leaves_read};
    struct checkpoint made = {note_key_name(&log_signer.key), newer, {0}};
    struct witness_request written = {.older = older};
    uint8_t bytes[1024];
    struct writer writer;

    if (older <= newer)
        ck_assert_int_eq(tree_consistency_make(written.hashes, &written.count,
                                               &source, older, newer),
                         ST_OK);
    tree_root_of(made.root, leaves, (size_t)newer);
    writer_init(&writer, bytes, sizeof bytes);
    checkpoint_sign(&writer, &made, &log_signer.key, &log_signer.identity);
    written.bytes = writer_slice(&writer);
    writer_init(&writer, file.bytes, sizeof file.bytes);
    witness_request_write(&writer, &written);
    ck_assert_int_eq(writer.status, ST_OK);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(witness_request_read(&request, file.slice), ST_OK);
}

START_TEST(published_request_is_read_written_and_signed)
{
    uint8_t again[TLOG_FILE_SIZE_MAX];
    struct writer writer;

    begin();
    ck_assert_int_eq(judge_file(), WITNESS_SIGNS);
    ck_assert_uint_eq(request.older, 3);
    ck_assert_uint_eq(request.count, 4);
    ck_assert_uint_eq(next.size, TLOG_ENTRIES);
    ck_assert_mem_eq(next.root, request.checkpoint.root, HASH_SIZE);
    writer_init(&writer, again, sizeof again);
    witness_request_write(&writer, &request);
    ck_assert(slice_equal(writer_slice(&writer), file.slice));
}
END_TEST

START_TEST(request_with_any_bit_flipped_is_not_signed)
{
    begin();
    for (size_t bit = 0; bit < 8 * file.slice.size; bit++) {
        enum witness_answer answer;

        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        answer = judge_file();
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(answer != WITNESS_SIGNS, "bit %zu makes no difference",
                      bit);
        ck_assert_uint_eq(state.size, 3);
    }
}
END_TEST

START_TEST(request_that_is_not_one_is_malformed)
{
    static const char *const bad[] = {"",
                                      "old\n",
                                      "old 3",
                                      "old 3\n",
                                      "old  3\n\n",
                                      "old 03\n\n",
                                      "Old 3\n\n",
                                      "old -1\n\n",
                                      "old 4611686018427387905\n\n",
                                      "old 3\n\n",
                                      "old 3\nAAAA\n\n",
                                      "old 3\n" ROOT,
                                      "old 3\n\nnote",
                                      "old 3\n\na\n5\n" ROOT,
                                      "old 3\n\na\n05\n" ROOT
                                      "\n\xe2\x80\x94 a AAAAAAE=\n"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(
            witness_request_read(&request, slice_of(bad[i], strlen(bad[i]))) ==
                ST_FILE_FORMAT,
            "request %zu is taken", i);
}
END_TEST

START_TEST(request_above_a_limit_is_too_large)
{
    static uint8_t bytes[WITNESS_REQUEST_SIZE_MAX + 1];
    struct writer writer;

    begin();
    memset(bytes, 'a', sizeof bytes);
    ck_assert_int_eq(
        witness_request_read(&request, slice_of(bytes, sizeof bytes)),
        ST_TOO_LARGE);
    for (size_t count = PROOF_HASHES_MAX; count <= PROOF_HASHES_MAX + 1;
         count++) {
        writer_init(&writer, bytes, sizeof bytes);
        lines_write(&writer, "old 3\n");
        for (size_t i = 0; i < count; i++)
            lines_write(&writer, ROOT);
        lines_write(&writer, "\n");
        make_request(3, 5);
        writer_bytes(&writer, request.bytes.data, request.bytes.size);
        ck_assert_int_eq(witness_request_read(&request, writer_slice(&writer)),
                         count == PROOF_HASHES_MAX ? ST_OK : ST_TOO_LARGE);
    }
}
END_TEST

START_TEST(every_step_of_one_log_is_signed_from_its_own_size_alone)
{
    begin();
    for (uint64_t held = 0; held <= LEAVES; held++) {
        state.size = held;
        tree_root_of(state.root, leaves, (size_t)held);
        for (uint64_t older = 0; older <= LEAVES; older++) {
            for (uint64_t newer = 0; newer <= LEAVES; newer++) {
                enum witness_answer expected = WITNESS_SIGNS;

                if (older > newer)
                    expected = WITNESS_MALFORMED;
                else if (older != held)
                    expected = WITNESS_OTHER_SIZE;
                make_request(older, newer);
                ck_assert_int_eq(judge(), expected);
                ck_assert_uint_eq(next.size,
                                  expected == WITNESS_SIGNS ? newer : held);
            }
        }
    }
}
END_TEST

START_TEST(another_history_is_never_signed)
{
    begin();
    /* The log forgets what its third entry was. */
    leaves[2][0] ^= 1;
    make_request(3, 5);
    ck_assert_int_eq(judge(), WITNESS_INCONSISTENT);
    make_request(3, 3);
    ck_assert_int_eq(judge(), WITNESS_INCONSISTENT);
    ck_assert_mem_eq(&next, &state, sizeof next);
    /* A proof where none belongs. */
    begin();
    state.size = 0;
    make_request(0, 5);
    ck_assert_int_eq(judge(), WITNESS_SIGNS);
    request.count = 1;
    ck_assert_int_eq(judge(), WITNESS_INCONSISTENT);
    /* The empty tree has one root, and what was kept beside it is not read. */
    make_request(0, 0);
    ck_assert_int_eq(judge(), WITNESS_SIGNS);
    request.checkpoint.root[0] ^= 1;
    ck_assert_int_eq(judge(), WITNESS_INCONSISTENT);
}
END_TEST

START_TEST(only_the_keys_of_a_known_log_are_listened_to)
{
    struct tlog_signer other;
    struct note_key keys[2];

    begin();
    tlog_signer_make(&other, "registry.example/kob-log", NOTE_ED25519, 50);
    make_request(3, 5);
    ck_assert_int_eq(witness_judge(&next, &state, &request, keys, 0),
                     WITNESS_UNKNOWN);
    ck_assert_int_eq(witness_judge(&next, &state, &request, &other.key, 1),
                     WITNESS_UNSIGNED);
    keys[0] = other.key;
    keys[1] = log_signer.key;
    ck_assert_int_eq(witness_judge(&next, &state, &request, keys, 2),
                     WITNESS_SIGNS);
    /* The name and keyid of the line, and another key: one signed wrongly. */
    memcpy(keys[0].keyid, log_signer.key.keyid, NOTE_KEYID_SIZE);
    ck_assert_int_eq(witness_judge(&next, &state, &request, keys, 2),
                     WITNESS_UNSIGNED);
    tlog_signer_make(&other, "other.example", NOTE_ED25519, 0);
    ck_assert_int_eq(witness_judge(&next, &state, &request, &other.key, 1),
                     WITNESS_UNKNOWN);
}
END_TEST

START_TEST(size_of_a_conflict_is_written_and_read_in_one_form)
{
    static const char *const bad[] = {"", "3", "03\n", "3\n\n", "3 \n", "x\n"};
    uint8_t bytes[32];
    struct writer writer;
    uint64_t size;

    begin();
    writer_init(&writer, bytes, sizeof bytes);
    witness_size_write(&writer, &state);
    ck_assert(lines_equal(writer_slice(&writer), "3\n"));
    ck_assert_int_eq(witness_size_read(&size, writer_slice(&writer)), ST_OK);
    ck_assert_uint_eq(size, 3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(
            witness_size_read(&size, slice_of(bad[i], strlen(bad[i]))),
            ST_FILE_FORMAT);
}
END_TEST

SUITE_MAIN("witness request", published_request_is_read_written_and_signed,
           request_with_any_bit_flipped_is_not_signed,
           request_that_is_not_one_is_malformed,
           request_above_a_limit_is_too_large,
           every_step_of_one_log_is_signed_from_its_own_size_alone,
           another_history_is_never_signed,
           only_the_keys_of_a_known_log_are_listened_to,
           size_of_a_conflict_is_written_and_read_in_one_form)
