#include "protocol/checkpoint.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

#define ROOT "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=\n"

static struct tlog_signer log_signer;
static struct tlog_signer witness;
static struct tlog_file file;
static struct note note;
static struct checkpoint checkpoint;

static void begin(void)
{
    tlog_log(&log_signer);
    tlog_witness(&witness);
    tlog_file_read(&file, "log5/checkpoint");
}

static enum status open_file(void)
{
    return checkpoint_open(&checkpoint, &note, file.slice, &log_signer.key);
}

static enum status read_text(const char *text)
{
    return checkpoint_read(&checkpoint, slice_of(text, strlen(text)));
}

START_TEST(checkpoint_opens_with_the_key_of_its_log_alone)
{
    struct tlog_signer other;
    uint64_t time_s;

    begin();
    ck_assert_int_eq(open_file(), ST_OK);
    ck_assert_uint_eq(checkpoint.size, TLOG_ENTRIES);
    ck_assert(lines_equal(checkpoint.origin, "registry.example/kob-log"));
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key), ST_OK);
    ck_assert_uint_eq(time_s, TLOG_TIME_S);

    tlog_signer_make(&other, "other.example", NOTE_ED25519, 0);
    ck_assert_int_eq(
        checkpoint_open(&checkpoint, &note, file.slice, &other.key), ST_ORIGIN);
    tlog_signer_make(&other, "registry.example/kob-log", NOTE_ED25519, 1);
    ck_assert_int_eq(
        checkpoint_open(&checkpoint, &note, file.slice, &other.key),
        ST_NO_SUCH);
    tlog_signer_make(&other, "witness.example/archive-1", NOTE_COSIGNATURE, 0);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &other.key),
                     ST_NO_SUCH);
    /* A log's key does not pass for a cosigner's of the same name. */
    tlog_signer_make(&other, "registry.example/kob-log", NOTE_COSIGNATURE, 0);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &other.key),
                     ST_NO_SUCH);
}
END_TEST

START_TEST(checkpoint_with_any_bit_flipped_is_refused_or_says_the_same)
{
    struct checkpoint sound;
    size_t unseen = 0;

    begin();
    ck_assert_int_eq(open_file(), ST_OK);
    sound = checkpoint;
    for (size_t bit = 0; bit < 8 * file.slice.size; bit++) {
        uint64_t time_s = 0;
        enum status cosigned = ST_BAD_SIG;
        enum status opened;

        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        opened = open_file();
        if (opened == ST_OK)
            cosigned = checkpoint_cosigned(&time_s, &note, &witness.key);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (opened != ST_OK)
            continue;
        /* Only the cosigner's line can have been hit. */
        ck_assert_uint_eq(checkpoint.size, sound.size);
        ck_assert_mem_eq(checkpoint.root, sound.root, HASH_SIZE);
        ck_assert_int_ne(cosigned, ST_OK);
        unseen += cosigned == ST_NO_SUCH;
    }
    /* Its name or keyid was another one's: a line that nobody knows. */
    ck_assert_uint_gt(unseen, 0);
}
END_TEST

START_TEST(checkpoint_cut_anywhere_is_refused)
{
    size_t whole;

    begin();
    whole = file.slice.size;
    for (size_t size = 0; size < whole; size++) {
        uint64_t time_s;

        file.slice = slice_of(file.bytes, size);
        if (open_file() == ST_OK)
            ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key),
                             ST_NO_SUCH);
        else
            continue;
        /* The whole of the log's line was left. */
        ck_assert_uint_eq(note.count, 1);
    }
}
END_TEST

START_TEST(text_is_read_in_one_form_only)
{
    static const char *const bad[] = {
        "",
        "a",
        "a\n",
        "a\n5\n",
        "\n5\n" ROOT,
        "a\n05\n" ROOT,
        "a\n-5\n" ROOT,
        "a\n 5\n" ROOT,
        "a\n5 \n" ROOT,
        "a\n0x5\n" ROOT,
        "a\n\n" ROOT,
        "a\n4611686018427387905\n" ROOT,
        "a\n18446744073709551621\n" ROOT,
        "a\n5\nGqaN\n",
        "a\n5\n\n",
        "a\n5\nGqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUC0=",
        "a\n5\nGqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUC1=\n",
        "a\n5\nGqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCwA\n",
        "a\n5\n" ROOT "\n",
        "a\n5\n" ROOT "more\n\n",
        "a\n5\n" ROOT "more",
        "a\n5\n" ROOT "\nmore\n"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(read_text(bad[i]) == ST_FILE_FORMAT, "text %zu is taken",
                      i);
    ck_assert_int_eq(read_text("a\n5\n" ROOT), ST_OK);
    ck_assert_int_eq(read_text("a b+c\n5\n" ROOT), ST_OK);
    ck_assert_int_eq(read_text("a\n5\n" ROOT "more\nof it\n"), ST_OK);
    ck_assert_int_eq(read_text("a\n0\n" ROOT), ST_OK);
    ck_assert_int_eq(read_text("a\n4611686018427387904\n" ROOT), ST_OK);
    ck_assert_uint_eq(checkpoint.size, TREE_SIZE_MAX);
}
END_TEST

START_TEST(text_above_its_limit_is_too_large)
{
    char text[CHECKPOINT_TEXT_SIZE_MAX + 1];

    memset(text, 'a', sizeof text);
    memcpy(text, "a\n5\n" ROOT, strlen("a\n5\n" ROOT));
    text[CHECKPOINT_TEXT_SIZE_MAX - 1] = '\n';
    text[CHECKPOINT_TEXT_SIZE_MAX] = '\n';
    ck_assert_int_eq(
        checkpoint_read(&checkpoint, slice_of(text, CHECKPOINT_TEXT_SIZE_MAX)),
        ST_OK);
    ck_assert_int_eq(checkpoint_read(&checkpoint, slice_of(text, sizeof text)),
                     ST_TOO_LARGE);
}
END_TEST

START_TEST(extension_lines_are_signed_and_cosigned)
{
    static const char text[] = "registry.example/kob-log\n5\n" ROOT "more\n";
    struct slice slice = slice_of(text, strlen(text));
    struct writer writer;
    uint64_t time_s;

    begin();
    writer_init(&writer, file.bytes, sizeof file.bytes);
    lines_write(&writer, text);
    lines_write(&writer, "\n");
    note_sign_line(&writer, &log_signer.key, &log_signer.identity, slice);
    checkpoint_cosign_line(&writer, slice, &witness.key, &witness.identity, 7);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(open_file(), ST_OK);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key), ST_OK);
    ck_assert_uint_eq(time_s, 7);
    file.bytes[strlen(text) - 2] ^= 1;
    ck_assert_int_eq(open_file(), ST_BAD_SIG);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(of_two_cosignatures_the_later_counts_and_a_wrong_one_spoils_all)
{
    struct writer writer;
    uint64_t time_s;

    begin();
    ck_assert_int_eq(open_file(), ST_OK);
    writer =
        (struct writer){file.bytes, sizeof file.bytes, file.slice.size, ST_OK};
    checkpoint_cosign_line(&writer, note.text, &witness.key, &witness.identity,
                           CHECKPOINT_TIME_MAX);
    checkpoint_cosign_line(&writer, note.text, &witness.key, &witness.identity,
                           0);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(open_file(), ST_OK);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key), ST_OK);
    ck_assert_uint_eq(time_s, CHECKPOINT_TIME_MAX);
    note_write_line(&writer, &witness.key, "12345678", 8);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(open_file(), ST_OK);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(cosignature_beyond_the_last_time_is_wrong)
{
    uint8_t signature[NOTE_SIGNATURE_SIZE_MAX];
    uint8_t message[256];
    struct writer signed_writer, writer;
    uint64_t time_s;

    begin();
    ck_assert_int_eq(open_file(), ST_OK);
    /* Signed rightly, and yet of no time that there is. */
    writer_init(&signed_writer, message, sizeof message);
    lines_write(&signed_writer, "cosignature/v1\ntime 9223372036854775808\n");
    writer_bytes(&signed_writer, note.text.data, note.text.size);
    memcpy(signature, "\x80\0\0\0\0\0\0\0", 8);
    crypto_sign_detached(signature + 8, NULL, message, signed_writer.used,
                         witness.identity.secret);
    writer_init(&writer, file.bytes, sizeof file.bytes);
    writer.used = (size_t)(note.signatures[1].name.data - file.bytes) - 4;
    note_write_line(&writer, &witness.key, signature, sizeof signature);
    file.slice = writer_slice(&writer);
    ck_assert_int_eq(open_file(), ST_OK);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &witness.key),
                     ST_BAD_SIG);
}
END_TEST

SUITE_MAIN("checkpoint", checkpoint_opens_with_the_key_of_its_log_alone,
           checkpoint_with_any_bit_flipped_is_refused_or_says_the_same,
           checkpoint_cut_anywhere_is_refused, text_is_read_in_one_form_only,
           text_above_its_limit_is_too_large,
           extension_lines_are_signed_and_cosigned,
           of_two_cosignatures_the_later_counts_and_a_wrong_one_spoils_all,
           cosignature_beyond_the_last_time_is_wrong)
