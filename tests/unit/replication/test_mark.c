#include "replication/mark.h"

#include <string.h>

#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

static struct disk_model *model;
static struct mark mark;

static struct mark_value value_of(uint64_t size)
{
    struct mark_value value = {
        .incarnation = 3, .epoch = 7, .size = size, .committed = size};

    if (size > 0)
        memset(value.leaf, (int)(size & 0x7f) + 1, HASH_SIZE);
    return value;
}

static void begin(void)
{
    const struct mark_value value = value_of(0);

    model = disk_model_new();
    ck_assert_uint_eq(mark_create(disk_model_disk(model), &value), ST_OK);
    ck_assert_uint_eq(mark_open(&mark, disk_model_disk(model)), ST_OK);
}

static void put(uint64_t size)
{
    const struct mark_value value = value_of(size);

    ck_assert_uint_eq(mark_write(&mark, &value), ST_OK);
}

static enum status again(void)
{
    mark_close(&mark);
    return mark_open(&mark, disk_model_disk(model));
}

static void end(void)
{
    mark_close(&mark);
    disk_model_free(model);
}

START_TEST(mark_body_has_its_written_layout)
{
    static const uint8_t golden[MARK_BODY_SIZE] = {
        3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0,
        0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
        6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6};
    const struct mark_value value = value_of(5);
    struct mark_value out;
    uint8_t body[MARK_BODY_SIZE];

    mark_encode(body, &value);
    ck_assert_mem_eq(body, golden, sizeof golden);
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)), ST_OK);
    ck_assert_uint_eq(out.size, 5);
    ck_assert_uint_eq(out.committed, 5);
    ck_assert_uint_eq(out.epoch, 7);
    ck_assert_uint_eq(out.incarnation, 3);
    ck_assert_mem_eq(out.leaf, value.leaf, HASH_SIZE);
}
END_TEST

START_TEST(mark_body_that_contradicts_itself_is_refused)
{
    const struct mark_value value = value_of(5);
    struct mark_value out;
    uint8_t body[MARK_BODY_SIZE + 1] = {0};

    mark_encode(body, &value);
    for (size_t size = 0; size < MARK_BODY_SIZE; size++)
        ck_assert_uint_eq(mark_decode(&out, slice_of(body, size)),
                          ST_FILE_FORMAT);
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
    body[24] = 6; /* committed > size */
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, MARK_BODY_SIZE)),
                      ST_FILE_FORMAT);
    body[24] = 5;
    body[12] = 1; /* reserved */
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, MARK_BODY_SIZE)),
                      ST_FILE_FORMAT);
    body[12] = 0;
    body[16] = body[24] = 0; /* a hash of no entry */
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, MARK_BODY_SIZE)),
                      ST_FILE_FORMAT);
}
END_TEST

START_TEST(mark_is_the_last_one_written)
{
    begin();
    for (uint64_t size = 1; size < 6; size++) {
        put(size);
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(mark.value.size, size);
        ck_assert(!mark.slots.slot_bad);
    }
    end();
}
END_TEST

START_TEST(mark_survives_the_rot_of_either_slot)
{
    begin();
    put(1);
    put(2);
    /* Sequence 4 stands in slot 0, sequence 3 in slot 1. */
    disk_model_rot(model, MARK_FILE, SLOT_SIZE + 40, 0);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(mark.value.size, 2);
    ck_assert(mark.slots.slot_bad);
    put(3); /* Written over the bad slot. */
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(mark.value.size, 3);
    ck_assert(!mark.slots.slot_bad);
    disk_model_rot(model, MARK_FILE, SLOT_SIZE + 40, 0);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(mark.value.size, 2);
    ck_assert(mark.slots.slot_bad);
    end();
}
END_TEST

START_TEST(mark_with_any_bit_flipped_is_the_other_slot)
{
    begin();
    put(1);
    put(2);
    for (uint64_t bit = 0; bit < SLOT_SIZE * 8; bit++) {
        disk_model_rot(model, MARK_FILE, bit / 8, (unsigned)(bit % 8));
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(mark.value.size, 1);
        ck_assert(mark.slots.slot_bad);
        disk_model_rot(model, MARK_FILE, bit / 8, (unsigned)(bit % 8));
    }
    end();
}
END_TEST

START_TEST(mark_with_both_slots_bad_is_lost)
{
    begin();
    disk_model_rot(model, MARK_FILE, 20, 1);
    disk_model_rot(model, MARK_FILE, SLOT_SIZE + 20, 1);
    ck_assert_uint_eq(again(), ST_LOST);
    disk_model_free(model);
}
END_TEST

START_TEST(mark_file_that_is_gone_is_not_invented)
{
    begin();
    disk_model_drop(model, MARK_FILE);
    ck_assert_uint_eq(again(), ST_NO_FILE);
    disk_model_free(model);
}
END_TEST

START_TEST(mark_in_the_place_of_the_other_slot_does_not_count)
{
    const uint8_t *data;
    size_t size;

    begin();
    put(1);
    ck_assert(disk_model_peek(model, MARK_FILE, &data, &size));
    ck_assert_uint_eq(size, 2 * SLOT_SIZE);
    disk_model_poke(model, MARK_FILE, 0, data + SLOT_SIZE, SLOT_SIZE);
    disk_model_rot(model, MARK_FILE, SLOT_SIZE, 0);
    ck_assert_uint_eq(again(), ST_LOST);
    disk_model_free(model);
}
END_TEST

START_TEST(mark_torn_by_a_crash_is_the_one_before)
{
    struct disk_model *after;
    struct mark_value value = value_of(2);

    begin();
    put(1);
    disk_model_power_off_after(model, 1); /* The write, and not its sync. */
    ck_assert_uint_eq(mark_write(&mark, &value), ST_DISK_FAILED);
    ck_assert_uint_eq(disk_model_pending(model), 1);
    for (int kept = 0; kept < 3; kept++) {
        after = disk_model_crash(model, NULL, 0, kept > 0,
                                 kept == 2 ? 0 : SIZE_MAX);
        mark_close(&mark);
        ck_assert_uint_eq(mark_open(&mark, disk_model_disk(after)), ST_OK);
        ck_assert_uint_eq(mark.value.size, kept == 0 ? 1 : 2);
        mark_close(&mark);
        disk_model_free(after);
    }
    disk_model_free(model);
}
END_TEST

START_TEST(mark_that_cannot_be_synced_is_not_taken_for_written)
{
    struct mark_value value = value_of(2);

    begin();
    put(1);
    disk_model_fail_sync_after(model, 1);
    ck_assert_uint_eq(mark_write(&mark, &value), ST_DISK_FAILED);
    ck_assert_uint_eq(mark.value.size, 1);
    end();
}
END_TEST

START_TEST(mark_keeps_what_is_lost)
{
    struct mark_value value = value_of(5);
    struct mark_value out;
    uint8_t body[MARK_BODY_SIZE];

    value.lost = (struct mark_lost){
        .kind = MARK_LOST, .size = 9, .committed = 7, .leaf = {1, 2}};
    mark_encode(body, &value);
    ck_assert_uint_eq(load_u32(body + 12), 1);
    ck_assert_uint_eq(load_u64(body + 64), 9);
    ck_assert_uint_eq(load_u64(body + 72), 7);
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)), ST_OK);
    ck_assert_int_eq(out.lost.kind, MARK_LOST);
    ck_assert_uint_eq(out.lost.size, 9);
    ck_assert_uint_eq(out.lost.committed, 7);
    ck_assert_mem_eq(out.lost.leaf, value.lost.leaf, HASH_SIZE);
    body[12] = 3; /* Everything: but then of no size. */
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
    body[12] = 4;
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
    body[12] = 0;
    ck_assert_uint_eq(mark_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
}
END_TEST

START_TEST(mark_lost_of_two_reasons_is_the_graver)
{
    static const struct mark_lost some = {
        .kind = MARK_LOST, .size = 9, .committed = 4, .leaf = {1}};
    static const struct mark_lost more = {
        .kind = MARK_LOST, .size = 12, .committed = 3, .leaf = {2}};
    static const struct mark_lost tail = {.kind = MARK_LOST_TAIL, .size = 5};
    struct mark_lost lost = {.kind = MARK_WHOLE};
    struct mark_lost whole = lost;

    mark_lost_join(&lost, &some);
    ck_assert_int_eq(lost.kind, MARK_LOST);
    mark_lost_join(&lost, &some);
    mark_lost_join(&lost, &whole);
    ck_assert_uint_eq(lost.size, 9);
    ck_assert_uint_eq(lost.leaf[0], 1);
    mark_lost_join(&lost, &more); /* Perhaps of another history. */
    ck_assert_int_eq(lost.kind, MARK_LOST_ALL);
    ck_assert_uint_eq(lost.committed, 4);
    lost = some;
    mark_lost_join(&lost, &tail);
    ck_assert_int_eq(lost.kind, MARK_LOST_ALL);
    ck_assert_uint_eq(lost.size, UINT64_MAX);
    mark_lost_join(&lost, &some);
    ck_assert_int_eq(lost.kind, MARK_LOST_ALL);
    ck_assert_uint_eq(lost.committed, 4);
}
END_TEST

SUITE_MAIN("mark", mark_keeps_what_is_lost,
           mark_lost_of_two_reasons_is_the_graver,
           mark_body_has_its_written_layout,
           mark_body_that_contradicts_itself_is_refused,
           mark_is_the_last_one_written, mark_survives_the_rot_of_either_slot,
           mark_with_any_bit_flipped_is_the_other_slot,
           mark_with_both_slots_bad_is_lost,
           mark_file_that_is_gone_is_not_invented,
           mark_in_the_place_of_the_other_slot_does_not_count,
           mark_torn_by_a_crash_is_the_one_before,
           mark_that_cannot_be_synced_is_not_taken_for_written)
