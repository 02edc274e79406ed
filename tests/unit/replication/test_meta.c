#include "replication/meta.h"

#include <string.h>

#include "replication/journal.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

static struct disk_model *model;
static struct meta meta;

static void begin(void)
{
    static struct meta_value value;

    memset(value.node_id, 1, NODE_ID_SIZE);
    memset(value.cluster_id, 2, CLUSTER_ID_SIZE);
    memset(value.lineage, 3, LINEAGE_SIZE);
    model = disk_model_new();
    ck_assert_uint_eq(meta_create(disk_model_disk(model), &value), ST_OK);
    ck_assert_uint_eq(meta_open(&meta, disk_model_disk(model)), ST_OK);
}

static enum status again(void)
{
    meta_close(&meta);
    return meta_open(&meta, disk_model_disk(model));
}

static void end(void)
{
    meta_close(&meta);
    disk_model_free(model);
}

START_TEST(meta_body_has_its_written_layout)
{
    struct meta_value value = {.incarnation = 4,
                               .promised_epoch = 5,
                               .configuration_number = 6,
                               .claimed = 3,
                               .doubtful = true,
                               .configuration = "abc",
                               .configuration_size = 3};
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t size;

    memset(value.node_id, 1, NODE_ID_SIZE);
    memset(value.cluster_id, 2, CLUSTER_ID_SIZE);
    memset(value.lineage, 3, LINEAGE_SIZE);
    meta_encode(body, &size, &value);
    ck_assert_uint_eq(size, META_BODY_FIXED_SIZE + 4 + 3);
    ck_assert_mem_eq(body, value.node_id, 16);
    ck_assert_mem_eq(body + 16, value.cluster_id, 16);
    ck_assert_mem_eq(body + 32, value.lineage, 16);
    ck_assert_uint_eq(load_u64(body + 48), 4);
    ck_assert_uint_eq(load_u32(body + 56), 5);
    ck_assert_uint_eq(load_u32(body + 60), 0);
    ck_assert_uint_eq(load_u64(body + 64), 6);
    ck_assert_uint_eq(load_u64(body + 72), 3);
    ck_assert_uint_eq(load_u32(body + 80), 1);
    ck_assert_uint_eq(load_u32(body + 84), 3);
    ck_assert_mem_eq(body + 88, "abc", 3);
}
END_TEST

START_TEST(meta_body_cut_or_longer_is_refused)
{
    struct meta_value value = {.configuration_size = 9};
    struct meta_value out;
    uint8_t body[SLOTS_BODY_SIZE_MAX] = {0};
    size_t size;

    meta_encode(body, &size, &value);
    ck_assert_uint_eq(meta_decode(&out, slice_of(body, size)), ST_OK);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_uint_eq(meta_decode(&out, slice_of(body, cut)),
                          ST_FILE_FORMAT);
    ck_assert_uint_eq(meta_decode(&out, slice_of(body, size + 1)),
                      ST_FILE_FORMAT);
    store_u32(body + META_BODY_FIXED_SIZE, META_CONFIGURATION_SIZE_MAX + 1);
    ck_assert_uint_eq(meta_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
}
END_TEST

START_TEST(meta_remembers_who_the_node_is)
{
    uint8_t id[NODE_ID_SIZE];

    begin();
    memset(id, 1, sizeof id);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_mem_eq(meta.value.node_id, id, sizeof id);
    ck_assert_uint_eq(meta.value.cluster_id[15], 2);
    ck_assert_uint_eq(meta.value.lineage[15], 3);
    end();
}
END_TEST

START_TEST(meta_counts_every_start_and_every_epoch_durably)
{
    uint32_t epoch = 0;

    begin();
    for (uint32_t start = 1; start < 5; start++) {
        struct disk_model *after;

        ck_assert_uint_eq(meta_begin(&meta), ST_OK);
        ck_assert_uint_eq(meta_take_epoch(&meta, &epoch), ST_OK);
        ck_assert_uint_eq(epoch, start);
        meta_close(&meta);
        after = disk_model_crash(model, NULL, 0, false, SIZE_MAX);
        disk_model_free(model);
        model = after;
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(meta.value.incarnation, start);
        ck_assert_uint_eq(meta.value.promised_epoch, start);
    }
    end();
}
END_TEST

START_TEST(meta_promises_are_kept_and_never_fall)
{
    uint32_t epoch;

    begin();
    ck_assert_uint_eq(meta_promise(&meta, 40), ST_OK);
    ck_assert_uint_eq(meta_promise(&meta, 40), ST_OK);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(meta_take_epoch(&meta, &epoch), ST_OK);
    ck_assert_uint_eq(epoch, 41);
    ck_assert_uint_eq(meta_promise(&meta, UINT32_MAX), ST_OK);
    ck_assert_uint_eq(meta_take_epoch(&meta, &epoch), ST_LIMIT);
    end();
}
END_TEST

START_TEST(meta_keeps_the_newest_configuration)
{
    begin();
    ck_assert_uint_eq(meta_configure(&meta, 1, slice_of("longer", 6)), ST_OK);
    ck_assert_uint_eq(meta_configure(&meta, 2, slice_of("x", 1)), ST_OK);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(meta.value.configuration_number, 2);
    ck_assert_uint_eq(meta.value.configuration_size, 1);
    ck_assert_uint_eq(meta.value.configuration[0], 'x');
    ck_assert_uint_eq(meta.value.configuration[1], 0);
    end();
}
END_TEST

START_TEST(meta_never_gives_an_epoch_twice_when_a_slot_rots)
{
    uint32_t first;
    uint32_t second;

    begin();
    ck_assert_uint_eq(meta_begin(&meta), ST_OK);
    ck_assert_uint_eq(meta_take_epoch(&meta, &first), ST_OK);
    /* The newest value has sequence 4 and stands in slot 0. */
    disk_model_rot(model, META_FILE, 30, 4);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_ge(meta.value.incarnation, 1);
    ck_assert_uint_eq(meta_take_epoch(&meta, &second), ST_OK);
    ck_assert_uint_gt(second, first);
    end();
}
END_TEST

START_TEST(C7_a_node_whose_meta_file_is_unreadable_refuses_to_start)
{
    struct journal_report report;
    char text[300];

    begin();
    disk_model_rot(model, META_FILE, 30, 4);
    disk_model_rot(model, META_FILE, SLOT_SIZE + 30, 4);
    ck_assert_uint_eq(again(), ST_FILE_FORMAT);
    journal_report_meta(&report);
    journal_describe(text, sizeof text, &report);
    ck_assert_ptr_nonnull(strstr(text, "C7"));
    ck_assert_ptr_nonnull(strstr(text, META_FILE));
    disk_model_drop(model, META_FILE);
    ck_assert_uint_eq(again(), ST_NO_FILE);
    disk_model_free(model);
}
END_TEST

START_TEST(meta_that_cannot_be_synced_keeps_the_former_value)
{
    uint32_t epoch = 0;

    begin();
    disk_model_fail_sync_after(model, 1);
    ck_assert_uint_eq(meta_take_epoch(&meta, &epoch), ST_DISK_FAILED);
    ck_assert_uint_eq(epoch, 0);
    ck_assert_uint_eq(meta.value.promised_epoch, 0);
    end();
}
END_TEST

START_TEST(meta_takes_epochs_of_a_grant_in_turn_and_never_beyond)
{
    uint32_t epoch = 0;

    begin();
    ck_assert_uint_eq(meta_promise(&meta, 7), ST_OK);
    ck_assert_uint_eq(meta.value.used_epoch, 0);
    for (uint32_t i = 100; i < 104; i++) {
        ck_assert_uint_eq(meta_take_granted(&meta, &epoch, 100, 4), ST_OK);
        ck_assert_uint_eq(epoch, i);
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(meta.value.used_epoch, i);
        ck_assert_uint_eq(meta.value.promised_epoch, i);
    }
    ck_assert_uint_eq(meta_take_granted(&meta, &epoch, 100, 4), ST_LIMIT);
    ck_assert_uint_eq(epoch, 103);
    /* Another was primary meanwhile. */
    ck_assert_uint_eq(meta_promise(&meta, 110), ST_OK);
    ck_assert_uint_eq(meta.value.used_epoch, 103);
    ck_assert_uint_eq(meta_take_granted(&meta, &epoch, 108, 4), ST_OK);
    ck_assert_uint_eq(epoch, 111);
    ck_assert_uint_eq(meta_take_granted(&meta, &epoch, 108, 4), ST_LIMIT);
    ck_assert_uint_eq(meta_take_granted(&meta, &epoch, UINT32_MAX, 4), ST_OK);
    ck_assert_uint_eq(epoch, UINT32_MAX);
    ck_assert_uint_eq(meta_take_granted(&meta, &epoch, UINT32_MAX, UINT32_MAX),
                      ST_LIMIT);
    end();
}
END_TEST

START_TEST(meta_notes_the_epoch_that_the_register_gave)
{
    begin();
    ck_assert_uint_eq(meta_promise(&meta, 9), ST_OK);
    ck_assert_uint_eq(meta_use_epoch(&meta, 9), ST_OK);
    ck_assert_uint_eq(meta_use_epoch(&meta, 12), ST_OK);
    ck_assert_uint_eq(again(), ST_OK);
    ck_assert_uint_eq(meta.value.used_epoch, 12);
    ck_assert_uint_eq(meta.value.promised_epoch, 12);
    end();
}
END_TEST

START_TEST(meta_loses_no_promise_to_the_rot_of_either_slot)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        begin();
        ck_assert_uint_eq(meta_promise(&meta, 70), ST_OK);
        disk_model_rot(model, META_FILE, slot * SLOT_SIZE + 30, 4);
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_ge(meta.value.promised_epoch, 70);
        ck_assert(meta.value.doubtful);
        ck_assert_uint_eq(meta_configure(&meta, 9, slice_of("abc", 3)), ST_OK);
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert(!meta.value.doubtful);
        end();
    }
}
END_TEST

START_TEST(meta_body_that_contradicts_itself_is_refused)
{
    struct meta_value value = {.promised_epoch = 5, .used_epoch = 5};
    struct meta_value out;
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t size;

    meta_encode(body, &size, &value);
    ck_assert_uint_eq(load_u32(body + 60), 5);
    ck_assert_uint_eq(meta_decode(&out, slice_of(body, size)), ST_OK);
    ck_assert_uint_eq(out.used_epoch, 5);
    body[60] = 6;
    ck_assert_uint_eq(meta_decode(&out, slice_of(body, size)), ST_FILE_FORMAT);
}
END_TEST

SUITE_MAIN("meta", meta_takes_epochs_of_a_grant_in_turn_and_never_beyond,
           meta_notes_the_epoch_that_the_register_gave,
           meta_loses_no_promise_to_the_rot_of_either_slot,
           meta_body_that_contradicts_itself_is_refused,
           meta_body_has_its_written_layout, meta_body_cut_or_longer_is_refused,
           meta_remembers_who_the_node_is,
           meta_counts_every_start_and_every_epoch_durably,
           meta_promises_are_kept_and_never_fall,
           meta_keeps_the_newest_configuration,
           meta_never_gives_an_epoch_twice_when_a_slot_rots,
           C7_a_node_whose_meta_file_is_unreadable_refuses_to_start,
           meta_that_cannot_be_synced_keeps_the_former_value)
