#include "protocol/tlog_proof.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

#define ROOT "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=\n"
#define HEAD "c2sp.org/tlog-proof@v1\n"

static struct tlog_signer log_signer;
static struct tlog_signer witness;
static struct tlog_file file;
static struct tlog_proof proof;
static struct tlog_policy policy;
static struct tlog_policy_verdict verdict;
static struct checkpoint checkpoint;
static uint8_t leaf[HASH_SIZE];

static void begin(void)
{
    static const char policy_text[] =
        "log registry.example/kob-log+70bac4ee+"
        "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
        "witness archive witness.example/archive-1+b5bca02d+"
        "BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X\n"
        "quorum archive\n";
    struct tlog_policy_error error;

    tlog_log(&log_signer);
    tlog_witness(&witness);
    tlog_leaf(leaf, 2);
    tlog_file_read(&file, "log5.tlog-proof");
    ck_assert_int_eq(
        tlog_policy_read(&policy, &error,
                         slice_of(policy_text, strlen(policy_text))),
        ST_OK);
}

static enum status read_text(const char *text)
{
    return tlog_proof_read(&proof, slice_of(text, strlen(text)));
}

/* Reads the file and verifies it by the policy. */
static enum status judge_file(void)
{
    enum status status = tlog_proof_read(&proof, file.slice);

    if (status != ST_OK)
        return status;
    return tlog_proof_judge(&verdict, &checkpoint, &proof, leaf, &policy);
}

START_TEST(proof_shows_its_entry_and_no_other)
{
    begin();
    ck_assert_int_eq(judge_file(), ST_OK);
    ck_assert_uint_eq(proof.index, 2);
    ck_assert_uint_eq(proof.count, 3);
    ck_assert_uint_eq(checkpoint.size, TLOG_ENTRIES);
    ck_assert(verdict.satisfied);
    ck_assert_int_eq(
        tlog_proof_verify(&checkpoint, &proof, leaf, &log_signer.key), ST_OK);
    for (unsigned i = 0; i < TLOG_ENTRIES; i++) {
        tlog_leaf(leaf, i);
        ck_assert_int_eq(
            tlog_proof_verify(&checkpoint, &proof, leaf, &log_signer.key),
            i == 2 ? ST_OK : ST_PROOF);
    }
    tlog_signer_make(&log_signer, "other.example", NOTE_ED25519, 0);
    ck_assert_int_eq(
        tlog_proof_verify(&checkpoint, &proof, leaf, &log_signer.key),
        ST_ORIGIN);
}
END_TEST

START_TEST(proof_with_any_bit_flipped_shows_nothing)
{
    size_t unseen = 0;

    begin();
    for (size_t bit = 0; bit < 8 * file.slice.size; bit++) {
        enum status status;

        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        status = judge_file();
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(status != ST_OK, "bit %zu makes no difference", bit);
        if (status != ST_WITNESSES)
            continue;
        /* The witness's line was hit; what the log signed is what it was. */
        unseen++;
        ck_assert_uint_eq(verdict.signed_by, 0);
        ck_assert_uint_eq(checkpoint.size, TLOG_ENTRIES);
        ck_assert_uint_eq(proof.index, 2);
    }
    ck_assert_uint_gt(unseen, 0);
}
END_TEST

START_TEST(proof_cut_anywhere_shows_nothing)
{
    size_t whole;

    begin();
    whole = file.slice.size;
    for (size_t size = 0; size < whole; size++) {
        file.slice = slice_of(file.bytes, size);
        ck_assert_int_ne(judge_file(), ST_OK);
    }
}
END_TEST

START_TEST(proof_is_written_as_it_was_read)
{
    uint8_t again[TLOG_FILE_SIZE_MAX];
    struct writer writer;

    begin();
    ck_assert_int_eq(tlog_proof_read(&proof, file.slice), ST_OK);
    writer_init(&writer, again, sizeof again);
    tlog_proof_write(&writer, &proof);
    ck_assert(slice_equal(writer_slice(&writer), file.slice));

    proof.extra = slice_of("c2FsdA==", 8);
    writer_init(&writer, again, sizeof again);
    tlog_proof_write(&writer, &proof);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(judge_file(), ST_OK);
    ck_assert(lines_equal(proof.extra, "c2FsdA=="));
}
END_TEST

START_TEST(proof_that_is_not_one_is_refused)
{
    static const char *const bad[] = {
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\r\nindex 0\n\nnote",
        HEAD,
        HEAD "index 0\n",
        HEAD "index 0",
        HEAD "index 00\n\nnote",
        HEAD "index\n\nnote",
        HEAD "index \n\nnote",
        HEAD "index 4611686018427387904\n\nnote",
        HEAD "Index 0\n\nnote",
        HEAD "\nindex 0\n\nnote",
        HEAD "extra\nindex 0\n\nnote",
        HEAD "extra \nindex 0\n\nnote",
        HEAD "extra c2FsdA=\nindex 0\n\nnote",
        HEAD "extra c2FsdB==\nindex 0\n\nnote",
        HEAD "extra c2FsdA==\n",
        HEAD "extra c2FsdA==\nextra c2FsdA==\nindex 0\n\nnote",
        HEAD "index 0\nextra c2FsdA==\n\nnote",
        HEAD "index 0\nAAAA\n\nnote",
        HEAD "index 0\n" ROOT "note"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(read_text(bad[i]) == ST_FILE_FORMAT, "%s is taken",
                      bad[i]);
    ck_assert_int_eq(read_text(HEAD "index 4611686018427387903\n\nnote"),
                     ST_OK);
    ck_assert(lines_equal(proof.note, "note"));
}
END_TEST

START_TEST(proof_above_a_limit_is_too_large)
{
    static uint8_t bytes[TLOG_PROOF_SIZE_MAX + 1];
    struct writer writer;

    for (size_t count = PROOF_HASHES_MAX; count <= PROOF_HASHES_MAX + 1;
         count++) {
        writer_init(&writer, bytes, sizeof bytes);
        lines_write(&writer, HEAD "index 1\n");
        for (size_t i = 0; i < count; i++)
            lines_write(&writer, ROOT);
        lines_write(&writer, "\nnote");
        ck_assert_int_eq(tlog_proof_read(&proof, writer_slice(&writer)),
                         count == PROOF_HASHES_MAX ? ST_OK : ST_TOO_LARGE);
    }
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, HEAD "index 1\n\n", strlen(HEAD "index 1\n\n"));
    ck_assert_int_eq(tlog_proof_read(&proof, slice_of(bytes, sizeof bytes - 1)),
                     ST_OK);
    ck_assert_int_eq(tlog_proof_read(&proof, slice_of(bytes, sizeof bytes)),
                     ST_TOO_LARGE);
}
END_TEST

START_TEST(proof_without_the_quorum_says_so_and_who_signed)
{
    static const char policy_text[] =
        "log registry.example/kob-log+70bac4ee+"
        "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
        "witness archive witness.example/archive-1+b5bca02d+"
        "BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X\n";
    uint8_t text[1024];
    struct tlog_policy_error error;
    struct tlog_signer second;
    struct writer writer;

    begin();
    tlog_signer_make(&second, "second.example", NOTE_COSIGNATURE, 99);
    writer_init(&writer, text, sizeof text);
    lines_write(&writer, policy_text);
    lines_write(&writer, "witness second ");
    note_key_write(&writer, &second.key);
    lines_write(&writer, "\ngroup two all archive second\nquorum two\n");
    ck_assert_int_eq(tlog_policy_read(&policy, &error, writer_slice(&writer)),
                     ST_OK);
    ck_assert_int_eq(judge_file(), ST_WITNESSES);
    ck_assert_uint_eq(verdict.signed_by, 1);
    ck_assert_uint_eq(verdict.times_s[0], TLOG_TIME_S);
    leaf[0] ^= 1;
    ck_assert_int_eq(judge_file(), ST_PROOF);
}
END_TEST

SUITE_MAIN("tlog proof", proof_shows_its_entry_and_no_other,
           proof_with_any_bit_flipped_shows_nothing,
           proof_cut_anywhere_shows_nothing, proof_is_written_as_it_was_read,
           proof_that_is_not_one_is_refused, proof_above_a_limit_is_too_large,
           proof_without_the_quorum_says_so_and_who_signed)
