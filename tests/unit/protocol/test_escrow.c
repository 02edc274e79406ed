#include "protocol/escrow.h"

#include <string.h>

#include "tests/lib/suite.h"

static struct escrow_header header;
static uint8_t bytes[ESCROW_HEADER_SIZE + 1];

static void begin(void)
{
    memset(header.cluster_id, 1, sizeof header.cluster_id);
    memset(header.recovery_key, 2, sizeof header.recovery_key);
    header.size = 0x0102;
    header.snapshot = 0x0101;
    header.made_at = 3;
    memset(header.box, 4, sizeof header.box);
    memset(header.stream, 5, sizeof header.stream);
    escrow_header_encode(bytes, &header);
}

START_TEST(escrow_header_bytes_are_as_laid_out)
{
    static const uint8_t first[16] = {'D', 'F', 'T', 'E', 'S', 'C', 'R',
                                      0,   1,   0,   0,   0,   0,   0};

    begin();
    ck_assert_mem_eq(bytes, first, sizeof first);
    ck_assert_uint_eq(bytes[16], 1);
    ck_assert_uint_eq(bytes[31], 1);
    ck_assert_uint_eq(bytes[32], 2);
    ck_assert_uint_eq(bytes[63], 2);
    ck_assert_uint_eq(load_u64(bytes + 64), 0x0102);
    ck_assert_uint_eq(load_u64(bytes + 72), 0x0101);
    ck_assert_uint_eq(load_u64(bytes + 80), 3);
    ck_assert_uint_eq(bytes[88], 4);
    ck_assert_uint_eq(bytes[167], 4);
    ck_assert_uint_eq(bytes[168], 5);
    ck_assert_uint_eq(bytes[191], 5);
}
END_TEST

START_TEST(escrow_header_reads_back)
{
    struct escrow_header read;

    begin();
    memset(&read, 0, sizeof read);
    ck_assert_int_eq(
        escrow_header_decode(&read, slice_of(bytes, ESCROW_HEADER_SIZE)),
        ST_OK);
    ck_assert_mem_eq(&read, &header, sizeof read);
}
END_TEST

START_TEST(escrow_header_that_nobody_writes_is_refused)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = {{0, 'd'},   {8, 2},  {10, 1},   {15, 1},
                 {71, 0x80}, {72, 3}, {87, 0x80}};
    struct escrow_header read;

    begin();
    for (size_t size = 0; size <= sizeof bytes; size++)
        ck_assert_int_eq(escrow_header_decode(&read, slice_of(bytes, size)),
                         size == ESCROW_HEADER_SIZE ? ST_OK : ST_FILE_FORMAT);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin();
        bytes[wrong[i].at] = wrong[i].byte;
        ck_assert_int_eq(
            escrow_header_decode(&read, slice_of(bytes, ESCROW_HEADER_SIZE)),
            ST_FILE_FORMAT);
    }
}
END_TEST

SUITE_MAIN("escrow", escrow_header_bytes_are_as_laid_out,
           escrow_header_reads_back,
           escrow_header_that_nobody_writes_is_refused)
