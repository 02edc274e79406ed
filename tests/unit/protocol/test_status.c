#include "protocol/status.h"

#include <string.h>

#include "protocol/contract.h"
#include "tests/lib/suite.h"

enum { ENGLISH_SIZE_MAX = 96 };

START_TEST(every_status_has_its_own_number_in_rising_order)
{
    uint32_t count;
    const struct status_info *rows = status_list(&count);

    ck_assert_uint_gt(count, 60);
    ck_assert_int_eq(rows[0].status, ST_OK);
    for (uint32_t i = 1; i < count; i++)
        ck_assert_msg(rows[i - 1].status < rows[i].status, "%s is out of order",
                      rows[i].name);
}
END_TEST

START_TEST(every_english_text_fits_an_error_frame_and_is_printable)
{
    uint32_t count;
    const struct status_info *rows = status_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        size_t size = strlen(rows[i].english);

        ck_assert_uint_gt(size, 0);
        ck_assert_uint_le(size, ENGLISH_SIZE_MAX);
        for (size_t at = 0; at < size; at++)
            ck_assert_msg(rows[i].english[at] >= 0x20 &&
                              rows[i].english[at] < 0x7f,
                          "%s holds an unprintable byte", rows[i].name);
    }
}
END_TEST

START_TEST(every_status_that_travels_is_also_told_in_azerbaijani)
{
    uint32_t count;
    const struct status_info *rows = status_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        if (status_is_wire((uint32_t)rows[i].status))
            ck_assert_msg(rows[i].azerbaijani[0] != '\0', "%s has no text",
                          rows[i].name);
    }
}
END_TEST

START_TEST(a_number_outside_the_list_has_no_row_and_never_travels)
{
    ck_assert_ptr_null(status_info(101));
    ck_assert_ptr_null(status_info(UINT32_MAX));
    ck_assert_str_eq(status_name(101), "UNKNOWN");
    ck_assert(!status_is_wire(101));
    ck_assert(!status_is_wire((uint32_t)ST_DISK_FAILED));
    ck_assert(status_is_wire((uint32_t)ST_NO_GRANT));
    ck_assert_str_eq(status_name((uint32_t)ST_NO_GRANT), "NO_GRANT");
}
END_TEST

START_TEST(a_peer_that_breaks_framing_loses_its_connection)
{
    static const enum status fatal[] = {
        ST_RECORD_SIZE, ST_DECRYPT, ST_FRAME, ST_TYPE, ST_STATE, ST_RESERVED};

    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        const struct status_info *row = status_info((uint32_t)fatal[i]);

        ck_assert_int_eq(row->scope, SCOPE_CONNECTION);
        ck_assert_int_eq(row->blame, BLAME_PEER);
    }
}
END_TEST

SUITE_MAIN("status", every_status_has_its_own_number_in_rising_order,
           every_english_text_fits_an_error_frame_and_is_printable,
           every_status_that_travels_is_also_told_in_azerbaijani,
           a_number_outside_the_list_has_no_row_and_never_travels,
           a_peer_that_breaks_framing_loses_its_connection)
