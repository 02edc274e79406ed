/*
 * What strangers' text does to who reads it: nothing, as text and as JSON.
 */
#define SUITE_FORKS
#include <cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/program/say.h"
#include "tests/lib/suite.h"

enum { SAID_SIZE = 1024 };

/* A title, C1's CSI, DEL, a right-to-left override, half a code point. */
#define EVIL "a\x1b]0;t\xc2\x9b\x7f\xe2\x80\xae\xff z"

static char said[SAID_SIZE];
static FILE *kept;

static void listen_to_stdout(void)
{
    kept = tmpfile();
    ck_assert_ptr_nonnull(kept);
    ck_assert_int_eq(fflush(stdout), 0);
    ck_assert_int_ge(dup2(fileno(kept), STDOUT_FILENO), 0);
}

static void read_it(void)
{
    size_t size;

    ck_assert_int_eq(fflush(stdout), 0);
    rewind(kept);
    size = fread(said, 1, sizeof said - 1, kept);
    said[size] = '\0';
}

START_TEST(text_shows_what_a_terminal_obeys_as_its_bytes)
{
    listen_to_stdout();
    say_text(stdout, slice_of("\xc6\x8f\n" EVIL, strlen("\xc6\x8f\n" EVIL)),
             true);
    read_it();
    ck_assert_str_eq(said, "\xc6\x8f\na\\x1b]0;t\\xc2\\x9b\\x7f\\xe2\\x80\\xae"
                           "\\xff z");
}
END_TEST

START_TEST(JSON_has_escapes_for_what_a_terminal_obeys_and_means_the_same)
{
    cJSON *object = cJSON_CreateObject(), *read;

    cJSON_AddStringToObject(object, "n\xc2\x9b", "\xc6\x8f\n\t" EVIL);
    listen_to_stdout();
    say_json(object, false);
    read_it();
    ck_assert_str_eq(said, "{\"n\\u009b\":\"\xc6\x8f\\n\\ta\\u001b]0;t\\u009b"
                           "\\u007f\\u202e\\ufffd z\"}\n");
    read = cJSON_Parse(said);
    ck_assert_ptr_nonnull(read);
    ck_assert_str_eq(
        cJSON_GetObjectItem(read, "n\xc2\x9b")->valuestring,
        "\xc6\x8f\n\ta\x1b]0;t\xc2\x9b\x7f\xe2\x80\xae\xef\xbf\xbd z");
    cJSON_Delete(read);
}
END_TEST

START_TEST(a_refused_code_point_above_the_first_plane_is_a_pair)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "n", "\xf0\x9f\xbf\xbe"); /* U+1FFFE */
    listen_to_stdout();
    say_json(object, true);
    read_it();
    ck_assert_str_eq(said, "{\n\t\"n\":\t\"\\ud83f\\udffe\"\n}\n");
}
END_TEST

SUITE_MAIN("say", text_shows_what_a_terminal_obeys_as_its_bytes,
           JSON_has_escapes_for_what_a_terminal_obeys_and_means_the_same,
           a_refused_code_point_above_the_first_plane_is_a_pair)
