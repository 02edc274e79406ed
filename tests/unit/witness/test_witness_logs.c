#include "client/witness/witness_logs.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

static struct witness_logs logs;
static size_t line;
static char text[64 * 1024];
static char log_key[NOTE_KEY_SIZE_MAX + 1], other_key[NOTE_KEY_SIZE_MAX + 1];

static void key_text(char out[NOTE_KEY_SIZE_MAX + 1], const char *name,
                     enum note_type type, uint8_t seed)
{
    uint8_t secret[SEED_SIZE] = {seed};
    struct identity identity;
    struct note_key key;
    struct writer writer;

    identity_init(&identity, secret);
    note_key_init(&key, slice_of(name, strlen(name)), type,
                  identity.public_key);
    writer_init(&writer, out, NOTE_KEY_SIZE_MAX);
    note_key_write(&writer, &key);
    ck_assert_int_eq(writer.status, ST_OK);
    out[writer.used] = '\0';
}

static enum status read_text(void)
{
    return witness_logs_read(&logs, &line, slice_of(text, strlen(text)));
}

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    key_text(log_key, "a.example/log", NOTE_ED25519, 1);
    key_text(other_key, "b.example/log", NOTE_ED25519, 2);
}

START_TEST(logs_of_a_policy_are_taken_and_the_rest_is_left)
{
    char witness[NOTE_KEY_SIZE_MAX + 1];

    begin();
    key_text(witness, "w", NOTE_COSIGNATURE, 3);
    (void)snprintf(text, sizeof text,
                   "# whom we sign for\n\nlog %s\n"
                   " \tlog \t %s https://b.example \n"
                   "witness w %s\ngroup g any w\nquorum g\n",
                   log_key, other_key, witness);
    ck_assert_int_eq(read_text(), ST_OK);
    ck_assert_uint_eq(logs.count, 2);
    ck_assert_str_eq(logs.keys[0].name, "a.example/log");
    ck_assert_str_eq(logs.keys[1].name, "b.example/log");
}
END_TEST

START_TEST(a_line_that_says_something_else_is_refused_by_its_number)
{
    static const char *const bad[] = {"logs x", "log", "log notakey",
                                      "log %s a b", "log\t%s x\ry z"};

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char one[2 * NOTE_KEY_SIZE_MAX];
        const char *hole = strstr(bad[i], "%s");

        if (hole == NULL)
            (void)snprintf(one, sizeof one, "%s", bad[i]);
        else
            (void)snprintf(one, sizeof one, "%.*s%s%s", (int)(hole - bad[i]),
                           bad[i], log_key, hole + 2);
        (void)snprintf(text, sizeof text, "\nlog %s\n%s\n", other_key, one);
        ck_assert_msg(read_text() == ST_FILE_FORMAT, "%s", bad[i]);
        ck_assert_uint_eq(line, 3);
    }
    key_text(log_key, "w", NOTE_COSIGNATURE, 3); /* No log's. */
    (void)snprintf(text, sizeof text, "log %s\n", log_key);
    ck_assert_int_eq(read_text(), ST_FILE_FORMAT);
}
END_TEST

START_TEST(no_log_and_no_last_line_are_refused)
{
    begin();
    text[0] = '\0';
    ck_assert_int_eq(read_text(), ST_FILE_FORMAT);
    (void)snprintf(text, sizeof text, "# nothing\n");
    ck_assert_int_eq(read_text(), ST_FILE_FORMAT);
    (void)snprintf(text, sizeof text, "log %s", log_key);
    ck_assert_int_eq(read_text(), ST_FILE_FORMAT);
}
END_TEST

START_TEST(a_key_twice_and_too_many_are_refused)
{
    size_t used = 0;

    begin();
    (void)snprintf(text, sizeof text, "log %s\nlog %s\n", log_key, log_key);
    ck_assert_int_eq(read_text(), ST_EXISTS);
    ck_assert_uint_eq(line, 2);
    for (uint8_t i = 0; i <= WITNESS_LOGS_MAX; i++) {
        char key[NOTE_KEY_SIZE_MAX + 1];

        key_text(key, "many.example/log", NOTE_ED25519, (uint8_t)(10 + i));
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "log %s\n", key);
    }
    ck_assert_int_eq(read_text(), ST_TOO_LARGE);
    ck_assert_uint_eq(line, WITNESS_LOGS_MAX + 1);
}
END_TEST

SUITE_MAIN("witness_logs", logs_of_a_policy_are_taken_and_the_rest_is_left,
           a_line_that_says_something_else_is_refused_by_its_number,
           no_log_and_no_last_line_are_refused,
           a_key_twice_and_too_many_are_refused)
