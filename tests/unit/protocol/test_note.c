#include "protocol/note.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

/* The example of the specification. */
static const char spec_key[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

#define DASH "\xe2\x80\x94 "
#define LINE DASH "a.example AAAAAAE=\n" /* keyid 0, signature 01. */

static struct note note;

static enum status read_text(const char *text)
{
    return note_read(&note, slice_of(text, strlen(text)));
}

static enum status read_key(const char *text)
{
    struct note_key key;

    return note_key_read(&key, slice_of(text, strlen(text)));
}

START_TEST(key_of_the_specification_is_read_and_written_again)
{
    uint8_t again[NOTE_KEY_SIZE_MAX];
    struct note_key key;
    struct writer writer;

    ck_assert_int_eq(note_key_read(&key, slice_of(spec_key, strlen(spec_key))),
                     ST_OK);
    ck_assert_str_eq(key.name, "example.com/foo");
    ck_assert_int_eq(key.type, NOTE_ED25519);
    writer_init(&writer, again, sizeof again);
    note_key_write(&writer, &key);
    ck_assert(lines_equal(writer_slice(&writer), spec_key));
}
END_TEST

START_TEST(key_with_any_bit_flipped_is_refused)
{
    char text[sizeof spec_key];

    memcpy(text, spec_key, sizeof text);
    for (size_t bit = 0; bit < 8 * strlen(spec_key); bit++) {
        struct note_key key;

        text[bit / 8] ^= (char)(1u << bit % 8);
        ck_assert_int_ne(note_key_read(&key, slice_of(text, strlen(spec_key))),
                         ST_OK);
        text[bit / 8] ^= (char)(1u << bit % 8);
    }
    for (size_t size = 0; size < strlen(spec_key); size++) {
        struct note_key key;

        ck_assert_int_eq(note_key_read(&key, slice_of(spec_key, size)),
                         ST_FILE_FORMAT);
    }
}
END_TEST

START_TEST(key_of_another_type_says_so_and_is_not_taken_for_damage)
{
    static const uint8_t types[] = {0, 2, 3, 5, 6, 0xfa, 0xff};
    uint8_t typed[1 + 1312] = {0};

    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t text[4096];
        struct writer writer;
        struct note_key key;

        typed[0] = types[i];
        writer_init(&writer, text, sizeof text);
        lines_write(&writer, "a.example+00000000+");
        lines_write_base64(&writer, typed, sizeof typed);
        ck_assert_int_eq(note_key_read(&key, writer_slice(&writer)),
                         ST_KEY_TYPE);
    }
    ck_assert_int_eq(read_key("a.example+00000000+AQ=="), ST_FILE_FORMAT);
    ck_assert_int_eq(read_key("a.example+00000000+"), ST_FILE_FORMAT);
    ck_assert_int_eq(read_key("a.example+00000000"), ST_FILE_FORMAT);
    ck_assert_int_eq(read_key("a b+00000000+Bg=="), ST_FILE_FORMAT);
    ck_assert_int_eq(read_key("a.example+0000000G+Bg=="), ST_FILE_FORMAT);
    ck_assert_int_eq(read_key("a.example+0000000+Bg=="), ST_FILE_FORMAT);
}
END_TEST

START_TEST(name_has_no_spaces_no_plus_and_no_controls)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "a b",
                                      "a+b",
                                      "a\tb",
                                      "a\nb",
                                      "\xc2\xa0",
                                      "\xe2\x80\x89",
                                      "a\xc2\x85",
                                      "\xe3\x80\x80",
                                      "\xe1\x9a\x80",
                                      "a\x01",
                                      "\xc3",
                                      "\xff",
                                      "\xe2\x80\xa8"};
    char longest[NOTE_NAME_SIZE_MAX + 1];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!note_name_valid(slice_of(bad[i], strlen(bad[i]))),
                      "name %zu is taken", i);
    ck_assert(note_name_valid(slice_of("\xc9\x99/1", 4)));
    memset(longest, 'a', sizeof longest);
    ck_assert(note_name_valid(slice_of(longest, NOTE_NAME_SIZE_MAX)));
    ck_assert(!note_name_valid(slice_of(longest, NOTE_NAME_SIZE_MAX + 1)));
}
END_TEST

START_TEST(text_is_split_from_its_lines_at_the_last_empty_line)
{
    ck_assert_int_eq(read_text("one\n\ntwo\n\n" LINE LINE), ST_OK);
    ck_assert(lines_equal(note.text, "one\n\ntwo\n"));
    ck_assert_uint_eq(note.count, 2);
    ck_assert(lines_equal(note.signatures[1].name, "a.example"));
    ck_assert(lines_equal(note.signatures[1].base64, "AAAAAAE="));
    ck_assert_int_eq(read_text("one\n\n\n" LINE), ST_OK);
    ck_assert(lines_equal(note.text, "one\n\n"));
    ck_assert_int_eq(read_text("\n\n" LINE), ST_OK);
    ck_assert(lines_equal(note.text, "\n"));
}
END_TEST

START_TEST(note_that_is_not_one_is_refused)
{
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n" LINE,
        "\n" LINE,
        "text\n\n" LINE "\n",
        "text\n\n" LINE "more",
        "text\n\n" DASH "a.example AAAAAAE=",
        "text\n\n" DASH "a.example AAAAAAE=\r\n",
        "text\n\n" DASH "a.example AAAAAAE= \n",
        "text\n\n" DASH "a.example  AAAAAAE=\n",
        "text\n\n" DASH " a.example AAAAAAE=\n",
        "text\n\n" DASH "a.example\n",
        "text\n\n" DASH "a.example \n",
        "text\n\n" DASH "a.example AAAAAA==\n", /* A keyid alone. */
        "text\n\n" DASH "a.example AAAAAAF=\n", /* Bits behind the end. */
        "text\n\n" DASH "a.example AAAAAAE\n",
        "text\n\n" DASH "a.example AAAA_AE=\n",
        "text\n\n" DASH "a.example AAAA=AE=\n",
        "text\n\n" DASH "a+b AAAAAAE=\n",
        "text\n\n- a.example AAAAAAE=\n",
        "te\txt\n\n" LINE,
        "te\rxt\n\n" LINE,
        "te\xc0\x80xt\n\n" LINE,
        "te\xff\n\n" LINE,
        "te\xed\xa0\x80\n\n" LINE};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(read_text(bad[i]) == ST_FILE_FORMAT, "note %zu is %s", i,
                      status_name((uint32_t)read_text(bad[i])));
    ck_assert_int_eq(note_read(&note, slice_of("a\0\n\n" LINE, 24)),
                     ST_FILE_FORMAT);
}
END_TEST

START_TEST(note_above_a_limit_is_too_large)
{
    static uint8_t bytes[NOTE_SIZE_MAX + 1];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    lines_write(&writer, "text\n\n");
    for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
        lines_write(&writer, LINE);
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
    ck_assert_uint_eq(note.count, NOTE_SIGNATURES_MAX);
    lines_write(&writer, LINE);
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_TOO_LARGE);

    memset(bytes, 'a', sizeof bytes);
    writer_init(&writer, bytes + sizeof bytes - strlen("\n\n" LINE),
                strlen("\n\n" LINE));
    lines_write(&writer, "\n\n" LINE);
    ck_assert_int_eq(note_read(&note, slice_of(bytes, sizeof bytes)),
                     ST_TOO_LARGE);
    ck_assert_int_eq(note_read(&note, slice_of(bytes + 1, sizeof bytes - 1)),
                     ST_OK);
}
END_TEST

/* A note of this text, signed by ${signer}, in ${writer}. */
static void sign_note(struct writer *writer, const struct tlog_signer *signer,
                      const char *text)
{
    lines_write(writer, text);
    lines_write(writer, "\n");
    note_sign_line(writer, &signer->key, &signer->identity,
                   slice_of(text, strlen(text)));
    ck_assert_int_eq(writer->status, ST_OK);
}

START_TEST(known_key_has_signed_or_not_or_wrongly)
{
    uint8_t bytes[1024];
    struct tlog_signer signer, other;
    struct writer writer;

    tlog_log(&signer);
    tlog_signer_make(&other, "registry.example/kob-log", NOTE_ED25519, 9);
    writer_init(&writer, bytes, sizeof bytes);
    sign_note(&writer, &signer, "one\n\ntwo\n");
    lines_write(&writer, LINE);
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
    ck_assert_int_eq(note_verify(&note, &signer.key), ST_OK);
    ck_assert_int_eq(note_verify(&note, &other.key), ST_NO_SUCH);

    /* The same name and keyid, and another key behind them. */
    memcpy(other.key.keyid, signer.key.keyid, NOTE_KEYID_SIZE);
    ck_assert_int_eq(note_verify(&note, &other.key), ST_BAD_SIG);
    bytes[0] ^= 1;
    ck_assert_int_eq(note_verify(&note, &signer.key), ST_BAD_SIG);
    bytes[0] ^= 1;

    /* A second line of the key does not hide that one is wrong. */
    note_write_line(&writer, &signer.key, bytes, SIGNATURE_SIZE);
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
    ck_assert_int_eq(note_verify(&note, &signer.key), ST_BAD_SIG);
}
END_TEST

START_TEST(line_of_a_known_key_with_another_length_is_wrong)
{
    uint8_t bytes[1024];
    struct tlog_signer signer;
    struct writer writer;

    tlog_log(&signer);
    for (size_t size = 1; size <= NOTE_SIGNATURE_SIZE_MAX; size++) {
        static const uint8_t zeros[NOTE_SIGNATURE_SIZE_MAX];

        writer_init(&writer, bytes, sizeof bytes);
        lines_write(&writer, "text\n\n");
        note_write_line(&writer, &signer.key, zeros, size);
        ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
        ck_assert_int_eq(note_verify(&note, &signer.key), ST_BAD_SIG);
    }
}
END_TEST

START_TEST(line_of_an_unknown_type_is_skipped_however_long)
{
    static uint8_t bytes[NOTE_SIZE_MAX];
    static uint8_t blob[20000];
    struct tlog_signer signer;
    struct writer writer;

    tlog_log(&signer);
    writer_init(&writer, bytes, sizeof bytes);
    lines_write(&writer, "text\n\n");
    lines_write(&writer, DASH "registry.example/kob-log ");
    lines_write_base64(&writer, blob, sizeof blob);
    lines_write(&writer, "\n");
    note_sign_line(&writer, &signer.key, &signer.identity,
                   slice_of("text\n", 5));
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
    ck_assert_uint_eq(note.count, 2);
    ck_assert_int_eq(note_verify(&note, &signer.key), ST_OK);
}
END_TEST

START_TEST(number_is_read_in_one_form_only)
{
    static const char *const bad[] = {
        "",   "00", "01", "-1",  "+1",
        " 1", "1 ", "1a", "0x1", "18446744073709551616",
        "101"};
    uint64_t value;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(lines_read_number(&value,
                                        slice_of(bad[i], strlen(bad[i])),
                                        100) == ST_FILE_FORMAT,
                      "\"%s\" is taken", bad[i]);
    ck_assert_int_eq(lines_read_number(&value, slice_of("100", 3), 100), ST_OK);
    ck_assert_uint_eq(value, 100);
    ck_assert_int_eq(lines_read_number(&value,
                                       slice_of("18446744073709551615", 20),
                                       UINT64_MAX),
                     ST_OK);
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

START_TEST(base64_has_no_characters_but_those_of_its_alphabet)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t out[3];

    for (unsigned c = 0; c <= 0xff; c++) {
        bool known = c != 0 && strchr(alphabet, (int)c) != NULL;

        for (size_t at = 0; at < 4; at++) {
            uint8_t text[4] = {'A', 'A', 'A', 'A'};

            if (at == 3 && c == '=')
                continue;
            text[at] = (uint8_t)c;
            ck_assert_msg(
                (lines_read_exact(out, 3, slice_of(text, 4)) == ST_OK) == known,
                "character %02x at %zu", c, at);
        }
    }
}
END_TEST

START_TEST(base64_of_every_short_length_is_written_and_read_again)
{
    uint8_t data[70], again[70], text[100];

    for (size_t size = 0; size <= sizeof data; size++) {
        struct writer writer;
        size_t read;

        memset(data, (int)(size * 37), sizeof data);
        writer_init(&writer, text, sizeof text);
        lines_write_base64(&writer, data, size);
        ck_assert_uint_eq(writer.used, LINES_BASE64_SIZE(size));
        ck_assert(lines_base64_valid(writer_slice(&writer)));
        ck_assert_int_eq(lines_read_base64(again, &read, sizeof again,
                                           writer_slice(&writer)),
                         ST_OK);
        ck_assert_uint_eq(read, size);
        ck_assert_mem_eq(again, data, size);
        if (size > 0)
            ck_assert_int_eq(lines_read_base64(again, &read, size - 1,
                                               writer_slice(&writer)),
                             ST_FILE_FORMAT);
    }
    ck_assert(!lines_base64_valid(slice_of("AA==AAAA", 8)));
    ck_assert(!lines_base64_valid(slice_of("AAAA====", 8)));
    ck_assert(!lines_base64_valid(slice_of("AAA", 3)));
}
END_TEST

SUITE_MAIN("note", key_of_the_specification_is_read_and_written_again,
           key_with_any_bit_flipped_is_refused,
           key_of_another_type_says_so_and_is_not_taken_for_damage,
           name_has_no_spaces_no_plus_and_no_controls,
           text_is_split_from_its_lines_at_the_last_empty_line,
           note_that_is_not_one_is_refused, note_above_a_limit_is_too_large,
           known_key_has_signed_or_not_or_wrongly,
           line_of_a_known_key_with_another_length_is_wrong,
           line_of_an_unknown_type_is_skipped_however_long,
           number_is_read_in_one_form_only,
           base64_has_no_characters_but_those_of_its_alphabet,
           base64_of_every_short_length_is_written_and_read_again)
