#include "replication/storage.h"

#include <string.h>

#include "replication/journal_repair.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

enum { JOBS = 6, ENTRY = JOURNAL_RIG_ENTRY };

static struct journal_rig rig;
static struct meta meta;
static struct storage storage;
static struct storage_job jobs[JOBS];
static struct storage_job *list[JOBS];
static size_t count;
static struct journal_end end; /* Behind what the jobs append. */
static struct journal_entry entries[JOBS];
static uint8_t bytes[JOBS][ENTRY];

static void begin(void)
{
    struct meta_value value = {.incarnation = 0};
    struct disk *disk;

    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    disk = disk_model_disk(rig.model);
    ck_assert_int_eq(meta_create(disk, &value), ST_OK);
    ck_assert_int_eq(meta_open(&meta, disk), ST_OK);
    ck_assert_int_eq(meta_begin(&meta), ST_OK);
    storage =
        (struct storage){.disk = disk, .journal = rig.journal, .meta = &meta};
    memset(&end, 0, sizeof end);
    count = 0;
}

static void finish(void)
{
    meta_close(&meta);
    journal_rig_end(&rig);
}

static struct storage_job *job(enum storage_job_type type)
{
    struct storage_job *made = &jobs[count];

    *made = (struct storage_job){.type = type, .number = count + 1};
    made->status = ST_INTERNAL;
    list[count++] = made;
    return made;
}

static struct storage_job *append(void)
{
    struct storage_job *made = job(STORAGE_APPEND);
    size_t at = count - 1;

    entries[at] = log_maker_entry(bytes[at], &end, ENTRY, 1, 0);
    made->entries = &entries[at];
    made->entries_count = 1;
    return made;
}

static void run(void)
{
    storage_run(&storage, list, count);
    count = 0;
}

/* ---- Appends ------------------------------------------------------------- */

START_TEST(appends_that_follow_each_other_share_one_sync_and_one_mark)
{
    size_t syncs;

    begin();
    syncs = disk_model_syncs(rig.model);
    for (int i = 0; i < 4; i++)
        append()->committed = (uint64_t)i;
    run();
    ck_assert_uint_eq(disk_model_syncs(rig.model), syncs + 2);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(jobs[i].status, ST_OK);
        ck_assert_uint_eq(jobs[i].end.size, 4);
    }
    ck_assert_uint_eq(journal_size(rig.journal), 4);
    ck_assert_uint_eq(journal_committed(rig.journal), 3);
    finish();
}
END_TEST

START_TEST(another_job_between_appends_parts_them)
{
    begin();
    append();
    job(STORAGE_PROMISE)->epoch = 4;
    append();
    run();
    ck_assert_uint_eq(jobs[0].end.size, 1);
    ck_assert_uint_eq(jobs[1].end.size, 1);
    ck_assert_uint_eq(jobs[2].end.size, 2);
    ck_assert_uint_eq(meta.value.promised_epoch, 4);
    finish();
}
END_TEST

START_TEST(an_append_that_fails_takes_those_behind_it_along)
{
    begin();
    append();
    append();
    entries[1].bytes.data = bytes[0]; /* Its index was used. */
    append();
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert_int_eq(jobs[1].status, ST_CHAIN_BROKEN);
    ck_assert_int_eq(jobs[2].status, ST_CHAIN_BROKEN);
    ck_assert_uint_eq(journal_size(rig.journal), 1);
    ck_assert_uint_eq(jobs[2].end.size, 1);
    finish();
}
END_TEST

START_TEST(a_full_disk_fails_the_appends_and_nothing_else)
{
    begin();
    journal_rig_fill(&rig, 6); /* The segment is full. */
    end = rig.end;
    disk_model_limit(rig.model, 1);
    append();
    append();
    job(STORAGE_PROMISE)->epoch = 7;
    run();
    ck_assert_int_eq(jobs[0].status, ST_DISK_FULL);
    ck_assert_int_eq(jobs[1].status, ST_DISK_FULL);
    ck_assert_int_eq(jobs[2].status, ST_OK);
    ck_assert_uint_eq(journal_size(rig.journal), 6);
    ck_assert(journal_rig_holds(&rig, 6));
    finish();
}
END_TEST

/* A keyring that refuses, or takes. */
static enum status verdict;
static size_t asked;
static uint64_t truncated;

static enum status accept(void *context, const struct storage_job *given)
{
    ck_assert_ptr_eq(context, &rig);
    ck_assert_int_eq(given->type, STORAGE_APPEND);
    /* Before the entries: nothing of them is there yet. */
    ck_assert_uint_eq(journal_end(rig.journal).size, asked);
    asked++;
    return asked == 2 ? verdict : ST_OK;
}

static void truncate_keys(void *context, uint64_t size)
{
    ck_assert_ptr_eq(context, &rig);
    truncated = size;
}

START_TEST(keys_come_first_and_entries_without_theirs_are_not_taken)
{
    static const enum status verdicts[] = {ST_KEY_MISSING, ST_SEAL,
                                           ST_DIVERGED};

    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        begin();
        storage.keys = (struct storage_keys){
            .context = &rig, .accept = accept, .truncate = truncate_keys};
        verdict = verdicts[i];
        asked = 0;
        for (int at = 0; at < 3; at++)
            append()->verify_keys = true;
        run();
        ck_assert_int_eq(jobs[0].status, ST_OK);
        ck_assert_int_eq(jobs[1].status, verdict);
        ck_assert_int_eq(jobs[2].status, verdict);
        ck_assert_uint_eq(asked, 2);
        ck_assert_uint_eq(journal_size(rig.journal), 1);
        finish();
    }
}
END_TEST

START_TEST(the_commit_that_is_marked_never_goes_back)
{
    begin();
    append();
    append();
    job(STORAGE_MARK)->committed = 2;
    run();
    append()->committed = 1; /* Given before the other was done. */
    job(STORAGE_MARK)->committed = 0;
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert_int_eq(jobs[1].status, ST_OK);
    ck_assert_uint_eq(journal_committed(rig.journal), 2);
    finish();
}
END_TEST

/* ---- Cutting and repairing ----------------------------------------------- */

START_TEST(a_cut_keeps_its_bytes_aside_and_takes_the_keys_along)
{
    begin();
    storage.keys =
        (struct storage_keys){.context = &rig, .truncate = truncate_keys};
    for (int i = 0; i < 4; i++)
        append();
    job(STORAGE_CUT)->size = 2;
    run();
    ck_assert_int_eq(jobs[4].status, ST_OK);
    ck_assert_uint_eq(jobs[4].end.size, 2);
    ck_assert_int_eq(strncmp(jobs[4].aside, "divergent/2-", 12), 0);
    ck_assert(!jobs[4].unkept);
    ck_assert_uint_eq(truncated, 2);
    ck_assert_uint_eq(journal_size(rig.journal), 2);
    finish();
}
END_TEST

START_TEST(nothing_committed_is_cut_off)
{
    begin();
    truncated = 99;
    storage.keys =
        (struct storage_keys){.context = &rig, .truncate = truncate_keys};
    for (int i = 0; i < 4; i++)
        append();
    job(STORAGE_MARK)->committed = 3;
    job(STORAGE_CUT)->size = 2;
    run();
    ck_assert_int_eq(jobs[5].status, ST_CHAIN_BROKEN);
    ck_assert_uint_eq(journal_size(rig.journal), 4);
    ck_assert_uint_eq(truncated, 99);
    finish();
}
END_TEST

static void rot(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset = journal_rig_offset(&rig, index, file);

    disk_model_rot(rig.model, file, offset + 100, 2);
}

START_TEST(what_is_examined_is_known_to_be_damaged_and_then_repaired)
{
    struct journal_entry entry;
    struct journal_gap gap;
    struct storage_job *repair;

    begin();
    journal_rig_fill(&rig, 5);
    rot(2);
    job(STORAGE_EXAMINE)->size = 2;
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert_int_eq(journal_hole_at(rig.journal, &gap, 0), ST_OK);
    ck_assert_uint_eq(gap.first, 2);
    entry.bytes = slice_of(rig.bytes[3], rig.sizes[3]); /* Another one. */
    repair = job(STORAGE_REPAIR);
    repair->size = 2;
    repair->entries = &entry;
    repair->entries_count = 1;
    run();
    ck_assert_int_ne(jobs[0].status, ST_OK);
    ck_assert_int_ne(jobs[0].status, ST_DISK_FAILED);
    entry.bytes = slice_of(rig.bytes[2], rig.sizes[2]);
    list[0] = &jobs[0];
    count = 1;
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert(journal_rig_holds(&rig, 5));
    finish();
}
END_TEST

START_TEST(what_is_lost_is_found_only_where_that_is_proven)
{
    begin();
    append();
    job(STORAGE_LOST);
    run();
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST_ALL);
    job(STORAGE_FOUND)->proven = true;
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    finish();
}
END_TEST

/* ---- Meta ---------------------------------------------------------------- */

START_TEST(promises_and_terms_never_go_back)
{
    begin();
    job(STORAGE_PROMISE)->epoch = 5;
    job(STORAGE_PROMISE)->epoch = 3;
    job(STORAGE_USE)->epoch = 6;
    job(STORAGE_USE)->epoch = 6;
    job(STORAGE_RISE)->size = 9;
    run();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(jobs[i].status, ST_OK);
    ck_assert_uint_eq(meta.value.promised_epoch, 6);
    ck_assert_uint_eq(meta.value.used_epoch, 6);
    ck_assert_uint_eq(meta.value.incarnation, 9);
    finish();
}
END_TEST

static void configure(uint64_t number, const char *text, uint32_t epoch)
{
    struct storage_job *made = job(STORAGE_CONFIGURE);

    made->config_number = number;
    made->config = slice_of(text, strlen(text));
    made->epoch = epoch;
}

START_TEST(a_configuration_is_kept_with_the_promise_of_its_epoch)
{
    begin();
    configure(3, "three", 8);
    configure(2, "two", 9);
    run();
    ck_assert_int_eq(jobs[0].status, ST_OK);
    ck_assert_int_eq(jobs[1].status, ST_OK);
    ck_assert_uint_eq(meta.value.configuration_number, 3);
    ck_assert_mem_eq(meta.value.configuration, "three", 5);
    ck_assert_uint_eq(meta.value.promised_epoch, 9);
    finish();
}
END_TEST

/* ---- A disk that fails --------------------------------------------------- */

/* Everything, in an order that a replica might give it. */
static void everything(void)
{
    append();
    append();
    job(STORAGE_PROMISE)->epoch = 4;
    job(STORAGE_CUT)->size = 1;
    configure(3, "three", 5);
    job(STORAGE_LOST);
}

START_TEST(whatever_call_fails_nothing_behind_it_is_done)
{
    size_t calls, failures = 0;

    for (calls = 0; calls < 60; calls++) {
        size_t done = 0;

        begin();
        everything();
        disk_model_power_off_after(rig.model,
                                   disk_model_changes(rig.model) + calls);
        storage_run(&storage, list, count);
        while (done < JOBS && jobs[done].status == ST_OK)
            done++;
        if (done < JOBS) {
            ck_assert_int_eq(jobs[done].status, ST_DISK_FAILED);
            failures++;
        }
        /* What was not begun does not look as if it were done. */
        for (size_t i = done + 1; i < JOBS; i++)
            ck_assert_msg(jobs[i].status == ST_DISK_FAILED,
                          "call %zu: job %zu is %d", calls, i,
                          (int)jobs[i].status);
        finish();
    }
    ck_assert_uint_ge(failures, 8);
    ck_assert_uint_lt(failures, 60);
}
END_TEST

START_TEST(a_sync_that_fails_leaves_nothing_acknowledged)
{
    for (size_t sync = 1; sync <= 2; sync++) {
        begin();
        append();
        append();
        disk_model_fail_sync_after(rig.model, sync);
        run();
        ck_assert_int_eq(jobs[0].status, ST_DISK_FAILED);
        ck_assert_int_eq(jobs[1].status, ST_DISK_FAILED);
        append();
        run();
        ck_assert_int_eq(jobs[0].status, ST_DISK_FAILED); /* For good. */
        finish();
    }
}
END_TEST

START_TEST(every_job_has_a_name)
{
    for (int type = STORAGE_APPEND; type <= STORAGE_FOUND; type++)
        ck_assert_uint_gt(strlen(storage_job_name((enum storage_job_type)type)),
                          2);
}
END_TEST

SUITE_MAIN("storage",
           appends_that_follow_each_other_share_one_sync_and_one_mark,
           another_job_between_appends_parts_them,
           an_append_that_fails_takes_those_behind_it_along,
           a_full_disk_fails_the_appends_and_nothing_else,
           keys_come_first_and_entries_without_theirs_are_not_taken,
           the_commit_that_is_marked_never_goes_back,
           a_cut_keeps_its_bytes_aside_and_takes_the_keys_along,
           nothing_committed_is_cut_off,
           what_is_examined_is_known_to_be_damaged_and_then_repaired,
           what_is_lost_is_found_only_where_that_is_proven,
           promises_and_terms_never_go_back,
           a_configuration_is_kept_with_the_promise_of_its_epoch,
           whatever_call_fails_nothing_behind_it_is_done,
           a_sync_that_fails_leaves_nothing_acknowledged, every_job_has_a_name)
