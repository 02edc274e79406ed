#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "server/options.h"

static struct options options;
static char error[OPTIONS_ERROR_SIZE];

static enum status parse(const char *text)
{
    return options_parse(&options, error, text, "/base");
}

START_TEST(a_directory_is_all_that_must_be_said)
{
    struct net_options defaults;

    net_defaults(&defaults);
    ck_assert_int_eq(parse("[node]\ndirectory = .\n"), ST_OK);
    ck_assert_str_eq(options.directory, "/base/.");
    ck_assert_str_eq(options.net.address, defaults.address);
    ck_assert_uint_eq(options.net.loops, defaults.loops);
    ck_assert_int_eq(parse("[net]\nloops = 1\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "directory"));
}
END_TEST

START_TEST(values_are_taken)
{
    ck_assert_int_eq(parse("[node]\ndirectory = /d\n[net]\nloops = 3\n"
                           "listen = [::1]:9\nconnections = 12\n"),
                     ST_OK);
    ck_assert_str_eq(options.directory, "/d");
    ck_assert_uint_eq(options.net.loops, 3);
    ck_assert_str_eq(options.net.address, "[::1]:9");
    ck_assert_uint_eq(options.net.connections, 12);
}
END_TEST

START_TEST(a_key_that_is_not_known_is_an_error_that_names_it)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\ncolour = red\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "colour"));
    ck_assert_int_eq(parse("[nod]\ndirectory = .\n"), ST_USAGE);
}
END_TEST

START_TEST(numbers_out_of_range_or_with_a_tail_are_errors)
{
    static const char *const bad[] = {"0", "9", "-1",  "3x",
                                      "",  "x", "1e1", "99999999999999999999"};
    char text[128];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "[node]\ndirectory = .\n[net]\nloops = %s\n", bad[i]);
        ck_assert_msg(parse(text) == ST_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error, "loops"));
    }
}
END_TEST

START_TEST(an_address_is_a_number_and_a_port)
{
    static const char *const bad[] = {"localhost:7840",  "127.0.0.1",
                                      ":7840",           "[::1]",
                                      "127.0.0.1:65536", "nonsense"};
    char text[128];

    ck_assert_int_eq(
        parse("[node]\ndirectory = .\n[net]\nlisten = 127.0.0.1:0\n"), ST_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "[node]\ndirectory = .\n[net]\nlisten = %s\n", bad[i]);
        ck_assert_msg(parse(text) == ST_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error, "listen"));
    }
}
END_TEST

START_TEST(a_line_that_is_neither_section_nor_key_is_an_error)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\nnonsense\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "line 3"));
}
END_TEST

START_TEST(the_manual_names_every_key)
{
    static char manual[65536];
    FILE *file = fopen("docs/OPERATING.md", "r");
    unsigned count;

    ck_assert_ptr_nonnull(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    (void)fclose(file);
    const struct options_key *keys = options_keys(&count);
    ck_assert_uint_gt(count, 5);
    for (unsigned i = 0; i < count; i++) {
        char row[128];
        (void)snprintf(row, sizeof row, "| `%s` | `%s` |", keys[i].section,
                       keys[i].name);
        ck_assert_msg(strstr(manual, row) != NULL, "%s", row);
    }
}
END_TEST

SUITE_MAIN("options", a_directory_is_all_that_must_be_said, values_are_taken,
           a_key_that_is_not_known_is_an_error_that_names_it,
           numbers_out_of_range_or_with_a_tail_are_errors,
           an_address_is_a_number_and_a_port,
           a_line_that_is_neither_section_nor_key_is_an_error,
           the_manual_names_every_key)
